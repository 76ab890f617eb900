/* SPDX-License-Identifier: MIT */
/*
 * Probes by what they are: provider, name, fields, limit. A probe is never freed and its id is
 * never given to another one: an old record in a packet, a fire that another thread is in the
 * middle of, and a parked stub's block all stay right. A program that declares the same probe
 * again gets the same one back, so what is kept is bounded by the number of different probes,
 * and that by 65,535.
 */
#include "lib/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weir/abi/shm.h>

#include "lib/entry.h"

/*
 * Two chained tables of one size, by description and by provider and name (several descriptions
 * share one). They begin small, for most processes have few probes and a first touch of a page
 * costs as much as a hundred look-ups, and double when there are as many probes as chains.
 */
#define CHAINS_MIN 64

static struct probe *first_chains[2 * CHAINS_MIN];
static struct probe **chains = first_chains; /* chain_count by description, as many by name */
static uint32_t chain_count = CHAINS_MIN;
static uint32_t count;

/* Two descriptions are the same apart from where they were loaded. */
static bool same(const struct weir_note *a, const struct weir_note *b)
{
	size_t from = offsetof(struct weir_note, string_limit);

	return a->size == b->size &&
	       !memcmp((const char *)a + from, (const char *)b + from, a->size - from);
}

/* FNV-1a, continued. */
static uint32_t hash_bytes(uint32_t h, const void *bytes, size_t size)
{
	for (const uint8_t *p = bytes, *end = p + size; p < end; p++)
		h = (h ^ *p) * 16777619u;
	return h;
}

static uint32_t hash(const struct weir_note *note)
{
	size_t from = offsetof(struct weir_note, string_limit);

	return hash_bytes(2166136261u, (const uint8_t *)note + from, note->size - from);
}

static uint32_t hash_name(const char *provider, const char *name)
{
	return hash_bytes(hash_bytes(2166136261u, provider, strlen(provider) + 1), name,
	                  strlen(name));
}

static struct probe **chain_of(uint32_t h)
{
	return &chains[h % chain_count];
}

static struct probe **name_chain_of(uint32_t h)
{
	return &chains[chain_count + h % chain_count];
}

static void link_probe(struct probe *probe)
{
	struct probe **chain = chain_of(probe->hash);

	probe->next_hash = *chain;
	*chain = probe;
	chain = name_chain_of(probe->name_hash);
	probe->next_name = *chain;
	*chain = probe;
}

/* Without memory for it the chains get longer, and nothing else changes. */
static void grow(void)
{
	struct probe **old = chains, *probe, *next;
	struct probe **bigger = calloc((size_t)4 * chain_count, sizeof(*bigger));
	uint32_t old_count = chain_count;

	if (!bigger)
		return;
	chains = bigger;
	chain_count *= 2;
	for (uint32_t i = 0; i < old_count; i++) {
		for (probe = old[i]; probe; probe = next) {
			next = probe->next_hash;
			link_probe(probe);
		}
	}
	if (old != first_chains)
		free(old);
}

struct probe *registry_find(const struct weir_provider *provider, const char *name)
{
	struct probe *probe = *name_chain_of(hash_name(provider->name, name));

	while (probe && (probe->provider != provider || strcmp(probe_name(probe), name)))
		probe = probe->next_name;
	return probe;
}

/* What weir_entry_mixed needs in a packet for the longest record, with the 16 bytes that its last
 * store of a string may go beyond; 0 if the probe is not for it. */
static uint32_t probe_room(const struct probe *probe)
{
	uint32_t strings = 0, room;

	for (unsigned i = 0; i < probe->fields; i++) {
		if (probe->types[i] == WEIR_BYTES)
			return 0;
		strings += probe->types[i] == WEIR_STRING;
	}
	room = 16 + 8 * probe->fields + strings * ((probe->string_limit + 8) & ~7u);
	return probe->args > ENTRY_REGISTERS || room > WEIR_RECORD_MAX ? 0 : room + 16;
}

/* The hot part: everything that depends on the description alone. */
static void probe_init(struct probe *probe, uint16_t id, struct weir_note *note)
{
	const char *p = note_probe(note);
	uint64_t classes = 0;
	unsigned arg = 0;

	probe->head.site = &site_off;
	probe->head.mask = &mask_off;
	probe->head.sinks = &probe->no_sink;
	probe->note = note;
	probe->id = id;
	probe->fields = (uint8_t)note->fields;
	probe->args = (uint8_t)note->args;
	probe->string_limit = note->string_limit;
	p += strlen(p) + 1;
	for (unsigned i = 0; i < note->fields; i++) {
		struct weir_note_field field;
		unsigned class = WEIR_CLASS_INT;

		memcpy(&field, p, sizeof(field));
		p += sizeof(field) + strlen(p + sizeof(field)) + 1;
		probe->types[i] = field.type;
		if (field.type == WEIR_F32)
			class = WEIR_CLASS_F32;
		else if (field.type == WEIR_F64)
			class = WEIR_CLASS_F64;
		else if (field.type >= WEIR_STRING)
			class = WEIR_CLASS_POINTER;
		if (field.type == WEIR_STRING || field.type == WEIR_BYTES)
			probe->bytes_fields |= 1u << i;
		classes |= (uint64_t) class << (2 * arg);
		arg += field.type == WEIR_BYTES ? 2 : 1;
	}
	probe->args_signature = WEIR_SIGNATURE(note->args, classes);
	probe->room = probe_room(probe);
	probe->record = id | (uint64_t)(2 + note->fields) << 54;
}

int registry_get(struct weir_note *note, struct probe **ret)
{
	uint32_t h = hash(note);
	struct probe *probe;

	for (probe = *chain_of(h); probe; probe = probe->next_hash) {
		if (same(probe->note, note)) {
			free(note);
			*ret = probe;
			return 0;
		}
	}
	if (count + 1 >= WEIR_SHM_PROBES)
		return -ENOSPC;
	probe = aligned_alloc(_Alignof(*probe), sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	memset(probe, 0, sizeof(*probe));
	probe_init(probe, (uint16_t)++count, note);
	probe->hash = h;
	probe->name_hash = hash_name((const char *)(note + 1), note_probe(note));
	if (count > chain_count)
		grow();
	link_probe(probe);
	*ret = probe;
	return 0;
}

void registry_each(void (*call)(struct probe *))
{
	for (unsigned i = 0; i < chain_count; i++) {
		for (struct probe *probe = chains[i]; probe; probe = probe->next_hash) {
			if (probe->published)
				call(probe);
		}
	}
}
