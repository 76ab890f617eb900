/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_ERROR_H
#define WEIR_LIB_ERROR_H

#include <weir/weir.h>

/* Fill *err (may be NULL) and return `code`: `return error_set(err, -EINVAL, "...")`. */
int error_set(struct weir_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
