/* SPDX-License-Identifier: MIT */
/*
 * rights_judge on every cause, and rights_explain on real processes: a dead one, a zombie, another
 * user's, one that is not dumpable. What Yama refuses is judged from facts: not every kernel has
 * it.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "reader/rights.h"

#define NOBODY 65534

static const struct rights_facts same_user = {
	.target = { .pid = 12,
	            .comm = "shopd",
	            .state = 'S',
	            .uid = { 1000, 1000, 1000, 1000 },
	            .gid = { 1000, 1000, 1000, 1000 } },
	.exists = true,
	.dumpable = true,
	.same_user_ns = true,
	.traceable_ns = true,
	.uid = 1000,
	.gid = 1000,
	.ptrace_scope = -1,
	.command = "weir list -p 12",
	.exe = "/usr/bin/weir",
};

static void expect(const struct rights_facts *f, enum rights_need need, int code,
                   const char *words[])
{
	struct weir_error err = { 0 };

	assert_int_equal(rights_judge(f, need, -EACCES, &err), code);
	assert_int_equal(err.code, code);
	for (; *words; words++) {
		if (!strstr(err.message, *words))
			fail_msg("no `%s` in: %s", *words, err.message);
	}
}

#define EXPECT(f, need, code, ...) expect(f, need, code, (const char *[]){ __VA_ARGS__, NULL })

/* /proc/PID/fd of a process that is not one's own asks for more than ptrace does. */
static void asks_for_the_folder(void **state)
{
	struct rights_facts f = same_user;

	(void)state;
	f.caps_effective = UINT64_C(1) << CAP_SYS_PTRACE;
	EXPECT(&f, RIGHTS_READ, -EACCES, "security module");
	f.dumpable = false;
	EXPECT(&f, RIGHTS_READ, -EPERM, "not dumpable", "CAP_DAC_READ_SEARCH", "sudo");
	EXPECT(&f, RIGHTS_MEMORY, -EPERM, "not dumpable", "CAP_DAC_READ_SEARCH", "/mem");
	f.dumpable = true;
	f.uid = 1001;
	EXPECT(&f, RIGHTS_READ, -EPERM, "another user's", "CAP_DAC_READ_SEARCH", "sudo setcap");
	f.caps_effective |= UINT64_C(1) << CAP_DAC_READ_SEARCH;
	EXPECT(&f, RIGHTS_READ, -EACCES, "security module");
}

static void judges_each_cause(void **state)
{
	struct rights_facts f;

	(void)state;
	f = same_user, f.exists = false;
	EXPECT(&f, RIGHTS_READ, -ESRCH, "no process 12");
	f = same_user, f.hidden = true;
	EXPECT(&f, RIGHTS_READ, -EPERM, "hidepid", "sudo weir list -p 12");
	f = same_user, f.target.kernel_thread = true;
	EXPECT(&f, RIGHTS_READ, -EINVAL, "kernel thread");
	f = same_user, f.target.state = 'Z';
	EXPECT(&f, RIGHTS_READ, -ESRCH, "12 (shopd) has ended");
	f = same_user, f.target.uid.saved = 0;
	EXPECT(&f, RIGHTS_READ, -EPERM, "CAP_SYS_PTRACE", "sudo weir list -p 12");
	f = same_user, f.target.gid.real = 5;
	EXPECT(&f, RIGHTS_READ, -EPERM, "group");
	f = same_user, f.dumpable = false;
	EXPECT(&f, RIGHTS_READ, -EPERM, "not dumpable", "sudo weir list -p 12");
	f = same_user, f.target.caps_permitted = 1 << CAP_NET_ADMIN;
	EXPECT(&f, RIGHTS_READ, -EPERM, "capabilities that you lack (0x1000)");
	f = same_user, f.traceable_ns = false;
	EXPECT(&f, RIGHTS_READ, -EPERM, "user namespace");
	f = same_user, f.seccomp = true;
	EXPECT(&f, RIGHTS_READ, -EACCES, "seccomp");
	f = same_user;
	EXPECT(&f, RIGHTS_READ, -EACCES, "security module");
}

static void judges_yama(void **state)
{
	struct rights_facts f = same_user;

	(void)state;
	f.ptrace_scope = 1;
	EXPECT(&f, RIGHTS_READ, -EACCES, "security module"); /* Yama does not look at reads */
	EXPECT(&f, RIGHTS_MEMORY, -EPERM, "sudo sysctl kernel.yama.ptrace_scope=0");
	f.descendant = true;
	EXPECT(&f, RIGHTS_MEMORY, -EACCES, "security module");
	f.ptrace_scope = 2;
	EXPECT(&f, RIGHTS_MEMORY, -EPERM, "ptrace_scope is 2", "CAP_SYS_PTRACE");
	f.ptrace_scope = 3;
	EXPECT(&f, RIGHTS_MEMORY, -EPERM, "ptrace_scope is 3", "reboot");
	f.caps_effective = 1ull << CAP_SYS_PTRACE;
	EXPECT(&f, RIGHTS_MEMORY, -EPERM, "ptrace_scope is 3");
	f.ptrace_scope = 2;
	EXPECT(&f, RIGHTS_MEMORY, -EACCES, "security module");
}

static void judges_trap(void **state)
{
	struct rights_facts f = same_user;

	(void)state;
	EXPECT(&f, RIGHTS_TRAP, -EPERM, "CAP_BPF and CAP_PERFMON",
	       "setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep /usr/bin/weir");
	f.caps_effective = 1ull << 38;
	EXPECT(&f, RIGHTS_TRAP, -EPERM, "need CAP_BPF,");
	f.caps_effective |= 1ull << 39;
	EXPECT(&f, RIGHTS_TRAP, -EACCES, "12 (shopd)");
}

/* Run `child` in a forked process as nobody, wait until it says it is ready, give back its pid. */
static pid_t spawn(void (*child)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_return_code(pipe(ready), errno);
	pid = fork();
	if (!pid) {
		if (child)
			child();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void reap(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
}

static void dumpable_nobody(void)
{
	become_nobody();
	prctl(PR_SET_DUMPABLE, 1);
}

static void undumpable(void)
{
	become_nobody();
	prctl(PR_SET_DUMPABLE, 0);
}

/* As nobody, what does rights_explain say of `pid`? */
static void explain_as_nobody(pid_t pid, struct weir_error *err)
{
	int out[2];
	pid_t child;

	assert_return_code(pipe(out), errno);
	child = fork();
	if (!child) {
		become_nobody();
		rights_explain(pid, RIGHTS_READ, -EACCES, err);
		_exit(write(out[1], err, sizeof(*err)) != sizeof(*err));
	}
	assert_int_equal(read(out[0], err, sizeof(*err)), sizeof(*err));
	waitpid(child, NULL, 0);
	close(out[0]);
	close(out[1]);
}

static void explains_real_processes(void **state)
{
	struct weir_error err;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	pid = spawn(NULL);
	explain_as_nobody(pid, &err);
	assert_int_equal(err.code, -EPERM);
	assert_non_null(strstr(err.message, "runs as root, and you are nobody"));
	reap(pid);
	explain_as_nobody(pid, &err);
	assert_int_equal(err.code, -ESRCH);

	pid = spawn(undumpable);
	explain_as_nobody(pid, &err);
	assert_int_equal(err.code, -EPERM);
	assert_non_null(strstr(err.message, "not dumpable"));
	reap(pid);

	pid = spawn(dumpable_nobody);
	explain_as_nobody(pid, &err);
	assert_int_equal(err.code, -EACCES); /* nothing is in the way */
	kill(pid, SIGKILL);
	siginfo_t info;
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	explain_as_nobody(pid, &err);
	assert_int_equal(err.code, -ESRCH);
	assert_non_null(strstr(err.message, "has ended"));
	reap(pid);
}

static void reads_processes(void **state)
{
	struct process p;
	char *cmdline = NULL;
	pid_t *pids = NULL;
	size_t count = 0, found = 0;

	(void)state;
	prctl(PR_SET_NAME, "a) b (\x1b[2J");
	assert_int_equal(process_read(getpid(), &p), 0);
	assert_string_equal(p.comm, "a) b (?[2J");
	assert_int_equal(p.ppid, getppid());
	assert_int_equal(p.uid.effective, geteuid());
	assert_true(p.start_time > 0);
	assert_int_equal(process_read(0, &p), -ESRCH);
	assert_int_equal(process_read(-1, &p), -ESRCH);
	assert_int_equal(process_cmdline(getpid(), &cmdline), 0);
	assert_non_null(strstr(cmdline, "rights"));
	free(cmdline);
	assert_int_equal(process_list(&pids, &count), 0);
	for (size_t i = 0; i < count; i++) {
		found += pids[i] == getpid();
		assert_true(!i || pids[i - 1] < pids[i]);
	}
	assert_int_equal(found, 1);
	free(pids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_each_cause),
		cmocka_unit_test(asks_for_the_folder),
		cmocka_unit_test(judges_yama),
		cmocka_unit_test(judges_trap),
		cmocka_unit_test(explains_real_processes),
		cmocka_unit_test(reads_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
