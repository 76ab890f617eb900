/* SPDX-License-Identifier: MIT */
/*
 * Events of any number of live processes, in time order: finds processes and their shared
 * memories, keeps a session on each, merges, reports what happens to them. Single threaded, but
 * for the leases.
 *
 *     tracer_create > tracer_add* > { tracer_look, wait }* > tracer_stop > tracer_destroy
 */
#ifndef WEIR_READER_TRACER_H
#define WEIR_READER_TRACER_H

#include "reader/merge.h"
#include "reader/threads.h"

#include <poll.h>

struct tracer_process {
	pid_t pid;
	unsigned long long start;
	int pidfd; /* -1: of no interest */
	char name[32];
	bool asked; /* by tracer_add(); else found */
	bool ended;
	bool family;     /* asked for, or a descendant of one that was */
	bool denied;     /* may not be looked at */
	bool unseen;     /* runs a program of which no shared memory was met yet */
	int targets;     /* shared memories being traced */
	int64_t born;    /* when it was first seen, or seen to run another program */
	int64_t look_at; /* for its shared memories, next; CLOCK_MONOTONIC, ns */
	int64_t unmade;  /* since when one has been in the making; 0: none is */
	uint64_t round;  /* of the walk that last met it */
};

/* One shared memory. */
struct target {
	struct tracer *tracer;
	struct tracer_process *process;
	struct shm shm;
	struct clock clock;
	struct schema schema;
	struct session session;
	struct stream stream;
	struct threads threads;
	struct merge_source **sources; /* by slot; made when its first packet comes */
	uint64_t lost;                 /* of sessions that ended */
	uint64_t overwritten;
	uint64_t lost_seen;  /* of this session, at the last look */
	int64_t claim_at;    /* not before: an expired session was just given back, or it refused */
	int refused;         /* -errno of its last claim, which was told; 0: none */
	int64_t populate_at; /* an adopted session's packets; 0: nothing to do */
	int64_t checked_at;  /* its schema, while unclaimed; its pair of clocks, while claimed */
	bool claimed;
	bool ending;   /* its session is: a chunk that is not taken now is not handed out again */
	bool met;      /* by the search under way */
	bool had_room; /* at the last look: its buffer was not full of what waits for the tracer */
	bool scarce;   /* it was said that its buffer is less than asked for */
	void *user;    /* the owner's of options.chunk */
	bool leaving;  /* the memory is no longer the process's, or it ended: drain and go */
	int64_t left_at; /* since when; 0: not seen yet */
};

struct tracer_event {
	const struct event *event;
	struct target *target;
	struct schema_probe *probe; /* NULL: the id is unknown */
	const struct record_value *values;
};

struct tracer_options {
	struct session_options session; /* patterns borrowed */
	bool all;  /* every process that has a matching probe, also later ones */
	bool wait; /* tracer_add(): probes may come later */
	int (*event)(void *arg, const struct tracer_event *event); /* nonzero ends the look */
	/*
	 * For a recorder, instead of `event`: stretches of packets as they lie in memory, slot by
	 * slot, unmerged. Nonzero: not taken, and handed out again in the next look.
	 */
	int (*chunk)(void *arg, struct target *target, const struct stream_chunk *chunk);
	/* A session begins; its probes are off yet. NULL: nobody wants to know. */
	void (*begun)(void *arg, struct target *target);
	/* With `chunk`: a target's session ended (also one that goes on with another session, so
	 * that slots count from 1 again), or, if `leaving`, the target itself. */
	void (*ended)(void *arg, struct target *target, bool leaving);
	bool (*look)(void *arg,
	             struct target *target); /* with `chunk`: is it to be read now? NULL: yes */
	void (*notice)(void *arg, const char *text); /* something a person should know */
	void *arg;
};

struct tracer {
	struct tracer_options options;
	struct lease_keeper *keeper;
	struct merge merge;
	struct tracer_process **processes;
	size_t process_count;
	struct target **targets;
	size_t target_count;
	struct pollfd *polls;    /* room for process_count + TRACER_POLLS_MORE */
	int64_t previous_look;   /* CLOCK_MONOTONIC, ns: the watermark of the next look */
	int64_t longest_pause;   /* between looks */
	int64_t walked_at;       /* /proc, for `all` and following */
	int64_t children_at;     /* children of traced processes */
	int forks;               /* tells of children at once; negative: walking has to do */
	uint64_t round;          /* walks of /proc */
	uint64_t attached;       /* targets, ever */
	uint64_t denied;         /* processes that may not be looked at */
	uint64_t unseen;         /* followed ones that ended before a memory was met */
	struct mailbox *mailbox; /* where forked children hand theirs over; NULL: nowhere */
	uint8_t *kin;            /* a bit a pid: traced, or a descendant of one; also if over */
	uint64_t children;       /* forked ones that armed themselves, of sessions that are over */
	uint64_t adopted;        /* of all such: those whose memory was met */
	bool overrun;            /* the kernel could not tell of all forks */
	bool launched;           /* a command: orphans become this process's children */
	uint64_t lost, overwritten; /* of targets that are gone; see tracer_lost() */
	uint64_t lost_idle; /* of what was lost: while buffers had room, so not for slowness */
	uint64_t buffer;    /* bytes of the smallest buffer of all targets; 0: none yet */
	uint64_t missing, bad, undecoded;
	uint64_t gaps;
	int64_t gap_ns;
	enum stream_what what; /* of what a look takes; for a recorder to choose */
	bool rseq;             /* all targets have it: nothing comes late */
	bool follow;
	bool matched; /* a probe was there that the patterns choose */
	struct tracer_names {
		char (*list)[2 * WEIR_NAME_MAX + 2];
		size_t count, room;
	} names;     /* else: of probes of targets that are gone */
	bool scarce; /* of some target it was said that its buffer is less than asked for */
};

#define TRACER_POLLS_MORE 6

int tracer_create(const struct tracer_options *options, struct tracer **ret);
void tracer_destroy(struct tracer *tracer);

/*
 * Trace a process. -ENOENT, with the nearest names: it has no such probe (and !options.wait);
 * -ESRCH; -EACCES; -EBUSY; ...
 */
int tracer_add(struct tracer *tracer, pid_t pid, struct weir_error *err);

/* Follow a process that has no probes yet: the command that was just started. */
int tracer_follow(struct tracer *tracer, pid_t pid);

/* Look at everything once; events go to options.event. Returns records met, or what it returned. */
int64_t tracer_look(struct tracer *tracer);

/* Switch everything off and hand out what is left, in order. */
int tracer_stop(struct tracer *tracer);

/* `fn` for each probe there is that the patterns choose, until it returns nonzero: that is returned. */
int tracer_each_probe(const struct tracer *tracer, int (*fn)(void *arg, struct schema_probe *probe),
                      void *arg);

/*
 * After the end, for a command: did the patterns ever choose a probe? -ENOENT, with what was there
 * instead. `program`: what it ran first, for its plain USDT probes.
 */
int tracer_explain(struct tracer *tracer, const char *command, const char *program,
                   struct weir_error *err);

/* Is there nothing left that could have an event? */
bool tracer_ended(const struct tracer *tracer);

/* How long to wait at most until the next look, ns: a child that was just met may not live long. */
int64_t tracer_patience(const struct tracer *tracer);

/* Descriptors that become readable when a process ends or forks, in tracer->polls. */
size_t tracer_polls(struct tracer *tracer);

/*
 * Forked children that switched their probes on, and whose memory this tracer never got: they ended
 * before, or may not be looked at.
 */
uint64_t tracer_missed(const struct tracer *tracer);

/* Since the start, over all targets. */
uint64_t tracer_lost(const struct tracer *tracer);
uint64_t tracer_overwritten(const struct tracer *tracer);

#endif
