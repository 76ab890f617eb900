/* SPDX-License-Identifier: MIT */
#include "reader/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader/cleanup.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF     39
#endif

/* Append `word` to `out` as a shell would have to read it; false: no room. */
static bool quote_word(char *out, size_t size, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "-_=+./,:@%";
	size_t used = strlen(out);
	bool quotes = !*word || word[strspn(word, plain)];
	int n;

	if (strchr(word, '\''))
		return false;
	n = snprintf(out + used, size - used, "%s%s%s%s", used ? " " : "", quotes ? "'" : "", word,
	             quotes ? "'" : "");
	return n >= 0 && (size_t)n < size - used;
}

/* Our command line, so that the remedy can be pasted; `weir ...` where it is too long. */
static void own_command(char *out, size_t size)
{
	char cmdline[4096];
	ssize_t n = process_file(0, "cmdline", cmdline, sizeof(cmdline));

	out[0] = '\0';
	for (ssize_t at = 0; at < n; at += strlen(cmdline + at) + 1) {
		if (!quote_word(out, size, cmdline + at)) {
			snprintf(out, size, "weir ...");
			return;
		}
	}
	process_printable(out);
}

static int read_int(const char *path, int none)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int value;

	return f && fscanf(f, "%d", &value) == 1 ? value : none;
}

/*
 * Everything in /proc/PID but the folder itself belongs to root while the process is not dumpable.
 * That cannot be told apart for a process of root's own.
 */
static bool is_dumpable(const struct process *p)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/stat", p->pid);
	return stat(path, &st) || st.st_uid == p->uid.effective;
}

static bool is_descendant(pid_t pid)
{
	struct process p;

	for (int depth = 0; depth < 256 && pid > 1; depth++) {
		if (process_read(pid, &p))
			return false;
		if (p.ppid == getpid())
			return true;
		pid = p.ppid;
	}
	return false;
}

static bool is_initial_map(const char *map)
{
	unsigned long inside, outside, length;

	return sscanf(map, "%lu %lu %lu", &inside, &outside, &length) == 3 && !inside && !outside &&
	       length == 4294967295ul;
}

/*
 * ns/user needs the very right in question, uid_map does not: it tells namespaces apart that map
 * ids differently, which all but contrived ones do.
 */
static void look_at_namespaces(pid_t pid, struct rights_facts *f)
{
	char ours[1024], theirs[1024];
	bool mapped;

	f->same_user_ns = f->traceable_ns = true;
	if (process_file(0, "uid_map", ours, sizeof(ours)) < 0 ||
	    process_file(pid, "uid_map", theirs, sizeof(theirs)) < 0)
		return;
	f->same_user_ns = !strcmp(ours, theirs);
	/* The kernel shows a map in ids of the reader's namespace: all ones where it has none. */
	mapped = !strstr(theirs, "4294967295 ") && !is_initial_map(theirs);
	f->traceable_ns = f->same_user_ns || is_initial_map(ours) || mapped;
}

static void look_at_ourselves(struct rights_facts *f)
{
	char status[4096], *line;
	ssize_t n = readlink("/proc/self/exe", f->exe, sizeof(f->exe) - 1);

	f->exe[n > 0 ? n : 0] = '\0';
	f->uid = geteuid();
	f->gid = getegid();
	f->ptrace_scope = read_int("/proc/sys/kernel/yama/ptrace_scope", -1);
	own_command(f->command, sizeof(f->command));
	if (process_file(0, "status", status, sizeof(status)) < 0)
		return;
	line = strstr(status, "\nCapEff:");
	f->caps_effective = line ? strtoull(line + 8, NULL, 16) : 0;
	line = strstr(status, "\nCapPrm:");
	f->caps_permitted = line ? strtoull(line + 8, NULL, 16) : 0;
	line = strstr(status, "\nSeccomp:");
	f->seccomp = line && strtol(line + 9, NULL, 10);
}

void rights_look(pid_t pid, struct rights_facts *ret)
{
	struct rights_facts f = { .dumpable = true, .same_user_ns = true, .traceable_ns = true };

	look_at_ourselves(&f);
	f.target.pid = pid;
	if (!process_read(pid, &f.target)) {
		f.exists = true;
		f.dumpable = is_dumpable(&f.target);
		f.descendant = is_descendant(pid);
		look_at_namespaces(pid, &f);
	} else {
		f.exists = f.hidden = process_exists(pid);
	}
	*ret = f;
}

uint64_t rights_own_caps(void)
{
	struct rights_facts f = { 0 };

	look_at_ourselves(&f);
	return f.caps_effective;
}

static void user_name(uid_t uid, char *out, size_t size)
{
	struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(out, size, "%.40s", pw->pw_name);
	else
		snprintf(out, size, "uid %u", uid);
}

static bool ids_match(const struct process_ids *ids, uid_t id)
{
	return ids->real == id && ids->effective == id && ids->saved == id;
}

static int judge_process(const struct rights_facts *f, struct weir_error *err)
{
	const struct process *p = &f->target;

	if (!f->exists)
		return weir_err(err, -ESRCH,
		                "no process %d: it has ended, or never was; `weir list` shows what "
		                "can be traced",
		                p->pid);
	if (f->hidden)
		return weir_err(err, -EPERM,
		                "process %d belongs to another user, and /proc hides it (hidepid); "
		                "try: sudo %s",
		                p->pid, f->command);
	if (p->kernel_thread)
		return weir_err(err, -EINVAL,
		                "process %d (%s) is a kernel thread: it has no user-space probes",
		                p->pid, p->comm);
	if (p->state == 'Z' || p->state == 'X')
		return weir_err(err, -ESRCH,
		                "process %d (%s) has ended; only its exit status is left, for its "
		                "parent %d",
		                p->pid, p->comm, p->ppid);
	return 0;
}

static int judge_ids(const struct rights_facts *f, struct weir_error *err)
{
	const struct process *p = &f->target;
	char theirs[48], ours[48];

	if (!ids_match(&p->uid, f->uid)) {
		user_name(p->uid.real != f->uid ? p->uid.real : p->uid.effective, theirs,
		          sizeof(theirs));
		user_name(f->uid, ours, sizeof(ours));
		return weir_err(err, -EPERM,
		                "process %d (%s) runs as %s, and you are %s without "
		                "CAP_SYS_PTRACE; try: sudo %s",
		                p->pid, p->comm, theirs, ours, f->command);
	}
	if (!ids_match(&p->gid, f->gid))
		return weir_err(err, -EPERM,
		                "process %d (%s) runs with group %u, and yours is %u: without "
		                "CAP_SYS_PTRACE both must be the same; try: sudo %s",
		                p->pid, p->comm, p->gid.effective, f->gid, f->command);
	return 0;
}

static int judge_scope(const struct rights_facts *f, struct weir_error *err)
{
	const struct process *p = &f->target;

	if (f->ptrace_scope >= 3)
		return weir_err(err, -EPERM,
		                "memory of process %d (%s) cannot be read: "
		                "kernel.yama.ptrace_scope is 3, which nobody can change before a "
		                "reboot",
		                p->pid, p->comm);
	if (f->ptrace_scope == 2)
		return weir_err(err, -EPERM,
		                "memory of process %d (%s) cannot be read: "
		                "kernel.yama.ptrace_scope is 2 and you lack CAP_SYS_PTRACE; try: "
		                "sudo %s",
		                p->pid, p->comm, f->command);
	if (f->ptrace_scope == 1 && !f->descendant)
		return weir_err(err, -EPERM,
		                "memory of process %d (%s) cannot be read: "
		                "kernel.yama.ptrace_scope is 1, which allows a process's ancestors "
		                "only; try: sudo %s; or: sudo sysctl kernel.yama.ptrace_scope=0",
		                p->pid, p->comm, f->command);
	return 0;
}

bool rights_in_user_ns(void)
{
	char ours[256];

	return process_file(0, "uid_map", ours, sizeof(ours)) >= 0 && !is_initial_map(ours);
}

/* What ptrace_may_access asks of somebody without CAP_SYS_PTRACE, in its order. */
static int judge_ptrace(const struct rights_facts *f, enum rights_need need, struct weir_error *err)
{
	const struct process *p = &f->target;
	int refused = judge_ids(f, err);

	if (refused)
		return refused;
	if (!f->dumpable)
		return weir_err(err, -EPERM,
		                "process %d (%s) is not dumpable: it changed its user, runs a "
		                "program with extra rights or an unreadable one, or asked for it "
		                "(PR_SET_DUMPABLE); that needs CAP_SYS_PTRACE: sudo %s",
		                p->pid, p->comm, f->command);
	if (p->caps_permitted & ~f->caps_effective)
		return weir_err(err, -EPERM,
		                "process %d (%s) holds capabilities that you lack (%#llx): that "
		                "needs CAP_SYS_PTRACE; try: sudo %s",
		                p->pid, p->comm,
		                (unsigned long long)(p->caps_permitted & ~f->caps_effective),
		                f->command);
	return need == RIGHTS_MEMORY ? judge_scope(f, err) : 0;
}

/* /proc/PID/fd and mem are their owner's alone: root's, if the process is not dumpable. */
static int judge_folder(const struct rights_facts *f, enum rights_need need, struct weir_error *err)
{
	const struct process *p = &f->target;

	if (rights_has(f->caps_effective, CAP_DAC_READ_SEARCH) ||
	    rights_has(f->caps_effective, CAP_DAC_OVERRIDE) ||
	    (f->dumpable && ids_match(&p->uid, f->uid)))
		return 0;
	return weir_err(err, -EPERM,
	                "process %d (%s) %s: beside CAP_SYS_PTRACE, which you have, that takes "
	                "CAP_DAC_READ_SEARCH, for /proc/%d/%s; try: sudo %s; or: sudo setcap "
	                "cap_sys_ptrace,cap_dac_read_search=ep %s",
	                p->pid, p->comm, f->dumpable ? "is another user's" : "is not dumpable",
	                p->pid, need == RIGHTS_READ ? "fd" : "mem", f->command, f->exe);
}

static int judge_trap(const struct rights_facts *f, struct weir_error *err)
{
	bool perfmon = rights_has(f->caps_effective, CAP_PERFMON);
	bool bpf = rights_has(f->caps_effective, CAP_BPF);

	if (rights_has(f->caps_effective, CAP_SYS_ADMIN) || (perfmon && bpf))
		return 0;
	return weir_err(err, -EPERM,
	                "uprobes and BPF programs need %s, which you lack; try: sudo %s; or: sudo "
	                "setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep %s",
	                perfmon ? "CAP_BPF"
	                : bpf   ? "CAP_PERFMON"
	                        : "CAP_BPF and CAP_PERFMON",
	                f->command, f->exe);
}

int rights_judge(const struct rights_facts *f, enum rights_need need, int code,
                 struct weir_error *err)
{
	const struct process *p = &f->target;
	int refused = judge_process(f, err);

	if (refused)
		return refused;
	if (need == RIGHTS_TRAP) {
		refused = judge_trap(f, err);
	} else if (!f->traceable_ns) {
		refused = weir_err(err, -EPERM,
		                   "process %d (%s) lives in another user namespace than weir, "
		                   "outside of what this one may look into: run weir on the host, "
		                   "as root",
		                   p->pid, p->comm);
	} else if (!rights_has(f->caps_effective, CAP_SYS_PTRACE)) {
		refused = judge_ptrace(f, need, err);
	} else if (need == RIGHTS_MEMORY && f->ptrace_scope >= 3) {
		refused = judge_scope(f, err);
	} else {
		refused = judge_folder(f, need, err);
	}
	if (refused)
		return refused;
	return weir_err(err, code, "process %d (%s): %s%s", p->pid, p->comm, strerror(-code),
	                code != -EPERM && code != -EACCES ? ""
	                : f->seccomp
	                    ? "; weir runs under a seccomp filter (a container?) that may "
	                      "be what refuses: run it outside"
	                    : "; a security module (SELinux, AppArmor) may be what refuses: "
	                      "see `sudo dmesg`");
}

int rights_explain(pid_t pid, enum rights_need need, int code, struct weir_error *err)
{
	struct rights_facts facts;

	rights_look(pid, &facts);
	return rights_judge(&facts, need, code, err);
}
