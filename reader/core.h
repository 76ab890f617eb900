/* SPDX-License-Identifier: MIT */
/*
 * A core file of Linux: memory, threads, and the files that were mapped. Pages that
 * were not dumped (code, by default) are read from those files, if they still are
 * what was mapped.
 */
#ifndef WEIR_READER_CORE_H
#define WEIR_READER_CORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reader/error.h"
#include "reader/maps.h"

struct core_file;

struct core_thread {
	pid_t tid;
	uint64_t thread_pointer;
};

/* -ENOEXEC: not a core file of this machine; -EBADMSG: malformed. */
int core_open(const char *path, struct weir_error *err, struct core_file **ret);
void core_close(struct core_file *core);

/* -EFAULT: not mapped; -ENODATA: it was dumped, but the file ends before. */
int core_read(struct core_file *core, uint64_t address, void *buf, size_t size);
/* How many bytes the file is too short for what it should have. */
uint64_t core_cut(const struct core_file *core);

/* The mapped files, borrowed: as maps_read() gives them for a process. */
const struct maps *core_maps(const struct core_file *core);
size_t core_threads(const struct core_file *core, const struct core_thread **ret);

/* Open mapped file `i`, if its build-id is the one in the core's memory (or neither is known).
   -ESTALE: another file is there now. */
int core_open_file(struct core_file *core, size_t i, int *fd, struct weir_error *err);

#endif
