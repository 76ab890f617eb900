/* SPDX-License-Identifier: MIT */
#include "bench/bench.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void bench_rounds(const struct bench_variant *variants, size_t count, unsigned rounds)
{
	double *samples = calloc(count * rounds, sizeof(*samples));

	if (!samples)
		bench_fail("no memory for the samples");
	for (unsigned round = 0; round <= rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			size_t v = (i + round) % count;
			uint64_t begin = bench_now();
			uint64_t end;

			variants[v].run(variants[v].iterations);
			end = bench_now();
			if (round)
				samples[(round - 1) * count + v] =
				    (double)(end - begin) / (double)variants[v].iterations;
		}
	}
	for (size_t i = 0; i < count * rounds; i++)
		printf("%s %.5f\n", variants[i % count].name, samples[i]);
	free(samples);
}

void bench_pin(unsigned n)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &allowed) || n--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

static noreturn void leave(int status, const char *format, va_list args)
{
	fflush(stdout);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(status);
}

void bench_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	leave(1, format, args);
}

void bench_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	leave(77, format, args);
}
