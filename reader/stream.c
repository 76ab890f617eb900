/* SPDX-License-Identifier: MIT */
#include "reader/stream.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct stream_entry {
	uint32_t slot;
	uint32_t sequence;
	uint32_t packet;
	uint64_t word; /* of the descriptor when it was looked at */
};

int stream_init(struct stream *stream, struct session *session)
{
	memset(stream, 0, sizeof(*stream));
	stream->session = session;
	stream->slots = calloc(session->shm->head.slots, sizeof(*stream->slots));
	stream->entries = calloc(session->count, sizeof(*stream->entries));
	stream->bounce = malloc(WEIR_SHM_PACKET_SIZE);
	if (!stream->slots || !stream->entries || !stream->bounce) {
		stream_deinit(stream);
		return -ENOMEM;
	}
	stream_restart(stream);
	return 0;
}

void stream_deinit(struct stream *stream)
{
	free(stream->slots);
	free(stream->entries);
	free(stream->bounce);
	memset(stream, 0, sizeof(*stream));
}

static void slot_next(struct stream_slot *slot, uint32_t sequence)
{
	*slot = (struct stream_slot){ .expected = sequence,
		                      .offset = WEIR_PACKET_RECORDS,
		                      .seen = slot->seen };
}

void stream_restart(struct stream *stream)
{
	for (uint32_t i = 0; i < stream->session->shm->head.slots; i++) {
		stream->slots[i].seen = 0;
		slot_next(&stream->slots[i], 1);
	}
}

void stream_resume(struct stream *stream, uint32_t slot, uint32_t sequence, uint32_t offset,
                   uint32_t count)
{
	if (slot >= stream->session->shm->head.slots || offset < WEIR_PACKET_RECORDS ||
	    offset > WEIR_SHM_PACKET_SIZE)
		return;
	stream->slots[slot] = (struct stream_slot){
		.expected = sequence, .offset = offset, .count = count, .seen = sequence - 1
	};
}

static uint64_t load_commit(const struct stream *stream, uint32_t packet)
{
	/* Pairs with the target's commit: the records before it are written. */
	return __atomic_load_n(&shm_packet(stream->session->shm, packet)->commit, __ATOMIC_ACQUIRE);
}

static struct weir_shm_desc *desc_of(const struct stream *stream, uint32_t packet)
{
	return shm_desc(stream->session->shm, packet);
}

static bool desc_move(struct weir_shm_desc *desc, uint64_t word, enum weir_packet_state to)
{
	return __atomic_compare_exchange_n(&desc->state, &word,
	                                   WEIR_DESC_WORD(to, WEIR_DESC_GENERATION(word)), false,
	                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Give a packet back, and wake fires that wait for one (block mode). */
static void packet_free(const struct stream *stream, struct weir_shm_desc *desc, uint64_t word)
{
	const struct session *session = stream->session;
	struct weir_shm_session *s = shm_session(session->shm, session->index);

	if (!desc_move(desc, word, WEIR_PACKET_FREE))
		return;
	/* Per packet, not per look: a waiter that saw the old value may sleep. */
	__atomic_add_fetch(&s->released, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&s->waiters, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &s->released, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Slots count for themselves, so the number alone may be another slot's. */
static bool is_packet(const struct stream_entry *e, const struct weir_shm_desc *desc)
{
	return __atomic_load_n(&desc->sequence, __ATOMIC_RELAXED) == e->sequence &&
	       __atomic_load_n(&desc->slot, __ATOMIC_RELAXED) == e->slot;
}

/* FULL > READ, if it was not filled anew meanwhile, which its word does not tell. */
static bool packet_read(const struct stream_entry *e, struct weir_shm_desc *desc, uint64_t *word)
{
	if (!desc_move(desc, *word, WEIR_PACKET_READ))
		return false;
	*word = WEIR_DESC_WORD(WEIR_PACKET_READ, WEIR_DESC_GENERATION(*word));
	if (is_packet(e, desc))
		return true;
	desc_move(desc, *word, WEIR_PACKET_FULL);
	return false;
}

enum { NOTHING, PACKET, MOVED };

/* One descriptor: PACKET if it holds a packet that is to be ordered. */
static int collect_once(struct stream *stream, uint32_t packet, struct stream_entry *ret)
{
	const struct session *session = stream->session;
	struct weir_shm_desc *desc = desc_of(stream, packet);
	uint64_t word = __atomic_load_n(&desc->state, __ATOMIC_ACQUIRE);
	uint32_t state = WEIR_DESC_STATE(word), owner;

	ret->word = word;
	if (state == WEIR_PACKET_FREE || state == WEIR_PACKET_TAKEN)
		return NOTHING;
	*ret = (struct stream_entry){
		.slot = __atomic_load_n(&desc->slot, __ATOMIC_RELAXED),
		.sequence = __atomic_load_n(&desc->sequence, __ATOMIC_RELAXED),
		.packet = packet,
		.word = word,
	};
	owner = __atomic_load_n(&desc->session, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	/* Reopened by another slot, it has the word that it had. */
	if (__atomic_load_n(&desc->state, __ATOMIC_RELAXED) != word || !is_packet(ret, desc))
		return MOVED;
	if (state == WEIR_PACKET_OPEN && !WEIR_COMMIT_COUNT(load_commit(stream, packet)))
		return NOTHING;
	/* What a dead session left becomes FULL when its slot moves on, and is of no use. */
	if (WEIR_DESC_GENERATION(word) != session->generation || owner != session->index)
		goto useless;
	if (state > WEIR_PACKET_READ || ret->slot >= session->shm->head.slots) {
		stream->bad++;
		goto useless;
	}
	if ((int32_t)(ret->sequence - stream->slots[ret->slot].expected) < 0)
		goto useless;
	return state != WEIR_PACKET_READ ? PACKET : NOTHING;
useless:
	if (state == WEIR_PACKET_READ ||
	    (state == WEIR_PACKET_FULL && packet_read(ret, desc, &word)))
		packet_free(stream, desc, word);
	return NOTHING;
}

/*
 * Its state moves on at most a few times before the packet is another one; a packet that was only
 * being closed must not be taken for missing.
 */
static bool collect(struct stream *stream, uint32_t packet, struct stream_entry *ret)
{
	int what = MOVED;
	uint32_t state;

	for (int i = 0; i < 8 && what == MOVED; i++)
		what = collect_once(stream, packet, ret);
	state = WEIR_DESC_STATE(ret->word);
	stream->open += state == WEIR_PACKET_OPEN;
	stream->waiting += state == WEIR_PACKET_FULL || state == WEIR_PACKET_READ;
	return what == PACKET;
}

static int by_sequence(const void *a, const void *b)
{
	const struct stream_entry *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return (int32_t)(x->sequence - y->sequence) < 0 ? -1 : x->sequence != y->sequence;
}

static uint32_t collect_all(struct stream *stream)
{
	const struct session *session = stream->session;
	uint32_t n = 0;
	bool sorted = true;

	stream->open = stream->waiting = 0;
	for (uint32_t i = 0; i < session->count; i++) {
		if (!collect(stream, session->first + i, &stream->entries[n]))
			continue;
		if (n && by_sequence(&stream->entries[n - 1], &stream->entries[n]) > 0)
			sorted = false;
		n++;
	}
	if (!sorted)
		qsort(stream->entries, n, sizeof(*stream->entries), by_sequence);
	return n;
}

static bool overwrites(const struct stream *stream)
{
	return stream->session->options.mode == WEIR_MODE_OVERWRITE;
}

/* Is it still the packet that was looked at? The copy made before is whole then. */
static bool still_there(const struct stream_entry *e, const struct weir_shm_desc *desc)
{
	uint64_t word;

	/* Pairs with the target's TAKEN: bytes of a new packet are never seen with the old words.
	 */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	word = __atomic_load_n(&desc->state, __ATOMIC_ACQUIRE);
	return WEIR_DESC_GENERATION(word) == WEIR_DESC_GENERATION(e->word) &&
	       (WEIR_DESC_STATE(word) == WEIR_PACKET_OPEN ||
	        WEIR_DESC_STATE(word) == WEIR_PACKET_FULL ||
	        WEIR_DESC_STATE(word) == WEIR_PACKET_READ) &&
	       is_packet(e, desc);
}

/* Deliver what is new of the slot's expected packet. 1: delivered or nothing new; 0: it is gone. */
static int deliver(struct stream *stream, const struct stream_entry *e, bool complete, bool copy,
                   stream_fn fn, void *arg)
{
	struct stream_slot *slot = &stream->slots[e->slot];
	struct weir_shm_desc *desc = desc_of(stream, e->packet);
	uint64_t commit = load_commit(stream, e->packet);
	struct stream_chunk chunk = {
		.slot = e->slot,
		.sequence = e->sequence,
		.from = slot->offset,
		.to = WEIR_COMMIT_OFFSET(commit),
		.count = WEIR_COMMIT_COUNT(commit) - slot->count,
		.before = slot->count,
		.generation = stream->session->generation,
		.first_time = __atomic_load_n(&desc->first_time, __ATOMIC_RELAXED),
		.lost = __atomic_load_n(&desc->lost, __ATOMIC_RELAXED),
		.packet = (const uint8_t *)shm_packet(stream->session->shm, e->packet),
		.complete = complete,
	};
	int ret;

	if (chunk.to > WEIR_SHM_PACKET_SIZE || chunk.to % 8 || chunk.to < chunk.from ||
	    WEIR_COMMIT_COUNT(commit) < slot->count ||
	    (uint64_t)chunk.count * sizeof(struct weir_shm_record) > chunk.to - chunk.from) {
		if (copy && !still_there(e, desc))
			return 0; /* another packet's word */
		stream->bad++;
		return 1; /* nothing of it can be believed; it goes its way */
	}
	if (copy) {
		memcpy(stream->bounce + chunk.from, chunk.packet + chunk.from,
		       chunk.to - chunk.from);
		chunk.packet = stream->bounce;
	}
	chunk.last_time = __atomic_load_n(&shm_packet(stream->session->shm, e->packet)->last_time,
	                                  __ATOMIC_RELAXED);
	if (copy && !still_there(e, desc))
		return 0;
	if (!chunk.count && !complete)
		return 1;
	ret = fn(arg, &chunk);
	if (ret)
		return ret < 0 ? ret : -ECANCELED;
	slot->offset = chunk.to;
	slot->count += chunk.count;
	stream->records += chunk.count;
	return 1;
}

/*
 * The expected packet is missing while a later one is there. May the slot go on with that one? If
 * all that is missing was opened before this look began, as an earlier look saw its successor, then
 * this look did not merely pass it by. However many gaps a slot has, the second look passes them
 * all: a flight recorder has one behind each packet that stayed open while others were overwritten.
 */
static bool skip_to(struct stream *stream, struct stream_slot *slot, uint32_t sequence)
{
	if ((int32_t)(sequence - 1 - slot->seen) > 0) {
		stream->held = true;
		return false;
	}
	stream->partial += slot->count;
	stream->missing += sequence - slot->expected;
	slot_next(slot, sequence);
	return true;
}

static void saw(struct stream_slot *slot, uint32_t sequence)
{
	if ((int32_t)(sequence - slot->seen) > 0)
		slot->seen = sequence;
}

static bool is_there(const struct stream *stream, uint32_t slot)
{
	const struct session *session = stream->session;
	struct stream_entry e = { .slot = slot, .sequence = stream->slots[slot].expected };

	e.word = WEIR_DESC_WORD(WEIR_PACKET_OPEN, session->generation);
	for (uint32_t i = 0; i < session->count; i++) {
		if (still_there(&e, desc_of(stream, session->first + i)))
			return true;
	}
	return false;
}

void stream_settle(struct stream *stream)
{
	for (uint32_t i = 0; i < stream->session->shm->head.slots; i++) {
		struct stream_slot *slot = &stream->slots[i];

		if (!slot->count || is_there(stream, i))
			continue;
		stream->partial += slot->count;
		slot->count = 0;
	}
}

/* All packets of one slot, in order. */
static int64_t look_slot(struct stream *stream, const struct stream_entry *e, uint32_t n,
                         enum stream_what what, stream_fn fn, void *arg)
{
	struct stream_slot *slot = &stream->slots[e->slot];
	uint64_t before = stream->records;
	uint32_t newest = e[n - 1].sequence;

	for (uint32_t i = 0; i < n; i++, e++) {
		struct weir_shm_desc *desc = desc_of(stream, e->packet);
		bool full = WEIR_DESC_STATE(e->word) == WEIR_PACKET_FULL;
		bool complete = full || (i + 1 < n && e[1].sequence != e->sequence);
		uint64_t word = e->word;
		int ret;

		if (e->sequence != slot->expected) {
			if ((int32_t)(e->sequence - slot->expected) < 0)
				continue; /* twice the same number: a lie */
			if (!skip_to(stream, slot, e->sequence))
				break;
		}
		if (!complete && what == STREAM_COMPLETE)
			break;
		if (overwrites(stream) && full && !packet_read(e, desc, &word)) {
			saw(slot, e->sequence); /* taken back under our eyes */
			continue;
		}
		ret = deliver(stream, e, complete, overwrites(stream) && !full, fn, arg);
		if (ret < 0) {
			/* Not consumed: leave it as it was found. */
			if (WEIR_DESC_STATE(word) == WEIR_PACKET_READ)
				desc_move(desc, word, WEIR_PACKET_FULL);
			return ret;
		}
		if (!ret) {
			saw(slot, e->sequence);
			continue;
		}
		if (!complete)
			break;
		slot_next(slot, e->sequence + 1);
		if (full)
			packet_free(stream, desc, word);
	}
	saw(slot, newest);
	return stream->records - before;
}

int64_t stream_look(struct stream *stream, enum stream_what what, stream_fn fn, void *arg)
{
	uint32_t n, from = 0;
	int64_t sum = 0;

	stream->held = false;
	n = collect_all(stream);
	for (uint32_t i = 1; i <= n; i++) {
		int64_t ret;

		if (i < n && stream->entries[i].slot == stream->entries[from].slot)
			continue;
		ret = look_slot(stream, &stream->entries[from], i - from, what, fn, arg);
		if (ret < 0)
			return ret;
		sum += ret;
		from = i;
	}
	return sum;
}
