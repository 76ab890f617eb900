/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_ERROR_H
#define WEIR_TYPES_ERROR_H

#include <weir/weir.h>

/* Fill *err (may be NULL) and return `code`: `return types_err(err, -EINVAL, "...")`. */
int types_err(struct weir_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
