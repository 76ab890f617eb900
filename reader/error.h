/* SPDX-License-Identifier: MIT */
/*
 * One error idiom for everything on the tracer's side: a function returns 0 or
 * -errno and, where a person needs more, fills a caller-owned struct weir_error
 * (weir/weir.h): what failed, on what, why, and what to do.
 */
#ifndef WEIR_READER_ERROR_H
#define WEIR_READER_ERROR_H

#include <weir/weir.h>

/* Fill *err (may be NULL) and return `code`, so that a caller can `return weir_err(...)`. */
int weir_err(struct weir_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
