/* SPDX-License-Identifier: MIT */
/*
 * From a target's event clock to CLOCK_MONOTONIC of the tracer and to the epoch.
 *
 * A TSC is mapped by the tracer's own pairs of (TSC, CLOCK_MONOTONIC), never by the target's word
 * alone: its header's pair, as old as the process, only makes the first estimate of the frequency
 * good, and only if it agrees with the frequency that the header names. Each new pair bends the
 * line a little; the pieces join, so that converted times keep the order of the counter.
 */
#ifndef WEIR_READER_CLOCK_H
#define WEIR_READER_CLOCK_H

#include <weir/abi/shm.h>

#include <stdint.h>

/* ns */
#define MS     INT64_C(1000000)
#define SECOND INT64_C(1000000000)

#define CLOCK_PIECES 4

struct clock_piece {
	uint64_t ticks; /* start */
	int64_t ns;     /* CLOCK_MONOTONIC there */
	uint64_t mult;  /* ns a tick, 32.32 fixed point */
};

struct clock {
	uint32_t kind; /* enum weir_shm_clock */
	double hz;
	int64_t offset;   /* CLOCK_MONOTONIC: what the target's time namespace adds */
	int64_t epoch_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC, fixed at init; all have the same */
	uint64_t ticks0;  /* first pair */
	int64_t ns0;
	struct clock_piece piece[CLOCK_PIECES]; /* newest first */
};

/* `offset`: proc_monotonic_offset(). */
void clock_init(struct clock *clock, const struct weir_shm_header *head, int64_t offset);

/* Take another pair; about once a second. */
void clock_update(struct clock *clock);

/* The event clock now, not earlier than any load before it nor later than any after it. */
uint64_t clock_now(const struct clock *clock);

/* CLOCK_MONOTONIC of the tracer, ns. */
int64_t clock_monotonic(void);

static inline int64_t clock_piece_ns(const struct clock_piece *p, uint64_t ticks)
{
	return p->ns + (int64_t)(((__int128)(int64_t)(ticks - p->ticks) * p->mult) >> 32);
}

/* Event clock -> CLOCK_MONOTONIC of the tracer, ns. */
static inline int64_t clock_ns(const struct clock *clock, uint64_t ticks)
{
	if (clock->kind == WEIR_CLOCK_MONOTONIC)
		return (int64_t)(ticks - clock->offset);
	for (int i = 0; i < CLOCK_PIECES - 1; i++) {
		if ((int64_t)(ticks - clock->piece[i].ticks) >= 0)
			return clock_piece_ns(&clock->piece[i], ticks);
	}
	return clock_piece_ns(&clock->piece[CLOCK_PIECES - 1], ticks);
}

#endif
