/* SPDX-License-Identifier: MIT */
/*
 * A shared memory whose owner does what the input says: the reader of headers, schemas, sessions,
 * packets and records must not crash, hang, leak, or read outside of it, and what it prints must
 * stay in its buffer.
 *
 * The input is a list of steps, each an opcode and its arguments; what is missing reads as 0.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/format.h"
#include "reader/stream.h"
#include "tests/abi/synth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKETS 8

enum step {
	STEP_LOOK,    /* what u8: STREAM_COMPLETE or STREAM_ALL */
	STEP_RELEASE, /* hand out events, decode and format them */
	STEP_DESC, /* packet u8, state u8, generation u8 (less than ours by), sequence u8, slot u8,
	                  first u64 */
	STEP_COMMIT,  /* packet u8, offset u16 (in 8 bytes), count u16, last u64 */
	STEP_RECORDS, /* packet u8, at u16 (in 8 bytes), n u8, n bytes */
	STEP_SCHEMA,  /* id u8, kind u8, n u8, n bytes */
	STEP_WORD,    /* at u24 (in 8 bytes; of everything before the packets), u64 */
	STEP_FIRE,    /* slot u8, text u8 */
	STEP_HEADER,  /* at u8 (in 4 bytes), u32: then map anew */
	STEP_REARM,   /* close the session, claim another one */
	STEPS,
};

struct input {
	const uint8_t *at, *end;
};

static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && in->at < in->end; i++)
		value |= (uint64_t)*in->at++ << (8 * i);
	return value;
}

struct world {
	struct synth synth;
	struct shm shm;
	struct clock clock;
	struct patterns patterns;
	struct schema schema;
	struct session session;
	struct stream stream;
	struct merge merge;
	struct merge_source *source[2];
	struct output out;
	uint32_t order;
	bool claimed;
};

static int on_chunk(void *arg, const struct stream_chunk *chunk)
{
	struct world *w = arg;

	if (chunk->slot >= 2 || chunk->to > WEIR_SHM_PACKET_SIZE || chunk->from > chunk->to)
		abort();
	return merge_push(&w->merge, w->source[chunk->slot], chunk);
}

static void view_free(void *view)
{
	free(view);
}

static int on_event(void *arg, const struct event *event)
{
	struct record_value values[SCHEMA_FIELDS_MAX];
	struct world *w = arg;
	struct schema_probe *probe = schema_find(&w->schema, event->id);
	struct tracer_event te = { .event = event, .probe = probe, .values = values };
	struct format_event line = { .time = event->time, .thread = "fuzz", .event = &te };

	if (!probe || !record_decode(probe, event->record, event->length, 0, values))
		return 0;
	if (!probe->view) {
		probe->view = format_probe_create(probe, true);
		probe->view_free = view_free;
	}
	line.probe = probe->view;
	format_json(&w->out, &line);
	format_text(&w->out, &line, true);
	return 0;
}

static void claim(struct world *w)
{
	struct session_options options = { .patterns = &w->patterns,
		                           .mode = w->shm.head.generation & 1 ? WEIR_MODE_OVERWRITE
		                                                              : WEIR_MODE_DROP,
		                           .buffer = PACKETS * WEIR_SHM_PACKET_SIZE };

	w->claimed = !session_claim(&w->shm, &w->clock, &options, &w->session, NULL);
	if (!w->claimed)
		return;
	if (stream_init(&w->stream, &w->session))
		abort();
	session_arm(&w->session, &w->schema);
}

static void unclaim(struct world *w)
{
	if (!w->claimed)
		return;
	session_stop(&w->session);
	stream_look(&w->stream, STREAM_ALL, on_chunk, w);
	session_release(&w->session);
	stream_deinit(&w->stream);
	w->claimed = false;
}

static void world_open(struct world *w)
{
	static const struct synth_field fields[] = {
		{ "id", WEIR_NOTE_U64 }, { "s", WEIR_NOTE_STRING },  { "b", WEIR_NOTE_BYTES },
		{ "f", WEIR_NOTE_F64 },  { "g", WEIR_NOTE_F32 },     { "i", WEIR_NOTE_I16 },
		{ "t", WEIR_NOTE_BOOL }, { "p", WEIR_NOTE_POINTER },
	};
	struct synth_options options = { .packets = PACKETS, .slots = 2 };
	static int null = -1;

	if (null < 0)
		null = open("/dev/null", O_WRONLY);
	memset(w, 0, sizeof(*w));
	if (synth_create(&w->synth, &options))
		abort();
	w->order = synth_probe(&w->synth, "shop", "order", fields, 8);
	if (shm_map(dup(w->synth.fd), getpid(), 0, &w->shm, NULL))
		abort();
	clock_init(&w->clock, &w->shm.head, 0);
	patterns_parse(NULL, 0, &w->patterns, NULL);
	schema_update(&w->schema, &w->shm);
	merge_init(&w->merge);
	for (int i = 0; i < 2; i++)
		merge_source_create(&w->merge, &w->clock, NULL, &w->source[i]);
	output_init(&w->out, null);
	claim(w);
}

static void world_close(struct world *w)
{
	unclaim(w);
	merge_release(&w->merge, INT64_MAX, on_event, w);
	output_flush(&w->out);
	for (int i = 0; i < 2; i++)
		merge_source_destroy(&w->merge, w->source[i]);
	merge_deinit(&w->merge);
	schema_deinit(&w->schema);
	patterns_deinit(&w->patterns);
	output_deinit(&w->out);
	shm_unmap(&w->shm);
	synth_destroy(&w->synth);
}

static uint32_t packet_of(const struct world *w, uint64_t n)
{
	return w->claimed ? w->session.first + n % w->session.count : n % PACKETS;
}

static void step_desc(struct world *w, struct input *in)
{
	struct weir_shm_desc *d = shm_desc(&w->shm, packet_of(w, take(in, 1)));
	uint64_t state = take(in, 1), less = take(in, 1);

	d->sequence = take(in, 1);
	d->slot = take(in, 1);
	d->session = w->session.index;
	d->first_time = take(in, 8);
	d->state = WEIR_DESC_WORD(state, w->session.generation - less);
}

static void step_commit(struct world *w, struct input *in)
{
	struct weir_shm_packet *p = shm_packet(&w->shm, packet_of(w, take(in, 1)));
	uint64_t offset = take(in, 2) * 8, count = take(in, 2);

	p->commit = offset | count << 32;
	p->last_time = take(in, 8);
}

static void step_records(struct world *w, struct input *in)
{
	uint8_t *p = (uint8_t *)shm_packet(&w->shm, packet_of(w, take(in, 1)));
	uint64_t at = take(in, 2) * 8 % WEIR_SHM_PACKET_SIZE, n = take(in, 1);

	for (uint64_t i = 0; i < n && at + i < WEIR_SHM_PACKET_SIZE; i++)
		p[at + i] = take(in, 1);
}

static void step_schema(struct world *w, struct input *in)
{
	uint8_t bytes[256];
	uint64_t id = take(in, 1), kind = take(in, 1), n = take(in, 1);

	for (uint64_t i = 0; i < n; i++)
		bytes[i] = take(in, 1);
	if (w->synth.head->schema_end < (200u << 10)) {
		synth_schema(&w->synth, id, kind, bytes, n);
		schema_update(&w->schema, &w->shm);
	}
}

static void step_fire(struct world *w, struct input *in)
{
	uint64_t slot = take(in, 1) % 2;
	char text[256] = "";
	struct synth_value values[8] = { { .word = 1 },
		                         { .data = text },
		                         { .data = text, .size = 9 } };

	memset(text, (int)take(in, 1), sizeof(text) - 1);
	values[3].word = values[4].word = take(in, 8);
	synth_fire(&w->synth, slot, w->order, values);
}

static void step_header(struct world *w, struct input *in)
{
	struct weir_shm_header keep;
	struct shm again;
	uint64_t at = take(in, 1) % 44;

	memcpy(&keep, w->synth.head, sizeof(keep));
	((uint32_t *)w->synth.head)[at] = take(in, 4);
	if (!shm_map(dup(w->synth.fd), getpid(), 0, &again, NULL)) {
		struct schema schema = { 0 };

		schema_update(&schema, &again);
		schema_deinit(&schema);
		shm_unmap(&again);
	}
	memcpy(w->synth.head, &keep, sizeof(keep));
}

static void step_word(struct world *w, struct input *in)
{
	uint64_t at = take(in, 3) * 8 % w->shm.head.off_packet;
	uint64_t word = take(in, 8);

	/* The synthetic writer is a program of ours and believes its header; the reader does not. */
	if (at >= sizeof(struct weir_shm_header))
		memcpy(w->shm.base + at, &word, sizeof(word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	struct world w;

	world_open(&w);
	for (int steps = 0; in.at < in.end && steps < 200; steps++) {
		switch (take(&in, 1) % STEPS) {
		case STEP_LOOK:
			if (w.claimed)
				stream_look(&w.stream,
				            take(&in, 1) & 1 ? STREAM_ALL : STREAM_COMPLETE,
				            on_chunk, &w);
			break;
		case STEP_RELEASE:
			merge_release(&w.merge, INT64_MAX, on_event, &w);
			break;
		case STEP_DESC:
			step_desc(&w, &in);
			break;
		case STEP_COMMIT:
			step_commit(&w, &in);
			break;
		case STEP_RECORDS:
			step_records(&w, &in);
			break;
		case STEP_SCHEMA:
			step_schema(&w, &in);
			break;
		case STEP_WORD:
			step_word(&w, &in);
			break;
		case STEP_FIRE:
			step_fire(&w, &in);
			break;
		case STEP_HEADER:
			step_header(&w, &in);
			break;
		case STEP_REARM:
			unclaim(&w);
			claim(&w);
			break;
		}
	}
	world_close(&w);
	return 0;
}
