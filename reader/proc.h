/* SPDX-License-Identifier: MIT */
/* What /proc says about a process, beyond reader/process.h: in the tracer's inner loop. */
#ifndef WEIR_READER_PROC_H
#define WEIR_READER_PROC_H

#include <weir/weir.h>

#include <stdbool.h>
#include <sys/types.h>

/* Its pid in its own (innermost) pid namespace. -ENOENT: no such process. */
int proc_inner_pid(pid_t pid, pid_t *ret);

/* The name of a thread or process ("?" if it is gone); `size` bytes at most. */
void proc_comm(pid_t pid, pid_t tid, char *name, size_t size);

/* Clock ticks since boot when it started: with the pid it names a process for good. */
int proc_start(pid_t pid, unsigned long long *start, pid_t *parent);

/* Children that its main thread forked, `most` at most. Returns their number; 0 if not known. */
int proc_children(pid_t pid, pid_t *children, int most);

/* CLOCK_MONOTONIC of the process minus that of the caller, in ns (time namespaces). */
long long proc_monotonic_offset(pid_t pid);

/*
 * Does it run a program? Not if it is ending, or if its main thread has ended: then the kernel shows
 * neither descriptors nor mappings of it.
 */
bool proc_has_program(pid_t pid);

#endif
