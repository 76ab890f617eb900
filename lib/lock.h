/* SPDX-License-Identifier: MIT */
/* The library's locks, and how a fork meets them. Their order is in lock.c. */
#ifndef WEIR_LIB_LOCK_H
#define WEIR_LIB_LOCK_H

/* Every provider, probe and loaded stub; held for moments, never by a fire. */
void weir_lock(void);
void weir_unlock(void);

/* To make probes known, or to take them away: one thread at a time. Includes weir_lock, which may
 * be given back meanwhile. */
void publish_lock(void);
void publish_unlock(void);

/* Around work that a fork in another thread had better not cut in two: it waits for it, but not for
 * ever. Without locks; publish_lock() may be inside. */
void work_begin(void);
void work_end(void);

/* For pthread_atfork. Prepare waits for others' work, `naps` times at most, and takes weir_lock. */
void locks_fork_prepare(int naps);
void locks_fork_parent(void);
void locks_fork_child(void);

#endif
