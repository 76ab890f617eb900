/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_HEADER_CACHE_H
#define WEIR_TYPES_HEADER_CACHE_H

#include <time.h>

#include "types/internal.h"

/* The name for a header that this compiler compiles so. False: there is no such compiler or header. */
bool header_cache_name(const char *header, const char *cc, const char *const *cflags, char *name,
                       size_t size);
/* -ENOENT: not there, or made from other contents. */
int header_cache_get(const struct types_options *opts, const char *name, struct image *ret);
/* `rule`: the compiler's list of what it read (-MD); `begun`: when it was started. Best effort. */
void header_cache_put(const struct types_options *opts, const char *name, const char *rule,
                      time_t begun, struct image *image);

#endif
