/* SPDX-License-Identifier: MIT */
/*
 * bench-dynamic fire|register ROUNDS | lossless COUNT: probes declared at run time and recorded by LTTng, beside
 * static tracepoints with the same fields. Run it through bench/with-lttng, whose session records
 * bench:* into memory that it overwrites.
 *
 *   fire      empty, off (a probe of a provider that the session did not ask for), int and four
 *             (s32, s64, u32, 15-byte string), each static and ours
 *   register  publishing 1000 probes in that session, and taking them away again, in ns
 *   lossless  COUNT fires of bench:number as fast as they go, each with its number
 */
#include <weir/weir.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#ifdef HAVE_LTTNG_UST
#include "bench/lttng.h"
#endif

#define PROBES 1000

static struct weir_provider *provider_create(const char *name)
{
	struct weir_provider_options options = { .flags = WEIR_PROVIDER_LTTNG };
	struct weir_provider *provider;
	int ret = weir_provider_create(name, &options, &provider);

	if (ret)
		bench_fail("provider %s: %s", name, strerror(-ret));
	return provider;
}

static struct weir_probe *probe_create(struct weir_provider *provider, const char *name,
                                       const struct weir_field *fields, size_t count)
{
	struct weir_probe *probe;
	int ret = weir_probe_create(provider, name, fields, count, NULL, &probe);

	if (ret)
		bench_fail("probe %s: %s", name, strerror(-ret));
	return probe;
}

static void publish(struct weir_provider *provider)
{
	struct weir_error error;
	int ret = weir_provider_publish(provider);

	weir_provider_error(provider, &error);
	if (!ret && !error.code)
		return;
	if (error.code == -ENOENT)
		bench_skip("%s", error.message);
	bench_fail("publish: %s", error.message);
}

#ifdef HAVE_LTTNG_UST
static struct weir_probe *weir_int = weir_probe_off, *weir_four = weir_probe_off,
                         *weir_idle = weir_probe_off;
static const char *volatile text = "/cart/checkout1";

BENCH_LOOP run_empty(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		BENCH_USE(i);
}

BENCH_LOOP run_off(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		BENCH_USE(i);
		WEIR_FIRE(weir_idle, (int)i);
	}
}

BENCH_LOOP run_static_int(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		lttng_ust_tracepoint(bench, static_int, (int)i);
}

BENCH_LOOP run_weir_int(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(weir_int, (int)i);
}

BENCH_LOOP run_static_four(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		lttng_ust_tracepoint(bench, static_four, (int32_t)i, (int64_t)i, (uint32_t)i, text);
}

BENCH_LOOP run_weir_four(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(weir_four, (int32_t)i, (int64_t)i, (uint32_t)i, text);
}

static int run_fire(unsigned rounds)
{
	static const struct weir_field four[] = {
		{ "a", WEIR_I32 }, { "b", WEIR_I64 }, { "c", WEIR_U32 }, { "text", WEIR_STRING }
	};
	static const struct weir_field one[] = { { "value", WEIR_I32 } };
	static const struct bench_variant variants[] = {
		{ "empty", run_empty, 100000 },           { "off", run_off, 100000 },
		{ "static-int", run_static_int, 1000 },   { "int", run_weir_int, 1000 },
		{ "static-four", run_static_four, 1000 }, { "four", run_weir_four, 1000 },
	};
	struct weir_provider *bench = provider_create("bench"), *idle = provider_create("idle");

	weir_int = probe_create(bench, "int", one, 1);
	weir_four = probe_create(bench, "four", four, 4);
	weir_idle = probe_create(idle, "off", one, 1);
	publish(bench);
	publish(idle);
	if (!weir_enabled(weir_int) || !weir_enabled(weir_four) ||
	    !lttng_ust_tracepoint_enabled(bench, static_four))
		bench_fail("no LTTng session enabled bench:*: run it through bench/with-lttng");
	if (weir_enabled(weir_idle))
		bench_fail("somebody enabled idle:off");
	bench_pin(0);
	bench_rounds(variants, sizeof(variants) / sizeof(*variants), rounds);
	return 0;
}
#else
static int run_fire(unsigned rounds)
{
	(void)rounds;
	bench_skip("built without liblttng-ust-dev");
}
#endif

static int run_register(unsigned rounds)
{
	static const struct weir_field fields[] = { { "id", WEIR_U64 }, { "path", WEIR_STRING } };
	struct weir_provider *warm = provider_create("warm"), *bench = provider_create("bench");
	struct weir_probe *last = weir_probe_off;
	double *publishing, *withdrawing;

	probe_create(warm, "up", fields, 1);
	publish(warm); /* loads LTTng and registers with the daemon */
	for (unsigned i = 0; i < PROBES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "e%u", i);
		last = probe_create(bench, name, fields, 2);
	}
	publishing = calloc(rounds, sizeof(*publishing));
	withdrawing = calloc(rounds, sizeof(*withdrawing));
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t start = bench_now(), middle;

		publish(bench);
		middle = bench_now();
		if (!weir_enabled(last))
			bench_fail(
			    "no LTTng session enabled bench:*: run it through bench/with-lttng");
		publishing[i] = (double)(middle - start);
		middle = bench_now();
		weir_provider_withdraw(bench);
		withdrawing[i] = (double)(bench_now() - middle);
	}
	for (unsigned i = 0; i < rounds; i++)
		printf("publish %.0f\nwithdraw %.0f\n", publishing[i], withdrawing[i]);
	return 0;
}

static int run_lossless(uint64_t count)
{
	static const struct weir_field number[] = { { "number", WEIR_U64 } };
	struct weir_provider *bench = provider_create("bench");
	struct weir_probe *probe = probe_create(bench, "number", number, 1);

	publish(bench);
	if (!weir_enabled(probe))
		bench_fail("no LTTng session enabled bench:*: run it through bench/with-lttng");
	for (uint64_t i = 0; i < count; i++)
		WEIR_FIRE(probe, i);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "fire"))
		return run_fire((unsigned)atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "register"))
		return run_register((unsigned)atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "lossless"))
		return run_lossless((uint64_t)atoll(argv[2]));
	bench_fail("usage: bench-dynamic fire|register ROUNDS | lossless COUNT");
}
