/* SPDX-License-Identifier: MIT */
/*
 * A probe as LTTng knows it. Events are kept for ever and found again by their description: a fire
 * that is late may still hold one, and then it finds the layout of its own arguments.
 */
#ifndef WEIR_LIB_LTTNG_EVENT_H
#define WEIR_LIB_LTTNG_EVENT_H

#include <signal.h>

#include "lib/lttng.h"
#include "lib/lttng_abi.h"
#include "lib/lttng_layout.h"

struct lttng_event {
	struct weir_sink sink;
	const struct lttng_layout *layout;
	struct ust_tracepoint site; /* LTTng sets state and probes */

	/* cold */
	struct lttng_event *next;
	bool taken; /* in a batch */
	int loglevel;
	const int *loglevel_at;
	struct ust_event_desc desc;
	struct ust_class tp_class;
	struct weir_note *note;    /* a copy, site and semaphore 0 */
	struct ust_field fields[]; /* and then what they point to */
};

/* The event of that description, taken: an old one or a new one. */
int lttng_event_take(const struct probe *probe, struct lttng_event **ret, struct weir_error *err);
void lttng_event_release(struct lttng_event *event);

/* In lttng_fire.c. */
void lttng_event_fire(struct weir_sink *sink, const uint64_t *args, const void *ip);
void lttng_event_callback(void);

/* The layout of a note: an old one or a new one. */
int lttng_layout_find(const struct weir_note *note, const struct lttng_layout **ret,
                      struct weir_error *err);
/* Machine code for all layouts that have none yet, if it may be had, in a file as stub_load()'s, and
 * without locks as that. */
void lttng_layouts_compile(const char *dir, bool memfd);
/* "u8" of WEIR_U8. */
const char *lttng_type_name(unsigned int type);

static inline uint32_t lttng_hash(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint32_t hash = 2166136261u;

	while (size--)
		hash = (hash ^ *at++) * 16777619u;
	return hash;
}

/*
 * Is it this copy of the library, of all in the process, that tells LTTng of forks? The first one
 * that asks.
 */
bool lttng_fork_claim(void);

/* What lttng_load() found. */
struct lttng_api {
	void *(*probe_register)(const struct ust_probe_desc *);
	void (*probe_unregister)(void *);
	int (*module_register)(struct ust_tracepoint *const *, int);
	int (*module_unregister)(struct ust_tracepoint *const *);
	void (*read_lock)(void);
	void (*read_unlock)(void);
	void (*synchronize)(void);
	void (*before_fork)(sigset_t *);
	void (*after_fork_parent)(sigset_t *);
	void (*after_fork_child)(sigset_t *);
};
extern struct lttng_api lttng_api;

#endif
