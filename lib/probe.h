/* SPDX-License-Identifier: MIT */
/*
 * What lies behind a struct weir_probe and a struct weir_provider. Everything here but the hot
 * part of a probe is protected by weir_lock (lock.h).
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

/* What a pool may be: weir.h. */
#define POOL_MIN ((uint64_t)16 * WEIR_SHM_PACKET_SIZE)
#define POOL_MAX (UINT64_C(64) << 30)

struct weir_provider {
	struct weir_provider *next;
	char name[WEIR_NAME_MAX + 1];
	uint32_t flags; /* enum weir_provider_flag */
	uint64_t pool_size;
	char *stub_dir;           /* NULL: the default */
	bool published;           /* or about to be: probes that are added are published at once */
	unsigned int withdrawals; /* how many there were: one under way sees that it is too late */
	unsigned int users;       /* the program, and publications; the last one frees it */
	struct probe *probes, **last;
	struct weir_error error;
	char **paths; /* of its stubs */
	size_t path_count;
	struct lttng_batch *lttng;
};

/* registry.c: probes live for ever and are found again by what they are: see there. */
int registry_get(struct weir_note *note, struct probe **ret); /* takes the note */
struct probe *registry_find(const struct weir_provider *provider, const char *name);
void registry_each(void (*call)(struct probe *)); /* every published probe */

/* note.c: builds and checks a description. -errno with a reason. *ret is malloc'd. */
int note_create(const char *provider, const char *name, const struct weir_field *fields,
                size_t count, uint32_t string_limit, struct weir_note **ret,
                struct weir_error *err);
int name_check(const char *what, const char *name, struct weir_error *err);

/* A call that publishes, between its steps: see publish.c. */
struct publication {
	struct weir_provider *provider;
	unsigned int withdrawals; /* of the provider, at the beginning */
	struct probe **probes;
	struct stub_probe *stubs; /* of the same number, or NULL */
	size_t count;
	uint8_t *image;
	size_t image_size;
	struct stub_file file;
	int no_usdt, no_memory;  /* -errno; 0: there is */
	struct weir_error error; /* of the stub */
};

/*
 * publish.c: make probes known. Begin chooses all that are not yet, or `only` one, under weir_lock; the
 * provider is not freed before end. End loads what is to be loaded, and must be called without any
 * lock that a constructor might wait for. It returns 0, also if the provider was withdrawn
 * meanwhile, or -errno; *err, if not NULL, gets the provider's error, if there is one: with 0, too.
 */
void publish_begin(struct weir_provider *provider, struct probe *only, struct publication *ret);
int publish_end(struct publication *p, struct weir_error *err);

/* publish.c: take probes away. Under publish_lock; weir_lock is given back for a while. */
void withdraw(struct weir_provider *provider);

/* provider.c: end what begin began, as weir_provider_publish() does. */
int provider_publish_end(struct publication *p, struct weir_error *err);
/* provider.c: one user less. Under weir_lock. */
void provider_put(struct weir_provider *provider);
/* provider.c, for pthread_atfork: publications of the parent's other threads are not here. */
void providers_fork_child(void);

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
