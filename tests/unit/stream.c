/* SPDX-License-Identifier: MIT */
/* Sessions and packets against the synthetic writer: order, give-back, take-back, claims. */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/stream.h"
#include "tests/abi/synth.h"

static const struct synth_field fields[] = { { "n", WEIR_NOTE_U64 }, { "s", WEIR_NOTE_STRING } };

struct fixture {
	struct synth synth;
	struct shm shm;
	struct clock clock;
	struct patterns patterns;
	struct schema schema;
	struct session session;
	struct stream stream;
	uint32_t id;
	uint64_t next; /* number of the next fire */
	/* what was seen */
	uint64_t seen;
	uint64_t expect;
	uint64_t jumps;
	uint64_t chunks;
	uint32_t sequence[2];
	int refuse;                     /* what the consumer returns */
	struct weir_shm_desc *reopened; /* by another slot, while it consumes */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct synth_options options = { .packets = 64, .features = WEIR_FEATURE_BLOCK };

	if (synth_create(&f->synth, &options))
		return -1;
	f->id = synth_probe(&f->synth, "shop", "order", fields, 2);
	if (shm_map(dup(f->synth.fd), getpid(), getpid(), &f->shm, NULL))
		return -1;
	clock_init(&f->clock, &f->shm.head, 0);
	patterns_parse(NULL, 0, &f->patterns, NULL);
	schema_update(&f->schema, &f->shm);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	session_stop(&f->session);
	session_release(&f->session);
	stream_deinit(&f->stream);
	schema_deinit(&f->schema);
	patterns_deinit(&f->patterns);
	shm_unmap(&f->shm);
	synth_destroy(&f->synth);
	free(f);
	return 0;
}

static struct session_options options_of(const struct fixture *f, uint32_t mode, uint32_t packets)
{
	return (struct session_options){ .patterns = &f->patterns,
		                         .mode = mode,
		                         .buffer = (uint64_t)packets * WEIR_SHM_PACKET_SIZE };
}

static void claim(struct fixture *f, uint32_t mode, uint32_t packets)
{
	struct session_options options = options_of(f, mode, packets);

	assert_int_equal(session_claim(&f->shm, &f->clock, &options, &f->session, NULL), 0);
	assert_int_equal(session_arm(&f->session, &f->schema), 1);
	assert_int_equal(stream_init(&f->stream, &f->session), 0);
}

static int fire(struct fixture *f, uint32_t slot)
{
	char text[201];
	const struct synth_value values[] = { { .word = f->next }, { .data = text } };

	memset(text, 'x', 200);
	text[200] = 0;
	f->next++;
	return synth_fire(&f->synth, slot, f->id, values);
}

static int on_chunk(void *arg, const struct stream_chunk *chunk)
{
	struct fixture *f = arg;
	uint32_t at = chunk->from;

	if (f->refuse)
		return f->refuse;
	assert_true(chunk->sequence >= f->sequence[chunk->slot]);
	f->sequence[chunk->slot] = chunk->sequence;
	f->chunks++;
	for (uint32_t i = 0; i < chunk->count; i++) {
		const uint64_t *record = (const uint64_t *)(chunk->packet + at);

		if (record[2] != f->expect) {
			f->jumps++;
			f->expect = record[2];
		}
		f->expect++;
		f->seen++;
		at += WEIR_RECORD_LENGTH(record[0]);
	}
	assert_int_equal(at, chunk->to);
	if (f->reopened)
		f->reopened->slot = 0;
	return 0;
}

static int64_t look(struct fixture *f, enum stream_what what)
{
	return stream_look(&f->stream, what, on_chunk, f);
}

static void test_drop(void **state)
{
	struct fixture *f = *state;
	uint64_t committed = 0;

	claim(f, WEIR_MODE_DROP, 4);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 100; i++)
			committed += fire(f, 0);
		look(f, STREAM_ALL);
	}
	assert_int_equal(committed, 5000);
	assert_int_equal(f->seen, 5000);
	assert_int_equal(f->jumps, 0);
	assert_true(f->sequence[0] > 15); /* more packets than there are: they went round */
	/* Nobody looks: the buffer fills up, and what is lost is counted. */
	for (int i = 0; i < 3000; i++)
		committed += fire(f, 0);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, committed);
	assert_int_equal(session_lost(&f->session), 8000 - committed);
	assert_true(committed < 8000);
}

/* Only whole packets; the rest at the end. */
static void test_complete(void **state)
{
	struct fixture *f = *state;

	claim(f, WEIR_MODE_DROP, 8);
	fire(f, 0);
	assert_int_equal(look(f, STREAM_COMPLETE), 0);
	for (int i = 0; i < 600; i++)
		fire(f, 0);
	assert_true(look(f, STREAM_COMPLETE) > 0);
	assert_true(f->seen < 601);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, 601);
	assert_int_equal(f->jumps, 0);
}

/* A consumer that cannot take a chunk gets it again. */
static void test_refuse(void **state)
{
	struct fixture *f = *state;

	claim(f, WEIR_MODE_OVERWRITE, 8);
	for (int i = 0; i < 600; i++)
		fire(f, 0);
	f->refuse = -ENOMEM;
	assert_int_equal(look(f, STREAM_ALL), -ENOMEM);
	f->refuse = 0;
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, 600);
	assert_int_equal(f->jumps, 0);
}

static void test_overwrite(void **state)
{
	struct fixture *f = *state;
	uint64_t overwritten;

	claim(f, WEIR_MODE_OVERWRITE, 4);
	for (int i = 0; i < 100; i++)
		fire(f, 0);
	look(f, STREAM_ALL); /* part of a packet that will be taken back */
	assert_int_equal(f->seen, 100);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(fire(f, 0), 1);
	look(f, STREAM_ALL);
	look(f, STREAM_ALL); /* a missing number is believed when it is missing twice */
	overwritten = session_overwritten(&f->session) - f->stream.partial;
	assert_int_equal(f->seen + overwritten, 10100);
	assert_true(f->stream.missing > 0);
	assert_int_equal(f->jumps, 1);
}

static struct weir_shm_desc *desc_of(const struct fixture *f, uint32_t slot, uint32_t sequence)
{
	for (uint32_t i = 0; i < f->session.count; i++) {
		struct weir_shm_desc *desc = shm_desc(&f->shm, f->session.first + i);

		if (desc->sequence == sequence && desc->slot == slot)
			return desc;
	}
	fail_msg("no packet %u of slot %u", sequence, slot);
	return NULL;
}

/*
 * A packet that was taken back and is another slot's now, in the same state and under the same number:
 * what was collected of the first is not to be read out of the second, nor called bad.
 */
static void test_reopened(void **state)
{
	struct fixture *f = *state;

	claim(f, WEIR_MODE_OVERWRITE, 4);
	fire(f, 1);
	fire(f, 1);
	look(f, STREAM_ALL);
	fire(f, 0);
	fire(f, 1);
	assert_int_equal(f->seen, 2);
	f->reopened = desc_of(f, 1, 1);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, 3);
	assert_int_equal(f->stream.bad, 0);
}

/* What was handed out of a packet that is gone at the end was counted by the target, too. */
static void test_settle(void **state)
{
	struct fixture *f = *state;

	claim(f, WEIR_MODE_OVERWRITE, 4);
	for (int i = 0; i < 3; i++)
		fire(f, 0);
	look(f, STREAM_ALL);
	stream_settle(&f->stream);
	assert_int_equal(f->stream.partial, 0);
	desc_of(f, 0, 1)->slot = 1;
	stream_settle(&f->stream);
	assert_int_equal(f->stream.partial, 3);
	stream_settle(&f->stream);
	assert_int_equal(f->stream.partial, 3);
}

static void test_refilled(void **state)
{
	struct fixture *f = *state;

	claim(f, WEIR_MODE_OVERWRITE, 4);
	fire(f, 1);
	look(f, STREAM_ALL);
	fire(f, 0);
	while (f->synth.slot[1].sequence[f->session.index] < 2)
		fire(f, 1);
	f->reopened = desc_of(f, 1, 1);
	assert_int_equal(WEIR_DESC_STATE(f->reopened->state), WEIR_PACKET_FULL);
	look(f, STREAM_ALL); /* of slot 0, the packet behind, and nothing else */
	assert_int_equal(WEIR_DESC_STATE(f->reopened->state), WEIR_PACKET_FULL);
	assert_int_equal(f->seen, 3);
	assert_int_equal(f->stream.bad, 0);
}

/* The closer of a packet was preempted: it is complete all the same, and freed when marked. */
static void test_late_full(void **state)
{
	struct fixture *f = *state;
	struct weir_shm_desc *first;
	uint64_t word;

	claim(f, WEIR_MODE_DROP, 8);
	while (f->synth.slot[0].sequence[f->session.index] < 2)
		fire(f, 0);
	for (uint32_t i = 0;; i++) {
		first = shm_desc(&f->shm, f->session.first + i);
		if (first->sequence == 1)
			break;
	}
	word = first->state;
	assert_int_equal(WEIR_DESC_STATE(word), WEIR_PACKET_FULL);
	first->state = WEIR_DESC_WORD(WEIR_PACKET_OPEN, f->session.generation);
	look(f, STREAM_COMPLETE);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, f->next);
	assert_int_equal(WEIR_DESC_STATE(first->state), WEIR_PACKET_OPEN);
	first->state = word;
	look(f, STREAM_ALL);
	assert_int_equal(WEIR_DESC_STATE(first->state), WEIR_PACKET_FREE);
	assert_int_equal(f->seen, f->next);
	assert_int_equal(f->jumps, 0);
}

/* A look that passed a descriptor before it was opened and meets its successor. */
static void test_hidden(void **state)
{
	struct fixture *f = *state;
	struct weir_shm_desc *first;
	uint64_t word;

	claim(f, WEIR_MODE_DROP, 8);
	look(f, STREAM_ALL);
	while (f->synth.slot[0].sequence[f->session.index] < 2)
		fire(f, 0);
	for (uint32_t i = 0;; i++) {
		first = shm_desc(&f->shm, f->session.first + i);
		if (first->sequence == 1)
			break;
	}
	word = first->state;
	first->state = WEIR_DESC_WORD(WEIR_PACKET_TAKEN, f->session.generation);
	assert_int_equal(look(f, STREAM_ALL), 0);
	assert_true(f->stream.held);
	first->state = word;
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, f->next);
	assert_int_equal(f->jumps + f->stream.missing, 0);
}

/* A flight recorder that was never looked at: every second packet was overwritten since. */
static void test_gaps(void **state)
{
	struct fixture *f = *state;
	uint32_t last;

	claim(f, WEIR_MODE_OVERWRITE, 8);
	while (f->synth.slot[0].sequence[f->session.index] < 8)
		fire(f, 0);
	last = f->synth.slot[0].sequence[f->session.index];
	for (uint32_t sequence = 1; sequence < 8; sequence += 2)
		desc_of(f, 0, sequence)->state =
		    WEIR_DESC_WORD(WEIR_PACKET_TAKEN, f->session.generation);
	/* And of one that is there, the closer was preempted. */
	desc_of(f, 0, 4)->state = WEIR_DESC_WORD(WEIR_PACKET_OPEN, f->session.generation);
	assert_int_equal(look(f, STREAM_ALL), 0);
	assert_true(f->stream.held);
	assert_true(look(f, STREAM_ALL) > 0);
	assert_false(f->stream.held);
	assert_int_equal(f->sequence[0], last);
	assert_int_equal(f->chunks, 4);
	assert_int_equal(f->stream.missing, 4);
}

static void test_claims(void **state)
{
	struct fixture *f = *state;
	struct session_options options = options_of(f, WEIR_MODE_DROP, 8);
	struct session more[WEIR_SHM_SESSIONS + 1];
	struct weir_error err;
	int n;

	claim(f, WEIR_MODE_DROP, 8);
	for (n = 0; n < WEIR_SHM_SESSIONS - 1; n++) {
		assert_int_equal(session_claim(&f->shm, &f->clock, &options, &more[n], NULL), 0);
		assert_true(more[n].index != f->session.index);
		for (int i = 0; i < n; i++)
			assert_true(more[n].first >= more[i].first + more[i].count ||
			            more[i].first >= more[n].first + more[n].count);
	}
	assert_int_equal(session_claim(&f->shm, &f->clock, &options, &more[n], &err), -EBUSY);
	/* One of them died: its lease ends, and anybody reaps it. */
	shm_session(&f->shm, more[3].index)->lease = synth_now(&f->synth) - 2 * f->shm.head.hz;
	assert_int_equal(session_claim(&f->shm, &f->clock, &options, &more[n], NULL), 0);
	assert_int_equal(more[n].index, more[3].index);
	assert_int_equal(more[n].generation, more[3].generation + 1);
	assert_int_equal(session_status(&more[3]), SESSION_STOLEN);
	session_stop(&more[3]); /* touches nothing of its successor's */
	session_release(&more[3]);
	assert_int_equal(session_status(&more[n]), SESSION_OK);
	for (int i = 0; i <= n; i++) {
		session_stop(&more[i]);
		session_release(&more[i]);
	}
	assert_int_equal(session_status(&f->session), SESSION_OK);
	/* The whole pool for one: nothing is left for others but what they need at least. */
	options.buffer = UINT64_C(1) << 40;
	assert_int_equal(session_claim(&f->shm, &f->clock, &options, &more[0], NULL), 0);
	assert_int_equal(more[0].count, 64 - f->session.count);
	assert_int_equal(session_claim(&f->shm, &f->clock, &options, &more[1], &err), -ENOSPC);
	session_stop(&more[0]);
	session_release(&more[0]);
}

/* What is given back is memory, too. */
static void test_memory(void **state)
{
	struct fixture *f = *state;
	struct session_options options = options_of(f, WEIR_MODE_DROP, 32);
	unsigned char resident[16];
	struct session session;

	assert_int_equal(session_claim(&f->shm, &f->clock, &options, &session, NULL), 0);
	mincore(shm_packet(&f->shm, session.first + 5), WEIR_SHM_PACKET_SIZE, resident);
	for (int i = 0; i < 16; i++)
		assert_true(resident[i] & 1);
	session_stop(&session);
	session_release(&session);
	mincore(shm_packet(&f->shm, session.first + 5), WEIR_SHM_PACKET_SIZE, resident);
	for (int i = 0; i < 16; i++)
		assert_false(resident[i] & 1);
}

static void test_expiry(void **state)
{
	struct fixture *f = *state;

	claim(f, WEIR_MODE_DROP, 8);
	for (int i = 0; i < 10; i++)
		fire(f, 0);
	shm_session(&f->shm, f->session.index)->lease = synth_now(&f->synth) - 1;
	assert_int_equal(fire(f, 0), 0);
	assert_int_equal(session_status(&f->session), SESSION_EXPIRED);
	assert_int_equal(shm_mask(&f->shm)[f->id], 0);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, 10);
	stream_deinit(&f->stream);
	session_stop(&f->session);
	session_release(&f->session);
	claim(f, WEIR_MODE_DROP, 8);
	f->sequence[0] = 0;
	assert_int_equal(fire(f, 0), 1);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, 11);
}

static void test_adopt(void **state)
{
	struct fixture *f = *state;
	struct session_options options = options_of(f, WEIR_MODE_DROP, 8);

	assert_int_equal(session_adopt(&f->shm, &f->clock, &options, &f->session, NULL), -ENOENT);
	synth_pend(&f->synth, 2, "other:*", 0, 0, 16);
	assert_false(session_pending(&f->shm, &options));
	synth_pend(&f->synth, 3, "*:*", 0, 16, 16);
	assert_true(session_pending(&f->shm, &options));
	for (int i = 0; i < 10; i++)
		fire(f, 1);
	assert_int_equal(session_adopt(&f->shm, &f->clock, &options, &f->session, NULL), 0);
	assert_int_equal(f->session.index, 3);
	assert_int_equal(stream_init(&f->stream, &f->session), 0);
	look(f, STREAM_ALL);
	assert_int_equal(f->seen, 10);
	assert_false(session_pending(&f->shm, &options));
}

/* Every word of a descriptor and a commit, set to values that lie. */
static void test_lies(void **state)
{
	static const uint64_t lies[] = { 0,          1,          63,         65,
		                         65537,      0xffffffff, UINT64_MAX, UINT64_C(1) << 32,
		                         0x10000ffff };
	struct fixture *f = *state;

	claim(f, WEIR_MODE_DROP, 8);
	for (uint32_t packet = 0; packet < 8; packet++) {
		uint64_t *desc = (uint64_t *)shm_desc(&f->shm, f->session.first + packet);
		uint64_t *head = (uint64_t *)shm_packet(&f->shm, f->session.first + packet);

		for (size_t word = 0; word < 10; word++) {
			for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
				uint64_t *at = word < 8 ? desc + word : head + word - 8;

				f->chunks = 0;
				desc[0] = WEIR_DESC_WORD(WEIR_PACKET_FULL, f->session.generation);
				*at = lies[i];
				/* The consumer walks nothing here: lengths are its own business. */
				f->refuse = 0;
				head[0] = word == 8 ? lies[i] : head[0];
				f->refuse = -EINTR;
				look(f, STREAM_ALL);
				look(f, STREAM_ALL);
			}
		}
	}
	f->refuse = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_drop),      TEST(test_complete), TEST(test_refuse), TEST(test_overwrite),
		TEST(test_late_full), TEST(test_hidden),   TEST(test_claims), TEST(test_memory),
		TEST(test_expiry),    TEST(test_adopt),    TEST(test_lies),   TEST(test_gaps),
		TEST(test_reopened),  TEST(test_refilled), TEST(test_settle),
	};

	return RUN(tests);
}
