/* SPDX-License-Identifier: MIT */
/*
 * The event clock. The TSC, where it is invariant, the kernel itself keeps time by it, and user
 * space may read it; else clock_gettime(CLOCK_MONOTONIC). The kind is written to the header of the
 * shared memory, so a tracer reads the same clock.
 */
#ifndef WEIR_LIB_CLOCK_H
#define WEIR_LIB_CLOCK_H

#include <stdint.h>

struct clock {
	uint32_t kind; /* enum weir_shm_clock */
	uint64_t hz;
	uint64_t tick0; /* a pair, taken together */
	uint64_t mono0;
};

/*
 * Finds the kind of clock. To know its frequency takes 0.2 ms from here to clock_init, so this is
 * called as early as a process shows that it will publish. Both under weir_lock.
 */
void clock_start(void);
void clock_init(struct clock *ret);
uint64_t clock_now(void);  /* in ticks of the kind that clock_init found; signal safe */
uint64_t clock_mono(void); /* ns */

extern uint32_t clock_kind;
extern uint64_t clock_hz;

#endif
