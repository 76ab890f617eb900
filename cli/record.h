/* SPDX-License-Identifier: MIT */
/*
 * What the files of `weir record` share:
 *
 *     record.c          from beginning to end: attaching, the loop, signals
 *     record_options.c  the command line
 *     record_trace.c    a target's trace: what of it is written, when
 *     record_folder.c   where it all goes
 *     record_room.c     a disk that fills
 *     record_until.c    --until: what waits in weir's own memory
 *     record_keeper.c   the process that ends a recording whose weir was killed
 *     record_show.c     the progress line and the summary
 */
#ifndef WEIR_CLI_RECORD_H
#define WEIR_CLI_RECORD_H

#include "cli/selection.h"
#include "reader/ctf.h"
#include "reader/filter.h"

struct record_options {
	struct selection selection;
	bool overwrite;
	bool quiet;
	const char *folder;
	const char *until;
	int64_t duration; /* 0: until it is told to end */
	uint32_t mode;
	uint64_t buffer;
	bool sized; /* by --buffer */
	struct ctf_options ctf;
};

/* 0: go on; else the exit status plus one. */
int record_parse(int argc, char **argv, struct record_options *ret);

struct kept; /* a chunk that waits for --until */

/* One target's trace: target->user. */
struct recording {
	struct recording *next;
	struct ctf_writer *writer;
	int64_t threads_at;  /* when their names are next read */
	int64_t metadata_at; /* when it is next written for its clock's sake */
	int64_t metadata_age;
	uint32_t begun; /* generation of the session that losses are counted for */
	uint64_t gaps;  /* of it: what was overwritten before the first snapshot, and told since */
	uint32_t gap_slot; /* the last one that it was told of */
	uint64_t before;   /* overwritten before the first snapshot, and not told yet */
	uint64_t dump;     /* which one that is: record->dumps */
};

/* A disk that fills. */
struct record_room {
	int64_t short_since; /* writing fails for want of room; 0: it does not */
	int64_t retry_at, told_at;
	int code;
	bool refused, taken;  /* a chunk, since the last look ended */
	uint64_t lost_before; /* by the targets, when room ran short */
	uint64_t lost;        /* by the targets, while it was */
	uint64_t unwritten;   /* of events that could not wait, whatever the reason */
};

struct record {
	struct record_options options;
	struct record_room room;
	struct patterns patterns;
	struct filter *until;
	struct tracer *tracer;
	struct launch launch;
	int folder;
	bool made_folder;
	int keeper; /* a socket; -1: none */
	char hostname[65];
	struct kept *oldest, **newest;
	uint64_t kept_bytes;
	struct ctf_totals done; /* of traces that are closed */
	int64_t
	    whole_from; /* ns since the epoch: from here on nothing was dropped; 0: nor before */
	struct recording *recordings;
	size_t traces;
	bool dump;                 /* write what the flight recorder holds in the next looks */
	uint64_t dumps;            /* how often, with this one */
	bool found;                /* --until */
	bool bound;                /* --until could be asked of a probe ... */
	struct weir_error unbound; /* ... and why not of another */
	bool usage;                /* a pattern or an expression is wrong */
	int failed;
	struct weir_error err;
	int64_t began, shown_at, synced_at;
	uint64_t shown_events;
};

/* --- record_trace.c */

/* A target as its trace describes it. The strings live as long as `command` and the target. */
struct ctf_target record_about(const struct record *record, const struct target *target,
                               char *command, size_t size);

/* The target's trace; made when its first packet comes. -errno, with a message in record->err. */
int record_trace(struct record *record, struct target *target, struct recording **ret);

/* Write a stretch of a packet. Nonzero: not taken; the recording may have failed for it. */
int record_write(struct record *record, struct target *target, struct recording *recording,
                 const struct stream_chunk *chunk);

/* Do without the oldest of what is kept. */
void record_drop(struct recording *recording, const struct stream_chunk *chunk);

/* Once a second: threads' names, and the metadata for its clock's sake. */
void record_refresh(struct record *record, struct target *target, int64_t now);

/* A session ended; the target itself. */
void record_session_over(struct record *record, struct target *target, struct recording *recording);
void record_trace_over(struct record *record, struct target *target);

/* What a chunk tells of losses: the first slot of a CPU tells for all. */
uint64_t record_losses_of(const struct shm *shm, const struct stream_chunk *chunk);

/* What a session lost on each of `cpus` since the last packet that told of it. */
void record_losses_end(struct ctf_writer *writer, const struct session *session, uint32_t cpus);

struct ctf_totals record_totals(const struct record *record);

/* --- record_folder.c */

int record_folder_open(struct record *record, struct weir_error *err);

/* Nothing was recorded: a folder that was made for it goes again. */
void record_folder_forget(const struct record *record);

/* Is it still there? Else record->failed. */
void record_folder_check(struct record *record);

/* --- record_room.c */

/* Is that for want of room, which may come? */
bool room_is_short(int code);

/* It is, and it is too early to try again. */
bool room_wait(struct record *record);

/* A chunk could not be written. 0: it is counted and done with; else it stays in the target. */
int room_refused(struct record *record, struct target *target, const struct stream_chunk *chunk,
                 int code);

/* All targets were looked at once. */
void room_looked(struct record *record, int64_t now);

/* Nothing is written any more. */
void room_over(struct record *record);

/* Events that were lost as they could not be written, in weir and in the targets. */
uint64_t room_lost(const struct record *record);

/* --- record_until.c */

int until_keep(struct record *record, struct target *target, struct recording *recording,
               const struct stream_chunk *chunk);

/* What was kept of one target goes to disk. */
void until_write(struct record *record, struct target *target, struct recording *recording);
void until_deinit(struct record *record);

/* Errors of filters name the option of weir trace. */
void until_rename(struct weir_error *err);

/* Can the expression be asked of a probe that is there? */
int until_check(struct record *record, struct weir_error *err);

/* Not one of the probes that fired had what it asks for: record->unbound. */
bool until_in_vain(const struct record *record);

/* --- record_keeper.c */

/* Starts it; returns a socket, or -1: there is none, and weir must not be killed. */
int keeper_start(const struct record *record);

/* A session began, a trace's folder was made, a session ended. Nothing happens without a keeper. */
void keeper_begun(const struct record *record, const struct target *target);
void keeper_folder(const struct record *record, const struct target *target,
                   const struct recording *recording);
void keeper_over(const struct record *record, const struct target *target);

/* All is written: it ends without doing anything. */
void keeper_stop(struct record *record);

/* --- record_show.c */

void record_notice(const struct record *record, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void record_progress(struct record *record, int64_t now);
void record_summary(const struct record *record);

#endif
