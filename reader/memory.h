/* SPDX-License-Identifier: MIT */
/*
 * Memory of a process, read from outside while it runs: nothing is stopped, nothing
 * is attached. What was read can therefore be torn; who needs to know reads twice
 * (memory_digest_*).
 */
#ifndef WEIR_READER_MEMORY_H
#define WEIR_READER_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reader/error.h"

struct process_memory;

/* -ESRCH, -EPERM: err says which right is missing and the command that grants it. */
int process_memory_open(pid_t pid, struct weir_error *err, struct process_memory **ret);
void process_memory_close(struct process_memory *m);

/* All of it, or -EFAULT (not mapped), -ESRCH (the process ended, or became another program). */
int process_memory_read(struct process_memory *m, uint64_t address, void *buf, size_t size);

/* One of many pieces of a batch; `rc` is its own result. */
struct memory_piece {
	uint64_t address;
	void *buf;
	size_t size;
	int rc;
};
/* In as few system calls as there are failing pieces. -ESRCH, -EPERM, or 0 (see each rc). */
int process_memory_readv(struct process_memory *m, struct memory_piece *pieces, size_t count);

#endif
