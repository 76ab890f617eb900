/* SPDX-License-Identifier: MIT */
/* Within listing*.c: rows, files that were read already, and shared memories. */
#ifndef WEIR_READER_LISTING_ROWS_H
#define WEIR_READER_LISTING_ROWS_H

#include "reader/elf_notes.h"
#include "reader/listing.h"
#include "reader/schema.h"
#include "reader/shm.h"

/* Each file is read once, however many processes map it. */
struct file_cache {
	struct file_cache *next;
	dev_t dev;
	ino_t ino;
	struct elf_notes *notes; /* NULL: no ELF file, or none that could be read */
};

/* The notes of an open file, borrowed from the listing; NULL: it has none. */
const struct elf_notes *listing_notes(struct listing *listing, int fd);

/* Count a file that could not be read; the first one's reason is kept. */
void listing_unread(struct listing *listing, const struct weir_error *why);

/* What a row is of: 0 and "" for a file. */
struct listing_owner {
	pid_t pid;
	const char *process;
	const char *file;
};

/*
 * The row of a probe, made unless a site of it made it before: rows from `from` on are this file's,
 * and sites of one probe follow each other. Borrowed until the next row is made. -ENOMEM.
 */
int listing_row(struct listing *listing, size_t from, const struct listing_owner *owner,
                const struct probe_desc *desc, struct listed_probe **ret);

/* Forget the rows from `count` on. */
void listing_truncate(struct listing *listing, size_t count);

static inline bool listing_wants(const struct listing_options *o, enum probe_kind kind,
                                 const char *provider, const char *name)
{
	return (kind == PROBE_WEIR || !o->only_weir) &&
	       (!o->patterns->count || patterns_match(o->patterns, provider, name));
}

/* What is published in a process now, by its shared memories. */
struct published {
	struct shm shm;
	struct schema schema;
	uint32_t *by_name; /* ids, sorted by provider and name */
	uint32_t count;
	bool *seen; /* by id: also found in a stub */
};

struct memories {
	struct published *list;
	size_t count;
};

/* Add a memory, taking `shm` over. -ENOMEM: it stays the caller's. */
int memories_add(struct memories *memories, struct shm *shm);
void memories_deinit(struct memories *memories);

/*
 * Is the stub's probe with its site at `site` published? Stubs stay mapped after withdraw. Where no
 * log knows its name it has no buffers, and only the stub can tell. *where and *id: the log's
 * record, or NULL.
 */
bool memories_published(const struct memories *memories, const struct probe_desc *desc,
                        uint64_t site, struct published **where, uint32_t *id);

/* Rows for what is in a log and was not seen in a stub. */
int memories_rows(struct listing *listing, const struct memories *memories,
                  const struct listing_owner *owner, const struct listing_options *options);

/* The tracers that have a buffer session on the probe. */
void memories_owners(const struct published *published, uint32_t id, struct listed_probe *row);

#endif
