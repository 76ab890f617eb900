/* SPDX-License-Identifier: MIT */
/*
 * Sessions as far as the target makes or matches them itself: probes that appear while a tracer is
 * there, sessions asked for by the environment (`weir trace -- COMMAND`), and those of a followed
 * parent. Under weir_lock, but for session_wait.
 */
#ifndef WEIR_LIB_SESSION_H
#define WEIR_LIB_SESSION_H

#include <stdint.h>

#include <weir/abi/shm.h>

struct probe;

/* Switch a probe on in every session whose patterns it matches. After it is in the schema log. */
void session_match(struct probe *probe);

/*
 * $WEIR_TRACE holds patterns ("prov:probe;..."), $WEIR_TRACE_MAILBOX says whose they are,
 * $WEIR_TRACE_PID, if set, the one process that they are for, and $WEIR_TRACE_BUFFER the bytes of
 * packets: make a PENDING session. Ignored under AT_SECURE. Before the memfd's magic is stored.
 */
void session_from_environment(void);

/* Hand the memory, which is whole now, to the tracer that the environment named: it may run late. */
void session_announce(void);

/* The same from a parent's sessions that are to be followed. */
void session_inherit(const struct weir_shm_session *parent);

/* Wait until a tracer has adopted what the environment asked for, 1 s at most. */
void session_wait(void);

#endif
