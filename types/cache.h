/* SPDX-License-Identifier: MIT */
/*
 * Images on disk, $XDG_CACHE_HOME/weir/types/NAME. NAME is the build-id, or, for a file that has
 * none, a hash of what stat() says of it.
 *
 * Many processes: a file is written under another name and renamed, so that a reader sees all of
 * it or the one before. A file is believed only if it belongs to this user (or root), nobody else
 * may write to it or to its directory, and its checksum is right: only what image_init() finds
 * sound is written. Together the files stay below CACHE_MAX: those not used for longest go first
 * (a use is noted in the access time).
 */
#ifndef WEIR_TYPES_CACHE_H
#define WEIR_TYPES_CACHE_H

#include "types/internal.h"

#define CACHE_MAX (512ULL << 20)

/* The name for a file; false if there is nothing to name it by. */
bool cache_name(const struct source *s, char *name, size_t size);
/* -ENOENT: not there, or not to be believed. */
int cache_get(const struct types_options *opts, const char *name, uint64_t key, struct image *ret);
/* The same of a file, under its own key. */
int cache_get_types(const struct source *s, const char *name, struct image *ret);
/* Best effort: a cache that cannot be written is no error. */
void cache_put(const struct types_options *opts, const char *name, const struct image *image);
/* A small file beside the images, under the same rules. *ret is from malloc. */
int cache_get_text(const struct types_options *opts, const char *name, size_t max, char **ret);
void cache_put_text(const struct types_options *opts, const char *name, const char *text);
/* The key under which an image of this file is valid: what it was made from (enum types_source) and
 * by which version. */
uint64_t cache_key(const struct source *s, uint32_t source);

#endif
