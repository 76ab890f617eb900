/* SPDX-License-Identifier: MIT */
/*
 * The parts of a tracer: processes that are watched (tracer_process.c), which of them there are
 * (tracer_family.c), their shared memories (tracer_target.c), and the look at it all (tracer.c).
 */
#ifndef WEIR_READER_TRACER_PRIVATE_H
#define WEIR_READER_TRACER_PRIVATE_H

#include "reader/tracer.h"

/* How often all of /proc is read, and a process of which nothing is known. */
#define TRACER_WALK_EVERY (20 * MS)
/* A child makes its memory in its first moments; one that lives on gets its packets touched. */
#define TRACER_NEWBORN (5 * MS)
#define TRACER_YOUNG   (100 * MS)
/* Fires that are under way when a session ends get this long to commit. */
#define TRACER_GRACE (10 * MS)
/* Instead of a descriptor: not asked yet; the kernel does not tell this user. */
#define FORKS_UNKNOWN (-1)
#define FORKS_UNTOLD  (-2)
/* More than the kernel gives. */
#define TRACER_PIDS (UINT32_C(1) << 22)

void tracer_notice(const struct tracer *tracer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tracer_nap(int64_t ns);

/* --- processes */

/* One that is not over; NULL. */
struct tracer_process *tracer_process_find(const struct tracer *tracer, pid_t pid);
int tracer_process_add(struct tracer *tracer, pid_t pid, struct tracer_process **ret);
/* A member of the family that is known to be over. NULL: no memory. */
struct tracer_process *tracer_process_add_ended(struct tracer *tracer, pid_t pid, const char *name);
void tracer_process_drop(struct tracer *tracer, size_t i);
bool tracer_process_is_over(const struct tracer_process *process);

/* It runs another program now. */
void tracer_process_ran(struct tracer_process *process, int64_t now);
/* Look for shared memories that are not known yet; counted in `opened`, which may be NULL. */
int tracer_process_search(struct tracer *tracer, struct tracer_process *process, size_t *opened,
                          struct weir_error *err);
/* Claim those of its targets that have a probe that matches, or, if `wait`, all; `claimed` counts. */
int tracer_process_claim(struct tracer *tracer, const struct tracer_process *process, bool wait,
                         size_t *claimed, struct weir_error *err);
/* Drop its targets that are not claimed. */
void tracer_process_forget(struct tracer *tracer, const struct tracer_process *process);
/* Search and claim, if it is time to. */
void tracer_process_refresh(struct tracer *tracer, struct tracer_process *process, int64_t now);

/* --- which there are */

/* Is this process traced, or a descendant of one? Also after its end. */
void family_mark(struct tracer *tracer, pid_t pid, bool is);
bool family_lives(const struct tracer *tracer);
/* What the kernel tells of it, in order. */
void family_hear(struct tracer *tracer);
/* What a command left behind. */
void family_meet_orphans(struct tracer *tracer, int64_t now);
/* Memories that children hand over. */
void family_take_mail(struct tracer *tracer);
/* What /proc says, if it is time to. */
void family_walk(struct tracer *tracer, int64_t now);
/* A child of the target's may be about to hand over its memory, and nothing else leads there. */
bool family_is_growing(struct target *target, int64_t now);

/* --- targets */

/* Map a memory (taken over if it returns 0) and read its probes; not claimed yet. */
int target_new(struct tracer *tracer, struct tracer_process *process, const struct shm *shm,
               struct target **ret);
void target_drop(struct tracer *tracer, size_t i);
/* `fn` for each of its probes that the patterns choose, until it returns nonzero. */
int target_each_probe(const struct target *target, int (*fn)(void *arg, struct schema_probe *probe),
                      void *arg);
/* Do the patterns choose a probe of it, or does it wait for this tracer? */
bool target_is_wanted(const struct target *target);
int target_claim(struct target *target, struct weir_error *err);
void target_end_session(struct target *target);
int64_t target_look(struct target *target, enum stream_what what);
/* Read what a session that is over still holds. */
void target_drain(struct target *target, bool grace);
/* The session was ended from the other side: fetch what it holds, report, begin another one. */
void target_rearm(struct target *target, enum session_status status, int64_t now);
/* New probes, a claim that was not possible before, clocks. */
void target_refresh(struct target *target, int64_t now);
/* Has all that was read been handed out? */
bool target_empty(const struct target *target);

#endif
