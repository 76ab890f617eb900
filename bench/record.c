/* SPDX-License-Identifier: MIT */
/*
 * What `weir record` is measured with. By mode:
 *   producer WARM FIRES ROUNDS   publishes bench:three, which tracers may block, prints `ready PID`,
 *                                waits until somebody looks, fires WARM of them, and then in rounds
 *                                FIRES of bench:base, which an overwrite session without a reader
 *                                takes, and FIRES of bench:three; prints ns a fire, `base NS` and
 *                                `recorded NS`, and `lost N`
 *   flow WARM FIRES              the same without bench:base: fires WARM, prints `warm`, waits for
 *                                a line on stdin, fires FIRES, prints `fired NS`, `lost N`, and
 *                                waits for another line
 *   lttng FIRES                  static LTTng tracepoints with the same fields; prints `lttng NS`
 *   write FILE SIZE BUFFER BYTES writes BYTES over FILE, which has SIZE bytes, round and round, from
 *                                a buffer of BUFFER bytes, 64 KiB at a time; prints `cpu NS` and
 *                                `wall NS`, in all
 */
#include <weir/weir.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/session.h"
#ifdef HAVE_LTTNG_UST
#include "bench/lttng.h"
#endif

#define BASE_PACKETS (16u * 1024 * 1024 / WEIR_SHM_PACKET_SIZE)
#define WRITE_SIZE   65536u

static struct weir_probe *three = weir_probe_off, *base = weir_probe_off;

BENCH_LOOP loop_three(uint64_t n)
{
	struct weir_probe *probe = three;

	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, n, i + n);
}

BENCH_LOOP loop_base(uint64_t n)
{
	struct weir_probe *probe = base;

	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, n, i + n);
}

static void publish(void)
{
	static const struct weir_field fields[] = { { "a", WEIR_U64 },
		                                    { "b", WEIR_U64 },
		                                    { "c", WEIR_U64 } };
	struct weir_provider_options options = { .size = sizeof(options),
		                                 .flags = WEIR_PROVIDER_BLOCK };
	struct weir_provider *provider;
	int ret = weir_provider_create("bench", &options, &provider);

	if (!ret)
		ret = weir_probe_create(provider, "three", fields, 3, NULL, &three);
	if (!ret)
		ret = weir_probe_create(provider, "base", fields, 3, NULL, &base);
	if (!ret)
		ret = weir_provider_publish(provider);
	if (ret)
		bench_fail("publish: %s", strerror(-ret));
}

static void wait_for_tracer(void)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
	for (int i = 0; !weir_enabled(three); i++) {
		if (i == 10000)
			bench_fail("nobody looked at bench:three for 10 s");
		usleep(1000);
	}
}

/* A quarter before the clock starts: what fits into the buffer is no steady rate. */
static double timed(void (*loop)(uint64_t), uint64_t fires)
{
	uint64_t begin;

	loop(fires / 4);
	begin = bench_now();
	loop(fires);
	return (double)(bench_now() - begin) / (double)fires;
}

static int run_producer(uint64_t warm, uint64_t fires, unsigned rounds)
{
	struct session session;
	double *samples = calloc(rounds, 2 * sizeof(*samples));
	uint64_t lost;

	if (!samples)
		bench_fail("no memory for the samples");
	bench_pin(0);
	publish();
	session_arm(&session, WEIR_MODE_OVERWRITE, BASE_PACKETS);
	session_enable(&session, "bench", "base");
	loop_base(2u * BASE_PACKETS * (WEIR_SHM_PACKET_SIZE / 40));
	wait_for_tracer();
	loop_three(warm);
	lost = session_lost_all();
	for (unsigned i = 0; i < rounds; i++) {
		samples[2 * i] = timed(loop_base, fires);
		samples[2 * i + 1] = timed(loop_three, fires);
	}
	lost = session_lost_all() - lost;
	for (unsigned i = 0; i < rounds; i++)
		printf("base %.5f\nrecorded %.5f\n", samples[2 * i], samples[2 * i + 1]);
	printf("lost %" PRIu64 "\n", lost);
	fflush(stdout);
	free(samples);
	usleep(300000);
	return 0;
}

static int run_flow(uint64_t warm, uint64_t fires)
{
	uint64_t begin, end, lost;

	bench_pin(0);
	publish();
	wait_for_tracer();
	loop_three(warm);
	puts("warm");
	fflush(stdout);
	getchar();
	lost = session_lost_all();
	begin = bench_now();
	loop_three(fires);
	end = bench_now();
	printf("fired %.5f\nlost %" PRIu64 "\n", (double)(end - begin) / (double)fires,
	       session_lost_all() - lost);
	fflush(stdout);
	getchar();
	return 0;
}

#ifdef HAVE_LTTNG_UST
BENCH_LOOP loop_lttng(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		lttng_ust_tracepoint(bench, three, i, n, i + n);
}

static int run_lttng(uint64_t fires)
{
	bench_pin(0);
	if (!lttng_ust_tracepoint_enabled(bench, three))
		bench_fail("no LTTng session enabled bench:three: run it through bench/with-lttng");
	printf("lttng %.5f\n", timed(loop_lttng, fires));
	return 0;
}
#else
static int run_lttng(uint64_t fires)
{
	(void)fires;
	bench_skip("built without liblttng-ust-dev");
}
#endif

static uint64_t cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* From one place of `buffer` and to one of the file after the other. */
static void write_over(int fd, const char *buffer, uint64_t size, uint64_t file, uint64_t bytes)
{
	uint64_t from = 0, to = 0;

	for (uint64_t n = 0; n < bytes; n += WRITE_SIZE) {
		if (to + WRITE_SIZE > file) {
			to = 0;
			if (lseek(fd, 0, SEEK_SET))
				bench_fail("lseek: %s", strerror(errno));
		}
		if (write(fd, buffer + from, WRITE_SIZE) != WRITE_SIZE)
			bench_fail("write: %s", strerror(errno));
		to += WRITE_SIZE;
		from = from + 2 * WRITE_SIZE <= size ? from + WRITE_SIZE : 0;
	}
}

static int run_write(const char *path, uint64_t file, uint64_t size, uint64_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	uint64_t cpu, wall;
	char *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || buffer == MAP_FAILED)
		bench_fail("%s: %s", path, strerror(errno));
	memset(buffer, 1, size);
	write_over(fd, buffer, size, file, file);
	if (lseek(fd, 0, SEEK_SET))
		bench_fail("lseek: %s", strerror(errno));
	cpu = cpu_now();
	wall = bench_now();
	write_over(fd, buffer, size, file, bytes);
	printf("cpu %" PRIu64 "\nwall %" PRIu64 "\n", cpu_now() - cpu, bench_now() - wall);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t n[5] = { 0 };

	for (int i = 2; i < argc && i < 7; i++)
		n[i - 2] = strtoull(argv[i], NULL, 0);
	if (argc == 5 && !strcmp(argv[1], "producer"))
		return run_producer(n[0], n[1], (unsigned)n[2]);
	if (argc == 4 && !strcmp(argv[1], "flow"))
		return run_flow(n[0], n[1]);
	if (argc == 3 && !strcmp(argv[1], "lttng"))
		return run_lttng(n[0]);
	if (argc == 6 && !strcmp(argv[1], "write"))
		return run_write(argv[2], n[1], n[2], n[3]);
	bench_fail(
	    "usage: bench-record producer WARM FIRES ROUNDS | flow WARM FIRES | lttng FIRES | "
	    "write FILE SIZE BUFFER BYTES");
}
