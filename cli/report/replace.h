/* SPDX-License-Identifier: MIT */
/*
 * A file that is written as a whole or not at all: under another name beside it, and renamed when it
 * is complete. What is not a regular file, such as /dev/stdout, is written to directly.
 */
#ifndef WEIR_CLI_REPORT_REPLACE_H
#define WEIR_CLI_REPORT_REPLACE_H

#include <weir/weir.h>

#include <stdio.h>

struct replace {
	FILE *file;
	const char *path; /* borrowed */
	char *beside;     /* NULL: written directly */
};

int replace_open(struct replace *r, const char *path, struct weir_error *err);
/* Put it in its place, or remove it if anything of it could not be written. */
int replace_close(struct replace *r, struct weir_error *err);

#endif
