/* SPDX-License-Identifier: MIT */
/*
 * Probes as LTTng-UST events. liblttng-ust is found with dlopen, and only when a provider asks for
 * it, since it brings two threads and a handful of descriptors into the process.
 *
 * lttng.c        publish and withdraw a batch of probes
 * lttng_load.c   the library: loading, symbols, fork
 * lttng_event.c  descriptors of one probe, made on the heap
 * lttng_layout.c arguments to payload, portably; lttng_code.c puts it into machine code
 * lttng_fire.c   what a fire does
 *
 * All but lttng_load() and the fork hooks run under weir_lock.
 */
#ifndef WEIR_LIB_LTTNG_H
#define WEIR_LIB_LTTNG_H

#include <stdbool.h>

#include <weir/abi/note.h>
#include <weir/weir.h>

#include "lib/probe.h"

/* Did the provider or the environment (WEIR_LTTNG=1, ignored under AT_SECURE) ask for it? */
bool lttng_wanted(uint32_t provider_flags);

/*
 * Load liblttng-ust.so.1, once. May take as long as LTTng waits for a session daemon that hangs
 * (3 s; LTTNG_UST_REGISTER_TIMEOUT): call it without weir_lock. Calling it again is cheap; what
 * failed is tried again.
 * -ENOENT: no such library; -ENOSYS: one that is too old. Both with a sentence.
 */
int lttng_load(struct weir_error *err);

struct lttng_probe {
	const struct weir_note *note; /* in: borrowed; site and semaphore do not matter */
	int32_t loglevel;             /* in: as in weir_probe_options */
	void *ip;                     /* in: what the context `ip` shows: the probe's site */
	struct weir_sink *sink;       /* out: lives for ever */
};

struct lttng_batch;

/*
 * Register probes of one provider. After that, sessions that asked for them record what their sinks
 * are given; until then, weir_sink.on stays 0. `executable`: machine code may be made.
 * -EINVAL: something that LTTng cannot describe; -ENOMEM; -EPROTO: LTTng refused. With a sentence;
 * nothing is registered then.
 */
int lttng_publish(struct lttng_probe *probes, size_t count, bool executable,
                  struct lttng_batch **ret, struct weir_error *err);

/* Take them away again; remove the sinks from their probes before. Frees the batch; NULL is ignored. */
void lttng_withdraw(struct lttng_batch *batch);

/*
 * For pthread_atfork: weir_lock is taken before prepare and kept until the parent or child hook. The child hook registers with the session daemon anew, may wait as lttng_load() does, and
 * may fork by itself: call it last, and without weir_lock. They do nothing while the library is
 * not loaded, and where liblttng-ust-fork does the same work already.
 */
void lttng_fork_prepare(void);
void lttng_fork_parent(void);
void lttng_fork_child(void);

#endif
