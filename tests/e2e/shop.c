/* SPDX-License-Identifier: MIT */
/*
 * A program that is traced, on libweir: shop:order(id u64, path string, ms f64, ok bool) and
 * shop:tick(n i32).
 *
 *   shop [-n EVENTS] [-t THREADS] [-g NS] [-w] [-F] [-b] [-s SECONDS] [-k KIDS]
 *        [-E] [-K US] [-q SECONDS] [-x FILE...]
 *
 *   -n  events per thread     -g  nap between fires     -F  fire until killed
 *   -w  wait until shop:order is on before the first fire
 *   -b  allow block mode      -s  live on so long after the last fire
 *   -k  fork so many children after the parent's events, that fire the same
 *   -l  at the end, publish a second provider, late:probe(n i32), and fire it once
 *   -x  at the end, exec this program with the arguments behind it
 *   -q  live so long without a probe, and end
 *   -D  close all descriptors after publishing, as daemons do
 *   -N  be not dumpable
 *   -E  the main thread ends when the probes are there; the others go on
 *   -K  US: after the first fire, SIGKILL itself within twice so many microseconds
 *   -C  FILE: a u64 per thread, the number of fires that have returned; outlives the process
 *
 * id is the thread's number in the top byte and a sequence number. Prints "ready PID" when the
 * probes are there and "done N" with the number of fires that met a tracer.
 */
#include <weir/weir.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct weir_provider *shop;
static struct weir_probe *order = weir_probe_off, *tick = weir_probe_off;
static uint64_t events = 1000;
static long gap;
static bool forever;
static uint64_t met;
static uint64_t *counters;

static void nap(long ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

static void *run(void *arg)
{
	static const char *const paths[] = { "/cart", "/cart/pay", "/", "/item/\xc3\xa4" };
	uint64_t thread = (uintptr_t)arg, seen = 0;

	for (uint64_t i = 0; i < events || forever; i++) {
		seen += weir_enabled(order);
		WEIR_FIRE(order, thread << 56 | i, paths[i % 4], (double)i / 4, i % 2 == 0);
		if (counters)
			__atomic_store_n(&counters[thread], i + 1, __ATOMIC_RELEASE);
		if (gap)
			nap(gap);
	}
	__atomic_fetch_add(&met, seen, __ATOMIC_RELAXED);
	return NULL;
}

static void *kill_self(void *arg)
{
	nap((long)(uintptr_t)arg);
	kill(getpid(), SIGKILL);
	return NULL;
}

/* Some time from now, while the other threads fire. */
static void end_soon(long us)
{
	pthread_t thread;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	srand((unsigned)now.tv_nsec ^ (unsigned)getpid());
	us = (long)((double)rand() / RAND_MAX * 2000.0 * (double)us);
	pthread_create(&thread, NULL, kill_self, (void *)(uintptr_t)us);
}

static void map_counters(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, 4096)) {
		perror(path);
		exit(1);
	}
	counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
}

static void run_all(unsigned threads)
{
	pthread_t thread[1024];

	for (uintptr_t i = 1; i < threads; i++)
		pthread_create(&thread[i], NULL, run, (void *)i);
	run(NULL);
	for (unsigned i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	WEIR_FIRE(tick, (int)threads);
}

static void *run_without_main(void *arg)
{
	nap(100000000);
	run_all((unsigned)(uintptr_t)arg);
	printf("done %lu\n", (unsigned long)met);
	fflush(stdout);
	_exit(0);
}

static void publish(bool block)
{
	static const struct weir_field order_fields[] = {
		{ "id", WEIR_U64 },
		{ "path", WEIR_STRING },
		{ "ms", WEIR_F64 },
		{ "ok", WEIR_BOOL },
	};
	static const struct weir_field tick_fields[] = { { "n", WEIR_I32 } };
	struct weir_provider_options options = { .flags = block ? WEIR_PROVIDER_BLOCK : 0 };

	if (weir_provider_create("shop", &options, &shop) ||
	    weir_probe_create(shop, "order", order_fields, 4, NULL, &order) ||
	    weir_probe_create(shop, "tick", tick_fields, 1, NULL, &tick) ||
	    weir_provider_publish(shop)) {
		fprintf(stderr, "shop: cannot publish\n");
		exit(1);
	}
}

static void publish_late(void)
{
	static const struct weir_field fields[] = { { "n", WEIR_I32 } };
	struct weir_probe *probe = weir_probe_off;
	struct weir_provider *late;

	if (weir_provider_create("late", NULL, &late) ||
	    weir_probe_create(late, "probe", fields, 1, NULL, &probe) ||
	    weir_provider_publish(late))
		exit(1);
	WEIR_FIRE(probe, -7);
}

int main(int argc, char **argv)
{
	unsigned threads = 1, kids = 0;
	bool wait_on = false, block = false, late = false, daemon = false, hide = false;
	bool headless = false;
	double live = 0;
	long death = 0;
	char **next = NULL;

	for (int c; !next && (c = getopt(argc, argv, "+n:t:g:wFbs:k:lxDNEC:K:q:")) >= 0;) {
		switch (c) {
		case 'n':
			events = strtoull(optarg, NULL, 0);
			break;
		case 't':
			threads = (unsigned)atoi(optarg);
			break;
		case 'g':
			gap = atol(optarg);
			break;
		case 'w':
			wait_on = true;
			break;
		case 'F':
			forever = true;
			break;
		case 'b':
			block = true;
			break;
		case 's':
			live = atof(optarg);
			break;
		case 'k':
			kids = (unsigned)atoi(optarg);
			break;
		case 'l':
			late = true;
			break;
		case 'x':
			next = &argv[optind];
			break;
		case 'D':
			daemon = true;
			break;
		case 'C':
			map_counters(optarg);
			break;
		case 'K':
			death = atol(optarg);
			break;
		case 'q':
			nap((long)(atof(optarg) * 1e9));
			return 0;
		case 'E':
			headless = true;
			break;
		case 'N':
			hide = true;
			break;
		default:
			return 2;
		}
	}
	if (hide)
		prctl(PR_SET_DUMPABLE, 0);
	publish(block);
	if (daemon) {
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
	}
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (wait_on && !weir_enabled(order))
		nap(1000000);
	if (death)
		end_soon(death);
	if (headless) {
		pthread_t thread;

		pthread_create(&thread, NULL, run_without_main, (void *)(uintptr_t)threads);
		pthread_exit(NULL);
	}
	run_all(threads);
	for (unsigned i = 0; i < kids; i++) {
		if (!fork()) {
			met = 0;
			run_all(threads);
			printf("done %lu\n", (unsigned long)met);
			fflush(stdout);
			nap((long)(live * 1e9));
			_exit(0);
		}
	}
	if (late)
		publish_late();
	printf("done %lu\n", (unsigned long)met);
	fflush(stdout);
	nap((long)(live * 1e9));
	while (kids && wait(NULL) > 0)
		;
	if (next) {
		execv(argv[0], next - 1);
		perror(argv[0]);
		return 1;
	}
	return 0;
}
