/* SPDX-License-Identifier: MIT */
#include "reader/merge.h"
#include "reader/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOT_IN_HEAP SIZE_MAX
/* A clock that steps back by less than this within a packet did just that; more is a wrap. */
#define STEP_BACK (UINT64_C(1) << 24)
#define TIME_SPAN (UINT64_C(1) << WEIR_RECORD_TIME_BITS)

/* Before the bytes of each chunk in a source's buffer. */
struct piece {
	uint32_t bytes;
	uint32_t count;
	uint64_t first; /* of the packet, if this chunk begins it; 0: goes on */
	uint64_t last;
};

struct merge_source {
	const struct clock *clock;
	void *owner;
	uint8_t *buffer;
	size_t at; /* next record, or piece if `left` is 0 */
	size_t end;
	size_t room;
	size_t left;     /* bytes of the piece that `at` is in */
	uint64_t ticks;  /* event clock of the last record, full width */
	uint64_t last;   /* no record of the piece is later */
	uint32_t length; /* of the record at `at`; 0: not looked at yet */
	int64_t time;    /* its time */
	size_t place;    /* in the heap */
};

void merge_init(struct merge *merge)
{
	memset(merge, 0, sizeof(*merge));
	merge->last = INT64_MIN;
}

void merge_deinit(struct merge *merge)
{
	free(merge->heap);
	memset(merge, 0, sizeof(*merge));
}

int merge_source_create(struct merge *merge, const struct clock *clock, void *owner,
                        struct merge_source **ret)
{
	struct merge_source *source = calloc(1, sizeof(*source));

	if (!source)
		return -ENOMEM;
	(void)merge;
	source->clock = clock;
	source->owner = owner;
	source->place = NOT_IN_HEAP;
	*ret = source;
	return 0;
}

static void heap_put(struct merge *merge, size_t i, struct merge_source *source)
{
	merge->heap[i] = source;
	source->place = i;
}

static void heap_up(struct merge *merge, size_t i)
{
	struct merge_source *source = merge->heap[i];

	while (i && merge->heap[(i - 1) / 2]->time > source->time) {
		heap_put(merge, i, merge->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_put(merge, i, source);
}

static void heap_down(struct merge *merge, size_t i)
{
	struct merge_source *source = merge->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= merge->used)
			break;
		if (child + 1 < merge->used &&
		    merge->heap[child + 1]->time < merge->heap[child]->time)
			child++;
		if (merge->heap[child]->time >= source->time)
			break;
		heap_put(merge, i, merge->heap[child]);
		i = child;
	}
	heap_put(merge, i, source);
}

static int heap_add(struct merge *merge, struct merge_source *source)
{
	if (merge->used == merge->room) {
		size_t room = merge->room ? 2 * merge->room : 64;
		struct merge_source **heap = realloc(merge->heap, room * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		merge->heap = heap;
		merge->room = room;
	}
	heap_put(merge, merge->used++, source);
	heap_up(merge, source->place);
	return 0;
}

static void heap_remove(struct merge *merge, struct merge_source *source)
{
	size_t i = source->place;
	struct merge_source *moved;

	source->place = NOT_IN_HEAP;
	moved = merge->heap[--merge->used];
	if (moved == source)
		return;
	heap_put(merge, i, moved);
	heap_up(merge, i);
	heap_down(merge, moved->place);
}

void merge_source_destroy(struct merge *merge, struct merge_source *source)
{
	if (!source)
		return;
	if (source->place != NOT_IN_HEAP)
		heap_remove(merge, source);
	merge->bytes -= source->room;
	free(source->buffer);
	free(source);
}

bool merge_source_empty(const struct merge_source *source)
{
	return source->place == NOT_IN_HEAP;
}

/* The record's time at full width: its low bits say how far it is behind the one before. */
static uint64_t widen(const struct merge_source *source, uint64_t low)
{
	uint64_t delta = (low - source->ticks) & (TIME_SPAN - 1);

	if (delta > TIME_SPAN - STEP_BACK && source->ticks + delta > source->last)
		return source->ticks - (TIME_SPAN - delta);
	return source->ticks + delta;
}

/* Look at the next record. false: the source is empty. */
static bool advance(struct merge *merge, struct merge_source *source)
{
	for (;;) {
		uint64_t head;

		if (!source->left) {
			struct piece piece;

			if (source->at == source->end) {
				source->at = source->end = 0;
				return false;
			}
			memcpy(&piece, source->buffer + source->at, sizeof(piece));
			source->at += sizeof(piece);
			source->left = piece.bytes;
			if (piece.first)
				source->ticks = piece.first;
			source->last = piece.last;
			continue;
		}
		source->length = record_length(source->buffer + source->at, source->left);
		if (!source->length) {
			/* Without a length there is no next record: the rest of the chunk is lost.
			 */
			merge->bad++;
			source->at += source->left;
			source->left = 0;
			continue;
		}
		memcpy(&head, source->buffer + source->at, sizeof(head));
		source->ticks = widen(source, WEIR_RECORD_TIME(head));
		source->time = clock_ns(source->clock, source->ticks);
		return true;
	}
}

static int reserve(struct merge *merge, struct merge_source *source, size_t bytes)
{
	size_t room = source->room ? source->room : 4096;
	uint8_t *buffer;

	if (source->at && source->end + bytes > source->room) {
		memmove(source->buffer, source->buffer + source->at, source->end - source->at);
		source->end -= source->at;
		source->at = 0;
	}
	if (source->end + bytes <= source->room)
		return 0;
	while (room < source->end + bytes)
		room *= 2;
	buffer = realloc(source->buffer, room);
	if (!buffer)
		return -ENOMEM;
	merge->bytes += room - source->room;
	source->buffer = buffer;
	source->room = room;
	return 0;
}

int merge_push(struct merge *merge, struct merge_source *source, const struct stream_chunk *chunk)
{
	struct piece piece = {
		.bytes = chunk->to - chunk->from,
		.count = chunk->count,
		.first = chunk->from == WEIR_PACKET_RECORDS ? chunk->first_time : 0,
		.last = chunk->last_time,
	};
	int code;

	if (!piece.bytes)
		return 0;
	code = reserve(merge, source, sizeof(piece) + piece.bytes);
	if (code)
		return code;
	memcpy(source->buffer + source->end, &piece, sizeof(piece));
	memcpy(source->buffer + source->end + sizeof(piece), chunk->packet + chunk->from,
	       piece.bytes);
	source->end += sizeof(piece) + piece.bytes;
	if (source->place != NOT_IN_HEAP || !advance(merge, source))
		return 0;
	return heap_add(merge, source);
}

static int hand_out(struct merge *merge, struct merge_source *source, event_fn fn, void *arg)
{
	struct weir_shm_record head;
	struct event event = {
		.time = source->time,
		.record = source->buffer + source->at,
		.length = source->length,
		.owner = source->owner,
		.late = source->time < merge->last,
	};

	memcpy(&head, event.record, sizeof(head));
	event.id = WEIR_RECORD_ID(head.head);
	event.tid = head.tid;
	event.cpu = head.cpu;
	event.flags = head.flags;
	merge->events++;
	if (event.late)
		merge->late++;
	else
		merge->last = event.time;
	source->at += source->length;
	source->left -= source->length;
	return fn(arg, &event);
}

/* When the next other source has something: until then the top one goes on without the heap. */
static int64_t second_time(const struct merge *merge)
{
	int64_t time = INT64_MAX;

	for (size_t i = 1; i < 3 && i < merge->used; i++) {
		if (merge->heap[i]->time < time)
			time = merge->heap[i]->time;
	}
	return time;
}

int merge_release(struct merge *merge, int64_t watermark, event_fn fn, void *arg)
{
	while (merge->used && merge->heap[0]->time < watermark) {
		struct merge_source *top = merge->heap[0];
		int64_t until = second_time(merge);
		bool more;

		if (until > watermark)
			until = watermark;
		do {
			int code = hand_out(merge, top, fn, arg);

			more = advance(merge, top);
			if (code) {
				if (more)
					heap_down(merge, 0);
				else
					heap_remove(merge, top);
				return code;
			}
		} while (more && top->time < until);
		if (more)
			heap_down(merge, 0);
		else
			heap_remove(merge, top);
	}
	return 0;
}
