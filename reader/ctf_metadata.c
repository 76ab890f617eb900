/* SPDX-License-Identifier: MIT */
/*
 * The metadata of a recording, in TSDL (CTF 1.8). The record's layout (weir/abi/shm.h) in its
 * terms: a 54-bit head whose time is mapped to the clock, everything behind it aligned to 64 bits,
 * one 64-bit place per field, of which a narrow type takes the low bits, and the bytes of strings
 * at the end as sequences whose lengths stand in the fields' places.
 *
 * Field names get a leading underscore, which readers take off again, so that no name is a keyword
 * of TSDL (ctf_names.h).
 */
#include "reader/ctf.h"
#include "reader/ctf_names.h"

#include <inttypes.h>
#include <string.h>

void ctf_clock_init(const struct clock *clock, struct ctf_clock *ret)
{
	__int128 ticks_of_0;
	int64_t ns0 = clock->ns0 + clock->epoch_ns;

	ret->hz = clock->kind == WEIR_CLOCK_MONOTONIC ? 1000000000 : (uint64_t)(clock->hz + 0.5);
	/* The epoch in ticks, at 0 of the counter; the newest piece is the longest measured. */
	if (clock->kind == WEIR_CLOCK_MONOTONIC)
		ticks_of_0 =
		    (__int128)(clock->epoch_ns - clock->offset) * (int64_t)ret->hz / 1000000000;
	else
		ticks_of_0 = (__int128)ns0 * (int64_t)ret->hz / 1000000000 - (int64_t)clock->ticks0;
	ret->offset_s = (int64_t)(ticks_of_0 / (int64_t)ret->hz);
	if (ticks_of_0 % (int64_t)ret->hz < 0)
		ret->offset_s--;
	ret->offset = (uint64_t)(ticks_of_0 - (__int128)ret->offset_s * (int64_t)ret->hz);
}

/* A TSDL string literal. */
static void quoted(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fputc('?', to);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void trace_block(FILE *to, const struct ctf_target *t)
{
	const uint8_t *u = t->uuid;

	fprintf(
	    to,
	    "/* CTF 1.8 */\n\n"
	    "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
	    "typealias integer { size = 16; align = 16; signed = false; } := uint16_t;\n"
	    "typealias integer { size = 32; align = 32; signed = false; } := uint32_t;\n"
	    "typealias integer { size = 64; align = 64; signed = false; } := uint64_t;\n\n"
	    "trace {\n"
	    "\tmajor = 1;\n\tminor = 8;\n"
	    "\tuuid = \"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\";\n"
	    "\tbyte_order = %s;\n"
	    "\tpacket.header := struct {\n\t\tuint32_t magic;\n\t\tuint32_t stream_id;\n\t};\n"
	    "};\n\n",
	    u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
	    u[14], u[15], __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "le" : "be");
	fputs("env {\n\tdomain = \"user\";\n\ttracer_name = \"weir\";\n", to);
	fprintf(to, "\ttracer_major = %d;\n\ttracer_minor = %d;\n", WEIR_VERSION_MAJOR,
	        WEIR_VERSION_MINOR);
	fputs("\thostname = ", to);
	quoted(to, t->hostname);
	fputs(";\n\tprocname = ", to);
	quoted(to, t->process);
	fputs(";\n\tcommand = ", to);
	quoted(to, t->command);
	fprintf(to, ";\n\tvpid = %d;\n\tpid = %d;\n\tcpus = %" PRIu32 ";\n};\n\n", t->inner_pid,
	        t->pid, t->cpus);
}

/* Viewers take traces of clocks with one uuid for traces of one machine: the boot's. */
static void boot_uuid(char ret[37])
{
	FILE *from = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!from || fscanf(from, "%36s", ret) != 1 || strlen(ret) != 36)
		strcpy(ret, "00000000-0000-0000-0000-000000000000");
	if (from)
		fclose(from);
}

static void clock_block(FILE *to, const struct ctf_clock *clock)
{
	char uuid[37];

	boot_uuid(uuid);
	fprintf(to, "clock {\n\tname = event_clock;\n\tuuid = \"%s\";\n", uuid);
	fprintf(to,
	        "\tdescription = \"the target's event clock, mapped by pairs at start and end\";\n"
	        "\tfreq = %" PRIu64 ";\n\toffset_s = %" PRId64 ";\n\toffset = %" PRIu64 ";\n"
	        "\tabsolute = true;\n};\n\n"
	        "typealias integer { size = 64; align = 64; signed = false; map = "
	        "clock.event_clock.value; } := time64_t;\n"
	        "typealias integer { size = 38; align = 1; signed = false; map = "
	        "clock.event_clock.value; } := time38_t;\n\n",
	        clock->hz, clock->offset_s, clock->offset);
}

/*
 * The packet's context begins at 32 bytes: what weir itself needs of the head is before it, where
 * no viewer shows it with every event.
 */
static void stream_block(FILE *to, int id)
{
	fprintf(to,
	        "stream {\n\tid = %d;\n"
	        "\tpacket.context := struct {\n"
	        "\t\ttime64_t timestamp_begin;\n\t\ttime64_t timestamp_end;\n"
	        "\t\tuint64_t content_size;\n\t\tuint64_t packet_size;\n"
	        "\t\tuint64_t events_discarded;\n"
	        "\t\tuint32_t cpu_id;\n\t\tuint32_t packet_seq_num;\n\t} align(256);\n"
	        "\tevent.header := struct {\n\t\tuint16_t id;\n\t\ttime38_t timestamp;\n\t} "
	        "align(64);\n"
	        "\tevent.context := struct {\n"
	        "\t\tinteger { size = 32; align = 64; signed = false; } _tid;\n"
	        "\t\tuint16_t _cpu;\n\t\tinteger { size = 16; align = 16; signed = false; base = "
	        "hex; } _flags;\n"
	        "\t};\n};\n\n",
	        id);
}

static const struct {
	uint8_t bits;
	bool is_signed;
} integers[] = {
	[WEIR_I8] = { 8, true },    [WEIR_I16] = { 16, true },  [WEIR_I32] = { 32, true },
	[WEIR_I64] = { 64, true },  [WEIR_U8] = { 8, false },   [WEIR_U16] = { 16, false },
	[WEIR_U32] = { 32, false }, [WEIR_U64] = { 64, false }, [WEIR_POINTER] = { 64, false },
};

static void field_fixed(FILE *to, const struct schema_field *f, const char *name)
{
	switch (f->type) {
	case WEIR_F32:
	case WEIR_F64:
		fprintf(to,
		        "\t\tfloating_point { exp_dig = %d; mant_dig = %d; align = 64; } _%s;\n",
		        f->type == WEIR_F32 ? 8 : 11, f->type == WEIR_F32 ? 24 : 53, name);
		return;
	case WEIR_BOOL:
		fprintf(to,
		        "\t\tenum : integer { size = 8; align = 64; signed = false; } { false = 0, "
		        "true = "
		        "1 ... 255 } _%s;\n",
		        name);
		return;
	default:
		fprintf(to, "\t\tinteger { size = %d; align = 64; signed = %s;%s } _%s;\n",
		        integers[f->type].bits, integers[f->type].is_signed ? "true" : "false",
		        f->type == WEIR_POINTER ? " base = hex;" : "", name);
	}
}

/* The place of a string or bytes. */
static void field_length(FILE *to, const char *length, const char *original)
{
	fprintf(to,
	        "\t\tinteger { size = 16; align = 64; signed = false; } _%s;\n"
	        "\t\tuint16_t _%s;\n",
	        length, original);
}

static void field_bytes(FILE *to, const struct schema_field *f, const char *name,
                        const char *length)
{
	fprintf(to, "\t\tinteger { size = 8; align = 8; signed = false; %s; } _%s[ _%s ];\n",
	        f->type == WEIR_STRING ? "encoding = UTF8" : "base = hex", name, length);
}

/* Bits that a field takes of its place. */
static unsigned field_bits(uint8_t type)
{
	switch (type) {
	case WEIR_F32:
		return 32;
	case WEIR_F64:
		return 64;
	case WEIR_BOOL:
		return 8;
	case WEIR_STRING:
	case WEIR_BYTES:
		return 32;
	default:
		return integers[type].bits;
	}
}

static void event_block(FILE *to, const struct schema_probe *p)
{
	struct ctf_names names;

	ctf_names_init(&names, p);
	fprintf(
	    to,
	    "event {\n\tid = %u;\n\tname = \"%s:%s\";\n\tstream_id = 0;\n\tfields := struct {\n",
	    p->id, p->provider, p->name);
	for (uint32_t i = 0; i < p->count; i++) {
		if (schema_type_is_bytes(p->fields[i].type))
			field_length(to, names.lengths[i], names.originals[i]);
		else
			field_fixed(to, &p->fields[i], names.fields[i]);
	}
	/* Bytes and the next event's end are aligned less: an empty structure moves on to the next place. */
	if (p->count && field_bits(p->fields[p->count - 1].type) < 64)
		fprintf(to, "\t\tstruct { } align(64) _%s;\n", names.padding);
	for (uint32_t i = 0; i < p->count; i++) {
		if (schema_type_is_bytes(p->fields[i].type))
			field_bytes(to, &p->fields[i], names.fields[i], names.lengths[i]);
	}
	/* Whatever there is, the next event begins at 64 bits. */
	fputs("\t} align(64);\n};\n\n", to);
}

void ctf_metadata_write(FILE *to, const struct ctf_target *target, const struct ctf_clock *clock,
                        const struct schema *schema)
{
	trace_block(to, target);
	clock_block(to, clock);
	stream_block(to, CTF_STREAM_EVENTS);
	stream_block(to, CTF_STREAM_THREADS);
	fputs("event {\n\tid = 0;\n\tname = \"weir:thread\";\n\tstream_id = 1;\n\tfields := struct "
	      "{\n"
	      "\t\tinteger { size = 8; align = 8; signed = false; encoding = UTF8; } _name[16];\n"
	      "\t} align(64);\n};\n\n",
	      to);
	for (uint32_t id = 1; id < schema->ids; id++) {
		if (schema->probes[id])
			event_block(to, schema->probes[id]);
	}
}
