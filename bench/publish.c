/* SPDX-License-Identifier: MIT */
/*
 * `bench-publish PROBES ROUNDS DIR`: ms from nothing to published, for one provider with that many
 * probes of three fields: create, add, publish. Each sample is a process of its own, with an empty
 * stub folder under DIR, so nothing is reused:
 *   weir   in a process that has published small providers before
 *   elf    the same number of probes the way libstapsdt makes them (bench/elf_stub.c), likewise
 *   first  weir in a process that has never published: shared memory and clock are in it
 *   again  as `first`, but the stub file is there from the run before
 */
#include <weir/weir.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/elf_stub.h"

static const struct weir_field fields[] = { { "id", WEIR_U64 },
	                                    { "path", WEIR_STRING },
	                                    { "took", WEIR_U32 } };

static void publish_weir(const char *name, unsigned probes, const char *dir)
{
	struct weir_error error = { 0 };
	struct weir_provider_options options = { .size = sizeof(options),
		                                 .error = &error,
		                                 .stub_dir = dir };
	struct weir_provider *provider;
	struct weir_probe *probe;
	char probe_name[32];
	int ret;

	ret = weir_provider_create(name, &options, &provider);
	for (unsigned i = 0; !ret && i < probes; i++) {
		snprintf(probe_name, sizeof(probe_name), "probe_%u", i);
		ret = weir_probe_create(provider, probe_name, fields, 3, NULL, &probe);
	}
	if (!ret)
		ret = weir_provider_publish(provider);
	if (ret)
		bench_fail("publish: %s %s", strerror(-ret), error.message);
	if (probe->site == weir_probe_off->site)
		bench_fail("published, but the last probe has no site");
}

static void publish_elf(const char *name, unsigned probes, const char *dir)
{
	int ret = elf_stub_publish(dir, name, probes);

	if (ret)
		bench_fail("elf stub: %s", strerror(-ret));
}

typedef void publish_fn(const char *name, unsigned probes, const char *dir);

/* In a child, after `before` small providers; returns ms, measured there. */
static double sample(publish_fn *publish, unsigned before, unsigned probes, const char *dir)
{
	double ms = 0;
	int pipes[2], status;
	pid_t child;

	if (pipe(pipes))
		bench_fail("pipe: %s", strerror(errno));
	child = fork();
	if (!child) {
		uint64_t begin;

		for (unsigned i = 0; i < before; i++) {
			char name[32];

			snprintf(name, sizeof(name), "bench_before_%u", i);
			publish(name, 10, dir);
		}
		begin = bench_now();
		publish("bench_publish", probes, dir);
		ms = (double)(bench_now() - begin) / 1e6;
		if (write(pipes[1], &ms, sizeof(ms)) != sizeof(ms))
			_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	if (read(pipes[0], &ms, sizeof(ms)) != sizeof(ms))
		ms = 0;
	close(pipes[0]);
	if (waitpid(child, &status, 0) != child || status || ms <= 0)
		exit(1); /* the child said why */
	return ms;
}

static const char *fresh_dir(const char *parent, const char *kind, unsigned round)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s-%u", parent, kind, round);
	if (mkdir(path, 0700))
		bench_fail("mkdir %s: %s", path, strerror(errno));
	return path;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		bench_fail("usage: bench-publish PROBES ROUNDS DIR");
	unsigned probes = (unsigned)atoi(argv[1]), rounds = (unsigned)atoi(argv[2]);

	bench_pin(0);
	for (unsigned i = 0; i < rounds; i++) {
		const char *dir = fresh_dir(argv[3], "weir", i);

		printf("weir %.5f\n", sample(publish_weir, 3, probes, dir));
		dir = fresh_dir(argv[3], "elf", i);
		printf("elf %.5f\n", sample(publish_elf, 3, probes, dir));
		dir = fresh_dir(argv[3], "first", i);
		printf("first %.5f\n", sample(publish_weir, 0, probes, dir));
		printf("again %.5f\n", sample(publish_weir, 0, probes, dir));
	}
	return 0;
}
