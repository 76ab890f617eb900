/* SPDX-License-Identifier: MIT */
/*
 * What /proc says about a process. Nothing here needs a right beyond seeing the process, and a
 * process that ends while it is looked at gives -ESRCH, never half an answer.
 */
#ifndef WEIR_READER_PROCESS_H
#define WEIR_READER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_ids {
	uid_t real, effective, saved, fs;
};

struct process {
	pid_t pid;   /* as weir sees it */
	pid_t nspid; /* as it sees itself: the same, but in a pid namespace */
	pid_t ppid;
	struct process_ids uid, gid;
	uint64_t caps_permitted;
	uint64_t start_time; /* clock ticks since boot: with the pid, names a process for ever */
	char state;          /* 'R', 'S', 'Z', ... */
	bool kernel_thread;
	char comm[64]; /* printable: control characters are shown as '?' */
};

/* -ESRCH: there is no such process, or it is hidden from us (see process_exists). */
int process_read(pid_t pid, struct process *ret);

/* Is there such a process at all, also if /proc hides it (hidepid)? */
bool process_exists(pid_t pid);

/*
 * Its command line, arguments separated by blanks, control characters replaced; "" for kernel
 * threads. The caller frees *ret.
 */
int process_cmdline(pid_t pid, char **ret);

/* All processes that /proc shows, in ascending order of pid. The caller frees *ret. */
int process_list(pid_t **ret, size_t *count);

/*
 * Read /proc/PID/NAME (pid 0: /proc/self) into a NUL terminated buffer; returns the number of bytes
 * or -errno.
 */
ssize_t process_file(pid_t pid, const char *name, char *buf, size_t size);

/* Replace what a terminal would act upon: control characters and bytes that are no UTF-8 start. */
void process_printable(char *text);

#endif
