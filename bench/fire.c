/* SPDX-License-Identifier: MIT */
/*
 * What a fire costs. `bench-fire FAMILY ROUNDS`, families:
 *   off      nobody looks: an empty loop, WEIR_FIRE, WEIR_PROBE_FIRE, LTTng's macro, sys/sdt.h's
 *   ring     into packets, overwrite mode, no reader: a clock read, 3 x u64, u64 + string, and
 *            3 x u64 into two sessions
 *   lttng    3 x u64 into packets and into LTTng, which must have a session (bench/with-lttng)
 *   threads  3 x u64 from one thread, and from two on two CPUs at once
 */
#include <weir/probe.h>

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/session.h"
#ifdef HAVE_LTTNG_UST
#include "bench/lttng.h"
#endif
#ifdef HAVE_SDT
#include <sys/sdt.h>
#endif

/* As in docs/abi.md's comparison; more than the second-level cache, less than a real pool. */
#define POOL_PACKETS (16u * 1024 * 1024 / WEIR_SHM_PACKET_SIZE)

WEIR_PROBE(bench, declared, (u64, a), (u64, b), (u64, c))

static struct weir_probe *three = weir_probe_off;
static struct weir_probe *text = weir_probe_off;
static struct weir_probe *two = weir_probe_off;
static uint64_t fires_one, fires_two; /* into the first session, into both */

BENCH_LOOP loop_empty(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		BENCH_USE(i);
}

BENCH_LOOP loop_clock(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		BENCH_USE(bench_ticks());
}

BENCH_LOOP loop_three(uint64_t n)
{
	struct weir_probe *probe = three;

	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, n, i + n);
	fires_one += n;
}

BENCH_LOOP loop_declared(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		WEIR_PROBE_FIRE(bench, declared, i, n, i + n);
	fires_one += n;
}

BENCH_LOOP loop_text(uint64_t n)
{
	struct weir_probe *probe = text;
	char path[] = "/cart/checkout/"; /* 15 bytes; not a constant to the compiler */

	BENCH_USE(path);
	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, path);
	fires_one += n;
}

BENCH_LOOP loop_two(uint64_t n)
{
	struct weir_probe *probe = two;

	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, n, i + n);
	fires_two += n;
}

#ifdef HAVE_LTTNG_UST
BENCH_LOOP loop_lttng(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		lttng_ust_tracepoint(bench, three, i, n, i + n);
}
#endif

#ifdef HAVE_SDT
BENCH_LOOP loop_sdt(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		DTRACE_PROBE3(bench, sdt, i, n, i + n);
}
#endif

static void publish(void)
{
	static const struct weir_field numbers[] = { { "a", WEIR_U64 },
		                                     { "b", WEIR_U64 },
		                                     { "c", WEIR_U64 } };
	static const struct weir_field strings[] = { { "id", WEIR_U64 }, { "path", WEIR_STRING } };
	struct weir_error error = { 0 };
	struct weir_provider_options options = { .size = sizeof(options), .error = &error };
	struct weir_provider *provider;
	int ret;

	ret = WEIR_PUBLISH_WITH(bench, &options);
	if (!ret)
		ret = weir_provider_find("bench", &provider);
	if (!ret)
		ret = weir_probe_create(provider, "three", numbers, 3, NULL, &three);
	if (!ret)
		ret = weir_probe_create(provider, "text", strings, 2, NULL, &text);
	if (!ret)
		ret = weir_probe_create(provider, "two", numbers, 3, NULL, &two);
	if (ret)
		bench_fail("publish: %s %s", strerror(-ret), error.message);
}

static void check(const struct session *session, const char *name, uint64_t fires)
{
	struct session_count count = session_count(session);

	printf("check-%s-fires %" PRIu64 "\ncheck-%s-committed %" PRIu64 "\ncheck-%s-lost %" PRIu64
	       "\n",
	       name, fires, name, count.committed, name, count.lost);
}

static int run_off(unsigned rounds)
{
	const struct bench_variant variants[] = {
		{ "empty", loop_empty, 200000 },       { "weir", loop_three, 200000 },
		{ "declared", loop_declared, 200000 },
#ifdef HAVE_LTTNG_UST
		{ "lttng", loop_lttng, 200000 },
#endif
#ifdef HAVE_SDT
		{ "sdt", loop_sdt, 200000 },
#endif
	};

	bench_pin(0);
	publish();
	if (weir_enabled(three) || WEIR_PROBE_ENABLED(bench, declared))
		bench_fail("bench:three is on: is a tracer of yours at work?");
	bench_rounds(variants, sizeof(variants) / sizeof(*variants), rounds);
	return 0;
}

static int run_ring(unsigned rounds)
{
	const struct bench_variant variants[] = {
		{ "empty", loop_empty, 20000 },       { "clock", loop_clock, 10000 },
		{ "three", loop_three, 10000 },       { "text", loop_text, 10000 },
		{ "declared", loop_declared, 10000 }, { "two", loop_two, 10000 },
	};
	struct session first, second;

	bench_pin(0);
	publish();
	session_arm(&first, WEIR_MODE_OVERWRITE, POOL_PACKETS);
	session_arm(&second, WEIR_MODE_OVERWRITE, POOL_PACKETS);
	session_enable(&first, "bench", "three");
	session_enable(&first, "bench", "text");
	session_enable(&first, "bench", "declared");
	session_enable(&first, "bench", "two");
	session_enable(&second, "bench", "two");
	/* Once through all packets: the target's own page tables are filled by its first touch. */
	loop_three(2u * POOL_PACKETS * (WEIR_SHM_PACKET_SIZE / 40));
	loop_two(2u * POOL_PACKETS * (WEIR_SHM_PACKET_SIZE / 40));
	bench_rounds(variants, sizeof(variants) / sizeof(*variants), rounds);
	check(&first, "first", fires_one + fires_two);
	check(&second, "second", fires_two);
	return 0;
}

static int run_lttng(unsigned rounds)
{
#ifdef HAVE_LTTNG_UST
	const struct bench_variant variants[] = {
		{ "clock", loop_clock, 10000 },
		{ "three", loop_three, 10000 },
		{ "lttng", loop_lttng, 2000 },
	};
	struct session session;

	bench_pin(0);
	if (!lttng_ust_tracepoint_enabled(bench, three))
		bench_fail("no LTTng session enabled bench:three: run it through bench/with-lttng");
	publish();
	session_arm(&session, WEIR_MODE_OVERWRITE, POOL_PACKETS);
	session_enable(&session, "bench", "three");
	loop_three(2u * POOL_PACKETS * (WEIR_SHM_PACKET_SIZE / 40));
	loop_lttng(1000000);
	bench_rounds(variants, sizeof(variants) / sizeof(*variants), rounds);
	check(&session, "first", fires_one);
	return 0;
#else
	(void)rounds;
	bench_skip("built without liblttng-ust-dev");
#endif
}

/* --- threads: each round, one alone, then both after a common start --- */

#define THREAD_FIRES 20000u

struct worker {
	unsigned cpu; /* counted as bench_pin does */
	unsigned rounds;
	double *alone; /* NULL for the second one */
	double *together;
};

static pthread_barrier_t barrier;

static void barrier_wait(void)
{
	pthread_barrier_wait(&barrier);
}

BENCH_LOOP loop_worker(uint64_t n)
{
	struct weir_probe *probe = three;

	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, n, i + n);
}

static double timed(void)
{
	uint64_t begin = bench_now();

	loop_worker(THREAD_FIRES);
	return (double)(bench_now() - begin) / THREAD_FIRES;
}

static void *worker(void *arg)
{
	struct worker *w = arg;

	bench_pin(w->cpu);
	loop_worker(2u * POOL_PACKETS * (WEIR_SHM_PACKET_SIZE / 40));
	for (unsigned i = 0; i < w->rounds; i++) {
		barrier_wait();
		if (w->alone)
			w->alone[i] = timed();
		barrier_wait();
		w->together[i] = timed();
	}
	return NULL;
}

static int run_threads(unsigned rounds)
{
	struct worker workers[2] = { { .cpu = 0, .rounds = rounds },
		                     { .cpu = 1, .rounds = rounds } };
	pthread_t threads[2];
	struct session session;
	uint64_t fires =
	    2ull * 2u * POOL_PACKETS * (WEIR_SHM_PACKET_SIZE / 40) + 3ull * rounds * THREAD_FIRES;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) || CPU_COUNT(&allowed) < 2)
		bench_skip("needs two CPUs");
	publish();
	session_arm(&session, WEIR_MODE_OVERWRITE, POOL_PACKETS);
	session_enable(&session, "bench", "three");
	pthread_barrier_init(&barrier, NULL, 2);
	workers[0].alone = calloc(rounds, sizeof(double));
	for (int i = 0; i < 2; i++) {
		workers[i].together = calloc(rounds, sizeof(double));
		if (pthread_create(&threads[i], NULL, worker, &workers[i]))
			bench_fail("pthread_create");
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < rounds; i++) {
		double a = workers[0].together[i], b = workers[1].together[i];

		printf("one %.5f\ntwo %.5f\n", workers[0].alone[i], a > b ? a : b);
	}
	check(&session, "first", fires);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(unsigned rounds);
	} families[] = {
		{ "off", run_off },
		{ "ring", run_ring },
		{ "lttng", run_lttng },
		{ "threads", run_threads },
	};

	for (size_t i = 0; argc == 3 && i < sizeof(families) / sizeof(*families); i++) {
		if (!strcmp(argv[1], families[i].name))
			return families[i].run((unsigned)atoi(argv[2]));
	}
	bench_fail("usage: bench-fire off|ring|lttng|threads ROUNDS");
}
