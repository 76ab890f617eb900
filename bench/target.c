/* SPDX-License-Identifier: MIT */
/*
 * A program to be traced. It prints `ready PID` when its probe is published, waits until somebody
 * looks, and then, by mode,
 *   latency COUNT        fires bench:tick COUNT times, every 20 to 60 ms, with CLOCK_MONOTONIC in
 *                        ns as its field `sent`
 *   rate EVENTS_PER_S S  fires bench:three from one thread, evenly but for bursts of 64, for S
 *                        seconds, and prints `fired N`, `lost N` (of all sessions, from the shared
 *                        memory) and `began NS`
 *   lttng COUNT          fires that many static LTTng tracepoints, a million a second: the peer's
 *                        trace to read
 */
#include <weir/weir.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/session.h"
#ifdef HAVE_LTTNG_UST
#include "bench/lttng.h"
#endif

static void say(const char *what, uint64_t value)
{
	printf("%s %" PRIu64 "\n", what, value);
	fflush(stdout);
}

static struct weir_probe *publish(const char *name, const struct weir_field *fields, size_t count)
{
	struct weir_provider *provider;
	struct weir_probe *probe;
	int ret;

	ret = weir_provider_create("bench", NULL, &provider);
	if (!ret)
		ret = weir_probe_create(provider, name, fields, count, NULL, &probe);
	if (!ret)
		ret = weir_provider_publish(provider);
	if (ret)
		bench_fail("publish: %s", strerror(-ret));
	say("ready", (uint64_t)getpid());
	for (int i = 0; !weir_enabled(probe); i++) {
		if (i == 10000)
			bench_fail("nobody looked at bench:%s for 10 s", name);
		usleep(1000);
	}
	return probe;
}

static int run_latency(unsigned count)
{
	static const struct weir_field fields[] = { { "sent", WEIR_U64 } };
	struct weir_probe *probe = publish("tick", fields, 1);

	usleep(200000);
	for (unsigned i = 0; i < count; i++) {
		/* Not in step with anybody's polling. */
		usleep(20000 + (unsigned)(rand() % 40000));
		WEIR_FIRE(probe, bench_now());
	}
	usleep(200000);
	return 0;
}

/* Call fire(i) `rate` times a second until `count` are done. */
static void paced(uint64_t count, double rate, void (*fire)(uint64_t i))
{
	uint64_t begin = bench_now();

	for (uint64_t i = 0; i < count;) {
		uint64_t end = i + 64 < count ? i + 64 : count;

		for (; i < end; i++)
			fire(i);
		while ((double)(bench_now() - begin) < (double)i * 1e9 / rate)
			;
	}
}

static struct weir_probe *three;

static void fire_three(uint64_t i)
{
	WEIR_FIRE(three, i, i, i);
}

static int run_rate(double rate, double seconds)
{
	static const struct weir_field fields[] = { { "a", WEIR_U64 },
		                                    { "b", WEIR_U64 },
		                                    { "c", WEIR_U64 } };
	uint64_t began, count = (uint64_t)(rate * seconds);

	bench_pin(0);
	three = publish("three", fields, 3);
	usleep(100000);
	began = bench_now();
	paced(count, rate, fire_three);
	say("fired", count);
	say("lost", session_lost_all());
	say("began", began);
	return 0;
}

#ifdef HAVE_LTTNG_UST
static void fire_lttng(uint64_t i)
{
	lttng_ust_tracepoint(bench, three, i, i, i);
}
#endif

static int run_lttng(uint64_t count)
{
#ifdef HAVE_LTTNG_UST
	if (!lttng_ust_tracepoint_enabled(bench, three))
		bench_fail("no LTTng session enabled bench:three: run it through bench/with-lttng");
	paced(count, 1e6, fire_lttng);
	return 0;
#else
	(void)count;
	bench_skip("built without liblttng-ust-dev");
#endif
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "latency"))
		return run_latency((unsigned)atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "rate"))
		return run_rate(atof(argv[2]), atof(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "lttng"))
		return run_lttng((uint64_t)atoll(argv[2]));
	bench_fail("usage: bench-target latency COUNT | rate EVENTS_PER_S S | lttng COUNT");
}
