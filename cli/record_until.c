/* SPDX-License-Identifier: MIT */
/*
 * --until: a flight recorder that looks at each event, so weir itself keeps the newest chunks, up
 * to --buffer bytes, and writes them when one fitted or the recording ends.
 */
#include "cli/record.h"

#include "cli/ask.h"
#include "cli/cmd.h"
#include "reader/error.h"
#include "reader/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A chunk that waits in weir's own memory for --until. */
struct kept {
	struct kept *next;
	struct recording *recording;
	struct stream_chunk chunk;
	uint8_t bytes[];
};

struct view {
	struct filter_bound *bound;
};

static void view_free(void *arg)
{
	struct view *view = arg;

	filter_bound_free(view->bound);
	free(view);
}

/* A program that weir starts has no probes yet when the expression is read. */
static void refused(struct record *record, const struct weir_error *err)
{
	bool first = !record->bound && !*record->unbound.message;

	ask_keep_best(&record->unbound, err);
	if (first && record->tracer && record->began)
		cli_fail("%s. Recording goes on, as a later probe may have it",
		         record->unbound.message);
}

static struct view *view_of(struct record *record, struct schema_probe *probe,
                            struct weir_error *err)
{
	struct weir_error own = { 0 };
	struct view *view = probe->view;

	if (view)
		return view;
	view = calloc(1, sizeof(*view));
	if (!view)
		return NULL;
	if (filter_bind(record->until, probe, &view->bound, &own)) {
		until_rename(&own);
		refused(record, &own);
	} else {
		record->bound = true;
	}
	if (err)
		*err = own;
	probe->view = view;
	probe->view_free = view_free;
	return view;
}

static bool record_fits(struct record *record, struct target *target, const uint8_t *bytes,
                        uint32_t length)
{
	const struct weir_shm_record *head = (const void *)bytes;
	struct filter_context context = { .pid = (uint64_t)target->shm.pid,
		                          .tid = head->tid,
		                          .cpu = head->cpu };
	struct record_value values[SCHEMA_FIELDS_MAX];
	struct schema_probe *probe = schema_find(&target->schema, WEIR_RECORD_ID(head->head));
	struct view *view = probe ? view_of(record, probe, NULL) : NULL;

	return view && view->bound && record_decode(probe, bytes, length, 0, values) &&
	       filter_match(view->bound, values, &context);
}

static bool chunk_fits(struct record *record, struct target *target, const struct kept *kept)
{
	uint32_t at = 0, size = kept->chunk.to - kept->chunk.from;

	while (at < size) {
		uint32_t length = record_length(kept->bytes + at, size - at);

		if (!length)
			return false;
		if (record_fits(record, target, kept->bytes + at, length))
			return true;
		at += length;
	}
	return false;
}

static void kept_drop(struct record *record)
{
	struct kept *k = record->oldest;

	record->kept_bytes -= k->chunk.to - k->chunk.from;
	record->oldest = k->next;
	if (!record->oldest)
		record->newest = &record->oldest;
	free(k);
}

int until_keep(struct record *record, struct target *target, struct recording *r,
               const struct stream_chunk *chunk)
{
	uint32_t size = chunk->to - chunk->from;
	struct kept *k = malloc(sizeof(*k) + size);

	if (!k)
		return -ENOMEM;
	*k = (struct kept){ .recording = r, .chunk = *chunk };
	memcpy(k->bytes, chunk->packet + chunk->from, size);
	*record->newest = k;
	record->newest = &k->next;
	record->kept_bytes += size;
	while (record->kept_bytes > record->options.buffer && record->oldest->next) {
		record_drop(record->oldest->recording, &record->oldest->chunk);
		kept_drop(record);
	}
	if (!record->found && chunk_fits(record, target, k))
		record->found = true;
	return 0;
}

void until_write(struct record *record, struct target *target, struct recording *r)
{
	struct kept **at = &record->oldest;

	while (*at) {
		struct kept *k = *at;
		struct stream_chunk chunk = k->chunk;

		if (k->recording != r) {
			at = &k->next;
			continue;
		}
		/* The bytes lie where the packet's would, so that offsets stay right. */
		chunk.packet = k->bytes - chunk.from;
		record_write(record, target, r, &chunk);
		record->kept_bytes -= chunk.to - chunk.from;
		*at = k->next;
		free(k);
	}
	record->newest = at;
}

void until_deinit(struct record *record)
{
	while (record->oldest)
		kept_drop(record);
}

void until_rename(struct weir_error *err)
{
	if (!strncmp(err->message, "--where", 7))
		memcpy(err->message, "--until", 7);
}

static int ask_probe(void *arg, struct schema_probe *probe, struct weir_error *err)
{
	const struct view *view = view_of(arg, probe, err);

	if (!view)
		return -ENOMEM;
	return view->bound ? 0 : -ENOENT;
}

int until_check(struct record *record, struct weir_error *err)
{
	int code =
	    record->until ? ask_probes(record->tracer, record->until, ask_probe, record, err) : 0;

	if (code == -EINVAL)
		until_rename(err);
	return code;
}

bool until_in_vain(const struct record *record)
{
	return record->until && !record->bound && *record->unbound.message;
}
