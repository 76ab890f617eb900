/* SPDX-License-Identifier: MIT */
/*
 * What typed reads are made on: a live process or a core file, as the names and the
 * memory that expressions want. Joins reader/ (memory, mapped files, threads) with
 * types/, which know nothing of each other.
 */
#ifndef WEIR_CLI_TARGET_H
#define WEIR_CLI_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "types/expr.h"
#include "types/space.h"

struct target;

struct target_options {
	const struct types_options *types; /* may be NULL */
	bool progress;                     /* show conversions that take long on stderr */
};

int target_open_process(pid_t pid, const struct target_options *opts, struct weir_error *err,
                        struct target **ret);
int target_open_core(const char *path, const struct target_options *opts, struct weir_error *err,
                     struct target **ret);
void target_close(struct target *target);
/* Bytes at its end that a core file lacks; 0: it is whole, or the target a process. */
uint64_t target_cut(const struct target *target);

struct space *target_space(struct target *target);
const struct expr_memory *target_memory(struct target *target);

/* Whose thread-local variables are meant; 0: the only thread. */
void target_set_thread(struct target *target, pid_t tid);

/* The threads, ascending. The caller frees *ret. */
int target_threads(struct target *target, pid_t **ret, size_t *count);

/*
 * A digest of all that was read since target_digest_begin(): addresses and bytes. Two
 * evaluations with equal digests saw the same.
 */
void target_digest_begin(struct target *target);
uint64_t target_digest(const struct target *target);

/* The path of an image whose file name begins with `prefix`; NULL: none. */
const char *target_image_path(struct target *target, const char *prefix);

/* Why the i-th of the files that could not be read could not be; NULL: there are no more. Files are
 * read when a name is looked for. */
const char *target_failure(const struct target *target, size_t i);

/* Has the process ended? Asks it, where target_gone() tells what reads have met. */
bool target_ended(struct target *target);
/* Did a read fail because the process ended or called exec? */
bool target_gone(const struct target *target);

#endif
