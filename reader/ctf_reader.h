/* SPDX-License-Identifier: MIT */
/*
 * Recordings read back, event by event. What weir wrote is read here, at the speed of a walk through
 * memory: its records are laid out as in the target, and `.weir` beside the metadata says what the
 * probes are. Other CTF traces come through babeltrace2 (ctf_foreign.h) into the same callbacks. The
 * files are a stranger's: every length is checked. A recording may be larger than memory: a file is
 * read through a buffer of 1 MiB.
 */
#ifndef WEIR_READER_CTF_READER_H
#define WEIR_READER_CTF_READER_H

#include "reader/record.h"
#include "reader/schema.h"

#include <sys/types.h>

/*
 * ns since the epoch, in 2096. A damaged recording may say anything: no time is farther from the
 * epoch than this, so that the difference of any two is a time, too.
 */
#define CTF_TIME_MAX INT64_C(4000000000000000000)

struct ctf_trace {
	char *path;
	char *process, *command; /* empty: not known */
	pid_t pid;               /* 0: several, or not known */
	double ns_per_tick;
	int64_t epoch_ns;             /* of 0 ticks */
	struct schema_probe **probes; /* by id */
	struct ctf_use *uses;         /* by id */
	uint32_t ids;
	void *document; /* holds the names */
};

/* What a reader of events wants of a probe's: asked once for each probe of each trace. */
struct ctf_use {
	bool events;     /* false: they are counted and no more */
	uint64_t fields; /* a bit for each whose value is wanted */
	void *own;       /* handed back with each event */
};

struct ctf_event {
	const struct ctf_trace *trace;
	const struct schema_probe *probe;
	void *own;    /* ctf_use.own */
	int64_t time; /* ns since the epoch */
	uint32_t pid, tid, cpu;
	const struct record_value *values; /* only those that were asked for are set */
};

struct ctf_reading {
	/* Required, both. `probe` gets a `use` of zeros. */
	void (*probe)(void *arg, const struct ctf_trace *trace, const struct schema_probe *probe,
	              struct ctf_use *use);
	void (*event)(void *arg, const struct ctf_event *event);
	/* Optional. So many events were lost between these times (ns since the epoch). */
	void (*lost)(void *arg, int64_t from, int64_t to, uint64_t count);
	/*
	 * Optional. So many events of a CPU (0: not known) are not there, as only the newest were to
	 * be kept: all before `until` (ns since the epoch); other CPUs may have older ones left.
	 * `rotated`: by weir record --size, else by a flight recorder.
	 */
	void (*dropped)(void *arg, uint32_t cpu, int64_t until, uint64_t count, bool rotated);
	/* Optional: now and then, with `bytes` and `events` brought up to date. */
	void (*progress)(void *arg);
	/* Optional: a trace begins, before its probes. */
	void (*trace)(void *arg, const struct ctf_trace *trace);
	void *arg;

	uint64_t events, packets, lost_events, bytes;
	uint64_t unknown;         /* events of probes that nothing is known of */
	uint64_t cut;             /* files that end within a packet */
	uint32_t traces, foreign; /* `foreign` of them were not written by weir */
};

/* All events of every trace below a folder, file by file: ordered by time within each only. */
int ctf_read_all(const char *path, struct ctf_reading *reading, struct weir_error *err);

/* Bytes of all files below a folder that hold events: what ctf_reading.bytes will come to. */
uint64_t ctf_size_all(const char *path);

#endif
