/* SPDX-License-Identifier: MIT */
/*
 * Every probe that can be found: in a live process, in an ELF file, in what a core file names; and
 * who is attached to it. Three sources are put together:
 *   the files that a process has mapped    .note.weir, .note.stapsdt
 *   its shared memories' schema logs       what is published now; probes without a stub
 *   its memory, where it may be read       a patched site, a semaphore's count
 */
#ifndef WEIR_READER_LISTING_H
#define WEIR_READER_LISTING_H

#include "reader/pattern.h"
#include "reader/probe_desc.h"

#include <sys/types.h>

struct listed_field {
	char *name;
	const char *type;
};

enum listed_attached {
	ATTACHED_UNKNOWN = 1u << 0, /* its memory may not be read */
	ATTACHED_USDT = 1u << 1,    /* the site is patched */
};

struct listed_probe {
	pid_t pid; /* 0: from a file */
	char *process;
	enum probe_kind kind;
	char *provider, *name;
	char *file; /* "": in the shared memory only */
	struct listed_field *fields;
	size_t fields_count;
	size_t sites;
	bool has_semaphore;
	int semaphore;     /* its value; -1: not known */
	unsigned attached; /* enum listed_attached bits */
	uint32_t
	    owners[8]; /* tracers with a buffer session on it: their pids as they say themselves */
	size_t owners_count;
	bool deleted; /* the file has lost that path: tools that take a path find another or none */
	bool
	    replaced; /* the path has another file than what is mapped, as far as can be told: these
	                  are the other's probes */
};

struct listing {
	struct listed_probe *probes;
	size_t count;
	size_t room;
	size_t processes; /* that were looked at */
	size_t denied;    /* that may not be looked at */
	size_t refused;   /* notes that are not what they claim */
	size_t unread;    /* mapped files that could not be read; the first one's reason: */
	struct weir_error first_unread;
	struct file_cache *files;
};

/* `only_weir`: leave plain USDT probes away. Patterns may be empty: all. */
struct listing_options {
	const struct patterns *patterns;
	bool only_weir;
};

/*
 * Append the probes of a process. -ESRCH, -EACCES, -EPERM with the reason. A process that becomes
 * another program meanwhile is looked at again.
 */
int listing_process(struct listing *listing, pid_t pid, const struct listing_options *options,
                    struct weir_error *err);

/*
 * Append the probes of an ELF file; or of a core file: those of the files that its process had
 * mapped, and those in the schema logs, which are dumped with its memory.
 */
int listing_file(struct listing *listing, const char *path, const struct listing_options *options,
                 struct weir_error *err);

void listing_deinit(struct listing *listing);

#endif
