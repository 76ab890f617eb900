/* SPDX-License-Identifier: MIT */
/*
 * A recording's events, counted. One pass over the recording gives the rows; a second one, if there
 * is to be a picture, what happened when: only then it is known which keys matter and how wide a
 * column of the picture is, whatever the recording's size.
 */
#ifndef WEIR_CLI_REPORT_AGGREGATE_H
#define WEIR_CLI_REPORT_AGGREGATE_H

#include "cli/report/rows.h"
#include "cli/report/timeline.h"
#include "reader/ctf_reader.h"
#include "reader/filter.h"
#include "reader/pattern.h"

struct query {
	const char *by, *hist; /* NULL: not asked for */
	struct patterns patterns;
	struct filter *where;
};

#define PROCESSES_MAX 64

struct process {
	char *name, *command;
	pid_t pid;
};

/* What is not there as only the newest were to be kept. */
#define DROPPED_CPUS 8
struct dropped {
	uint64_t events;
	int64_t until;  /* ns since the epoch: from here on all CPUs' events are there */
	uint32_t slots; /* 0: nothing was dropped; at most one more than DROPPED_CPUS */
	bool rotated;   /* by weir record --size; else by a flight recorder */
	struct {
		uint32_t cpu;
		uint64_t events;
	} cpus[DROPPED_CPUS]; /* the first ones */
};

/* A probe's fields, so that a person can be told what to ask for. */
struct probe_fields {
	char *name; /* PROVIDER:PROBE */
	uint32_t count;
	struct {
		char name[64];
		uint8_t type;
	} fields[SCHEMA_FIELDS_MAX];
};

struct aggregate {
	const struct query *query;
	struct ctf_reading reading;
	struct rows rows;   /* a key's, or a probe's if there is no --by */
	struct rows probes; /* events of each probe that was looked at */
	int64_t first, last;
	uint64_t matched; /* events of the probes, before any field was asked for */
	uint64_t without; /* of them: probes that lack a field that was asked for */
	uint64_t hidden;  /* of them: --where does not fit */
	uint64_t odd;     /* of them: --hist is not a number */
	struct weir_error where_error;
	int where_code; /* of the first probe on which --where makes no sense */
	struct process processes[PROCESSES_MAX];
	uint32_t process_count;
	struct dropped dropped;
	struct probe_fields **fields;
	size_t field_probes;
	struct plan *plans;
	struct timeline *timeline; /* the second pass */
	bool no_memory;
};

void aggregate_init(struct aggregate *a, const struct query *query);
void aggregate_deinit(struct aggregate *a);

/* The first pass. -errno with a message. `progress` as in struct ctf_reading. */
int aggregate_read(struct aggregate *a, const char *path, struct weir_error *err);

/* The second one, into `timeline`. */
int aggregate_timeline(struct aggregate *a, const char *path, struct timeline *timeline,
                       struct weir_error *err);

void aggregate_remember_fields(struct aggregate *a, const struct schema_probe *probe);

/* Is it a name that every probe has, such as `pid`? */
bool aggregate_is_pseudo(const char *name);

/* Does any probe that was looked at have this field? */
bool aggregate_has_field(const struct aggregate *a, const char *name);

/* The field that was most likely meant by `name`, or NULL. */
const char *aggregate_nearest_field(const struct aggregate *a, const char *name);

/* What one would most likely ask for. "" if there is none. */
void aggregate_suggest(const struct aggregate *a, const char **by, const char **hist);

double aggregate_seconds(const struct aggregate *a);

#endif
