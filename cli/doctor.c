/* SPDX-License-Identifier: MIT */
/*
 * weir doctor: what this machine and this user can do. Every line is tried, not guessed from a
 * version, and one that is not ok says why and what changes it.
 */
#include "cli/cmd.h"
#include "cli/doctor.h"
#include "reader/ctf_foreign.h"
#include "reader/maps.h"
#include "reader/process.h"
#include "reader/rights.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif
#define TRACEFS_MAGIC_ 0x74726163

#define SETCAP(caps) "sudo weir ...; or: sudo setcap " caps "=ep $(command -v weir)"
#define PTRACE_CAPS  "cap_sys_ptrace,cap_dac_read_search"

static const char *const status_names[] = { "ok", "limited", "missing" };

void doctor_add(struct report *report, const char *check, enum status status, const char *remedy,
                const char *reason, ...)
{
	struct finding *f;
	va_list ap;

	if (report->count == sizeof(report->findings) / sizeof(report->findings[0]))
		return;
	f = &report->findings[report->count++];
	f->check = check;
	f->status = status;
	va_start(ap, reason);
	vsnprintf(f->reason, sizeof(f->reason), reason, ap);
	va_end(ap);
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy);
}

long doctor_sysctl(const char *path)
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

/*
 * A system call was refused to somebody who has the capability for it: who refuses then? NULL if
 * rights are what is missing.
 */
static const char *refused_by_filter(int code, int cap)
{
	struct rights_facts facts;

	rights_look(getpid(), &facts);
	if (!facts.seccomp || (code != EPERM && code != EACCES && code != ENOSYS))
		return NULL;
	if (code != ENOSYS && !have(cap) && !have(CAP_SYS_ADMIN))
		return NULL;
	return "run weir outside of the container, or allow perf_event_open and bpf in its seccomp "
	       "profile";
}

/* --- in the tracer */

static void check_ptrace(struct report *r)
{
	long scope = doctor_sysctl("/proc/sys/kernel/yama/ptrace_scope");

	bool reads = have(CAP_DAC_READ_SEARCH) || have(CAP_DAC_OVERRIDE);

	if (have(CAP_SYS_PTRACE) && rights_in_user_ns())
		doctor_add(r, "other processes", LIMITED, "run weir on the host, as root",
		           "processes of this user namespace can be traced, those outside of it "
		           "not, whatever capabilities this user has in it");
	else if (have(CAP_SYS_PTRACE) && reads)
		doctor_add(r, "other processes", OK, "",
		           "CAP_SYS_PTRACE: every user's processes can be traced");
	else if (have(CAP_SYS_PTRACE))
		doctor_add(r, "other processes", LIMITED, SETCAP(PTRACE_CAPS),
		           "CAP_SYS_PTRACE, but no CAP_DAC_READ_SEARCH, which /proc/PID/fd of "
		           "others takes: processes of this user can be traced");
	else if (scope < 1)
		doctor_add(r, "other processes", LIMITED, SETCAP(PTRACE_CAPS),
		           "processes of this user can be traced, others' not");
	else
		doctor_add(
		    r, "other processes", LIMITED,
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
	long type = doctor_sysctl("/sys/bus/event_source/devices/uprobe/type");
	struct perf_event_attr attr = { .size = sizeof(attr),
		                        .sample_period = 1,
		                        .wakeup_events = 1 };
	uint64_t offset;
	char path[4096];
	int fd;

	if (type < 0 && access("/sys/bus", F_OK)) {
		doctor_add(r, "uprobes", LIMITED, "sudo mount -t sysfs sysfs /sys",
		           "could not be tried: /sys is not mounted");
		return;
	}
	if (type < 0) {
		doctor_add(r, "uprobes", MISSING, "a kernel with CONFIG_UPROBE_EVENTS",
		           "this kernel has none: USDT cannot be traced; buffers can");
		return;
	}
	if (own_function(path, sizeof(path), &offset)) {
		doctor_add(r, "uprobes", LIMITED, "mount /proc",
		           "could not be tried: our own mappings cannot be read");
		return;
	}
	attr.config2 = offset;
	attr.type = (uint32_t)type;
	attr.config1 = (uintptr_t)path;
	fd = (int)syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0) {
		doctor_add(r, "uprobes", OK, "", "a probe on our own executable could be placed");
		close(fd);
	} else {
		int code = errno;
		const char *filter = refused_by_filter(code, CAP_PERFMON);

		/* Some kernels are content with CAP_PERFMON; this one may not be. */
		doctor_add(r, "uprobes", MISSING, filter ? filter : SETCAP("cap_sys_admin"),
		           "perf_event_open: %s (%skernel.perf_event_paranoid=%ld): USDT cannot be "
		           "traced; "
		           "buffers can",
		           strerror(code), filter ? "a seccomp filter; " : "",
		           doctor_sysctl("/proc/sys/kernel/perf_event_paranoid"));
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
	long disabled = doctor_sysctl("/proc/sys/kernel/unprivileged_bpf_disabled");
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd >= 0) {
		doctor_add(r, "BPF", OK, "", "a tracing program could be loaded");
		close(fd);
	} else {
		int code = errno;
		const char *filter = refused_by_filter(code, CAP_BPF);

		doctor_add(r, "BPF", MISSING, filter ? filter : SETCAP("cap_bpf,cap_perfmon"),
		           "loading a program: %s (%skernel.unprivileged_bpf_disabled=%ld)%s",
		           strerror(code), filter ? "a seccomp filter; " : "", disabled,
		           disabled == 0 ? "" : "; weir trace and weir record do without");
	}
}

static void check_perf(struct report *r)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
		                        .type = PERF_TYPE_SOFTWARE,
		                        .config = PERF_COUNT_SW_CPU_CLOCK,
		                        .sample_period = 1000000 };
	long paranoid = doctor_sysctl("/proc/sys/kernel/perf_event_paranoid");
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0) {
		doctor_add(r, "perf events", OK, "",
		           "whole processors can be sampled, the kernel too");
		close(fd);
		return;
	}
	attr.exclude_kernel = attr.exclude_hv = 1;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0) {
		doctor_add(r, "perf events", LIMITED,
		           "sudo sysctl kernel.perf_event_paranoid=-1, or CAP_PERFMON",
		           "this user's processes can be sampled, without the kernel "
		           "(kernel.perf_event_paranoid=%ld)",
		           paranoid);
		close(fd);
	} else {
		int code = errno;
		/* At 2 and below, everybody may sample himself: something else refuses. */
		bool by_paranoia = paranoid > 2 && !have(CAP_PERFMON) && !have(CAP_SYS_ADMIN);
		const char *filter = refused_by_filter(code, CAP_PERFMON);

		if (!filter && (!by_paranoia || code == ENOSYS))
			filter =
			    "a container, a virtual machine or a security module that allows it";
		doctor_add(r, "perf events", MISSING,
		           by_paranoia && code != ENOSYS
		               ? "sudo sysctl kernel.perf_event_paranoid=2, or CAP_PERFMON"
		               : filter,
		           "perf_event_open: %s (%skernel.perf_event_paranoid=%ld)", strerror(code),
		           by_paranoia ? "" : "a seccomp filter or the like; ", paranoid);
	}
}

static const char *tracefs_path(void)
{
	static const char *const paths[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	struct statfs fs;

	for (int i = 0; i < 2; i++) {
		if (!statfs(paths[i], &fs) && fs.f_type == TRACEFS_MAGIC_)
			return paths[i];
	}
	return NULL;
}

static void check_tracefs(struct report *r)
{
	const char *path = tracefs_path();

	if (!path)
		doctor_add(r, "tracefs", LIMITED,
		           "sudo mount -t tracefs tracefs /sys/kernel/tracing",
		           "not mounted: perf probe and bcc need it");
	else if (access(path, R_OK | X_OK))
		doctor_add(r, "tracefs", LIMITED,
		           "sudo, or sudo mount -o remount,gid=GROUP "
		           "/sys/kernel/tracing",
		           "mounted at %s, but this user may not look into it: perf probe and bcc "
		           "need it",
		           path);
	else
		doctor_add(r, "tracefs", OK, "", "mounted at %s", path);
}

static void check_btf(struct report *r)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		doctor_add(r, "kernel BTF", OK, "", "/sys/kernel/btf/vmlinux");
	else
		doctor_add(r, "kernel BTF", LIMITED, "a kernel with CONFIG_DEBUG_INFO_BTF",
		           "this kernel has none: BPF tools need its headers");
}

/* Does a daemon answer on a socket of this folder? One that was killed leaves its socket behind. */
static bool answers(const char *folder)
{
	DIR *dir = opendir(folder);
	bool found = false;

	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		struct sockaddr_un at = { .sun_family = AF_UNIX };
		int fd;

		if (strncmp(e->d_name, "lttng-ust-sock", 14) ||
		    snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", folder, e->d_name) >=
		        (int)sizeof(at.sun_path))
			continue;
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		found = fd >= 0 && !connect(fd, (struct sockaddr *)&at, sizeof(at));
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool session_daemon(char *where, size_t size)
{
	const char *home = getenv("LTTNG_HOME") ? getenv("LTTNG_HOME") : getenv("HOME");

	snprintf(where, size, "%s/.lttng", home ? home : "/");
	if (answers(where))
		return true;
	snprintf(where, size, "/var/run/lttng");
	return answers(where);
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
		doctor_add(
		    r, "LTTng", MISSING, "sudo apt-get install liblttng-ust1 lttng-tools",
		    "liblttng-ust.so.1 is not there: providers that ask for LTTng do without");
	else if (!session_daemon(where, sizeof(where)))
		doctor_add(r, "LTTng", LIMITED, "lttng-sessiond --daemonize",
		           "the library is there; no session daemon answers");
	else
		doctor_add(r, "LTTng", OK, "",
		           "the library is there, and a session daemon answers in %s", where);
}

static void check_foreign(struct report *r)
{
	struct weir_error err;
	int rc = ctf_foreign_check(&err);

	if (!rc)
		doctor_add(r, "LTTng's traces", OK, "", "weir report reads them");
	else
		doctor_add(r, "LTTng's traces", LIMITED,
		           rc == -ENOSYS
		               ? "sudo apt-get install libbabeltrace2-dev, and build weir again"
		               : "sudo apt-get install libbabeltrace2-0",
		           "weir report reads its own recordings only: %s", err.message);
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
	if (optind < argc) {
		cli_fail("doctor takes no arguments: what is `%s`? `weir doctor --help` says more",
		         argv[optind]);
		return 2;
	}
	doctor_target(&report);
	check_ptrace(&report);
	check_uprobes(&report);
	check_bpf(&report);
	check_perf(&report);
	check_tracefs(&report);
	check_btf(&report);
	check_lttng(&report);
	check_foreign(&report);
	if (json)
		print_json(&report);
	else
		print_text(&report);
	return 0;
}
