/* SPDX-License-Identifier: MIT */
/*
 * Events as lines of text and of JSON. This is the hot path of `weir trace`: what does not change
 * from event to event is prepared once per probe, numbers and strings are written by hand into one
 * large buffer. Everything else in the command uses json-c and stdio.
 */
#ifndef WEIR_CLI_FORMAT_H
#define WEIR_CLI_FORMAT_H

#include "reader/record.h"
#include "reader/tracer.h"

struct output {
	int fd;
	int error; /* errno of the first write that failed; nothing is written after it */
	char *buffer;
	size_t used;
};

int output_init(struct output *out, int fd);
void output_deinit(struct output *out);
/* Write what is buffered. Returns 0 or -errno, again for ever after a failure. */
int output_flush(struct output *out);

/* What a probe's lines have in common. */
struct format_probe;

struct format_probe *format_probe_create(const struct schema_probe *probe, bool colour);

struct format_event {
	int64_t time; /* ns since the epoch */
	uint32_t pid, tid, cpu;
	const char *thread; /* its name; text only */
	bool many;          /* several processes: show the pid; text only */
	const struct tracer_event *event;
	struct format_probe *probe;
};

/* Append a line; the output is flushed before it when it is full. */
void format_json(struct output *out, const struct format_event *event);
void format_text(struct output *out, const struct format_event *event, bool colour);

#endif
