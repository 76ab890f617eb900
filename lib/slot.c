/* SPDX-License-Identifier: MIT */
/*
 * Appending to packets, and getting packets: the slow path behind slot.h.
 *
 * A fire comes here when its section says SLOT_SLOW. What it finds decides:
 *   the session is not the one whose nibble is set    clear the nibble; nothing is lost, it is off
 *   the lease is over                                 expire the session
 *   another thread installed a packet meanwhile       try again
 *   there is a packet to be had                       take it, install it, close the old one
 *   there is none                                     mode: lose and count, or wait
 *
 * Every word that a tracer writes is read once into a local and checked there. The steps hold no
 * lock: a thread may stop for ever between any two of them, and a signal handler may fire between
 * any two, and all that costs is one packet that stays TAKEN until the session's generation ends.
 */
#include "lib/slot.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/give_back.h"
#include "lib/shm.h"

struct hot weir_hot;
__thread uint32_t weir_tid __attribute__((tls_model("initial-exec")));
/* How deep this thread is in the slow path: a signal handler must not wait for its own thread. */
static __thread uint32_t depth __attribute__((tls_model("initial-exec")));

#define BLOCK_NS 100000000u

/* Wiped in a child, so `alive` tells whether the slots are still ours. */
static struct region {
	uint32_t alive;
	uint32_t reserved[15];
	struct slot slots[]; /* WEIR_SHM_SESSIONS * nslots */
} * region;
static size_t region_size;
static uint32_t nslots; /* per session */
static bool use_rseq;

/* Per session: where to look for a packet first; `released` when the last look found none. */
static struct {
	_Atomic uint32_t hint;
	_Atomic uint32_t full_at;
	_Atomic uint32_t generation;
} search[WEIR_SHM_SESSIONS];

static struct slot *slots_of(unsigned session)
{
	return region->slots + (size_t)session * nslots;
}

int slots_create(bool rseq)
{
	size_t size;

	nslots = shm.slots;
	size = sizeof(*region) + sizeof(struct slot) * WEIR_SHM_SESSIONS * nslots;
	if (!region) {
		void *p =
		    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return -errno;
		if (madvise(p, size, MADV_WIPEONFORK)) {
			munmap(p, size);
			return -errno;
		}
		region = p;
		region_size = size;
	}
	memset(region, 0, region_size);
	memset(search, 0, sizeof(search));
	for (unsigned k = 0; k < WEIR_SHM_SESSIONS; k++) {
		for (uint32_t i = 0; i < nslots; i++) {
			struct slot *slot = &slots_of(k)[i];
			uint32_t cpu = rseq ? i : i / 2;

			slot->lease = &shm.sessions[k].lease;
			slot->lost = &shm.stripes[cpu].lost[k];
			slot->cpu = (uint64_t)cpu << 32;
		}
		atomic_store(&search[k].full_at, UINT32_MAX);
	}
	use_rseq = rseq;
	weir_hot.pool = shm.pool;
	weir_hot.slots = slots_of(0);
	weir_hot.all = slots_of(0);
	weir_hot.stride = nslots * sizeof(struct slot);
	weir_hot.cpus = rseq ? shm.cpus : 0;
	region->alive = 1;
	return 0;
}

uint32_t slots_tid(void)
{
	if (!weir_tid)
		weir_tid = (uint32_t)syscall(SYS_gettid);
	return weir_tid;
}

void slots_forget_thread(void)
{
	weir_tid = 0;
	depth = 0;
}

static uint32_t this_cpu(void)
{
	int cpu = use_rseq ? rseq_cpu() : sched_getcpu();

	return cpu < 0 || (uint32_t)cpu >= shm.cpus ? 0 : (uint32_t)cpu;
}

static void count(uint64_t *counter_of_stripe_0, uint64_t n)
{
	if (use_rseq) {
		rseq_add(counter_of_stripe_0, sizeof(struct weir_shm_stripe), n);
	} else {
		uint8_t *p =
		    (uint8_t *)counter_of_stripe_0 + this_cpu() * sizeof(struct weir_shm_stripe);

		__atomic_fetch_add((uint64_t *)p, n, __ATOMIC_RELAXED);
	}
}

void slots_lost(unsigned session)
{
	count(&shm.stripes[0].lost[session], 1);
}

/* Take a probe's nibble back, unless a tracer has set another one meanwhile. */
static void mask_clear(uint32_t *word, unsigned session, unsigned nibble)
{
	unsigned shift = WEIR_MASK_SHIFT(session);
	uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);

	while (((old >> shift) & 0xf) == nibble &&
	       !__atomic_compare_exchange_n(word, &old, old & ~(UINT32_C(0xf) << shift), false,
	                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/*
 * The lease is over: whoever says so first also switches every probe of it off, and gives the memory
 * back if the tracer is gone and not only stopped.
 */
static void session_expire(unsigned k, uint64_t word, uint64_t now)
{
	struct weir_shm_session *s = &shm.sessions[k];
	uint64_t expired = WEIR_SESSION_WORD(WEIR_SESSION_EXPIRED, WEIR_SESSION_GENERATION(word));

	if (!__atomic_compare_exchange_n(&s->state, &word, expired, false, __ATOMIC_ACQ_REL,
	                                 __ATOMIC_RELAXED))
		return;
	s->expired_at = now;
	__atomic_fetch_add(&s->expiries, 1, __ATOMIC_RELAXED);
	for (uint32_t id = 1; id <= shm.probes; id++)
		mask_clear(&shm.masks[id], k, WEIR_SESSION_NIBBLE(word));
	if (shm_tracer_gone(k))
		packets_give_back(k);
	/* Somebody may have found none because they were in hand just then. */
	for (unsigned i = 0; i < WEIR_SHM_SESSIONS; i++)
		atomic_store(&search[i].full_at, UINT32_MAX);
}

/* A slot's word as it is now. The halves may be of two installs: rseq_install compares both. */
static struct slot_word slot_load(const struct slot *slot)
{
	struct slot_word word;
	uint64_t half[2];

	half[0] = __atomic_load_n((const uint64_t *)&slot->word, __ATOMIC_RELAXED);
	half[1] = __atomic_load_n((const uint64_t *)&slot->word + 1, __ATOMIC_RELAXED);
	memcpy(&word, half, sizeof(word));
	return word;
}

/* xchg mode, with the lock: only slots_forget looks at it meanwhile. */
static void slot_store(struct slot *slot, const struct slot_word *word)
{
	uint64_t half[2];

	memcpy(half, word, sizeof(half));
	__atomic_store_n((uint64_t *)&slot->word + 1, half[1], __ATOMIC_RELAXED);
	__atomic_store_n((uint64_t *)&slot->word, half[0], __ATOMIC_RELAXED);
}

/* What a tracer asked for, copied once and checked. */
struct ask {
	uint64_t word;
	uint32_t generation;
	uint32_t mask; /* nibble in its place */
	uint32_t first;
	uint32_t count;
	uint32_t mode;
};

static bool session_ask(unsigned k, uint32_t mask, struct ask *ret)
{
	struct weir_shm_session *s = &shm.sessions[k];
	/* acquire: partner is the tracer's store of ACTIVE after the words below */
	uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
	unsigned state = WEIR_SESSION_STATE(word);

	if (state != WEIR_SESSION_ACTIVE && state != WEIR_SESSION_PENDING)
		return false;
	if (WEIR_SESSION_NIBBLE(word) << WEIR_MASK_SHIFT(k) != mask)
		return false;
	ret->word = word;
	ret->generation = WEIR_SESSION_GENERATION(word);
	ret->mask = mask;
	ret->first = __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED);
	ret->count = __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED);
	ret->mode = __atomic_load_n(&s->mode, __ATOMIC_RELAXED);
	return ret->count && ret->first < shm.packets && ret->count <= shm.packets - ret->first &&
	       __atomic_load_n(&s->packet_size, __ATOMIC_RELAXED) == WEIR_SHM_PACKET_SIZE;
}

static bool desc_move(uint32_t packet, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(&shm.descs[packet].state, &from, to, false,
	                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/*
 * A slot that was not used in this generation holds another one's packet and that one's nibble.
 * Nibbles return after 15 generations, so the first one here in a new generation makes all slots
 * of older ones forget theirs. The packet stays the slot's until its next install closes it.
 */
static void slots_forget(unsigned k, const struct ask *ask)
{
	uint32_t seen = atomic_load(&search[k].generation);

	if (seen == ask->generation ||
	    !atomic_compare_exchange_strong(&search[k].generation, &seen, ask->generation))
		return;
	atomic_store(&search[k].full_at, UINT32_MAX);
	for (uint32_t i = 0; i < nslots; i++) {
		uint32_t *mask = &slots_of(k)[i].word.mask;
		uint32_t old = __atomic_load_n(mask, __ATOMIC_RELAXED);

		if (old && old != ask->mask)
			__atomic_compare_exchange_n(mask, &old, 0, false, __ATOMIC_RELAXED,
			                            __ATOMIC_RELAXED);
	}
}

/* A packet, TAKEN, or -1. */
static int64_t packet_free(unsigned k, const struct ask *ask)
{
	uint64_t taken = WEIR_DESC_WORD(WEIR_PACKET_TAKEN, ask->generation);
	uint32_t released = __atomic_load_n(&shm.sessions[k].released, __ATOMIC_ACQUIRE);
	uint32_t hint = atomic_load_explicit(&search[k].hint, memory_order_relaxed);

	if (ask->mode != WEIR_MODE_OVERWRITE &&
	    atomic_load_explicit(&search[k].full_at, memory_order_relaxed) == released)
		return -1; /* nothing has been released since nothing was found */
	for (uint32_t i = 0; i < ask->count; i++) {
		uint32_t at = ask->first + (hint + i) % ask->count;
		uint64_t word = __atomic_load_n(&shm.descs[at].state, __ATOMIC_RELAXED);
		uint32_t state = WEIR_DESC_STATE(word);
		bool old = WEIR_DESC_GENERATION(word) != ask->generation;

		if (state == WEIR_PACKET_FREE ||
		    (old && (state == WEIR_PACKET_FULL || state == WEIR_PACKET_READ))) {
			if (desc_move(at, word, taken)) {
				atomic_store_explicit(&search[k].hint, (hint + i + 1) % ask->count,
				                      memory_order_relaxed);
				return at;
			}
		}
	}
	if (ask->mode != WEIR_MODE_OVERWRITE)
		atomic_store_explicit(&search[k].full_at, released, memory_order_relaxed);
	return -1;
}

/* Overwrite mode: the oldest FULL packet, its events counted as overwritten. */
static int64_t packet_oldest(unsigned k, const struct ask *ask)
{
	uint64_t full = WEIR_DESC_WORD(WEIR_PACKET_FULL, ask->generation);
	uint64_t taken = WEIR_DESC_WORD(WEIR_PACKET_TAKEN, ask->generation);

	for (int tries = 0; tries < 4; tries++) {
		uint64_t oldest = UINT64_MAX;
		int64_t best = -1;

		for (uint32_t i = 0; i < ask->count; i++) {
			struct weir_shm_desc *d = &shm.descs[ask->first + i];
			uint64_t time = __atomic_load_n(&d->first_time, __ATOMIC_RELAXED);

			if (__atomic_load_n(&d->state, __ATOMIC_RELAXED) == full && time < oldest) {
				oldest = time;
				best = ask->first + i;
			}
		}
		if (best < 0)
			return -1;
		if (desc_move((uint32_t)best, full, taken)) {
			uint64_t commit =
			    __atomic_load_n(&shm_packet((uint32_t)best)->commit, __ATOMIC_RELAXED);

			count(&shm.stripes[0].overwritten[k], WEIR_COMMIT_COUNT(commit));
			return best;
		}
	}
	return -1;
}

static int64_t packet_take(unsigned k, const struct ask *ask)
{
	int64_t packet = packet_free(k, ask);

	if (packet < 0 && ask->mode == WEIR_MODE_OVERWRITE)
		packet = packet_oldest(k, ask);
	return packet;
}

/* TAKEN > OPEN, empty. */
static void packet_open(unsigned k, const struct ask *ask, uint32_t packet, uint32_t slot,
                        const struct slot *where, uint32_t sequence, uint64_t now)
{
	struct weir_shm_desc *d = &shm.descs[packet];
	struct weir_shm_packet *p = shm_packet(packet);

	__atomic_store_n(&p->commit, WEIR_PACKET_RECORDS, __ATOMIC_RELAXED);
	__atomic_store_n(&p->last_time, now, __ATOMIC_RELAXED);
	d->sequence = sequence;
	d->slot = slot;
	/* The TSC may read a little earlier on the next instruction: it is not fenced. */
	__atomic_store_n(&d->first_time, now > 4096 ? now - 4096 : 0, __ATOMIC_RELAXED);
	__atomic_store_n(&d->last_time, 0, __ATOMIC_RELAXED);
	d->lost = __atomic_load_n(where->lost, __ATOMIC_RELAXED);
	d->session = k;
	/* release: partner is the tracer's load of the state before it reads the rest */
	__atomic_store_n(&d->state, WEIR_DESC_WORD(WEIR_PACKET_OPEN, ask->generation),
	                 __ATOMIC_RELEASE);
}

/* The old packet of a slot gets no more events: FULL for its reader, or FREE if that is gone. */
static void packet_close(const struct ask *ask, uint32_t packet)
{
	struct weir_shm_desc *d = &shm.descs[packet];
	uint64_t word = __atomic_load_n(&d->state, __ATOMIC_RELAXED);

	if (WEIR_DESC_STATE(word) != WEIR_PACKET_OPEN)
		return;
	if (WEIR_DESC_GENERATION(word) == ask->generation) {
		uint64_t last = __atomic_load_n(&shm_packet(packet)->last_time, __ATOMIC_RELAXED);

		__atomic_store_n(&d->last_time, last, __ATOMIC_RELAXED);
		desc_move(packet, word, WEIR_DESC_WORD(WEIR_PACKET_FULL, ask->generation));
	} else {
		desc_move(packet, word, WEIR_DESC_WORD(WEIR_PACKET_FREE, 0));
	}
}

static bool slot_has_room(const struct slot_word *word, const struct ask *ask, uint32_t length,
                          uint64_t now)
{
	uint64_t commit;

	if (word->mask != ask->mask || (uint32_t)(now >> 32) > word->deadline)
		return false;
	commit = __atomic_load_n(&shm_packet(word->packet)->commit, __ATOMIC_RELAXED);
	return (commit & 0xffff) + length < WEIR_SHM_PACKET_SIZE;
}

/* What the slot is to hold next, with the packet opened for it. */
static struct slot_word slot_next(unsigned k, const struct ask *ask, uint32_t packet, uint32_t slot,
                                  const struct slot_word *old, uint64_t now)
{
	struct slot_word next = {
		.mask = ask->mask,
		.packet = packet,
		.sequence = old->mask == ask->mask ? old->sequence + 1 : 1,
		/* 2^38 ticks are 64 of these units; stay clear of the end. */
		.deadline = (uint32_t)(now >> 32) + 60,
	};

	packet_open(k, ask, packet, slot, &slots_of(k)[slot], next.sequence, now);
	return next;
}

/* Wait until the tracer releases a packet, in block mode, for at most 100 ms in all. */
static bool packet_wait(unsigned k, const struct ask *ask, uint64_t lease, uint64_t *left)
{
	struct weir_shm_session *s = &shm.sessions[k];
	uint32_t seen = __atomic_load_n(&s->released, __ATOMIC_ACQUIRE);
	uint64_t now, before;
	struct timespec wait = { 0 };

	if (ask->mode != WEIR_MODE_BLOCK || !(shm.features & WEIR_FEATURE_BLOCK) || depth > 1 ||
	    !*left)
		return false;
	if (atomic_load_explicit(&search[k].full_at, memory_order_relaxed) != seen)
		return true; /* something was released since the search */
	now = clock_now();
	if (now >= lease)
		return false;
	before = clock_mono();
	wait.tv_nsec = (long)*left;
	if ((lease - now) / (clock_hz / 1000 + 1) < *left / 1000000)
		wait.tv_nsec = (long)((lease - now) / (clock_hz / 1000 + 1)) * 1000000;
	__atomic_fetch_add(&s->waiters, 1, __ATOMIC_SEQ_CST); /* partner: the tracer's released++ */
	syscall(SYS_futex, &s->released, FUTEX_WAIT, seen, &wait, NULL, 0);
	__atomic_fetch_sub(&s->waiters, 1, __ATOMIC_RELAXED);
	now = clock_mono() - before;
	*left = now >= *left ? 0 : *left - now;
	return true;
}

enum slow_result { SLOW_RETRY, SLOW_LOST, SLOW_OFF };

static enum slow_result slot_slow(struct probe *probe, unsigned k, uint32_t mask, uint32_t length,
                                  uint64_t *left)
{
	uint64_t lease = __atomic_load_n(&shm.sessions[k].lease, __ATOMIC_RELAXED);
	uint64_t now = clock_now();
	uint32_t at = this_cpu();
	struct slot_word old, next;
	struct slot *slot;
	struct ask ask;
	int64_t packet;

	if (!session_ask(k, mask, &ask)) {
		mask_clear(&shm.masks[probe->id], k, mask >> WEIR_MASK_SHIFT(k));
		return SLOW_OFF;
	}
	if (now > lease) {
		session_expire(k, ask.word, now);
		mask_clear(&shm.masks[probe->id], k, mask >> WEIR_MASK_SHIFT(k));
		return SLOW_OFF;
	}
	slots_forget(k, &ask);
	__atomic_store_n(&weir_hot.slots, slots_of(k), __ATOMIC_RELAXED);
	slot = &slots_of(k)[at];
	old = slot_load(slot);
	if (slot_has_room(&old, &ask, length, now))
		return SLOW_RETRY;
	packet = packet_take(k, &ask);
	if (packet < 0) {
		if (packet_wait(k, &ask, lease, left))
			return SLOW_RETRY;
		return SLOW_LOST;
	}
	next = slot_next(k, &ask, (uint32_t)packet, at, &old, now);
	if (rseq_install(slot, at, &old, &next)) {
		desc_move((uint32_t)packet, WEIR_DESC_WORD(WEIR_PACKET_OPEN, ask.generation),
		          WEIR_DESC_WORD(WEIR_PACKET_FREE, 0));
		atomic_store(&search[k].full_at, UINT32_MAX); /* somebody may have missed it */
		return SLOW_RETRY;
	}
	if (old.sequence)
		packet_close(&ask, old.packet);
	return SLOW_RETRY;
}

/* One session of a fire, in rseq mode. *time: see rseq_append. */
static void append_rseq(struct probe *probe, unsigned k, uint32_t mask, const struct gather *gather,
                        uint64_t *time)
{
	uint64_t left = BLOCK_NS;

	for (int tries = 0; tries < 1000; tries++) {
		enum slow_result slow;

		if (clock_kind == WEIR_CLOCK_MONOTONIC && !*time) {
			rseq_begin();
			*time = clock_mono();
		}
		switch (rseq_append(slots_of(k), mask, gather, time)) {
		case SLOT_DONE:
			return;
		case SLOT_PREEMPTED:
			*time = 0;
			continue;
		}
		if (rseq_cpu() < 0)
			break; /* a thread that the kernel does not know by rseq */
		*time = 0;
		depth++;
		slow = slot_slow(probe, k, mask, gather->length, &left);
		depth--;
		if (slow == SLOW_OFF)
			return;
		if (slow == SLOW_LOST)
			break;
	}
	slots_lost(k);
}

/* The same bytes, written under the slot's lock. */
static void gather_write(uint8_t *to, const struct gather *gather, uint64_t time, uint64_t cpu)
{
	uint64_t head = gather->words[0] | ((time << 26) >> 10);
	uint64_t second = gather->words[1] | cpu;

	memcpy(to, &head, 8);
	memcpy(to + 8, &second, 8);
	memcpy(to + 16, gather->words + 2, (gather->count - 2) * 8);
	to += gather->count * 8;
	for (uint32_t i = 0; i < gather->pieces; i++) {
		const struct piece *piece = &gather->piece[i];

		memcpy(to, piece->data, piece->stored);
		memset(to + piece->stored, 0, piece->padded - piece->stored);
		to += piece->padded;
	}
}

static struct slot *slot_lock(unsigned k, uint32_t *at)
{
	uint32_t first = this_cpu() * 2;

	for (uint32_t i = 0; i < nslots; i++) {
		uint32_t n = (first + i) % nslots;
		struct slot *slot = &slots_of(k)[n];

		if (!__atomic_load_n(&slot->lock, __ATOMIC_RELAXED) &&
		    !__atomic_exchange_n(&slot->lock, 1, __ATOMIC_ACQUIRE)) {
			*at = n;
			return slot;
		}
	}
	return NULL;
}

static void slot_unlock(struct slot *slot)
{
	__atomic_store_n(&slot->lock, 0, __ATOMIC_RELEASE);
}

/* With the slot locked: make it hold a packet with room. */
static enum slow_result slot_slow_locked(struct probe *probe, unsigned k, uint32_t mask,
                                         uint32_t length, struct slot *slot, uint32_t at,
                                         struct ask *ask, uint64_t now)
{
	struct slot_word old = slot_load(slot), next;
	int64_t packet;

	if (!session_ask(k, mask, ask)) {
		mask_clear(&shm.masks[probe->id], k, mask >> WEIR_MASK_SHIFT(k));
		return SLOW_OFF;
	}
	if (now > __atomic_load_n(slot->lease, __ATOMIC_RELAXED)) {
		session_expire(k, ask->word, now);
		mask_clear(&shm.masks[probe->id], k, mask >> WEIR_MASK_SHIFT(k));
		return SLOW_OFF;
	}
	slots_forget(k, ask);
	if (slot_has_room(&old, ask, length, now))
		return SLOW_RETRY;
	packet = packet_take(k, ask);
	if (packet < 0)
		return SLOW_LOST;
	next = slot_next(k, ask, (uint32_t)packet, at, &old, now);
	slot_store(slot, &next);
	if (old.sequence)
		packet_close(ask, old.packet);
	return SLOW_RETRY;
}

static void append_locked(struct probe *probe, unsigned k, uint32_t mask,
                          const struct gather *gather)
{
	uint64_t left = BLOCK_NS;

	for (;;) {
		uint32_t at;
		struct slot *slot = slot_lock(k, &at);
		struct weir_shm_packet *packet;
		enum slow_result slow;
		uint64_t now, commit, offset;
		struct ask ask;

		if (!slot)
			break;
		now = clock_now();
		if (now < slot->last)
			now = slot->last;
		slow = slot_slow_locked(probe, k, mask, gather->length, slot, at, &ask, now);
		if (slow == SLOW_RETRY) {
			packet = shm_packet(slot->word.packet);
			commit = packet->commit;
			offset = commit & 0xffff;
			packet->last_time = now;
			slot->last = now;
			gather_write((uint8_t *)packet + offset, gather, now,
			             (uint64_t)this_cpu() << 32);
			/* release: partner is the tracer's load of commit before the records */
			__atomic_store_n(&packet->commit,
			                 commit + (UINT64_C(1) << 32) + gather->length,
			                 __ATOMIC_RELEASE);
		}
		slot_unlock(slot);
		if (slow != SLOW_LOST)
			return;
		depth++;
		if (!packet_wait(k, &ask, __atomic_load_n(&shm.sessions[k].lease, __ATOMIC_RELAXED),
		                 &left)) {
			depth--;
			break;
		}
		depth--;
	}
	slots_lost(k);
}

void slots_append(struct probe *probe, uint32_t mask, const struct gather *gather, uint64_t *time)
{
	if (!region->alive)
		return; /* a child of raw clone: these packets are its parent's */
	while (mask) {
		unsigned k = (unsigned)__builtin_ctz(mask) / 4;
		uint32_t nibble = mask & (UINT32_C(0xf) << WEIR_MASK_SHIFT(k));

		mask &= ~nibble;
		if (use_rseq)
			append_rseq(probe, k, nibble, gather, time);
		else
			append_locked(probe, k, nibble, gather);
	}
}

void slots_done(void)
{
	if (use_rseq)
		rseq_end();
}
