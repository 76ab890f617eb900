/* SPDX-License-Identifier: MIT */
/* A bar on a terminal's last line for what takes longer than half a second. */
#ifndef WEIR_CLI_PROGRESS_H
#define WEIR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct progress {
	const char *what; /* borrowed */
	struct timespec start;
	double next; /* s since the start: not drawn again before */
	bool shown;
};

void progress_init(struct progress *p, const char *what);
/* As types_options.progress wants it: `arg` is the struct progress. */
void progress_show(void *arg, size_t done, size_t total);
/* Of a recording: bytes read, of how many, and events so far. With rate and time left. */
void progress_events(struct progress *p, uint64_t done, uint64_t total, uint64_t events);
/* Clear the line, if there is one. */
void progress_done(struct progress *p);

#endif
