/* SPDX-License-Identifier: MIT */
/*
 * Many slots of many targets, one stream of events in time order.
 *
 * What goes in: chunks of packets (stream.h), which are copied: the packet can go back to its
 * target at once, and nobody changes the bytes any more. What comes out: single records, by time,
 * up to a watermark. A fixed window cannot order streams: the watermark is the time of the
 * previous look at all slots. An event older than that was committed before this look began, so
 * it is in. What comes later nevertheless (a fire that was preempted between its clock and its
 * commit, where the target has no rseq) is handed out at once, and counted as late.
 */
#ifndef WEIR_READER_MERGE_H
#define WEIR_READER_MERGE_H

#include "reader/stream.h"

struct event {
	int64_t time;       /* CLOCK_MONOTONIC of the tracer, ns */
	const void *record; /* valid during the call */
	uint32_t length;
	uint32_t tid; /* in the target's pid namespace */
	uint16_t id;
	uint16_t cpu;
	uint16_t flags; /* enum weir_record_flag */
	bool late;
	void *owner; /* merge_source_create's */
};

/* Nonzero ends merge_release(), which returns it; the event counts as handed out. */
typedef int (*event_fn)(void *arg, const struct event *event);

struct merge_source; /* one slot of one session */

struct merge {
	struct merge_source **heap; /* those that hold records, soonest first */
	size_t used;
	size_t room;
	int64_t last; /* time of the last event handed out */
	uint64_t events;
	uint64_t late;
	uint64_t bad; /* records whose lengths made no sense, with all behind them in their chunk */
	size_t bytes; /* held */
};

void merge_init(struct merge *merge);
/* Sources are their creators'. */
void merge_deinit(struct merge *merge);

int merge_source_create(struct merge *merge, const struct clock *clock, void *owner,
                        struct merge_source **ret);
/* What it still holds is dropped. */
void merge_source_destroy(struct merge *merge, struct merge_source *source);

bool merge_source_empty(const struct merge_source *source);

/* Append a copy of a chunk. -ENOMEM. */
int merge_push(struct merge *merge, struct merge_source *source, const struct stream_chunk *chunk);

/* Hand out all events before `watermark` (CLOCK_MONOTONIC, ns; INT64_MAX: all there are). */
int merge_release(struct merge *merge, int64_t watermark, event_fn fn, void *arg);

#endif
