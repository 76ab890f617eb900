/* SPDX-License-Identifier: MIT */
/*
 * What the consumer tests attach to: a provider whose probes have all field types, fired all the
 * time, and asked by lines on stdin:
 *   enabled PROBE    -> 0 or 1
 *   fork             -> pid of a child that fires, too, and says its own `enabled` on request
 *   child PROBE      -> enabled in that child
 *   withdraw, publish
 *   quiet, loud      -> stops firing, fires again
 * At the end of stdin it exits.
 */
#include <weir/weir.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct weir_field ints[] = {
	{ "a", WEIR_I8 }, { "b", WEIR_I16 }, { "c", WEIR_I32 }, { "d", WEIR_I64 }
};
static const struct weir_field uints[] = { { "a", WEIR_U8 },
	                                   { "b", WEIR_U16 },
	                                   { "c", WEIR_U32 },
	                                   { "d", WEIR_U64 },
	                                   { "e", WEIR_BOOL } };
static const struct weir_field text[] = { { "string", WEIR_STRING },
	                                  { "bytes", WEIR_BYTES },
	                                  { "pointer", WEIR_POINTER },
	                                  { "f32", WEIR_F32 },
	                                  { "f64", WEIR_F64 } };
static const struct weir_field twelve[] = {
	{ "a", WEIR_I8 },   { "b", WEIR_I16 },    { "c", WEIR_I32 },     { "d", WEIR_I64 },
	{ "e", WEIR_U8 },   { "f", WEIR_U16 },    { "g", WEIR_U32 },     { "h", WEIR_U64 },
	{ "i", WEIR_BOOL }, { "j", WEIR_STRING }, { "k", WEIR_POINTER }, { "l", WEIR_F64 }
};
static const struct weir_field stacked[] = {
	{ "a", WEIR_U64 }, { "b", WEIR_U64 }, { "c", WEIR_U64 }, { "d", WEIR_U64 },
	{ "e", WEIR_U64 }, { "f", WEIR_U64 }, { "g", WEIR_I8 },  { "h", WEIR_I16 },
	{ "i", WEIR_I32 }, { "j", WEIR_I64 }, { "k", WEIR_U8 },  { "l", WEIR_STRING }
};
static const struct weir_field order[] = {
	{ "id", WEIR_U64 }, { "path", WEIR_STRING }, { "change", WEIR_I32 }, { "ms", WEIR_F64 }
};
static const struct weir_field counted[] = { { "n", WEIR_U64 } };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct description {
	const char *name;
	const struct weir_field *fields;
	size_t count;
	uint32_t flags;
} descriptions[] = {
	{ "ints", ints, COUNT(ints), 0 },
	{ "uints", uints, COUNT(uints), 0 },
	{ "text", text, COUNT(text), 0 },
	{ "twelve", twelve, COUNT(twelve), 0 },
	{ "stacked", stacked, COUNT(stacked), 0 },
	{ "counted", counted, COUNT(counted), WEIR_PROBE_SEMAPHORE },
	{ "empty", NULL, 0, 0 },
	{ "order", order, COUNT(order), 0 }, /* that of docs/usdt.md */
};

static struct weir_provider *provider;
static struct weir_probe *probes[COUNT(descriptions)];
static bool quiet;
/* Of the child, in memory both have. */
static volatile uint8_t *child_enabled;

static void check(int ret, const char *what)
{
	struct weir_error err = { 0 };

	if (!ret)
		return;
	if (provider)
		weir_provider_error(provider, &err);
	fprintf(stderr, "target: %s: %s: %s\n", what, strerror(-ret), err.message);
	exit(1);
}

static void publish(const char *name, uint32_t flags)
{
	struct weir_provider_options options = { .size = sizeof(options), .flags = flags };

	check(weir_provider_create(name, &options, &provider), "create");
	for (size_t i = 0; i < COUNT(descriptions); i++) {
		const struct description *d = &descriptions[i];
		struct weir_probe_options o = { .size = sizeof(o), .flags = d->flags };

		check(weir_probe_create(provider, d->name, d->fields, d->count, &o, &probes[i]),
		      d->name);
	}
	check(weir_provider_publish(provider), "publish");
	if (!*weir_provider_path(provider))
		check(-1, "no stub");
}

/* by name in stacks */
__attribute__((noinline)) static void fire_all(void)
{
	static uint64_t n;

	/* of words, the low bits count: i8 is -8, u8 is 200 to any tool */
	volatile int i8 = 0x7f8, u8 = 0x5c8;

	n++;
	WEIR_FIRE(probes[0], i8, (int16_t)-1616, (int32_t)-323232, (int64_t)-6464646464);
	WEIR_FIRE(probes[1], u8, (uint16_t)60000, (uint32_t)4000000000,
	          (uint64_t)18000000000000000000u, (bool)true);
	WEIR_FIRE(probes[2], "hello, weir", "by\0tes", (size_t)6, (void *)0x1234, 1.5f, -2.25);
	WEIR_FIRE(probes[3], i8, (int16_t)-1616, (int32_t)-323232, (int64_t)-6464646464, u8,
	          (uint16_t)60000, (uint32_t)4000000000, (uint64_t)18000000000000000000u,
	          (bool)true, "hello, weir", (void *)0x1234, -2.25);
	WEIR_FIRE(probes[4], 1, 2, 3, 4, 5, 6, i8, (int16_t)-1616, (int32_t)-323232,
	          (int64_t)-6464646464, u8, "on the stack");
	WEIR_FIRE(probes[5], n);
	WEIR_FIRE(probes[6]);
	WEIR_FIRE(probes[7], 1042, "/cart", -3, 2.5);
}

static void child_loop(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		fire_all();
		for (size_t i = 0; i < COUNT(probes); i++)
			child_enabled[i] = weir_enabled(probes[i]);
		usleep(5000);
	}
}

static int find(const char *name)
{
	for (size_t i = 0; i < COUNT(descriptions); i++)
		if (!strcmp(descriptions[i].name, name))
			return (int)i;
	return 0;
}

static void answer(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, "enabled ", 8)) {
		printf("%d\n", weir_enabled(probes[find(line + 8)]));
	} else if (!strncmp(line, "child ", 6)) {
		printf("%d\n", child_enabled[find(line + 6)]);
	} else if (!strcmp(line, "fork")) {
		pid_t pid = fork();

		if (!pid)
			child_loop();
		printf("%d\n", pid);
	} else if (!strcmp(line, "withdraw")) {
		printf("%d\n", weir_provider_withdraw(provider));
	} else if (!strcmp(line, "publish")) {
		printf("%d\n", weir_provider_publish(provider));
	} else if (!strcmp(line, "quiet") || !strcmp(line, "loud")) {
		quiet = *line == 'q';
		puts("0");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "shop";
	uint32_t flags = argc > 2 && !strcmp(argv[2], "memfd") ? WEIR_PROVIDER_MEMFD : 0;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[128];

	child_enabled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	signal(SIGCHLD, SIG_IGN);
	publish(name, flags);
	printf("%s\n", weir_provider_path(provider));
	fflush(stdout);
	for (;;) {
		if (poll(&in, 1, 5) > 0) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			answer(line);
		}
		if (!quiet)
			fire_all();
	}
}
