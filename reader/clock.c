/* SPDX-License-Identifier: MIT */
#include "reader/clock.h"

#include <string.h>
#include <time.h>

/* A smaller change of CLOCK_REALTIME - CLOCK_MONOTONIC is how it was measured. */
#define EPOCH_STEP (100 * INT64_C(1000))

int64_t clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static uint64_t ticks_now(void)
{
#if defined(__x86_64__)
	uint32_t lo, hi;

	/* The lfences keep it behind earlier loads and before later ones. */
	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(ticks) : : "memory");
	return ticks;
#else
	return clock_monotonic();
#endif
}

uint64_t clock_now(const struct clock *clock)
{
	if (clock->kind == WEIR_CLOCK_MONOTONIC)
		return clock_monotonic() + clock->offset;
	return ticks_now();
}

/* The pair that was taken in the shortest time of a few. */
static void take_pair(uint64_t *ticks, int64_t *ns)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		uint64_t before = ticks_now();
		int64_t now = clock_monotonic();
		uint64_t after = ticks_now();

		if (after - before < best) {
			best = after - before;
			*ticks = before + (after - before) / 2;
			*ns = now;
		}
	}
}

static int64_t epoch_offset(void)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < 8; i++) {
		int64_t before = clock_monotonic();
		struct timespec ts;
		int64_t after;

		clock_gettime(CLOCK_REALTIME, &ts);
		after = clock_monotonic();
		if (after - before < best) {
			best = after - before;
			offset = ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec - before -
			         (after - before) / 2;
		}
	}
	return offset;
}

/*
 * What is measured differs by some nanoseconds each time. All clocks have the same, so that times of
 * several processes have one order in either count, unless somebody has set the time.
 */
static int64_t common_epoch(void)
{
	static int64_t common = INT64_MIN;
	int64_t now = epoch_offset(), known = __atomic_load_n(&common, __ATOMIC_RELAXED);

	if (known != INT64_MIN && now - known < EPOCH_STEP && known - now < EPOCH_STEP)
		return known;
	__atomic_store_n(&common, now, __ATOMIC_RELAXED);
	return now;
}

static uint64_t mult_of(double hz)
{
	return (uint64_t)(1e9 / hz * 4294967296.0 + 0.5);
}

void clock_init(struct clock *clock, const struct weir_shm_header *head, int64_t offset)
{
	double hz, long_hz;

	memset(clock, 0, sizeof(*clock));
	clock->kind = head->clock;
	clock->offset = offset;
	clock->epoch_ns = common_epoch();
	clock->hz = 1e9;
	if (clock->kind == WEIR_CLOCK_MONOTONIC)
		return;
	take_pair(&clock->ticks0, &clock->ns0);
	hz = head->hz;
	if (clock->ns0 + offset > (int64_t)head->mono0 + 100000000 && clock->ticks0 > head->tsc0) {
		long_hz = (clock->ticks0 - head->tsc0) * 1e9 /
		          (clock->ns0 + offset - (int64_t)head->mono0);
		if (long_hz > hz * 0.999 && long_hz < hz * 1.001)
			hz = long_hz;
	}
	clock->hz = hz;
	for (int i = 0; i < CLOCK_PIECES; i++) {
		clock->piece[i] = (struct clock_piece){ clock->ticks0, clock->ns0, mult_of(hz) };
	}
}

void clock_update(struct clock *clock)
{
	struct clock_piece piece;
	uint64_t ticks;
	int64_t ns, error;
	double hz;

	if (clock->kind == WEIR_CLOCK_MONOTONIC)
		return;
	take_pair(&ticks, &ns);
	if (ns - clock->ns0 < 500000000)
		return; /* too short a base to say more than is known */
	hz = (ticks - clock->ticks0) * 1e9 / (ns - clock->ns0);
	piece.ticks = ticks;
	piece.ns = clock_ns(clock, ticks);
	/* Join the old line here and meet the true one in a second. */
	error = ns - piece.ns;
	if (error > 10000000)
		error = 10000000;
	if (error < -10000000)
		error = -10000000;
	piece.mult = (uint64_t)(mult_of(hz) * (1 + error / 1e9));
	clock->hz = hz;
	memmove(&clock->piece[1], &clock->piece[0], sizeof(piece) * (CLOCK_PIECES - 1));
	clock->piece[0] = piece;
}
