/* SPDX-License-Identifier: MIT */
/*
 * The stub's bytes. The image is laid out so that every address is known before anything is
 * written; file offsets are link addresses (the image is linked at 0):
 *
 *   R    ELF and program headers, .note.gnu.property, .note.gnu.build-id, .hash, .dynsym, .dynstr,
 *        .stapsdt.base, .eh_frame_hdr, .eh_frame
 *   RX   .text: the sites of all probes, then their thunks, a slot each, then the ways. Sites lie together since
 *        a fire of an idle probe reads its site's first bytes, and what nobody calls it skips.
 *        Or the given functions, in an image of stub_build_code().
 *   RW   .dynamic, .data: a block per probe, .probes: a semaphore per probe that wants one
 *   -    .note.stapsdt, .note.weir, .symtab, .strtab, .shstrtab, section headers. perf and stap
 *        want SDT notes that are not allocated.
 *
 * No code of a probe moves the stack pointer, so one FDE describes all of it; given functions have
 * one each. The build-id is a hash of everything else and also names the file (the soname).
 */
#include "lib/stub.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/error.h"
#include "lib/stub_arch.h"

/* not in musl's elf.h */
#ifndef NT_GNU_PROPERTY_TYPE_0
#define NT_GNU_PROPERTY_TYPE_0 5
#endif
#ifndef PT_GNU_PROPERTY
#define PT_GNU_PROPERTY 0x6474e553
#endif
#ifndef ELF_NOTE_GNU
#define ELF_NOTE_GNU "GNU"
#endif

/* libbpf refuses a probe with more arguments; the rest is in .note.weir. */
#define SDT_ARGS_MAX 12
/* Of uint16_t ids in shared memory. Keeps distances within 31 bits, too. */
#define PROBES_MAX    65535
#define SYMBOL_PREFIX 10 /* bytes of "weir_fire_" */
/* Of a given function: what precedes its CFI is 17 bytes. */
#define CODE_FDE 48
_Static_assert(17 + STUB_CFI_MAX <= CODE_FDE, "a function's CFI fits its FDE");

enum segment {
	SEGMENT_READ,
	SEGMENT_EXECUTE,
	SEGMENT_WRITE,
	SEGMENT_DYNAMIC,
	SEGMENT_BUILD_ID,
	SEGMENT_EH_FRAME,
	SEGMENT_STACK,
	SEGMENT_PROPERTY, /* these two last: not every processor has them */
	SEGMENT_PROPERTY_NOTE,
	SEGMENTS,
};

enum section {
	SECTION_NULL,
	SECTION_PROPERTY,
	SECTION_BUILD_ID,
	SECTION_HASH,
	SECTION_DYNSYM,
	SECTION_DYNSTR,
	SECTION_SDT_BASE,
	SECTION_EH_FRAME_HDR,
	SECTION_EH_FRAME,
	SECTION_TEXT,
	SECTION_DYNAMIC,
	SECTION_DATA,
	SECTION_SEMAPHORES,
	SECTION_SDT,
	SECTION_WEIR,
	SECTION_SYMTAB,
	SECTION_STRTAB,
	SECTION_SHSTRTAB,
	SECTIONS,
};

static const struct section_kind {
	const char *name;
	uint32_t type;
	uint32_t link;
	uint64_t flags;
	uint64_t align;
	uint64_t entry;
} section_kinds[SECTIONS] = {
	[SECTION_NULL] = { "" },
	[SECTION_PROPERTY] = { ".note.gnu.property", SHT_NOTE, 0, SHF_ALLOC, 8 },
	[SECTION_BUILD_ID] = { ".note.gnu.build-id", SHT_NOTE, 0, SHF_ALLOC, 4 },
	[SECTION_HASH] = { ".hash", SHT_HASH, SECTION_DYNSYM, SHF_ALLOC, 8, 4 },
	[SECTION_DYNSYM] = { ".dynsym", SHT_DYNSYM, SECTION_DYNSTR, SHF_ALLOC, 8,
	                     sizeof(Elf64_Sym) },
	[SECTION_DYNSTR] = { ".dynstr", SHT_STRTAB, 0, SHF_ALLOC, 1 },
	[SECTION_SDT_BASE] = { ".stapsdt.base", SHT_PROGBITS, 0, SHF_ALLOC, 1 },
	[SECTION_EH_FRAME_HDR] = { ".eh_frame_hdr", SHT_PROGBITS, 0, SHF_ALLOC, 4 },
	[SECTION_EH_FRAME] = { ".eh_frame", SHT_PROGBITS, 0, SHF_ALLOC, 8 },
	[SECTION_TEXT] = { ".text", SHT_PROGBITS, 0, SHF_ALLOC | SHF_EXECINSTR, STUB_SLOT },
	[SECTION_DYNAMIC] = { ".dynamic", SHT_DYNAMIC, SECTION_DYNSTR, SHF_ALLOC | SHF_WRITE, 16,
	                      sizeof(Elf64_Dyn) },
	[SECTION_DATA] = { ".data", SHT_PROGBITS, 0, SHF_ALLOC | SHF_WRITE, 16 },
	[SECTION_SEMAPHORES] = { ".probes", SHT_PROGBITS, 0, SHF_ALLOC | SHF_WRITE, 2 },
	[SECTION_SDT] = { ".note.stapsdt", SHT_NOTE, 0, 0, 4 },
	[SECTION_WEIR] = { ".note.weir", SHT_NOTE, 0, 0, 4 },
	[SECTION_SYMTAB] = { ".symtab", SHT_SYMTAB, SECTION_STRTAB, 0, 8, sizeof(Elf64_Sym) },
	[SECTION_STRTAB] = { ".strtab", SHT_STRTAB, 0, 0, 1 },
	[SECTION_SHSTRTAB] = { ".shstrtab", SHT_STRTAB, 0, 0, 1 },
};

struct image {
	struct buffer out;
	const struct stub_probe *probes;
	size_t count;
	const struct stub_code *codes;
	size_t code_count;
	const char *provider;
	size_t semaphores;
	uint64_t text, text_size, dynamic, data, semaphores_at;
	uint64_t build_id, soname; /* offsets of what is filled in last */
	struct {
		uint64_t start, size;
	} sections[SECTIONS];
};

/* ---- what no tool could read ---- */

static bool is_name(const char *s, size_t room)
{
	size_t i;

	for (i = 0; i < room && s[i]; i++) {
		char c = s[i];

		if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (i && c >= '0' && c <= '9')))
			return false;
	}
	return i > 0 && i <= WEIR_NAME_MAX && i < room;
}

static const char *note_provider(const struct weir_note *note)
{
	return (const char *)(note + 1);
}

static const char *note_probe(const struct weir_note *note)
{
	const char *provider = note_provider(note);

	return provider + strlen(provider) + 1;
}

static int check_fields(const struct weir_note *note, struct weir_error *err)
{
	const uint8_t *at = (const uint8_t *)note_probe(note) + strlen(note_probe(note)) + 1;
	const uint8_t *end = (const uint8_t *)note + note->size;
	unsigned int args = 0;

	for (unsigned int i = 0; i < note->fields; i++) {
		const struct weir_note_field *field = (const struct weir_note_field *)at;

		at += sizeof(*field);
		if (at >= end || !is_name((const char *)at, (size_t)(end - at)))
			return error_set(err, -EINVAL, "probe %s: field %u has no valid name",
			                 note_probe(note), i);
		if (field->type < WEIR_NOTE_I8 || field->type > WEIR_NOTE_POINTER)
			return error_set(err, -EINVAL, "probe %s: field %s has unknown type %u",
			                 note_probe(note), (const char *)at, field->type);
		if (field->arg != args)
			return error_set(err, -EINVAL, "probe %s: field %s is argument %u, not %u",
			                 note_probe(note), (const char *)at, args, field->arg);
		args += field->type == WEIR_NOTE_BYTES ? 2 : 1;
		at += strlen((const char *)at) + 1;
	}
	if (at != end || args != note->args || args > WEIR_ARGS_MAX)
		return error_set(err, -EINVAL, "probe %s: the note's fields and sizes disagree",
		                 note_probe(note));
	return 0;
}

static int check_probe(const struct stub_probe *probe, const char *provider, struct weir_error *err)
{
	const struct weir_note *note = probe->note;
	size_t room;

	if (note->version != WEIR_NOTE_VERSION || note->fixed != sizeof(*note) ||
	    note->size < sizeof(*note))
		return error_set(err, -EINVAL, "a probe's note is not of version %d",
		                 WEIR_NOTE_VERSION);
	room = note->size - sizeof(*note);
	if (!is_name(note_provider(note), room) || strcmp(note_provider(note), provider))
		return error_set(err, -EINVAL,
		                 "a probe's provider is not a valid name, or not the one "
		                 "it is published with");
	room -= strlen(provider) + 1;
	if (!is_name(note_probe(note), room))
		return error_set(err, -EINVAL,
		                 "provider %s: a probe's name is not "
		                 "[A-Za-z_][A-Za-z0-9_]* of at most %d bytes",
		                 provider, WEIR_NAME_MAX);
	return check_fields(note, err);
}

static int check(const struct stub_probe *probes, size_t count, struct weir_error *err)
{
	if (!count)
		return error_set(err, -EINVAL, "a provider without probes has no stub");
	if (count > PROBES_MAX)
		return error_set(err, -EINVAL, "%zu probes in one provider, but %d are the most",
		                 count, PROBES_MAX);
	for (size_t i = 0; i < count; i++) {
		int ret = check_probe(&probes[i], note_provider(probes[0].note), err);

		if (ret)
			return ret;
	}
	return 0;
}

/* ---- sections ---- */

static void section_begin(struct image *image, enum section section)
{
	size_t align = section_kinds[section].align;

	image->sections[section].start = buffer_align(&image->out, align ? align : 1);
}

static void section_end(struct image *image, enum section section)
{
	image->sections[section].size = image->out.size - image->sections[section].start;
}

static void put_note_head(struct buffer *b, const char *owner, uint32_t size, uint32_t type)
{
	buffer_u32(b, (uint32_t)strlen(owner) + 1);
	buffer_u32(b, size);
	buffer_u32(b, type);
	buffer_string(b, owner);
	buffer_align(b, 4);
}

static void put_property(struct image *image)
{
	section_begin(image, SECTION_PROPERTY);
	if (stub_arch.property) {
		put_note_head(&image->out, ELF_NOTE_GNU, 16, NT_GNU_PROPERTY_TYPE_0);
		buffer_u32(&image->out, stub_arch.property);
		buffer_u32(&image->out, 4);
		buffer_u32(&image->out, stub_arch.features);
		buffer_u32(&image->out, 0);
	}
	section_end(image, SECTION_PROPERTY);
}

static void put_build_id(struct image *image)
{
	section_begin(image, SECTION_BUILD_ID);
	put_note_head(&image->out, ELF_NOTE_GNU, STUB_ID_SIZE, NT_GNU_BUILD_ID);
	image->build_id = image->out.size;
	buffer_reserve(&image->out, STUB_ID_SIZE);
	section_end(image, SECTION_BUILD_ID);
}

/* Nothing is exported: the library finds its way by offsets. */
static void put_dynamic_symbols(struct image *image)
{
	section_begin(image, SECTION_HASH);
	buffer_u32(&image->out, 1); /* buckets */
	buffer_u32(&image->out, 1); /* chains */
	buffer_u64(&image->out, 0);
	section_end(image, SECTION_HASH);

	section_begin(image, SECTION_DYNSYM);
	buffer_reserve(&image->out, sizeof(Elf64_Sym));
	section_end(image, SECTION_DYNSYM);

	section_begin(image, SECTION_DYNSTR);
	buffer_reserve(&image->out, 1);
	image->soname = image->out.size;
	buffer_reserve(&image->out, STUB_NAME_SIZE);
	section_end(image, SECTION_DYNSTR);
}

static void put_sdt_base(struct image *image)
{
	section_begin(image, SECTION_SDT_BASE);
	buffer_reserve(&image->out, 1);
	section_end(image, SECTION_SDT_BASE);
}

/* The start of an FDE, up to its CFI; the CIE is at `cie`. Returns where the FDE starts. */
static uint64_t put_fde(struct image *image, uint64_t cie, uint32_t size, uint64_t code,
                        uint64_t code_size)
{
	struct buffer *b = &image->out;
	uint64_t fde = b->size;

	buffer_u32(b, size - 4);
	buffer_u32(b, (uint32_t)(b->size - cie));
	buffer_u32(b, (uint32_t)(code - b->size));
	buffer_u32(b, (uint32_t)code_size);
	buffer_reserve(b, 1); /* no augmentation */
	return fde;
}

/* What follows the CIE: an FDE for all probes' code, or one per given function; then the end. */
static void put_fdes(struct image *image, uint64_t cie)
{
	struct buffer *b = &image->out;

	if (image->count) {
		put_fde(image, cie, 24, image->text, image->text_size);
		buffer_reserve(b, 24 - 17);
	}
	for (size_t i = 0; i < image->code_count; i++) {
		const struct stub_code *code = &image->codes[i];

		put_fde(image, cie, CODE_FDE, code->at, code->size);
		buffer_put(b, code->cfi, code->cfi_size);
		buffer_reserve(b, CODE_FDE - 17u - code->cfi_size);
	}
	buffer_u32(b, 0);
}

/* Returns where the first FDE is. */
static uint64_t put_eh_frame(struct image *image)
{
	struct buffer *b = &image->out;
	const uint8_t cie_head[] = { 1,
		                     'z',
		                     'R',
		                     0,
		                     stub_arch.code_align,
		                     0x78 /* -8 */,
		                     stub_arch.return_column,
		                     1,
		                     0x1b /* pcrel, sdata4 */ };
	/* each rounded up so that the next one is aligned */
	size_t cie = ((4 + sizeof(cie_head) + stub_arch.cfi_size + 4 + 7) & ~7ul) - 4;
	uint64_t start, fde;

	section_begin(image, SECTION_EH_FRAME);
	start = b->size;
	buffer_u32(b, (uint32_t)cie);
	buffer_u32(b, 0);
	buffer_put(b, cie_head, sizeof(cie_head));
	buffer_put(b, stub_arch.cfi, stub_arch.cfi_size);
	buffer_reserve(b, start + 4 + cie - b->size); /* DW_CFA_nop is 0 */

	fde = b->size;
	put_fdes(image, start);
	section_end(image, SECTION_EH_FRAME);
	return fde;
}

/* .eh_frame_hdr: a table of FDEs by address, as many as put_fdes() will put. */
static void put_unwind_tables(struct image *image)
{
	static const uint8_t encodings[] = { 1, 0x1b, 0x03, 0x3b };
	uint32_t count = (uint32_t)(image->count ? 1 : image->code_count);
	uint64_t header, fde;
	uint32_t *table;

	section_begin(image, SECTION_EH_FRAME_HDR);
	header = image->out.size;
	buffer_put(&image->out, encodings, sizeof(encodings));
	buffer_reserve(&image->out, (2 + 2 * count) * sizeof(*table));
	section_end(image, SECTION_EH_FRAME_HDR);

	fde = put_eh_frame(image);
	if (image->out.failed)
		return;
	table = (uint32_t *)(image->out.data + header + 4);
	table[0] = (uint32_t)(image->sections[SECTION_EH_FRAME].start - (header + 4));
	table[1] = count;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t code = image->count ? image->text : image->codes[i].at;

		table[2 + 2 * i] = (uint32_t)(code - header);
		table[3 + 2 * i] = (uint32_t)(fde - header) + i * CODE_FDE;
	}
}

/* Bytes of an i8 or i16 field, 0 of others. */
static int narrow_size(const struct weir_note_field *field)
{
	return field->type == WEIR_NOTE_I8 ? 1 : field->type == WEIR_NOTE_I16 ? 2 : 0;
}

/* To the site with i8 and i16 arguments made whole. `code` NULL: its length only; 0: not needed. */
static size_t write_way(const struct stub_probe *probe, uint8_t *code)
{
	const char *at = note_probe(probe->note) + strlen(note_probe(probe->note)) + 1;
	uint8_t bytes[STUB_EXTEND_MAX];
	size_t size = 0, n;

	for (unsigned int i = 0; i < probe->note->fields; i++) {
		const struct weir_note_field *field = (const struct weir_note_field *)at;

		if (narrow_size(field)) {
			n = stub_arch_extend(bytes, field->arg, narrow_size(field));
			if (code)
				memcpy(code + size, bytes, n);
			size += n;
		}
		at += sizeof(*field);
		at += strlen(at) + 1;
	}
	if (!size)
		return 0;
	n = stub_arch_jump(bytes, probe->call + size, probe->site);
	if (code)
		memcpy(code + size, bytes, n);
	return size + n;
}

static void put_text(struct image *image)
{
	uint8_t *slots;

	section_begin(image, SECTION_TEXT);
	slots = buffer_reserve(&image->out, image->text_size);
	section_end(image, SECTION_TEXT);
	if (!slots)
		return;
	memset(slots, stub_arch.fill, image->text_size);
	for (size_t i = 0; i < image->count; i++) {
		const struct stub_probe *probe = &image->probes[i];

		stub_arch_site(slots + (probe->site - image->text));
		stub_arch_thunk(slots + (probe->thunk - image->text), probe->thunk, probe->block);
		if (probe->call != probe->site)
			write_way(probe, slots + (probe->call - image->text));
	}
	for (size_t i = 0; i < image->code_count; i++)
		memcpy(slots + (image->codes[i].at - image->text), image->codes[i].bytes,
		       image->codes[i].size);
}

static void put_dynamic(struct image *image)
{
	const Elf64_Dyn dynamic[] = {
		{ DT_SONAME, { 1 } },
		{ DT_HASH, { image->sections[SECTION_HASH].start } },
		{ DT_STRTAB, { image->sections[SECTION_DYNSTR].start } },
		{ DT_SYMTAB, { image->sections[SECTION_DYNSYM].start } },
		{ DT_STRSZ, { image->sections[SECTION_DYNSTR].size } },
		{ DT_SYMENT, { sizeof(Elf64_Sym) } },
		{ DT_NULL, { 0 } },
	};

	section_begin(image, SECTION_DYNAMIC);
	buffer_put(&image->out, dynamic, sizeof(dynamic));
	section_end(image, SECTION_DYNAMIC);
}

static void put_data(struct image *image)
{
	section_begin(image, SECTION_DATA);
	buffer_reserve(&image->out, image->count * sizeof(struct stub_block));
	section_end(image, SECTION_DATA);

	section_begin(image, SECTION_SEMAPHORES);
	buffer_reserve(&image->out, image->semaphores * sizeof(uint16_t));
	section_end(image, SECTION_SEMAPHORES);
}

/* ---- notes ---- */

/*
 * The size before an operand's @. Negative: signed. What is narrow is read from the low bytes, so
 * whatever the caller left above does not show; but i8 and i16 are read as 32 bits, since perf
 * prints narrow ones as unsigned: the way to the site extends them.
 */
static int sdt_size(enum weir_note_type type)
{
	switch (type) {
	case WEIR_NOTE_I8:
	case WEIR_NOTE_I16:
	case WEIR_NOTE_I32:
		return -4;
	case WEIR_NOTE_I64:
		return -8;
	case WEIR_NOTE_U8:
	case WEIR_NOTE_BOOL:
		return 1;
	case WEIR_NOTE_U16:
		return 2;
	case WEIR_NOTE_U32:
	case WEIR_NOTE_F32:
		return 4;
	default:
		return 8;
	}
}

static void put_operand(struct buffer *b, unsigned int index, int size)
{
	char operand[STUB_OPERAND_MAX];
	char head[4];
	size_t n = 0;

	if (index >= SDT_ARGS_MAX)
		return;
	if (index)
		head[n++] = ' ';
	if (size < 0)
		head[n++] = '-';
	size = abs(size);
	head[n++] = (char)('0' + size);
	head[n++] = '@';
	buffer_put(b, head, n);
	buffer_put(b, operand, stub_arch_operand(operand, index, size));
}

static void put_operands(struct buffer *b, const struct weir_note *note)
{
	const char *at = note_probe(note) + strlen(note_probe(note)) + 1;

	for (unsigned int i = 0; i < note->fields; i++) {
		const struct weir_note_field *field = (const struct weir_note_field *)at;

		put_operand(b, field->arg, sdt_size(field->type));
		if (field->type == WEIR_NOTE_BYTES)
			put_operand(b, field->arg + 1u, 8);
		at += sizeof(*field);
		at += strlen(at) + 1;
	}
	buffer_reserve(b, 1);
}

static void put_sdt_notes(struct image *image)
{
	struct buffer *b = &image->out;

	section_begin(image, SECTION_SDT);
	for (size_t i = 0; i < image->count; i++) {
		const struct stub_probe *probe = &image->probes[i];
		size_t head = b->size, start;
		uint32_t size;

		put_note_head(b, "stapsdt", 0, 3);
		start = b->size;
		buffer_u64(b, probe->site);
		buffer_u64(b, image->sections[SECTION_SDT_BASE].start);
		buffer_u64(b, probe->semaphore_at);
		buffer_string(b, image->provider);
		buffer_string(b, note_probe(probe->note));
		put_operands(b, probe->note);
		size = (uint32_t)(b->size - start);
		buffer_align(b, 4);
		if (!b->failed)
			memcpy(b->data + head + 4, &size, sizeof(size));
	}
	section_end(image, SECTION_SDT);
}

static void put_weir_notes(struct image *image)
{
	struct buffer *b = &image->out;

	section_begin(image, SECTION_WEIR);
	for (size_t i = 0; i < image->count; i++) {
		const struct stub_probe *probe = &image->probes[i];
		struct weir_note head = *probe->note;

		head.site = probe->site;
		head.semaphore = probe->semaphore_at;
		put_note_head(b, WEIR_NOTE_OWNER, head.size, WEIR_NOTE_PROBE);
		buffer_put(b, &head, sizeof(head));
		buffer_put(b, probe->note + 1, head.size - sizeof(head));
		buffer_align(b, 4);
	}
	section_end(image, SECTION_WEIR);
}

/* ---- symbols ---- */

/* "weir_fire_PROVIDER_PROBE" and "weir_site_PROVIDER_PROBE": one is as long as the other. */
static void put_symbol_name(struct image *image, const char *prefix, const char *probe)
{
	buffer_put(&image->out, prefix, SYMBOL_PREFIX);
	buffer_put(&image->out, image->provider, strlen(image->provider));
	buffer_put(&image->out, "_", 1);
	buffer_string(&image->out, probe);
}

static void put_symbol(struct image *image, uint32_t name, uint64_t value, uint64_t size)
{
	const Elf64_Sym symbol = {
		.st_name = name,
		.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
		.st_shndx = SECTION_TEXT,
		.st_value = value,
		.st_size = size,
	};

	buffer_put(&image->out, &symbol, sizeof(symbol));
}

static void put_symbols(struct image *image)
{
	size_t head = SYMBOL_PREFIX + strlen(image->provider) + 1;
	uint32_t name = 1;

	section_begin(image, SECTION_SYMTAB);
	buffer_reserve(&image->out, sizeof(Elf64_Sym));
	for (size_t i = 0; i < image->count; i++) {
		const struct stub_probe *probe = &image->probes[i];
		uint32_t length = (uint32_t)(head + strlen(note_probe(probe->note)) + 1);

		put_symbol(image, name, probe->thunk, STUB_SLOT);
		put_symbol(image, name + length, probe->site, STUB_SLOT);
		name += 2 * length;
	}
	for (size_t i = 0; i < image->code_count; i++) {
		put_symbol(image, name, image->codes[i].at, image->codes[i].size);
		name += (uint32_t)strlen(image->codes[i].name) + 1;
	}
	section_end(image, SECTION_SYMTAB);

	section_begin(image, SECTION_STRTAB);
	buffer_reserve(&image->out, 1);
	for (size_t i = 0; i < image->count; i++) {
		put_symbol_name(image, "weir_fire_", note_probe(image->probes[i].note));
		put_symbol_name(image, "weir_site_", note_probe(image->probes[i].note));
	}
	for (size_t i = 0; i < image->code_count; i++)
		buffer_string(&image->out, image->codes[i].name);
	section_end(image, SECTION_STRTAB);
}

/* ---- headers ---- */

static uint64_t put_section_headers(struct image *image)
{
	Elf64_Shdr headers[SECTIONS] = { 0 };
	uint32_t name = 0;
	uint64_t start;

	section_begin(image, SECTION_SHSTRTAB);
	for (int i = 0; i < SECTIONS; i++)
		buffer_string(&image->out, section_kinds[i].name);
	section_end(image, SECTION_SHSTRTAB);

	for (int i = 1; i < SECTIONS; i++) {
		const struct section_kind *kind = &section_kinds[i];

		name += (uint32_t)strlen(section_kinds[i - 1].name) + 1;
		headers[i] = (Elf64_Shdr){
			.sh_name = name,
			.sh_type = kind->type,
			.sh_flags = kind->flags,
			.sh_addr = kind->flags & SHF_ALLOC ? image->sections[i].start : 0,
			.sh_offset = image->sections[i].start,
			.sh_size = image->sections[i].size,
			.sh_link = kind->link,
			.sh_addralign = kind->align,
			.sh_entsize = kind->entry,
		};
		/* an empty section, but one whose number others rely on */
		if (!headers[i].sh_size && i == SECTION_PROPERTY)
			headers[i].sh_type = SHT_NULL;
	}
	headers[SECTION_DYNSYM].sh_info = 1;
	headers[SECTION_SYMTAB].sh_info = (uint32_t)(1 + 2 * image->count + image->code_count);
	start = buffer_align(&image->out, 8);
	buffer_put(&image->out, headers, sizeof(headers));
	return start;
}

static int segments(void)
{
	return stub_arch.property ? SEGMENTS : SEGMENT_PROPERTY;
}

static Elf64_Phdr segment_of(const struct image *image, uint32_t type, uint32_t flags,
                             uint64_t start, uint64_t size, uint64_t align)
{
	(void)image;
	return (Elf64_Phdr){ .p_type = type,
		             .p_flags = flags,
		             .p_offset = start,
		             .p_vaddr = start,
		             .p_paddr = start,
		             .p_filesz = size,
		             .p_memsz = size,
		             .p_align = align };
}

static Elf64_Phdr segment_of_section(const struct image *image, uint32_t type, uint32_t flags,
                                     enum section section)
{
	return segment_of(image, type, flags, image->sections[section].start,
	                  image->sections[section].size, section_kinds[section].align);
}

static uint64_t section_stop(const struct image *image, enum section section)
{
	return image->sections[section].start + image->sections[section].size;
}

static void fill_program_headers(const struct image *image, Elf64_Phdr *headers)
{
	uint64_t page = UINT64_C(1) << stub_arch.page;

	headers[SEGMENT_READ] =
	    segment_of(image, PT_LOAD, PF_R, 0, section_stop(image, SECTION_EH_FRAME), page);
	headers[SEGMENT_EXECUTE] =
	    segment_of(image, PT_LOAD, PF_R | PF_X, image->text, image->text_size, page);
	headers[SEGMENT_WRITE] =
	    segment_of(image, PT_LOAD, PF_R | PF_W, image->dynamic,
	               section_stop(image, SECTION_SEMAPHORES) - image->dynamic, page);
	headers[SEGMENT_DYNAMIC] =
	    segment_of_section(image, PT_DYNAMIC, PF_R | PF_W, SECTION_DYNAMIC);
	headers[SEGMENT_BUILD_ID] = segment_of_section(image, PT_NOTE, PF_R, SECTION_BUILD_ID);
	headers[SEGMENT_EH_FRAME] =
	    segment_of_section(image, PT_GNU_EH_FRAME, PF_R, SECTION_EH_FRAME_HDR);
	headers[SEGMENT_STACK] = segment_of(image, PT_GNU_STACK, PF_R | PF_W, 0, 0, 16);
	if (segments() == SEGMENTS) {
		headers[SEGMENT_PROPERTY] =
		    segment_of_section(image, PT_GNU_PROPERTY, PF_R, SECTION_PROPERTY);
		headers[SEGMENT_PROPERTY_NOTE] =
		    segment_of_section(image, PT_NOTE, PF_R, SECTION_PROPERTY);
	}
}

static void fill_headers(struct image *image, uint64_t section_headers)
{
	Elf64_Ehdr header = {
		.e_type = ET_DYN,
		.e_machine = stub_arch.machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_shoff = section_headers,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)segments(),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = SECTIONS,
		.e_shstrndx = SECTION_SHSTRTAB,
	};

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] =
	    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	header.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(image->out.data, &header, sizeof(header));
	fill_program_headers(image, (Elf64_Phdr *)(image->out.data + sizeof(header)));
}

/* ---- identity ---- */

/*
 * Three lanes of 64 bits, each word multiplied and rotated into all of them. It tells contents
 * apart that differ by accident; what is loaded is compared byte by byte.
 */
static void hash(const uint8_t *data, size_t size, uint8_t id[STUB_ID_SIZE])
{
	static const uint64_t odd[] = { 0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f,
		                        0xd6e8feb86659fd93 };
	uint64_t lanes[3] = { size, ~size, size ^ odd[0] };

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word = 0;

		memcpy(&word, data + i, size - i < 8 ? size - i : 8);
		for (int lane = 0; lane < 3; lane++) {
			uint64_t x = (lanes[lane] ^ word) * odd[lane];

			lanes[lane] = (x << (29 + lane) | x >> (35 - lane)) + odd[2 - lane];
		}
	}
	for (int round = 0; round < 6; round++)
		for (int lane = 0; lane < 3; lane++) {
			uint64_t x = lanes[lane] + lanes[(lane + 1) % 3];

			x ^= x >> 32;
			x *= odd[lane];
			x ^= x >> 29;
			lanes[lane] = x;
		}
	memcpy(id, lanes, STUB_ID_SIZE);
}

const uint8_t *stub_id(const uint8_t *image)
{
	/* first note after the headers and the property note, as put_build_id leaves it */
	size_t property = stub_arch.property ? 32 : 0;

	return image + sizeof(Elf64_Ehdr) + (size_t)segments() * sizeof(Elf64_Phdr) + property + 16;
}

void stub_name(const char *provider, const uint8_t *image, char name[STUB_NAME_SIZE])
{
	const uint8_t *id = stub_id(image);
	int n = snprintf(name, STUB_NAME_SIZE, "%.*s-", WEIR_NAME_MAX, provider);

	for (int i = 0; i < 8; i++)
		n += snprintf(name + n, STUB_NAME_SIZE - (size_t)n, "%02x", id[i]);
	snprintf(name + n, STUB_NAME_SIZE - (size_t)n, ".so");
}

/* ---- the whole ---- */

static uint64_t page_align(uint64_t at)
{
	uint64_t page = UINT64_C(1) << stub_arch.page;

	return (at + page - 1) & ~(page - 1);
}

/* Room for all that comes before .text: FDEs and the table's rows are the only things that grow. */
static uint64_t head_size(const struct image *image)
{
	return 2048 + image->code_count * (CODE_FDE + 8);
}

static uint64_t slot_align(uint64_t size)
{
	return (size + STUB_SLOT - 1) / STUB_SLOT * STUB_SLOT;
}

/* One function behind the other from `at` on; returns the end. */
static uint64_t lay_out_codes(struct stub_code *codes, size_t count, uint64_t at)
{
	for (size_t i = 0; i < count; i++) {
		codes[i].at = at;
		at += slot_align(codes[i].size);
	}
	return at;
}

static void lay_out(struct image *image, struct stub_probe *probes, struct stub_code *codes)
{
	uint64_t semaphore, way;

	image->text = page_align(head_size(image));
	way = image->text + image->count * 2 * STUB_SLOT;
	for (size_t i = 0; i < image->count; i++) {
		size_t size;

		probes[i].site = image->text + i * STUB_SLOT;
		probes[i].thunk = image->text + (image->count + i) * STUB_SLOT;
		probes[i].call = way;
		size = write_way(&probes[i], NULL);
		if (!size)
			probes[i].call = probes[i].site;
		way += slot_align(size);
	}
	way = lay_out_codes(codes, image->code_count, way);
	image->text_size = way - image->text;
	image->dynamic = page_align(way);
	image->data = image->dynamic + 7 * sizeof(Elf64_Dyn);
	image->semaphores_at = image->data + image->count * sizeof(struct stub_block);
	semaphore = image->semaphores_at;
	for (size_t i = 0; i < image->count; i++) {
		probes[i].block = image->data + i * sizeof(struct stub_block);
		probes[i].semaphore_at = 0;
		if (probes[i].semaphore) {
			probes[i].semaphore_at = semaphore;
			semaphore += sizeof(uint16_t);
			image->semaphores++;
		}
	}
}

static int image_write(struct image *image)
{
	struct buffer *b = &image->out;
	uint64_t section_headers;
	uint8_t id[STUB_ID_SIZE];

	buffer_reserve(b, sizeof(Elf64_Ehdr) + (size_t)segments() * sizeof(Elf64_Phdr));
	put_property(image);
	put_build_id(image);
	put_dynamic_symbols(image);
	put_sdt_base(image);
	put_unwind_tables(image);
	if (!b->failed)
		buffer_reserve(b, image->text - b->size);
	put_text(image);
	buffer_align(b, UINT64_C(1) << stub_arch.page);
	put_dynamic(image);
	put_data(image);
	put_sdt_notes(image);
	put_weir_notes(image);
	put_symbols(image);
	section_headers = put_section_headers(image);
	if (b->failed)
		return -ENOMEM;

	fill_headers(image, section_headers);
	hash(b->data, b->size, id);
	memcpy(b->data + image->build_id, id, sizeof(id));
	stub_name(image->provider, b->data, (char *)b->data + image->soname);
	return 0;
}

static size_t estimate(const struct stub_probe *probes, size_t count)
{
	size_t size = 5 * (UINT64_C(1) << stub_arch.page);

	/* code, block, two symbols; the note twice; its names in symbols; operands */
	for (size_t i = 0; i < count; i++)
		size += 256 + 3 * probes[i].note->size;
	return size;
}

static int image_make(struct image *image, uint8_t **ret_image, size_t *size)
{
	int ret;

	image->out.data = malloc(image->out.room);
	if (!image->out.data)
		return -ENOMEM;
	ret = image_write(image);
	if (ret) {
		free(image->out.data);
		return ret;
	}
	*ret_image = image->out.data;
	*size = image->out.size;
	return 0;
}

int stub_build(struct stub_probe *probes, size_t count, uint8_t **ret_image, size_t *size,
               struct weir_error *err)
{
	struct image image = { .probes = probes, .count = count };
	int ret = check(probes, count, err);

	if (ret)
		return ret;
	image.provider = note_provider(probes[0].note);
	image.out.room = estimate(probes, count);
	lay_out(&image, probes, NULL);
	ret = image_make(&image, ret_image, size);
	if (ret)
		return error_set(err, ret, "no memory for the stub of %zu probes", count);
	return 0;
}

int stub_build_code(const char *name, struct stub_code *codes, size_t count, uint8_t **ret_image,
                    size_t *size)
{
	struct image image = { .provider = name, .codes = codes, .code_count = count };

	image.out.room = 5 * (UINT64_C(1) << stub_arch.page) + count * 256;
	lay_out(&image, NULL, codes);
	return image_make(&image, ret_image, size);
}
