/* SPDX-License-Identifier: MIT */
/*
 * One tracer's claim on one target: its packets, its mask bits, its lease. include/weir/abi/shm.h
 * has the protocol. A session holds private copies of everything that bounds an access.
 */
#ifndef WEIR_READER_SESSION_H
#define WEIR_READER_SESSION_H

#include "reader/clock.h"
#include "reader/pattern.h"
#include "reader/schema.h"
#include "reader/shm.h"

#define SESSION_BUFFER_DEFAULT (UINT64_C(16) << 20)
#define SESSION_LEASE_NS       INT64_C(3000000000)

struct session_options {
	const struct patterns *patterns; /* borrowed for the session's life */
	uint32_t mode;                   /* enum weir_session_mode */
	uint64_t buffer;                 /* bytes of packets; 0: SESSION_BUFFER_DEFAULT */
	uint32_t string_limit;           /* 0: each probe's own */
	bool sized;                      /* a person chose `buffer`: for children, too */
	bool follow;                     /* forked children arm themselves likewise */
	uint64_t mailbox, mailbox_key;   /* where they hand over their memory; 0: nowhere */
};

struct session {
	const struct shm *shm;
	const struct clock *clock;
	struct session_options options;
	uint32_t index;
	uint32_t generation;
	uint32_t first; /* packets */
	uint32_t count;
	uint64_t lease_ticks;
	uint64_t
	    began; /* event clock: no event is older, but of an adopted session; 0: not known */
	uint64_t lost_before;
	uint64_t *lost_base; /* the same by stripe; NULL: zeros */
	uint64_t overwritten_before;
	uint32_t forks_before, children_before;
	bool with_patterns; /* the target arms late probes by itself */
	bool adopted;       /* was PENDING: begun by the target */
	bool open;
};

enum session_status {
	SESSION_OK,
	SESSION_EXPIRED, /* the lease was over when something fired: drain, then claim again */
	SESSION_STOLEN,  /* somebody reaped it: its packets are gone */
};

/*
 * Claim a free (or dead) session and its packets, prefault them, and make it active: no probe is
 * on yet. `shm`, `clock` are borrowed for the session's life.
 * -EBUSY: eight tracers are there, or one is stuck while claiming; -ENOSPC: the pool is given
 * away; -EOPNOTSUPP: block mode is not allowed; -ENOMEM.
 */
int session_claim(const struct shm *shm, const struct clock *clock,
                  const struct session_options *options, struct session *ret,
                  struct weir_error *err);

/*
 * Take over a session that the target began by itself (PENDING) for these patterns: one that the
 * environment asked for, or a followed parent's. -ENOENT: there is none.
 */
int session_adopt(const struct shm *shm, const struct clock *clock,
                  const struct session_options *options, struct session *ret,
                  struct weir_error *err);

/* Touch its packets for the target, which a claim does by itself; an adopted session is only late. */
void session_populate(const struct session *session);

/* Does any session of this memory wait to be adopted by this tracer? */
bool session_pending(const struct shm *shm, const struct session_options *options);

/* Did one, until it expired? */
bool session_in_vain(const struct shm *shm, const struct session_options *options);

/* Switch on every probe of `schema` that matches. Returns how many match, whoever armed them. */
int session_arm(const struct session *session, const struct schema *schema);

enum session_status session_status(const struct session *session);

/* Let the target go on for another SESSION_LEASE_NS. Any thread. */
void session_renew(const struct session *session);

/* Since the claim: events that were never recorded; recorded ones in packets taken back unread. */
uint64_t session_lost(const struct session *session);
uint64_t session_overwritten(const struct session *session);

/*
 * Since the claim: children that armed themselves for this session. `under_way`, if not NULL: forks
 * of which no such child is known: it is being made, or was ended before, or the fork failed.
 */
uint32_t session_children(const struct session *session, uint32_t *under_way);

/* Where this session's events lie that were lost before `clock` ticks, for the gap's report. */
uint64_t session_expired_at(const struct session *session);

/* Switch the probes off; fires that are under way may still commit for a moment. */
void session_stop(struct session *session);
/* After the last look: stop it if need be, and give packets and memory back. The session may be `ret` of a claim again. */
void session_release(struct session *session);

#endif
