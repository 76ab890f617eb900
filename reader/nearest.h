/* SPDX-License-Identifier: MIT */
#ifndef WEIR_READER_NEAREST_H
#define WEIR_READER_NEAREST_H

#include <stddef.h>

/*
 * The one of `names` that a person most likely meant by `word`: least edits (insert, delete,
 * replace, swap of neighbours), case aside; NULL if none is near enough to be worth a suggestion.
 * Borrowed from `names`.
 */
const char *nearest_name(const char *word, const char *const *names, size_t count);

/*
 * "no probe shop:ordr in process 12 (shopd); nearest: shop:order; `weir list -p 12` shows all".
 * `where` is "process 12 (shopd)" or a file; `names` are full names, PROVIDER:PROBE; `command` is
 * what shows all of them.
 */
struct weir_error;
int nearest_error(struct weir_error *err, const char *word, const char *where,
                  const char *const *names, size_t count, const char *command);

#endif
