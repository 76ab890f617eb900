/* SPDX-License-Identifier: MIT */
/*
 * What a kernel does to a site: uprobes are attached where tools of today (+0) and of tomorrow (+1,
 * the nop10) attach, by perf_event_open and by tracefs; hit, detached, attached again, and kept
 * over a fork. A probe must be seen as on whenever it is, and be off afterwards.
 *
 * Runs as a process like others, or as the only one of a machine (/init), which it then ends.
 */
#include <weir/weir.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing"
#define HITS    1000

static const struct weir_field fields[] = { { "number", WEIR_U64 }, { "text", WEIR_STRING } };
static struct weir_provider *provider;
static struct weir_probe *probe;
static char path[256];
static uint64_t site; /* its offset in the file */
static int passed, failed, skipped, number;

static void result(bool ok, const char *format, ...)
{
	va_list ap;

	printf("%sok %d - ", ok ? "" : "not ", ++number);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	passed += ok;
	failed += !ok;
}

static void skip(const char *what, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++number, what, reason);
	skipped++;
}

static const char *site_bytes(void)
{
	static char text[64];
	const volatile uint8_t *at = (const volatile uint8_t *)probe->site;
	int n = 0;

	for (int i = 0; i < 12; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%02x ", at[i]);
	return text;
}

static void fire(int count)
{
	for (int i = 0; i < count; i++)
		WEIR_FIRE(probe, i, "text");
}

/* ---- where the site is ---- */

static int find_site(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t address = (uintptr_t)probe->site;

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, offset;

		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %255s", &start, &end, &offset, path) ==
		        4 &&
		    address >= start && address < end) {
			site = address - start + offset;
			fclose(maps);
			return 0;
		}
	}
	if (maps)
		fclose(maps);
	return -ENOENT;
}

static int publish(void)
{
	int r = weir_provider_create("kernels", NULL, &provider);

	if (!r)
		r = weir_probe_create(provider, "order", fields, 2, NULL, &probe);
	if (!r)
		r = weir_provider_publish(provider);
	return r ? r : find_site();
}

/* ---- by perf_event_open ---- */

static int uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -1;

	if (file) {
		if (fscanf(file, "%d", &type) != 1)
			type = -1;
		fclose(file);
	}
	return type;
}

/*
 * A counter on all processors, for every process that has the file. (One that is inherited would
 * not do: perf swaps the contexts of parent and child, and with them loses an uprobe's hits.)
 */
struct tracer {
	int count;
	int fds[64];
};

static void detach(struct tracer *tracer)
{
	while (tracer->count)
		close(tracer->fds[--tracer->count]);
}

static int attach(struct tracer *tracer, uint64_t offset)
{
	struct perf_event_attr attr = {
		.type = (uint32_t)uprobe_type(),
		.size = sizeof(attr),
		.uprobe_path = (uint64_t)(uintptr_t)path,
		.probe_offset = offset,
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (tracer->count = 0; tracer->count < cpus && tracer->count < 64;) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, tracer->count, -1,
		                      PERF_FLAG_FD_CLOEXEC);

		if (fd < 0) {
			int r = -errno;

			detach(tracer);
			return r;
		}
		tracer->fds[tracer->count++] = fd;
	}
	return 0;
}

static uint64_t hits(const struct tracer *tracer)
{
	uint64_t sum = 0, count;

	for (int i = 0; i < tracer->count; i++)
		if (read(tracer->fds[i], &count, sizeof(count)) == sizeof(count))
			sum += count;
	return sum;
}

static void test_round(const char *name, uint64_t offset, int round)
{
	struct tracer tracer;
	uint64_t count;
	int r = attach(&tracer, offset);

	if (r) {
		result(false, "%s, round %d: attach: %s", name, round, strerror(-r));
		return;
	}
	result(weir_enabled(probe), "%s, round %d: on (%s)", name, round, site_bytes());
	fire(HITS);
	count = hits(&tracer);
	result(count == HITS, "%s, round %d: %llu hits of %d", name, round,
	       (unsigned long long)count, HITS);
	result(weir_enabled(probe), "%s, round %d: still on (%s)", name, round, site_bytes());
	detach(&tracer);
	result(!weir_enabled(probe), "%s, round %d: off (%s)", name, round, site_bytes());
	fire(10);
}

static void child(void)
{
	bool on = weir_enabled(probe);

	fire(100);
	fire(100);
	_exit(on ? 0 : 1);
}

/* A child that is made while the site is patched, perhaps optimised, lives and is counted. */
static void test_fork(const char *name, uint64_t offset)
{
	struct tracer tracer;
	int r = attach(&tracer, offset), status = -1, done[2];
	pid_t pid;

	if (r) {
		result(false, "%s, fork: attach: %s", name, strerror(-r));
		return;
	}
	fire(100);
	pid = fork();
	if (!pid)
		child();
	waitpid(pid, &status, 0);
	result(status == 0, "%s, fork: the child ended with %#x", name, status);
	fire(100);
	result(hits(&tracer) == 400, "%s, fork: %llu hits of 400", name,
	       (unsigned long long)hits(&tracer));

	/* and one that outlives the tracer */
	if (pipe2(done, O_CLOEXEC)) {
		result(false, "%s, fork: %s", name, strerror(errno));
		return;
	}
	pid = fork();
	if (!pid) {
		char byte;

		detach(&tracer); /* its own descriptors only */
		close(done[1]);
		if (read(done[0], &byte, 1) != 0) /* until the detach is done */
			_exit(2);
		_exit(weir_enabled(probe) ? 1 : (fire(100), 0));
	}
	detach(&tracer);
	close(done[0]);
	close(done[1]);
	waitpid(pid, &status, 0);
	result(status == 0, "%s, fork: the child is off after the detach (%#x)", name, status);
	result(!weir_enabled(probe), "%s, fork: off", name);
}

static void test_perf(const char *name, unsigned int distance)
{
	struct tracer tracer;

	if (attach(&tracer, site + distance) && distance) {
		skip(name, "this kernel puts no uprobe there");
		return;
	}
	detach(&tracer);
	for (int round = 1; round <= 3; round++)
		test_round(name, site + distance, round);
	test_fork(name, site + distance);
}

/* Both at once, as an old and a new tool would be. */
static void test_both(void)
{
	struct tracer first, second;
	const char *name = "perf_event at +0 and +1";

	if (attach(&first, site) || attach(&second, site + 1)) {
		detach(&first);
		skip(name, "this kernel puts no uprobe there");
		return;
	}
	fire(HITS);
	result(hits(&first) == HITS && hits(&second) == HITS, "%s: hits", name);
	detach(&first);
	result(weir_enabled(probe), "%s: on with the second (%s)", name, site_bytes());
	fire(10);
	result(hits(&second) == HITS + 10, "%s: hits of the second", name);
	detach(&second);
	result(!weir_enabled(probe), "%s: off (%s)", name, site_bytes());
}

/* ---- by tracefs ---- */

static int write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int r = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int count_in_trace(const char *word)
{
	char line[512];
	FILE *file = fopen(TRACEFS "/instances/weir/trace", "re");
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, word) != NULL;
	if (file)
		fclose(file);
	return count;
}

/* An instance of its own, so that other users of tracefs are not disturbed. */
static void test_tracefs(void)
{
	char definition[512];
	int r;

	snprintf(definition, sizeof(definition),
	         "p:weirkernels/order %s:0x%llx number=%%di:u64 text=+0(%%si):ustring", path,
	         (unsigned long long)site);
	r = write_file(TRACEFS "/uprobe_events", definition);
	if (r) {
		skip("tracefs", strerror(-r));
		return;
	}
	mkdir(TRACEFS "/instances/weir", 0700);
	r = write_file(TRACEFS "/instances/weir/events/weirkernels/order/enable", "1");
	result(!r && weir_enabled(probe), "tracefs: on");
	fire(50);
	result(count_in_trace("text=\"text\"") == 50, "tracefs: %d lines of 50",
	       count_in_trace("text=\"text\""));
	result(count_in_trace("number=49 ") == 1, "tracefs: the last one's number");
	write_file(TRACEFS "/instances/weir/events/weirkernels/order/enable", "0");
	result(!weir_enabled(probe), "tracefs: off (%s)", site_bytes());
	rmdir(TRACEFS "/instances/weir");
	write_file(TRACEFS "/uprobe_events", "-:weirkernels/order");
}

/* ---- a machine of its own ---- */

static void become_init(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	mount("tracefs", TRACEFS, "tracefs", 0, NULL);
}

static int test_all(void)
{
	struct weir_error err = { 0 };
	struct utsname name;
	int r = publish();

	uname(&name);
	printf("# Linux %s\n", name.release);
	if (provider)
		weir_provider_error(provider, &err);
	result(!r, "publish %s %s", path, err.message);
	if (r)
		return 1;
	result(!weir_enabled(probe), "off before anything (%s)", site_bytes());
	test_perf("perf_event at +0", 0);
	test_perf("perf_event at +1", 1);
	test_both();
	test_tracefs();
	weir_provider_destroy(provider);
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed != 0;
}

int main(void)
{
	char folder[] = "/tmp/weir-kernels-XXXXXX";
	bool init = getpid() == 1;
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (init)
		become_init();
	else if (geteuid())
		return puts("skipped: uprobes need root"), 77;
	else if (uprobe_type() < 0)
		return puts("skipped: this kernel has no uprobes"), 77;
	if (!mkdtemp(folder))
		return puts("skipped: no folder can be made in /tmp"), 77;
	setenv("WEIR_DIR", folder, 1);
	r = test_all();
	unlink(path);
	rmdir(folder);
	if (init)
		reboot(RB_POWER_OFF);
	return r;
}
