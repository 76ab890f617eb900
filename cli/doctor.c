/* SPDX-License-Identifier: MIT */
/*
 * weir doctor: what this machine and this user can do. Every line is tried, not guessed from a
 * version, and one that is not ok says why and what changes it.
 */
#include "cli/cmd.h"
#include "reader/maps.h"
#include "reader/process.h"
#include "reader/rights.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <libsmartcols.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif
#define TRACEFS_MAGIC_ 0x74726163

enum status { OK, LIMITED, MISSING };

static const char *const status_names[] = { "ok", "limited", "missing" };

struct finding {
	const char *check;
	enum status status;
	char reason[320];
	char remedy[240];
};

struct report {
	struct finding findings[32];
	size_t count;
};

static void add(struct report *report, const char *check, enum status status, const char *remedy,
                const char *reason, ...) __attribute__((format(printf, 5, 6)));

static void add(struct report *report, const char *check, enum status status, const char *remedy,
                const char *reason, ...)
{
	struct finding *f = &report->findings[report->count++];
	va_list ap;

	f->check = check;
	f->status = status;
	va_start(ap, reason);
	vsnprintf(f->reason, sizeof(f->reason), reason, ap);
	va_end(ap);
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
}

/* The number in a file of /proc/sys, or -1. */
static long sysctl_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

static bool have(int cap)
{
	return rights_has(rights_own_caps(), cap);
}

/* --- in the traced program */

static bool can_map_exec(int fd)
{
	void *p = ftruncate(fd, 4096) ? MAP_FAILED
	                              : mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, 4096);
	return true;
}

static void check_stub_folder(struct report *r)
{
	const char *dir = getenv("WEIR_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
	char path[4096];
	int fd;

	if (!dir || !*dir)
		dir = runtime && *runtime ? runtime : "/tmp";
	snprintf(path, sizeof(path), "%s", dir);
	fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0700);
	if (fd < 0 && (errno == ENOENT || errno == EISDIR || errno == EOPNOTSUPP)) {
		snprintf(path, sizeof(path), "/tmp");
		fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0700);
	}
	if (fd < 0)
		add(r, "stub folder", LIMITED,
		    "export WEIR_DIR=FOLDER, one that this user may write to",
		    "%s: %s; stubs go to memfds, which perf cannot read", path, strerror(errno));
	else if (!can_map_exec(fd))
		add(r, "stub folder", LIMITED,
		    "export WEIR_DIR=FOLDER, on a file system without noexec",
		    "%s is mounted noexec; stubs go to memfds, which perf cannot read", path);
	else
		add(r, "stub folder", OK, "", "%s: files there can be loaded", path);
	if (fd >= 0)
		close(fd);
}

static void check_memfd(struct report *r)
{
	long noexec = sysctl_number("/proc/sys/vm/memfd_noexec");
	int fd = memfd_create("weir-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0) {
		add(r, "memfd", MISSING, "allow memfd_create in the seccomp profile",
		    "memfd_create: %s; no buffers, so weir trace and weir record see nothing",
		    strerror(errno));
		return;
	}
	if (!can_map_exec(fd))
		add(r, "memfd", LIMITED, "sysctl vm.memfd_noexec=0",
		    "buffers work; a memfd may not be executed (vm.memfd_noexec=%ld), so a stub "
		    "needs a "
		    "folder",
		    noexec);
	else
		add(r, "memfd", OK, "", "buffers work, and a stub without a folder");
	close(fd);
}

extern const unsigned int __rseq_size __attribute__((weak));

static void check_rseq(struct report *r)
{
	if (&__rseq_size && __rseq_size)
		add(r, "rseq", OK, "",
		    "threads are registered: a fire into a buffer is one restartable section");
	else
		add(r, "rseq", LIMITED,
		    "glibc 2.35 or later; GLIBC_TUNABLES without glibc.pthread.rseq=0",
		    "threads are not registered: fires take a lock per slot, and cost more");
}

static uint64_t elapsed(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - from->tv_sec) * 1000000000 + (uint64_t)now.tv_nsec -
	       (uint64_t)from->tv_nsec;
}

/* Does clock_gettime do without a system call? */
static bool clock_is_fast(void)
{
	uint64_t fast = UINT64_MAX, slow = UINT64_MAX;

	for (int i = 0; i < 64; i++) {
		struct timespec from, ts;
		uint64_t took;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int k = 0; k < 8; k++)
			clock_gettime(CLOCK_MONOTONIC, &ts);
		took = elapsed(&from);
		fast = took < fast ? took : fast;
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int k = 0; k < 8; k++)
			syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
		took = elapsed(&from);
		slow = took < slow ? took : slow;
	}
	return fast < slow / 2;
}

static void check_clock(struct report *r)
{
	char name[32] = "?", flags[8192] = "";
	int mode = PR_TSC_ENABLE, fd;
	ssize_t n;

	fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
	          O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		name[strcspn(name, "\n")] = '\0';
		close(fd);
	}
	fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, flags, sizeof(flags) - 1);
		flags[n > 0 ? n : 0] = '\0';
		close(fd);
	}
	prctl(PR_GET_TSC, &mode);
	if (mode != PR_TSC_ENABLE)
		add(r, "event clock", LIMITED, "",
		    "reading the TSC is forbidden (PR_SET_TSC): clock_gettime");
	else if (!strstr(flags, "constant_tsc") || !strstr(flags, "nonstop_tsc"))
		add(r, "event clock", LIMITED, "",
		    "the TSC of this processor is not invariant: clock_gettime");
	else if (!strcmp(name, "tsc") || !strcmp(name, "hyperv_clocksource_tsc_page"))
		add(r, "event clock", OK, "",
		    "TSC: invariant, and the kernel keeps time by it (%s)", name);
	else if (!strcmp(name, "kvm-clock") && clock_is_fast())
		add(r, "event clock", OK, "",
		    "TSC: invariant, and kvm-clock reads it without a system call");
	else
		add(r, "event clock", LIMITED,
		    "boot with clocksource=tsc if the kernel log does not call the TSC unstable",
		    "the kernel keeps time by %s, not by the TSC: clock_gettime", name);
}

/* --- in the tracer */

static void check_ptrace(struct report *r)
{
	long scope = sysctl_number("/proc/sys/kernel/yama/ptrace_scope");

	if (have(CAP_SYS_PTRACE))
		add(r, "other processes", OK, "",
		    "CAP_SYS_PTRACE: every user's processes can be traced");
	else if (scope < 1)
		add(r, "other processes", LIMITED, "sudo weir ..., or CAP_SYS_PTRACE",
		    "processes of this user can be traced, others' not");
	else
		add(r, "other processes", LIMITED,
		    "sudo sysctl kernel.yama.ptrace_scope=0, or sudo weir ...",
		    "buffers of this user's processes can be read; weir print (reading memory) is "
		    "refused "
		    "by kernel.yama.ptrace_scope=%ld",
		    scope);
}

static void target(void)
{
	__asm__ volatile("nop");
}

/* Where target() lies in our own executable. */
static int own_function(char *path, size_t size, uint64_t *offset)
{
	uint64_t address = (uintptr_t)target;
	struct maps maps;
	int code = maps_read(getpid(), &maps);

	if (code)
		return code;
	code = -ENOENT;
	for (size_t i = 0; i < maps.count; i++) {
		const struct mapped_file *f = &maps.files[i];

		for (size_t k = 0; k < f->mappings_count; k++) {
			const struct mapping *m = &f->mappings[k];

			if (address >= m->start && address < m->end) {
				snprintf(path, size, "%s", f->path);
				*offset = address - m->start + m->offset;
				code = 0;
			}
		}
	}
	maps_deinit(&maps);
	return code;
}

static void check_uprobes(struct report *r)
{
	long type = sysctl_number("/sys/bus/event_source/devices/uprobe/type");
	struct perf_event_attr attr = { .size = sizeof(attr),
		                        .sample_period = 1,
		                        .wakeup_events = 1 };
	uint64_t offset;
	char path[4096];
	int fd;

	if (type < 0) {
		add(r, "uprobes", MISSING, "a kernel with CONFIG_UPROBE_EVENTS",
		    "this kernel has none: USDT cannot be traced; buffers can");
		return;
	}
	if (own_function(path, sizeof(path), &offset))
		return;
	attr.config2 = offset;
	attr.type = (uint32_t)type;
	attr.config1 = (uintptr_t)path;
	fd = (int)syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0) {
		add(r, "uprobes", OK, "", "a probe on our own executable could be placed");
		close(fd);
	} else {
		add(r, "uprobes", MISSING, "sudo, or CAP_PERFMON (setcap cap_perfmon,cap_bpf=ep)",
		    "perf_event_open: %s (kernel.perf_event_paranoid=%ld): USDT cannot be traced; "
		    "buffers "
		    "can",
		    strerror(errno), sysctl_number("/proc/sys/kernel/perf_event_paranoid"));
	}
}

static void check_bpf(struct report *r)
{
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t) "Dual MIT/GPL",
	};
	long disabled = sysctl_number("/proc/sys/kernel/unprivileged_bpf_disabled");
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd >= 0) {
		add(r, "BPF", OK, "", "a tracing program could be loaded");
		close(fd);
	} else {
		add(r, "BPF", MISSING,
		    "sudo, or CAP_BPF and CAP_PERFMON (setcap cap_perfmon,cap_bpf=ep)",
		    "loading a program: %s (kernel.unprivileged_bpf_disabled=%ld)%s",
		    strerror(errno), disabled,
		    disabled == 0 ? "" : "; weir trace and weir record do without");
	}
}

static void check_tracefs(struct report *r)
{
	struct statfs fs;

	if (!statfs("/sys/kernel/tracing", &fs) && fs.f_type == TRACEFS_MAGIC_)
		add(r, "tracefs", OK, "", "mounted at /sys/kernel/tracing");
	else if (!statfs("/sys/kernel/debug/tracing", &fs) && fs.f_type == TRACEFS_MAGIC_)
		add(r, "tracefs", OK, "", "mounted at /sys/kernel/debug/tracing");
	else
		add(r, "tracefs", LIMITED, "sudo mount -t tracefs tracefs /sys/kernel/tracing",
		    "not mounted: perf probe and bcc need it");
}

static void check_btf(struct report *r)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		add(r, "kernel BTF", OK, "", "/sys/kernel/btf/vmlinux");
	else
		add(r, "kernel BTF", LIMITED, "a kernel with CONFIG_DEBUG_INFO_BTF",
		    "this kernel has none: BPF tools need its headers");
}

static bool has_socket(const char *folder)
{
	DIR *dir = opendir(folder);
	bool found = false;

	for (struct dirent *e; dir && (e = readdir(dir));)
		found |= !strncmp(e->d_name, "lttng-ust-sock", 14);
	if (dir)
		closedir(dir);
	return found;
}

static bool session_daemon(char *where, size_t size)
{
	const char *home = getenv("LTTNG_HOME") ? getenv("LTTNG_HOME") : getenv("HOME");

	snprintf(where, size, "%s/.lttng", home ? home : "/");
	if (has_socket(where))
		return true;
	snprintf(where, size, "/var/run/lttng");
	return has_socket(where);
}

static void check_lttng(struct report *r)
{
	char where[4096];
	int status;
	pid_t pid = fork(); /* the library starts threads */

	if (!pid)
		_exit(dlopen("liblttng-ust.so.1", RTLD_NOW) ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return;
	if (status)
		add(r, "LTTng", MISSING, "sudo apt-get install liblttng-ust1 lttng-tools",
		    "liblttng-ust.so.1 is not there: providers that ask for LTTng do without");
	else if (!session_daemon(where, sizeof(where)))
		add(r, "LTTng", LIMITED, "lttng-sessiond --daemonize",
		    "the library is there; no session daemon's socket was found");
	else
		add(r, "LTTng", OK, "", "the library is there, and a session daemon's socket in %s",
		    where);
}

static void check_limits(struct report *r)
{
	struct rlimit files, size;

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_FSIZE, &size);
	if (size.rlim_cur != RLIM_INFINITY && size.rlim_cur < (UINT64_C(160) << 20))
		add(r, "limits", LIMITED, "ulimit -f unlimited",
		    "RLIMIT_FSIZE is %llu bytes: programs started from here have small or no "
		    "buffers",
		    (unsigned long long)size.rlim_cur);
	else if (files.rlim_cur < 256)
		add(r, "limits", LIMITED, "ulimit -n 4096",
		    "RLIMIT_NOFILE is %llu: few processes at a time",
		    (unsigned long long)files.rlim_cur);
	else
		add(r, "limits", OK, "", "%llu descriptors, no limit on files",
		    (unsigned long long)files.rlim_cur);
}

/* --- output */

static void print_json(const struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct finding *f = &report->findings[i];
		json_object *o = json_object_new_object();

		json_object_object_add(o, "check", json_object_new_string(f->check));
		json_object_object_add(o, "status",
		                       json_object_new_string(status_names[f->status]));
		json_object_object_add(o, "reason", json_object_new_string(f->reason));
		json_object_object_add(o, "remedy",
		                       *f->remedy ? json_object_new_string(f->remedy) : NULL);
		printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
	}
}

static void print_text(const struct report *report)
{
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

	for (size_t i = 0; i < report->count; i++) {
		const struct finding *f = &report->findings[i];

		printf("%s%-8s%s %-16s %s\n", colour ? colours[f->status] : "",
		       status_names[f->status], colour ? "\033[0m" : "", f->check, f->reason);
		if (*f->remedy)
			printf("%-8s %-16s -> %s\n", "", "", f->remedy);
	}
}

static void usage(FILE *to)
{
	fputs("usage: weir doctor [--json]\n"
	      "\n"
	      "Say what this machine and this user can do, and what changes what they cannot.\n"
	      "\n"
	      "  -j, --json  one JSON object a line: check, status, reason, remedy\n"
	      "  -h, --help\n",
	      to);
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct report report = { 0 };
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) >= 0) {
		if (c == 'h') {
			usage(stdout);
			return 0;
		}
		if (c != 'j') {
			fputs("`weir doctor --help` says more.\n", stderr);
			return 2;
		}
		json = true;
	}
	check_stub_folder(&report);
	check_memfd(&report);
	check_rseq(&report);
	check_clock(&report);
	check_limits(&report);
	check_ptrace(&report);
	check_uprobes(&report);
	check_bpf(&report);
	check_tracefs(&report);
	check_btf(&report);
	check_lttng(&report);
	if (json)
		print_json(&report);
	else
		print_text(&report);
	return 0;
}
