/* SPDX-License-Identifier: MIT */
/* A bar on a terminal's last line for what takes longer than half a second. */
#ifndef WEIR_CLI_PROGRESS_H
#define WEIR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct progress {
	const char *what; /* borrowed */
	struct timespec start;
	bool shown;
};

void progress_init(struct progress *p, const char *what);
/* As types_options.progress wants it: `arg` is the struct progress. */
void progress_show(void *arg, size_t done, size_t total);
/* Clear the line, if there is one. */
void progress_done(struct progress *p);

#endif
