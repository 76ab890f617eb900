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
 * Somebody beside USDT and buffers that wants the event. While a probe has sinks, head.sinks is
 * nonzero and every fire calls them, in any thread, also in signal handlers. `args` has one word
 * per USDT argument (a bytes field has two: pointer, length), borrowed for the call. Sinks are
 * added and removed under weir_lock; a removed sink may still be called by fires under way and
 * must stay valid memory for ever.
 */
struct weir_sink {
	struct weir_sink *next;
	void (*fire)(struct weir_sink *sink, const uint64_t *args);
};

struct probe {
	struct weir_probe head;
	/* hot: arch/x86_64/fire.S knows these offsets */
	uint64_t record;      /* offset 40: {id:16, 0:38, fixed length/8:10} of a record without strings */
	void (*site_fn)(void); /* 48: the site, to be called with the arguments */
	uint32_t string_limit; /* 56 */
	uint16_t id;           /* 60: in the shared memory; 0: none */
	uint8_t fields;        /* 62 */
	uint8_t args;          /* 63 */
	uint64_t args_signature; /* 64: what head.signature is while published with a stub */
	uint32_t body_words;     /* 72: fixed words of a record, one per field */
	uint32_t bytes_fields;   /* 76: bit per field: string or bytes */
	uint8_t types[WEIR_FIELDS_MAX]; /* enum weir_type */
	struct weir_sink *sinks;

	/* cold */
	struct probe *next; /* in the provider, in order of creation */
	struct weir_provider *provider;
	struct weir_note *note; /* whole; site and semaphore as loaded */
	uint32_t flags;         /* enum weir_probe_flag */
	int32_t loglevel;
	struct stub_block *block; /* in the stub; NULL: none */
	bool published;
};

/* In lib/fire.c: gives a sink to a published probe, or takes it away. Under weir_lock. */
void probe_sink_add(struct probe *probe, struct weir_sink *sink);
void probe_sink_remove(struct probe *probe, struct weir_sink *sink);

static inline const char *probe_name(const struct probe *probe)
{
	const char *provider = (const char *)(probe->note + 1);

	while (*provider)
		provider++;
	return provider + 1;
}

#endif
