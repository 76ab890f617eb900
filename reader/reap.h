/* SPDX-License-Identifier: MIT */
/*
 * Whose a session is, and what becomes of one whose tracer is gone. A tracer holds a lock on the
 * session's own byte of the memfd (WEIR_LOCK_OWNER) as long as it may still come for what was
 * recorded; the kernel drops it with the last copy of the tracer's descriptor, so a keeper that was
 * handed one has it, too.
 */
#ifndef WEIR_READER_REAP_H
#define WEIR_READER_REAP_H

#include "reader/session.h"

/* Hold the session's byte; let go of it. Another one of this descriptor's is held at most. */
void owner_hold(const struct shm *shm, uint32_t index);
void owner_let_go(const struct shm *shm, uint32_t index);

/* For longer than a second: its tracer may be late, and its program may not have noticed. */
bool lease_over(const struct weir_shm_session *s, const struct clock *clock);

/* Whatever of the session's packets nobody writes to is freed, with its memory. Under the lock. */
void packets_give_back(const struct session *session);

/* Sessions whose tracers are gone become FREE, with their memory. Under the lock. */
void sessions_reap(const struct shm *shm, const struct clock *clock);

#endif
