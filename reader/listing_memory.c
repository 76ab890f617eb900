/* SPDX-License-Identifier: MIT */
/* What the shared memories' schema logs say is published, and who has a session on it. */
#include "reader/listing_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const char *provider_a, const char *name_a, const char *provider_b,
                         const char *name_b)
{
	int c = strcmp(provider_a, provider_b);

	return c ? c : strcmp(name_a, name_b);
}

static int compare_ids(const void *a, const void *b, void *arg)
{
	const struct schema *s = arg;
	const struct schema_probe *x = s->probes[*(const uint32_t *)a];
	const struct schema_probe *y = s->probes[*(const uint32_t *)b];

	return compare_names(x->provider, x->name, y->provider, y->name);
}

int memories_add(struct memories *m, struct shm *shm)
{
	struct published *list = reallocarray(m->list, m->count + 1, sizeof(*list)), *p;

	if (!list)
		return -ENOMEM;
	m->list = list;
	p = &list[m->count];
	*p = (struct published){ .shm = *shm };
	schema_update(&p->schema, &p->shm);
	p->seen = calloc(p->schema.ids + 1, sizeof(*p->seen));
	p->by_name = calloc(p->schema.ids + 1, sizeof(*p->by_name));
	if (!p->seen || !p->by_name) {
		free(p->seen);
		free(p->by_name);
		schema_deinit(&p->schema);
		return -ENOMEM;
	}
	for (uint32_t id = 1; id < p->schema.ids; id++) {
		if (p->schema.probes[id])
			p->by_name[p->count++] = id;
	}
	qsort_r(p->by_name, p->count, sizeof(*p->by_name), compare_ids, &p->schema);
	m->count++;
	return 0;
}

void memories_deinit(struct memories *m)
{
	for (size_t i = 0; i < m->count; i++) {
		schema_deinit(&m->list[i].schema);
		shm_unmap(&m->list[i].shm);
		free(m->list[i].by_name);
		free(m->list[i].seen);
	}
	free(m->list);
}

/* The first of by_name that is not before this name. */
static uint32_t lower_bound(const struct published *p, const struct probe_desc *desc)
{
	uint32_t low = 0, high = p->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct schema_probe *s = p->schema.probes[p->by_name[middle]];

		if (compare_names(s->provider, s->name, desc->provider, desc->name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool memories_published(const struct memories *m, const struct probe_desc *desc, uint64_t site,
                        struct published **where, uint32_t *id)
{
	bool known = false;

	*where = NULL;
	for (size_t i = 0; i < m->count; i++) {
		struct published *p = &m->list[i];

		for (uint32_t n = lower_bound(p, desc); n < p->count; n++) {
			const struct schema_probe *s = p->schema.probes[p->by_name[n]];

			if (compare_names(s->provider, s->name, desc->provider, desc->name))
				break;
			known = true;
			if (s->withdrawn || s->site != site)
				continue;
			*where = p;
			*id = p->by_name[n];
			return true;
		}
	}
	return !known;
}

/* schema.c and probe_desc.c read the same bytes, each for its own needs. */
static struct probe_desc *desc_of_schema(const struct schema_probe *s)
{
	struct probe_desc *d = calloc(1, sizeof(*d) + s->count * sizeof(d->fields[0]));

	if (!d)
		return NULL;
	d->kind = PROBE_WEIR;
	d->provider = s->provider;
	d->name = s->name;
	d->fields_count = s->count;
	for (uint32_t i = 0; i < s->count; i++) {
		d->fields[i].name = s->fields[i].name;
		d->fields[i].type = s->fields[i].type;
	}
	return d;
}

static int memory_row(struct listing *listing, const struct published *p, uint32_t id,
                      const struct listing_owner *owner)
{
	struct probe_desc *desc = desc_of_schema(p->schema.probes[id]);
	struct listed_probe *row;
	int code = desc ? listing_row(listing, listing->count, owner, desc, &row) : -ENOMEM;

	free(desc);
	if (!code)
		memories_owners(p, id, row);
	return code;
}

int memories_rows(struct listing *listing, const struct memories *m,
                  const struct listing_owner *owner, const struct listing_options *options)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct published *p = &m->list[i];

		for (uint32_t n = 0; n < p->count; n++) {
			const struct schema_probe *s = p->schema.probes[p->by_name[n]];
			int code = 0;

			if (!s->withdrawn && !p->seen[p->by_name[n]] &&
			    listing_wants(options, PROBE_WEIR, s->provider, s->name))
				code = memory_row(listing, p, p->by_name[n], owner);
			if (code)
				return code;
		}
	}
	return 0;
}

void memories_owners(const struct published *p, uint32_t id, struct listed_probe *row)
{
	uint32_t mask = __atomic_load_n(&shm_mask(&p->shm)[id], __ATOMIC_RELAXED);

	for (unsigned k = 0; k < p->shm.head.sessions; k++) {
		const struct weir_shm_session *s = shm_session(&p->shm, k);
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		uint32_t nibble = mask >> WEIR_MASK_SHIFT(k) & 0xf;

		if (nibble && nibble == WEIR_SESSION_NIBBLE(word) &&
		    row->owners_count < sizeof(row->owners) / sizeof(row->owners[0]))
			row->owners[row->owners_count++] =
			    __atomic_load_n(&s->owner, __ATOMIC_RELAXED);
	}
}
