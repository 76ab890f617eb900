/* SPDX-License-Identifier: MIT */
/* "provider:probe" globs: * ? [a-z] [!a-z]. A pattern without a colon names a provider. */
#ifndef WEIR_READER_PATTERN_H
#define WEIR_READER_PATTERN_H

#include <weir/weir.h>

#include <stdbool.h>
#include <stddef.h>

/* Takes time proportional to the product of the lengths at most, whatever the pattern. */
bool glob_match(const char *pattern, size_t pattern_size, const char *text, size_t text_size);

struct patterns {
	const char **list; /* each with exactly one colon; owned */
	size_t count;
};

/* `*ret` is the caller's. -EINVAL with a message: an empty part or a character no name can have. */
int patterns_parse(const char *const *args, size_t count, struct patterns *ret,
                   struct weir_error *err);
void patterns_deinit(struct patterns *patterns);

bool patterns_match(const struct patterns *patterns, const char *provider, const char *probe);
bool pattern_match(const char *pattern, const char *provider, const char *probe);

/* All of them joined by `;` into `ret`; false if they do not fit with their NUL. */
bool patterns_join(const struct patterns *patterns, char *ret, size_t size);

#endif
