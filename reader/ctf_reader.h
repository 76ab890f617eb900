/* SPDX-License-Identifier: MIT */
/*
 * Recordings read back, event by event, at the speed of a walk through mapped files. Only those that
 * weir wrote: their records are laid out as in memory, and `.weir` beside the metadata says what the
 * probes are. The files are a stranger's: every length is checked.
 */
#ifndef WEIR_READER_CTF_READER_H
#define WEIR_READER_CTF_READER_H

#include "reader/record.h"
#include "reader/schema.h"

#include <sys/types.h>

struct ctf_trace {
	char *path;
	char *process, *command;
	pid_t pid;
	double ns_per_tick;
	int64_t epoch_ns;             /* of 0 ticks */
	struct schema_probe **probes; /* by id */
	uint32_t ids;
	void *document; /* holds the names */
};

struct ctf_event {
	const struct ctf_trace *trace;
	const struct schema_probe *probe;
	int64_t time; /* ns since the epoch */
	uint32_t tid;
	const struct record_value *values;
};

struct ctf_reading {
	void (*event)(void *arg, const struct ctf_event *event);
	void *arg;
	uint64_t events, packets, lost, bytes;
	uint64_t unknown; /* events of probes that nothing is known of */
	uint64_t cut;     /* files that end within a packet */
};

/* Open the trace in one folder. -ENOENT: there is none that weir wrote. */
int ctf_trace_open(const char *path, struct ctf_trace **ret, struct weir_error *err);
void ctf_trace_close(struct ctf_trace *trace);

/* All events, file by file: ordered by time within each only. */
int ctf_trace_read(const struct ctf_trace *trace, struct ctf_reading *reading,
                   struct weir_error *err);

/* Every trace below a folder, in turn. Returns their number. */
int ctf_read_all(const char *path, struct ctf_reading *reading, struct weir_error *err);

#endif
