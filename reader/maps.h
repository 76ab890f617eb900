/* SPDX-License-Identifier: MIT */
/*
 * The files that a process has mapped for execution, and a safe way to open each: in the process's
 * own root, whatever its path has become since.
 */
#ifndef WEIR_READER_MAPS_H
#define WEIR_READER_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reader/error.h"

struct mapping {
	uint64_t start, end; /* addresses */
	uint64_t offset;     /* in the file */
	bool read, write, exec;
};

struct mapped_file {
	dev_t dev;
	ino_t ino;
	char *path;               /* as the process sees it, without " (deleted)" */
	bool deleted;             /* it has no name any more: removed, replaced, or a memfd */
	bool exec;                /* some mapping of it is executable */
	struct mapping *mappings; /* ascending */
	size_t mappings_count;
};

struct maps {
	struct mapped_file *files; /* each (dev, ino) once, in order of appearance */
	size_t count;
};

/* -ESRCH: no such process; -EACCES, -EPERM: ask rights_explain. Free with maps_deinit. */
int maps_read(pid_t pid, struct maps *ret);

/* The same from text in the format of /proc/PID/maps. */
int maps_parse(const char *text, struct maps *ret);

void maps_deinit(struct maps *maps);

enum maps_opened {
	MAPS_SAME = 1,     /* the very file that is mapped */
	MAPS_REPLACED = 2, /* the path's file of today, which is another (or a file system that
			      cannot tell): compare build-ids */
};

/*
 * Open a mapped file for reading. Regular files only; nothing else is opened at all, so a FIFO or a
 * device at that path is never touched. Tried in turn: the path in the process's root,
 * /proc/PID/map_files (which needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN), /proc/PID/exe, the
 * process's descriptors; what is not the mapped file itself comes last. -errno and the reason
 * otherwise.
 */
int maps_open(pid_t pid, const struct mapped_file *file, int *fd, enum maps_opened *how,
              struct weir_error *err);

/*
 * Where byte `offset` of the file is in the process, first; 0: in no mapping. A page of a file can be
 * mapped several times: for code the executable one is meant, for data the writable one. A core
 * file does not tell which is which: then it is the first.
 */
uint64_t maps_address(const struct mapped_file *file, uint64_t offset);
uint64_t maps_code_address(const struct mapped_file *file, uint64_t offset);
uint64_t maps_data_address(const struct mapped_file *file, uint64_t offset);

/* Open PATH, a regular file, for reading, as above: anything else gives -EINVAL untouched. */
int open_regular(int dir, const char *path, int *fd);

#endif
