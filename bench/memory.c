/* SPDX-License-Identifier: MIT */
/*
 * `bench-memory THREADS`: how much of this process is resident when that many short threads, a few
 * at a time, have fired into a session of 16 MiB. Prints MiB: `pool`, `before` (published, nobody
 * looks), `after`. Proportional set size is used, since the session helper maps the packets a
 * second time in the same process, and a page is one page.
 */
#include <weir/weir.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/session.h"

#define PACKETS (16u * 1024 * 1024 / WEIR_SHM_PACKET_SIZE)
#define AT_ONCE 8u
#define FIRES   100u

static struct weir_probe *three = weir_probe_off;

static double resident(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[200];
	double kib = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Pss: %lf kB", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	if (!kib)
		bench_skip("no /proc/self/smaps_rollup here");
	return kib / 1024;
}

static void *short_thread(void *arg)
{
	uint64_t n = (uintptr_t)arg;

	for (uint64_t i = 0; i < FIRES; i++)
		WEIR_FIRE(three, i, n, i + n);
	return NULL;
}

static void run_threads(unsigned threads)
{
	pthread_t running[AT_ONCE];

	for (unsigned done = 0; done < threads;) {
		unsigned n = threads - done < AT_ONCE ? threads - done : AT_ONCE;

		for (unsigned i = 0; i < n; i++) {
			if (pthread_create(&running[i], NULL, short_thread,
			                   (void *)(uintptr_t)(done + i)))
				bench_fail("pthread_create");
		}
		for (unsigned i = 0; i < n; i++)
			pthread_join(running[i], NULL);
		done += n;
	}
}

int main(int argc, char **argv)
{
	static const struct weir_field fields[] = { { "a", WEIR_U64 },
		                                    { "b", WEIR_U64 },
		                                    { "c", WEIR_U64 } };
	struct weir_provider *provider;
	struct session_count count;
	struct session session;
	unsigned threads;
	double before;
	int ret;

	if (argc != 2)
		bench_fail("usage: bench-memory THREADS");
	threads = (unsigned)atoi(argv[1]);
	ret = weir_provider_create("bench", NULL, &provider);
	if (!ret)
		ret = weir_probe_create(provider, "three", fields, 3, NULL, &three);
	if (!ret)
		ret = weir_provider_publish(provider);
	if (ret)
		bench_fail("publish: %s", strerror(-ret));
	before = resident();
	session_arm(&session, WEIR_MODE_OVERWRITE, PACKETS);
	session_enable(&session, "bench", "three");
	run_threads(threads);
	count = session_count(&session);
	printf("pool %.3f\nbefore %.3f\nafter %.3f\n", (double)session_bytes(&session) / (1 << 20),
	       before, resident());
	printf("check-first-fires %u\ncheck-first-committed %" PRIu64 "\ncheck-first-lost %" PRIu64
	       "\n",
	       threads * FIRES, count.committed, count.lost);
	return 0;
}
