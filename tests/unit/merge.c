/* SPDX-License-Identifier: MIT */
/* Order over slots, watermarks, wraps of the 38-bit time, and bytes that are no records. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "reader/merge.h"

static struct clock clock_ = { .kind = WEIR_CLOCK_MONOTONIC, .hz = 1e9 };

struct seen {
	int64_t time[1024];
	uint16_t id[1024];
	bool late[1024];
	size_t count;
	size_t stop_at;
};

static int on_event(void *arg, const struct event *event)
{
	struct seen *seen = arg;

	seen->time[seen->count] = event->time;
	seen->id[seen->count] = event->id;
	seen->late[seen->count++] = event->late;
	return seen->stop_at && seen->count == seen->stop_at ? 5 : 0;
}

struct packet {
	uint64_t bytes[WEIR_SHM_PACKET_SIZE / 8];
	struct stream_chunk chunk;
};

static void packet_begin(struct packet *p, uint64_t first)
{
	memset(&p->chunk, 0, sizeof(p->chunk));
	p->chunk.from = p->chunk.to = WEIR_PACKET_RECORDS;
	p->chunk.first_time = first;
	p->chunk.packet = (const uint8_t *)p->bytes;
}

static void packet_add(struct packet *p, uint16_t id, uint64_t time)
{
	p->bytes[p->chunk.to / 8] =
	    id | (time & ((UINT64_C(1) << 38) - 1)) << 16 | UINT64_C(2) << 54;
	p->bytes[p->chunk.to / 8 + 1] = 0;
	p->chunk.to += 16;
	p->chunk.count++;
	p->chunk.last_time = time;
}

/* What came since the last chunk of the same packet. */
static void packet_go_on(struct packet *p)
{
	p->chunk.from = p->chunk.to;
	p->chunk.count = 0;
}

static void test_order(void **state)
{
	enum { SOURCES = 17, EACH = 50 };
	struct merge_source *source[SOURCES];
	struct seen seen = { 0 };
	struct merge merge;
	static struct packet p;

	(void)state;
	merge_init(&merge);
	for (int s = 0; s < SOURCES; s++) {
		merge_source_create(&merge, &clock_, NULL, &source[s]);
		packet_begin(&p, s + 1);
		for (int i = 0; i < EACH; i++)
			packet_add(&p, s, 1 + s * 7 % SOURCES + i * SOURCES);
		assert_int_equal(merge_push(&merge, source[s], &p.chunk), 0);
	}
	assert_int_equal(merge_release(&merge, 400, on_event, &seen), 0);
	assert_int_equal(seen.count, 399); /* one each nanosecond from 1 on */
	assert_int_equal(merge_release(&merge, INT64_MAX, on_event, &seen), 0);
	assert_int_equal(seen.count, SOURCES * EACH);
	for (size_t i = 0; i < seen.count; i++) {
		assert_int_equal(seen.time[i], i + 1);
		assert_false(seen.late[i]);
	}
	for (int s = 0; s < SOURCES; s++)
		merge_source_destroy(&merge, source[s]);
	merge_deinit(&merge);
}

static void test_late(void **state)
{
	struct merge_source *a, *b;
	struct seen seen = { 0 };
	struct merge merge;
	static struct packet p;

	(void)state;
	merge_init(&merge);
	merge_source_create(&merge, &clock_, NULL, &a);
	merge_source_create(&merge, &clock_, NULL, &b);
	packet_begin(&p, 100);
	packet_add(&p, 1, 100);
	packet_add(&p, 1, 200);
	merge_push(&merge, a, &p.chunk);
	merge_release(&merge, 1000, on_event, &seen);
	packet_begin(&p, 150);
	packet_add(&p, 2, 150); /* its writer was preempted */
	packet_add(&p, 2, 250);
	merge_push(&merge, b, &p.chunk);
	merge_release(&merge, 1000, on_event, &seen);
	assert_int_equal(seen.count, 4);
	assert_int_equal(merge.late, 1);
	assert_true(seen.late[2] && !seen.late[3]);
	merge_source_destroy(&merge, a);
	merge_source_destroy(&merge, b);
	merge_deinit(&merge);
}

/* Chunks of one packet, over wraps; and a step back that is none. */
static void test_time(void **state)
{
	const uint64_t span = UINT64_C(1) << 38, start = 5 * span - 10;
	const uint64_t times[] = {
		start, start + 9, start + 11, start + span / 2, start + span - 20, start + span - 25
	};
	struct merge_source *source;
	struct seen seen = { 0 };
	struct merge merge;
	static struct packet p;

	(void)state;
	merge_init(&merge);
	merge_source_create(&merge, &clock_, NULL, &source);
	packet_begin(&p, start - 5);
	for (size_t i = 0; i < 6; i++) {
		packet_add(&p, 1, times[i]);
		if (i == 5)
			p.chunk.last_time = times[4];
		merge_push(&merge, source, &p.chunk);
		packet_go_on(&p);
	}
	merge_release(&merge, INT64_MAX, on_event, &seen);
	assert_int_equal(seen.count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(seen.time[i], times[i]);
	merge_source_destroy(&merge, source);
	merge_deinit(&merge);
}

static void test_bad(void **state)
{
	static const uint64_t heads[] = { 0, UINT64_C(1) << 54, UINT64_C(1023) << 54, UINT64_MAX };
	struct merge_source *source;
	struct merge merge;
	static struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct seen seen = { 0 };

		merge_init(&merge);
		merge_source_create(&merge, &clock_, NULL, &source);
		packet_begin(&p, 10);
		packet_add(&p, 1, 10);
		p.bytes[p.chunk.to / 8] = heads[i];
		p.chunk.to += 64;
		p.chunk.count++;
		merge_push(&merge, source, &p.chunk);
		packet_begin(&p, 20);
		packet_add(&p, 2, 20);
		merge_push(&merge, source, &p.chunk);
		merge_release(&merge, INT64_MAX, on_event, &seen);
		assert_int_equal(seen.count, 2); /* what is behind the bad chunk is read again */
		assert_int_equal(merge.bad, 1);
		merge_source_destroy(&merge, source);
		merge_deinit(&merge);
	}
}

/* A consumer that stops, and a source that goes away with what it holds. */
static void test_stop(void **state)
{
	struct merge_source *a, *b;
	struct seen seen = { .stop_at = 3 };
	struct merge merge;
	static struct packet p;

	(void)state;
	merge_init(&merge);
	merge_source_create(&merge, &clock_, NULL, &a);
	merge_source_create(&merge, &clock_, NULL, &b);
	packet_begin(&p, 10);
	for (int i = 0; i < 5; i++)
		packet_add(&p, 1, 10 + 2 * i);
	merge_push(&merge, a, &p.chunk);
	packet_begin(&p, 10);
	for (int i = 0; i < 5; i++)
		packet_add(&p, 2, 11 + 2 * i);
	merge_push(&merge, b, &p.chunk);
	assert_int_equal(merge_release(&merge, INT64_MAX, on_event, &seen), 5);
	assert_int_equal(seen.count, 3);
	merge_source_destroy(&merge, a);
	assert_int_equal(merge_release(&merge, INT64_MAX, on_event, &seen), 0);
	assert_int_equal(seen.count, 3 + 4);
	assert_true(merge_source_empty(b));
	merge_source_destroy(&merge, b);
	assert_int_equal(merge.bytes, 0);
	merge_deinit(&merge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_late),
		cmocka_unit_test(test_time),  cmocka_unit_test(test_bad),
		cmocka_unit_test(test_stop),
	};

	return RUN(tests);
}
