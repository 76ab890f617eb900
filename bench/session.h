/* SPDX-License-Identifier: MIT */
/*
 * A tracer that never reads: arms a session on the process it is in, through the bytes of
 * <weir/abi/shm.h> and nothing else. So the cost of a fire can be measured without a reader's, and
 * what was recorded can be counted afterwards.
 *
 * It is a bench and test helper: it trusts the shared page, keeps its lease for an hour, and exits
 * through bench_fail.
 */
#ifndef WEIR_BENCH_SESSION_H
#define WEIR_BENCH_SESSION_H

#include <weir/abi/shm.h>

struct session {
	struct weir_shm_header *header; /* a mapping of the whole memfd; shared by all sessions */
	struct weir_shm_session *words;
	unsigned index;
	uint32_t generation;
};

struct session_count {
	uint64_t committed; /* in packets that are still there, plus overwritten */
	uint64_t lost;
};

/* Claim a free session with `packets` packets of the pool, resident from the start. */
void session_arm(struct session *session, enum weir_session_mode mode, uint32_t packets);

/* Set its bit for a probe, which must be in the schema log. */
void session_enable(struct session *session, const char *provider, const char *probe);

/* Clear all its bits, and free it. */
void session_disarm(struct session *session);

/* Everything since it was armed. Nobody may fire meanwhile. */
struct session_count session_count(const struct session *session);

/* What all sessions of this process ever lost, whoever made them. */
uint64_t session_lost_all(void);

/* Bytes of its packets. */
uint64_t session_bytes(const struct session *session);

/* The last committed record of the session in any of its packets, or NULL: for tests. */
const struct weir_shm_record *session_last(const struct session *session);

#endif
