/* SPDX-License-Identifier: MIT */
/*
 * A followed process forks: its child hands its memory to the tracer before its first event, so
 * that nothing depends on how long it lives, and both are counted, so that the tracer knows of
 * children that it did not get. In the fork handlers, hence system calls only.
 */
#ifndef WEIR_LIB_FOLLOW_H
#define WEIR_LIB_FOLLOW_H

#include <stdbool.h>

#include <weir/abi/shm.h>

struct follow {
	struct weir_shm_session sessions[WEIR_SHM_SESSIONS]; /* the parent's, as they were */
	struct weir_shm_session *shared; /* where the parent and its tracers see them; or NULL */
};

/* Do the children of this process belong to this session? */
bool follow_wanted(const struct weir_shm_session *s);

/* In the parent, before the fork. */
void follow_prepare(void);

/* In the child: what there is of the parent's sessions, before its memory is replaced. */
void follow_begin(struct follow *ret);

/* Send this process's memory to a tracer's mailbox, if it can be done without waiting. */
void follow_hand_over(uint64_t mailbox, uint64_t key);

/* In the child: hand over the new memory, which must be whole; `armed`: there is one. */
void follow_end(struct follow *follow, bool armed);

#endif
