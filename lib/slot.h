/* SPDX-License-Identifier: MIT */
/*
 * Slots: who writes which packet now. Private memory of the target, never shared; wiped in a
 * forked or cloned child (MADV_WIPEONFORK), so that a child can never write into what its parent
 * shares: its first fire finds no slot and comes to slot_slow().
 *
 * A slot is a single-writer stream of packets. Two ways to be the single writer:
 *
 *  rseq   one slot per CPU. Clock, stores and commit are one restartable section
 *         (arch/x86_64/fire.S): a thread that is preempted, migrated or interrupted by a signal
 *         in there starts again, so nothing is ever half written, and a signal handler may fire
 *         too. Only the install of a packet is two-sided: it is a compare and one 16-byte store
 *         in a section on the slot's CPU, so it happens wholly, there, or not.
 *  xchg   two slots per CPU with a lock word, where there is no rseq (musl, glibc before 2.35,
 *         valgrind, a seccomp filter). A fire takes a free one, its own CPU's first; if all are
 *         held, by threads that were preempted in there, the event is lost, and counted.
 *
 * The first 16 bytes change together. `mask` is the session's nibble in its place in the mask
 * word: a fire compares its probe's mask word with it, which proves in one compare that the slot
 * belongs to the session and generation that switched the probe on. (A generation's nibble comes
 * back after 15 generations; slot_forget() and the claimer's rule in docs/abi.md exclude that a
 * slot has slept that long.)
 */
#ifndef WEIR_LIB_SLOT_H
#define WEIR_LIB_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/abi/shm.h>

#include "lib/probe.h"

struct slot_word {
	uint32_t mask;     /* 0: holds nothing that may be written to */
	uint32_t packet;   /* index in the pool */
	uint32_t sequence; /* of that packet; 0: the slot never had one */
	uint32_t deadline; /* high 32 bits of the clock after which the packet must be closed */
} __attribute__((aligned(16)));

struct slot {
	struct slot_word word;
	uint64_t *lease; /* of the session, in shared memory */
	uint64_t *lost;  /* the stripe's counter, in shared memory */
	uint64_t cpu;    /* CPU << 32: the upper half of a record's second word */
	uint32_t lock;   /* xchg mode, as is what follows */
	uint32_t reserved0;
	uint64_t last; /* time of the last record: an unfenced TSC may read a little early */
	uint64_t reserved1;
};
_Static_assert(sizeof(struct slot) == 64, "fire.S");
_Static_assert(offsetof(struct slot, lease) == 16, "fire.S");
_Static_assert(offsetof(struct slot, lost) == 24, "fire.S");
_Static_assert(offsetof(struct slot, cpu) == 32, "fire.S");

/* What every fire reads. fire.S knows the offsets. */
struct hot {
	uint8_t *pool;      /* 0: packet 0 */
	struct slot *slots; /* 8: of the session that fired last, alone */
	uint64_t cpus;      /* 16: slots that the fast path may index */
	int64_t rseq;       /* 24: offset of struct rseq from the thread pointer */
	struct slot *all;   /* 32: of session 0; the others follow ... */
	uint64_t stride;    /* 40: ... at this distance, bytes */
};
extern struct hot weir_hot;

/* A copy of this thread's id; 0: not asked for yet. initial-exec: global-dynamic would allocate in
 * a signal handler, and costs 3 ns. */
extern __thread uint32_t weir_tid __attribute__((tls_model("initial-exec")));

/* One piece of variable length: `stored` bytes of data take `padded` in the record. */
struct piece {
	const void *data;
	uint32_t stored;
	uint32_t padded;
};

/* A record to be, gathered by the section into its packet. */
struct gather {
	uint64_t words[2 + WEIR_FIELDS_MAX]; /* 0: id and length; 1: tid; then one word per field */
	uint32_t count;                      /* of words */
	uint32_t length;                     /* of the record, bytes */
	uint32_t pieces;
	uint32_t reserved;
	struct piece piece[WEIR_FIELDS_MAX];
};
_Static_assert(offsetof(struct gather, count) == 112, "fire.S");
_Static_assert(offsetof(struct gather, pieces) == 120, "fire.S");
_Static_assert(offsetof(struct gather, piece) == 128, "fire.S");

enum slot_result {
	SLOT_DONE = 0,
	SLOT_SLOW = 1,      /* no packet, no room, another generation, lease over */
	SLOT_PREEMPTED = 2, /* the time that was given is stale: give another one */
};

/*
 * arch: one restartable section that appends a record to this CPU's slot of `slots`. *time 0: the
 * section reads the TSC, and the value is stored back for the next session of the same fire; else
 * it is used, provided that nothing has interrupted the thread since it was read (rseq_begin, or
 * the section before this one).
 */
int rseq_append(struct slot *slots, uint32_t mask, const struct gather *gather, uint64_t *time);
/* arch: put `next` into the slot if it still holds `old` and we run on `cpu`: 0, else -1. */
int rseq_install(struct slot *slot, uint32_t cpu, const struct slot_word *old,
                 const struct slot_word *next);
/* arch: add to this CPU's counter at base + cpu * stride; the counter cannot be torn. */
void rseq_add(uint64_t *base, size_t stride, uint64_t value);
/* arch: notice interruptions from now on. Ends with rseq_end. */
void rseq_begin(void);
void rseq_end(void);
/* arch: the CPU we are on (it may change at once), or -1 without rseq. */
int rseq_cpu(void);
/* arch: can this thread use the above? Sets weir_hot.rseq. */
bool rseq_probe(void);

/* slot.c */
int slots_create(bool rseq); /* allocates; needs shm (shm.c) mapped; also after fork */
/* Append to every session in `mask`. *time is 0 at the first call of a fire, and carries the one
 * clock read to the next; slots_done ends the fire. */
void slots_append(struct probe *probe, uint32_t mask, const struct gather *gather, uint64_t *time);
void slots_done(void);
void slots_lost(unsigned session); /* one event of that session was not recorded */
uint32_t slots_tid(void);
void slots_forget_thread(void); /* in a forked child: this thread has another id */

#endif
