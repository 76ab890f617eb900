/* SPDX-License-Identifier: MIT */
/*
 * A file that is written as a whole or not at all: under another name beside it, and renamed when it
 * is complete. A symbolic link goes on leading there. What is not a regular file, such as /dev/stdout, is
 * written to directly.
 */
#ifndef WEIR_CLI_REPLACE_H
#define WEIR_CLI_REPLACE_H

#include <weir/weir.h>

#include <stddef.h>

int replace_file(const char *path, const void *data, size_t size, struct weir_error *err);

#endif
