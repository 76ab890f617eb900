/* SPDX-License-Identifier: MIT */
/*
 * What lies behind a struct weir_probe and a struct weir_provider. Everything here but the hot
 * part of a probe is protected by weir_lock (provider.c).
 */
#ifndef WEIR_LIB_PROBE_H
#define WEIR_LIB_PROBE_H

#include <weir/abi/note.h>
#include <weir/weir.h>

#include "lib/stub.h"

/*
 * Somebody beside USDT and buffers that wants the event. While a sink's word is nonzero every fire
 * of its probe calls it, in any thread, also in signal handlers; with other sinks on the probe it
 * may also be called while its word is 0. `args` has one word per USDT argument (a bytes field has
 * two: pointer, length), borrowed for the call; `ip` is where the fire returns to. Sinks are added
 * and removed under weir_lock; a removed sink may still be called by fires under way and must stay
 * valid memory for ever.
 */
struct weir_sink {
	struct weir_sink *next;
	const volatile uint32_t *on; /* NULL: always on */
	void (*fire)(struct weir_sink *sink, const uint64_t *args, const void *ip);
};

/* Aligned to a line: the first one is all that a fire of fixed words reads. */
struct __attribute__((aligned(64))) probe {
	struct weir_probe head;
	/* hot: arch/x86_64/fire.S knows these offsets */
	uint64_t record;         /* 40: {id:16, 0:38, length/8:10} of one without strings */
	void (*site_fn)(void);   /* 48: the site, to be called with the arguments */
	uint32_t no_sink;        /* 56: 0; where head.sinks points without one: in this line */
	uint16_t id;             /* 60: in the shared memory */
	uint8_t fields;          /* 62 */
	uint8_t args;            /* 63 */
	uint64_t args_signature; /* 64: what head.signature is while published with a stub */
	uint32_t body_words;     /* 72: fixed words of a record, one per field */
	uint32_t bytes_fields;   /* 76: bit per field: string or bytes */
	uint32_t room; /* 80: of its longest record; 0: weir_entry_mixed cannot write it */
	uint8_t types[WEIR_FIELDS_MAX]; /* enum weir_type */
	struct weir_sink *sinks;
	uint32_t string_limit; /* 104 */

	/* cold */
	struct probe *next;      /* in its provider, in order of creation */
	struct probe *next_hash; /* in the registry */
	struct probe *next_name;
	uint32_t hash, name_hash;       /* what those two chains are chosen by */
	struct weir_provider *provider; /* NULL: nobody's; kept for its id */
	struct weir_note *note;         /* whole; site and semaphore as loaded */
	uint32_t flags;                 /* enum weir_probe_flag */
	int32_t loglevel;               /* LTTng's plus one; 0: none */
	struct stub_block *block;       /* in the stub; NULL: none */
	bool published;
	bool announced; /* in the schema log */
};

struct weir_provider {
	struct weir_provider *next;
	char name[WEIR_NAME_MAX + 1];
	uint32_t flags; /* enum weir_provider_flag */
	uint64_t pool_size;
	char *stub_dir; /* NULL: the default */
	bool published;
	struct probe *probes, **last;
	struct weir_error error;
	char **paths; /* of its stubs */
	size_t path_count;
	struct lttng_batch *lttng;
};

/* One lock for every provider; a fire never takes it. */
void weir_lock(void);
void weir_unlock(void);

/* registry.c: probes live for ever and are found again by what they are: see there. */
int registry_get(struct weir_note *note, struct probe **ret); /* takes the note */
struct probe *registry_find(const struct weir_provider *provider, const char *name);
void registry_each(void (*call)(struct probe *)); /* every published probe */

/* note.c: builds and checks a description. -errno with a reason. *ret is malloc'd. */
int note_create(const char *provider, const char *name, const struct weir_field *fields,
                size_t count, uint32_t string_limit, struct weir_note **ret,
                struct weir_error *err);
int name_check(const char *what, const char *name, struct weir_error *err);

/*
 * publish.c: make these probes visible or take them away. Under weir_lock, which they give back for a
 * while, and under provider.c's publish_lock, so that there is one at a time.
 */
int publish(struct weir_provider *provider, bool deferred);
void withdraw(struct weir_provider *provider);

/* provider.c, for pthread_atfork: prepare returns whether it has publish_lock. */
bool publish_fork_prepare(void);
void publish_fork_parent(bool held);
void publish_fork_child(void);

/* In lib/fire.c: what the pointers of a probe that is off point to. */
extern const uint16_t site_off;
extern const uint32_t mask_off;

/* In lib/fire.c: gives a sink to a published probe, or takes it away. Under weir_lock. */
void probe_sink_add(struct probe *probe, struct weir_sink *sink);
void probe_sink_remove(struct probe *probe, struct weir_sink *sink);

static inline const char *note_probe(const struct weir_note *note)
{
	const char *provider = (const char *)(note + 1);

	while (*provider)
		provider++;
	return provider + 1;
}

static inline const char *probe_name(const struct probe *probe)
{
	return note_probe(probe->note);
}

#endif
