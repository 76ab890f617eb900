/* SPDX-License-Identifier: MIT */
/*
 * `bench-publish PROBES ROUNDS DIR`: ms from nothing to published, for one provider with that many
 * probes of three fields: create, add, publish. Each sample is a process of its own (so the shared
 * memory is made too) with an empty stub folder under DIR (so nothing is reused). Beside it, as
 * `elf`, the same number of probes the way libstapsdt makes them (bench/elf_stub.c); as `again`
 * weir where the stub file of an earlier run is found; as `later` weir in a process that has
 * published another provider before.
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

static void publish_provider(const char *provider_name, unsigned probes, const char *dir)
{
	struct weir_error error = { 0 };
	struct weir_provider_options options = { .size = sizeof(options),
		                                 .error = &error,
		                                 .stub_dir = dir };
	struct weir_provider *provider;
	struct weir_probe *probe;
	char name[32];
	int ret;

	ret = weir_provider_create(provider_name, &options, &provider);
	for (unsigned i = 0; !ret && i < probes; i++) {
		snprintf(name, sizeof(name), "probe_%u", i);
		ret = weir_probe_create(provider, name, fields, 3, NULL, &probe);
	}
	if (!ret)
		ret = weir_provider_publish(provider);
	if (ret)
		bench_fail("publish: %s %s", strerror(-ret), error.message);
	if (probe->site == weir_probe_off->site)
		bench_fail("published, but the last probe has no site");
}

static void nothing(const char *dir)
{
	(void)dir;
}

static void publish_weir(unsigned probes, const char *dir)
{
	publish_provider("bench_publish", probes, dir);
}

static void publish_first(const char *dir)
{
	publish_provider("bench_first", 1, dir);
}

static void publish_elf(unsigned probes, const char *dir)
{
	int ret = elf_stub_publish(dir, "bench_elf", probes);

	if (ret)
		bench_fail("elf stub: %s", strerror(-ret));
}

/* In a child, which has never published; returns ms, measured there. */
static double sample(void (*before)(const char *dir),
                     void (*publish)(unsigned probes, const char *dir), unsigned probes,
                     const char *dir)
{
	double ms = 0;
	int pipes[2], status;
	pid_t child;

	if (pipe(pipes))
		bench_fail("pipe: %s", strerror(errno));
	child = fork();
	if (!child) {
		uint64_t begin;

		before(dir);
		begin = bench_now();
		publish(probes, dir);
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

		printf("weir %.5f\n", sample(nothing, publish_weir, probes, dir));
		printf("again %.5f\n", sample(nothing, publish_weir, probes, dir));
		dir = fresh_dir(argv[3], "later", i);
		printf("later %.5f\n", sample(publish_first, publish_weir, probes, dir));
		dir = fresh_dir(argv[3], "elf", i);
		printf("elf %.5f\n", sample(nothing, publish_elf, probes, dir));
	}
	return 0;
}
