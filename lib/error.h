/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_ERROR_H
#define WEIR_LIB_ERROR_H

#include <weir/weir.h>

/* Fill *err (may be NULL) and return `code`: `return error_set(err, -EINVAL, "...")`. */
int error_set(struct weir_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A name that somebody gave, to be shown: at most `room` - 1 bytes of it, with what a terminal would
 * take for a command, and what is not ASCII, as '?'. Returns `to`.
 */
const char *error_text(const char *from, char *to, size_t room);

#endif
