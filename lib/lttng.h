/* SPDX-License-Identifier: MIT */
/*
 * Probes as LTTng-UST events. liblttng-ust is found with dlopen, and only when a provider asks for
 * it, since it brings two threads and a handful of descriptors into the process.
 *
 * lttng.c        publish and withdraw a batch of probes
 * lttng_load.c   the library: loading, symbols, fork
 * lttng_copies.c several copies of libweir in one process
 * lttng_event.c  descriptors of one probe, made on the heap
 * lttng_layout.c arguments to payload, portably; lttng_code.c puts it into machine code
 * lttng_fire.c   what a fire does
 *
 * All but lttng_load(), lttng_load_code() and the fork hooks run under weir_lock; lttng_publish() and
 * lttng_withdraw() give it back for a while, and publish_lock sees to it that one of them runs at a
 * time.
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
 * Load liblttng-ust.so.1, if it is not loaded yet. May take as long as LTTng waits for a session
 * daemon that hangs (3 s; LTTNG_UST_REGISTER_TIMEOUT), and may fork: call it without weir_lock.
 */
void lttng_load(void);

/* 0, or -errno and a sentence of the last lttng_load(): -ENOENT: no such library; -ENOSYS: one
 * that is too old. */
int lttng_loaded(struct weir_error *err);

/* Is a thread in lttng_load() now? */
bool lttng_is_loading(void);

/* -EINVAL: a trace with these names in it could not be read. Without locks, or with. */
int lttng_note_check(const struct weir_note *note, struct weir_error *err);

/* Machine code for payloads of these probes, if it may be had: it makes and loads a file. To be
 * called before lttng_publish(), without locks. */
void lttng_load_code(const struct weir_provider *provider, struct probe **probes, size_t count);

/*
 * Register probes of one provider in a batch, and give them sinks. Sessions that asked for them
 * already record from here on. A probe that LTTng cannot describe is left out, and the provider's
 * error says why; -EINVAL: that was all of them. -ENOMEM; -EPROTO: LTTng refused; or as
 * lttng_loaded(): the provider's error has a sentence; nothing is registered then.
 */
int lttng_publish(struct weir_provider *provider, struct probe **probes, size_t count);

/* Take away all that is registered of this provider. When it returns, LTTng records no more of it. */
void lttng_withdraw(struct weir_provider *provider);

/*
 * For pthread_atfork. weir_lock is taken before prepare and kept until the parent or child hook.
 * The child hook registers with the session daemon anew, may wait as lttng_load() does, and may
 * fork by itself: call it last, and without weir_lock. They do nothing while the library is not
 * loaded, and where liblttng-ust-fork or another copy of libweir does the
 * same work already.
 */
void lttng_fork_prepare(void);
void lttng_fork_parent(void);
void lttng_fork_child(void);

/* Is it somebody else who tells LTTng of forks? Then a forking thread has LTTng's lock already when
 * prepare is called. */
bool lttng_fork_is_covered(void);

#endif
