/* SPDX-License-Identifier: MIT */
/*
 * What the programs of bench/ share: interleaved rounds, and samples as lines `NAME VALUE` on
 * stdout, which bench/run turns into minimum, median and spread. Nothing is printed while a round
 * runs.
 */
#ifndef WEIR_BENCH_H
#define WEIR_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <time.h>

/*
 * Loops that are compared are functions of this kind: not inlined, and each at the start of a cache
 * line, so that where the linker puts them does not show.
 */
#ifdef __clang__
#define BENCH_LOOP __attribute__((noinline, aligned(64))) static void
#else
#define BENCH_LOOP __attribute__((noinline, noclone, aligned(64))) static void
#endif

/* The compiler must have this value, and may not know what becomes of it. */
#define BENCH_USE(x) __asm__ volatile("" : : "r"(x))

struct bench_variant {
	const char *name;
	void (*run)(uint64_t iterations);
	uint64_t iterations; /* of one round: some 100 us */
};

static inline uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t bench_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
#error "which instruction reads the clock here?"
#endif
}

/*
 * Run each variant once a round, starting with another one each time, and print ns per iteration
 * for all rounds at the end. The first round warms up and is not printed.
 */
void bench_rounds(const struct bench_variant *variants, size_t count, unsigned rounds);

/* Stay on the n-th of the CPUs that this process may use, counted from the last; on failure: go on.
 */
void bench_pin(unsigned n);

/* "NAME: message" to stderr and exit 1; `skip` exits 77: the row is skipped with this reason. */
noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void bench_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
