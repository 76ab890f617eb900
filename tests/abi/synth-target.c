/* SPDX-License-Identifier: MIT */
/*
 * A process that is traced: fires shop:order(id u64, path string, ms f64) from some threads.
 *
 *   synth-target [-n EVENTS] [-t THREADS] [-g NS between fires] [-c tsc|mono] [-P PACKETS]
 *                [-w: wait for a tracer before, and for it to have left after] [-b: allow block]
 *                [-s SECONDS to live on after] [-o FILE: copy of the memory at the end]
 *                [-u: unsealed] [-U MS: sealed after] [-x BYTES: wrong size] [-M MAJOR] [-k: arm itself, PENDING] [-l: a
 * late probe]
 *                [-S: scribble over the shared memory meanwhile] [-r SEED: fill it with noise
 * first]
 *
 * id counts per thread from 0; the thread's number is id's top byte. Prints "fired N" at the end:
 * the fires that met an active session.
 */
#include "tests/abi/synth.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct synth synth;
static uint64_t events = 1000;
static long gap = 0;
static uint32_t order;
static bool forever;

static void nap(long ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

static bool traced(void)
{
	return (__atomic_load_n((uint32_t *)(synth.base + synth.head->off_mask) + order,
	                        __ATOMIC_ACQUIRE)) != 0;
}

static void *run(void *arg)
{
	uint64_t slot = (uintptr_t)arg;

	for (uint64_t i = 0; i < events || forever; i++) {
		char path[32];
		double ms = i * 0.25;
		uint64_t bits;

		snprintf(path, sizeof(path), "/cart/%lu", (unsigned long)(i % 10));
		memcpy(&bits, &ms, 8);
		const struct synth_value values[] = {
			{ .word = slot << 56 | i },
			{ .data = path },
			{ .word = bits },
		};
		synth_fire(&synth, slot, order, values);
		if (gap)
			nap(gap);
	}
	return NULL;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A hostile owner: writes nonsense over all tables, for ever. */
static void *scribble(void *arg)
{
	uint64_t seed = 88172645463325252u ^ (uintptr_t)arg;
	uint64_t tables = synth.head->off_packet;
	uint64_t all = synth.head->size;

	for (;;) {
		uint64_t r = next_random(&seed);
		uint64_t at = (r & 3 ? r % tables : r % all) & ~7ull;
		uint64_t word = next_random(&seed);

		/* Small words are the likelier lies. */
		if (word & 1)
			word &= 0xff000000ffull;
		*(volatile uint64_t *)(synth.base + at) = word;
		if (!(r & 0xfff))
			nap(100000);
	}
	return NULL;
}

static void save(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(synth.base, 1, synth.head->size, f) != synth.head->size || fclose(f))
		perror(path);
}

int main(int argc, char **argv)
{
	static const struct synth_field fields[] = {
		{ "id", WEIR_NOTE_U64 },
		{ "path", WEIR_NOTE_STRING },
		{ "ms", WEIR_NOTE_F64 },
	};
	static const struct synth_field late_fields[] = { { "n", WEIR_NOTE_I32 } };
	struct synth_options o = { 0 };
	unsigned threads = 1, major = 0;
	bool wait = false, pend = false, late = false, hostile = false;
	uint64_t noise = 0;
	const char *copy = NULL;
	double live = 0;
	pthread_t thread[SYNTH_SLOTS];
	uint64_t fired = 0;

	for (int c; (c = getopt(argc, argv, "n:t:g:c:P:wbs:o:ux:M:klSr:FU:")) >= 0;) {
		switch (c) {
		case 'n':
			events = strtoull(optarg, NULL, 0);
			break;
		case 't':
			threads = atoi(optarg);
			break;
		case 'g':
			gap = atol(optarg);
			break;
		case 'c':
			o.clock = strcmp(optarg, "tsc") ? WEIR_CLOCK_MONOTONIC : WEIR_CLOCK_TSC;
			break;
		case 'P':
			o.packets = atoi(optarg);
			break;
		case 'w':
			wait = true;
			break;
		case 'b':
			o.features = WEIR_FEATURE_BLOCK;
			break;
		case 's':
			live = atof(optarg);
			break;
		case 'o':
			copy = optarg;
			break;
		case 'u':
			o.unsealed = true;
			break;
		case 'U':
			o.seal_after = atoi(optarg);
			break;
		case 'x':
			o.excess = atoi(optarg);
			break;
		case 'M':
			major = atoi(optarg);
			break;
		case 'k':
			pend = true;
			break;
		case 'l':
			late = true;
			break;
		case 'S':
			hostile = true;
			break;
		case 'r':
			noise = strtoull(optarg, NULL, 0);
			break;
		case 'F':
			forever = true;
			break;
		default:
			return 2;
		}
	}
	o.slots = threads;
	if (synth_create(&synth, &o)) {
		perror("synth_create");
		return 1;
	}
	if (major)
		synth.head->major = major;
	order = synth_probe(&synth, "shop", "order", fields, 3);
	if (pend)
		synth_pend(&synth, 0, getenv("WEIR_TRACE") ? getenv("WEIR_TRACE") : "*:*", 0, 0,
		           64);
	if (noise) {
		/* All but the header's first words, or nobody would come. */
		for (uint64_t at = 4096; at + 8 <= synth.head->off_packet + (1 << 20); at += 8)
			*(uint64_t *)(synth.base + at) = next_random(&noise);
	}
	printf("ready %d\n", getpid());
	fflush(stdout);
	if (hostile) {
		for (uintptr_t i = 1; i < 2; i++)
			pthread_create(&thread[0], NULL, scribble, (void *)i);
	}
	while (wait && !traced())
		nap(1000000);
	for (uintptr_t i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, run, (void *)i);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (late) {
		uint32_t id = synth_probe(&synth, "shop", "late", late_fields, 1);

		synth_fire(&synth, 0, id, &(struct synth_value){ .word = (uint64_t)-7 });
	}
	for (unsigned i = 0; i < threads; i++)
		fired += synth.slot[i].fired;
	printf("fired %lu\n", (unsigned long)fired);
	fflush(stdout);
	if (copy)
		save(copy);
	nap((long)(live * 1e9));
	return 0;
}
