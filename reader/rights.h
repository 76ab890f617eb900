/* SPDX-License-Identifier: MIT */
/*
 * Why a process cannot be traced, and the command that changes it.
 *
 * Call rights_explain() after something was refused (-EPERM, -EACCES, -ESRCH, -ENOENT): it looks at
 * the process, at us and at the system, and writes the sentence for the person:
 *
 *     err = open_something(pid);
 *     if (err)
 *             return rights_explain(pid, RIGHTS_READ, err, error);
 *
 * It follows the kernel's own order of checks (ptrace_may_access, then Yama), so that it names the
 * check that refused rather than all that could have.
 */
#ifndef WEIR_READER_RIGHTS_H
#define WEIR_READER_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "reader/error.h"
#include "reader/process.h"

enum rights_need {
	RIGHTS_READ,   /* PTRACE_MODE_READ: /proc/PID/fd, maps, root */
	RIGHTS_MEMORY, /* PTRACE_MODE_ATTACH: process_vm_readv, /proc/PID/mem */
	RIGHTS_TRAP,   /* uprobes and BPF programs: CAP_PERFMON and CAP_BPF */
};

/*
 * Fill *err (may be NULL) and return its code: -ESRCH for a process that does not exist (any more),
 * -EPERM for a right that is missing, else `code`, which is what was refused.
 */
int rights_explain(pid_t pid, enum rights_need need, int code, struct weir_error *err);

/* The same in two steps, for tests and `weir doctor`: look, then judge without looking. */
struct rights_facts {
	struct process target;
	bool exists; /* there is a process of that pid */
	bool hidden; /* /proc does not show it (hidepid) */
	bool dumpable;
	bool same_user_ns; /* as far as can be seen */
	bool traceable_ns; /* our user namespace is the initial one, or the target's is the same */
	uid_t uid;         /* ours: those that ptrace compares */
	gid_t gid;
	uint64_t caps_effective, caps_permitted; /* ours */
	int ptrace_scope;                        /* Yama's, or -1 */
	bool descendant;                         /* the target is our child, or its child, ... */
	bool seccomp;                            /* we run under a seccomp filter */
	char command[160];                       /* our own command line, quoted for a shell */
	char exe[128];                           /* our own executable */
};

void rights_look(pid_t pid, struct rights_facts *ret);
int rights_judge(const struct rights_facts *facts, enum rights_need need, int code,
                 struct weir_error *err);

/* Does `caps` (a mask as in /proc/PID/status) hold CAP_...? */
static inline bool rights_has(uint64_t caps, int cap)
{
	return caps >> cap & 1;
}

/* Capability bits of this process that are in effect. */
uint64_t rights_own_caps(void);

/* Does this process live in a user namespace other than the first one? Its capabilities end there. */
bool rights_in_user_ns(void);

#endif
