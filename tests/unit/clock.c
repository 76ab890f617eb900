/* SPDX-License-Identifier: MIT */
/* The event clock and the machine's: somebody sets the time of day while a recording runs. */
#include "tests/unit/test.h"

#include "reader/clock.h"
#include "reader/ctf.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t step; /* what was set, ns: of CLOCK_REALTIME alone */

/* Of this program, also for reader/: the kernel's, moved. */
int clock_gettime(clockid_t which, struct timespec *ts)
{
	int code = (int)syscall(SYS_clock_gettime, which, ts);

	if (which == CLOCK_REALTIME) {
		int64_t ns = ts->tv_sec * SECOND + ts->tv_nsec + step;

		*ts = (struct timespec){ ns / SECOND, ns % SECOND };
	}
	return code;
}

static struct weir_shm_header head_of(uint32_t kind)
{
	struct weir_shm_header head = { .clock = kind, .hz = 1000000000 };

	return head;
}

/* Nanoseconds of the epoch, as a reader of the trace's metadata has them. */
static int64_t in_trace(const struct clock *clock, uint64_t ticks)
{
	struct ctf_clock ctf;

	ctf_clock_init(clock, &ctf);
	return ctf.offset_s * SECOND +
	       (int64_t)((__int128)(ctf.offset + ticks) * SECOND / (int64_t)ctf.hz);
}

static void check_set(uint32_t kind)
{
	static const int64_t steps[] = { 3600 * SECOND, -86400 * SECOND, 0 };
	const struct weir_shm_header head = head_of(kind);
	struct timespec pause = { 0, 600 * MS };
	struct clock clock, later;
	int64_t begin, before;
	uint64_t ticks;

	step = 0;
	clock_init(&clock, &head, 0);
	nanosleep(&pause, NULL);
	clock_update(&clock);
	ticks = clock_now(&clock);
	begin = in_trace(&clock, ticks);
	before = clock_ns(&clock, ticks);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		uint64_t now;

		step = steps[i];
		pause = (struct timespec){ 0, 20 * MS };
		nanosleep(&pause, NULL);
		clock_update(&clock);
		/* An event's time is what it was, to a part in a thousand of what was waited for. */
		assert_true(in_trace(&clock, ticks) - begin < MS &&
		            begin - in_trace(&clock, ticks) < MS);
		/* Later events are later, by as much as went by. */
		now = clock_now(&clock);
		assert_true(in_trace(&clock, now) > in_trace(&clock, ticks));
		assert_true(in_trace(&clock, now) - begin < 60 * SECOND);
		assert_true(clock_ns(&clock, now) > before);
		before = clock_ns(&clock, now);
		/* A recording that begins now has the new time. */
		clock_init(&later, &head, 0);
		assert_true(later.epoch_ns - clock.epoch_ns - step < SECOND &&
		            clock.epoch_ns + step - later.epoch_ns < SECOND);
	}
	step = 0;
}

static void test_set_monotonic(void **state)
{
	(void)state;
	check_set(WEIR_CLOCK_MONOTONIC);
}

static void test_set_tsc(void **state)
{
	(void)state;
#if defined(__x86_64__)
	check_set(WEIR_CLOCK_TSC);
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_monotonic),
		cmocka_unit_test(test_set_tsc),
	};

	return RUN(tests);
}
