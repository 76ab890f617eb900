/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <weir/abi/shm.h>

#include "lib/environment.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

uint32_t clock_kind = WEIR_CLOCK_MONOTONIC;
uint64_t clock_hz = 1000000000;

uint64_t clock_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

#if defined(__x86_64__)

/*
 * kvm-clock is the TSC, scaled by the host. If the host says that it is the same on all CPUs
 * (PVCLOCK_TSC_STABLE_BIT), the vDSO reads it by itself; else every clock_gettime is a system
 * call. CPUID would tell too, but some hypervisors show another vendor's leaves to user space; so
 * look at what the kernel does. The shortest of many calls cannot be mistaken for a system call.
 */
static uint64_t shortest(bool system_call)
{
	uint64_t best = UINT64_MAX;
	struct timespec ts;

	for (int i = 0; i < 16; i++) {
		uint64_t before = __rdtsc(), took;

		if (system_call)
			syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
		else
			clock_gettime(CLOCK_MONOTONIC, &ts);
		took = __rdtsc() - before;
		if (took < best)
			best = took;
	}
	return best;
}

static bool kvm_clock_is_stable(void)
{
	return shortest(false) < shortest(true) / 2;
}

static bool kernel_trusts_tsc(void)
{
	char name[32] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
	              O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, name, sizeof(name) - 1);
	close(fd);
	if (n <= 0)
		return false;
	name[strcspn(name, "\n")] = '\0';
	if (!strcmp(name, "tsc") || !strcmp(name, "hyperv_clocksource_tsc_page"))
		return true;
	return !strcmp(name, "kvm-clock") && kvm_clock_is_stable();
}

static bool tsc_is_usable(void)
{
	uint32_t eax, ebx, ecx, edx;
	int mode = 0;

	if (environment_on("WEIR_NO_TSC"))
		return false;
	if (!__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) || !(edx & (1u << 8)))
		return false; /* not invariant */
	if (prctl(PR_GET_TSC, &mode) || mode != PR_TSC_ENABLE)
		return false; /* rdtsc would be a SIGSEGV */
	return kernel_trusts_tsc();
}

static uint64_t tsc_now(void)
{
	return __rdtsc();
}

#else

static bool tsc_is_usable(void)
{
	return false;
}

static uint64_t tsc_now(void)
{
	return 0;
}

#endif

/* The pair with the shortest time between its reads, of a few. */
static void take_pair(uint64_t *tick, uint64_t *mono)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 8; i++) {
		uint64_t before = tsc_now();
		uint64_t ns = clock_mono();
		uint64_t after = tsc_now();

		if (after - before < best) {
			best = after - before;
			*tick = before + best / 2;
			*mono = ns;
		}
	}
}

/* The first pair, taken when the first provider is created; a forked child need not ask again. */
static struct clock start;

void clock_start(void)
{
	if (start.kind)
		return;
	start = (struct clock){ WEIR_CLOCK_MONOTONIC, 1000000000, 0, 0 };
	if (tsc_is_usable()) {
		start.kind = WEIR_CLOCK_TSC;
		start.hz = 0;
		take_pair(&start.tick0, &start.mono0);
	}
}

/* Ticks a second, good to a few 1e-4 or better; a tracer takes pairs of its own. */
static uint64_t tsc_hz(void)
{
	uint64_t now, tick, mono;

	while ((now = clock_mono()) < start.mono0 + 200000) {
		struct timespec wait = { 0, (long)(start.mono0 + 200000 - now) };

		nanosleep(&wait, NULL);
	}
	take_pair(&tick, &mono);
	return (uint64_t)((double)(tick - start.tick0) * 1e9 / (double)(mono - start.mono0));
}

void clock_init(struct clock *ret)
{
	clock_start();
	if (!start.hz)
		start.hz = tsc_hz();
	*ret = start;
	if (start.kind == WEIR_CLOCK_TSC)
		take_pair(&ret->tick0, &ret->mono0);
	else
		ret->tick0 = ret->mono0 = clock_mono();
	clock_kind = ret->kind;
	clock_hz = ret->hz;
}

uint64_t clock_now(void)
{
	return clock_kind == WEIR_CLOCK_TSC ? tsc_now() : clock_mono();
}
