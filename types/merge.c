/* SPDX-License-Identifier: MIT */
/*
 * Of each class of records (merge_classes.c) the one that was made first stands for the type: the
 * one of the lowest unit, and there the one that was interned first. Types of one name are in
 * that order too, and types without a name. So nothing depends on which worker had which unit.
 */
#include "types/merge.h"

#include "types/btf_sort.h"
#include "types/merge_write.h"
#include "types/parallel.h"
#include "types/util.h"

struct merge {
	struct merge_records r;
	uint32_t *class;
	uint8_t *rank; /* of records */
	size_t classes;
	struct btf_sort_key *keys; /* by class - 1, then by id - 1; `id` is a record */
	uint32_t *id;              /* by class */
};

static int list_records(struct merge *m, struct merge_part *parts, size_t count)
{
	uint64_t total = 1;
	uint32_t g = 1;

	for (size_t p = 0; p < count; p++) {
		parts[p].base = total - 1;
		total += parts[p].b->count;
	}
	if (total > BUILDER_TYPES_MAX)
		return -EOVERFLOW;
	m->r.parts = parts;
	m->r.parts_count = count;
	m->r.count = total;
	m->r.record = malloc(total * sizeof(*m->r.record));
	m->r.part = count > 1 ? calloc(total, sizeof(*m->r.part)) : NULL;
	if (!m->r.record || (count > 1 && !m->r.part))
		return -ENOMEM;
	m->r.record[0] = NULL;
	for (size_t p = 0; p < count; p++) {
		for (size_t i = 0; i < parts[p].b->count; i++, g++) {
			m->r.record[g] = parts[p].b->data + parts[p].b->offset[i];
			if (m->r.part)
				m->r.part[g] = p;
		}
	}
	return 0;
}

static int finish_part(void *arg, size_t p)
{
	builder_finish(((struct merge_part *)arg)[p].b);
	return 0;
}

static uint64_t origin_of(const struct merge_records *r, uint32_t g)
{
	const struct merge_part *p = merge_part_of(r, g);

	return p->b->origin[g - p->base - 1];
}

static bool is_forward(const struct merge_records *r, uint32_t g)
{
	const struct btf_type *t = merge_record(r, g);
	uint32_t kind = BTF_INFO_KIND(t->info);

	return kind == BTF_KIND_FWD ||
	       ((kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) && !BTF_INFO_VLEN(t->info));
}

/* Does g stand for its type rather than `other`? A definition does before a declaration. */
static bool is_better(const struct merge *m, uint32_t g, uint32_t other)
{
	const struct merge_records *r = &m->r;
	bool forward = is_forward(r, g), other_forward = is_forward(r, other);

	if (forward != other_forward)
		return other_forward;
	if (m->rank[g] != m->rank[other])
		return m->rank[g] < m->rank[other];
	return origin_of(r, g) < origin_of(r, other);
}

static int choose(struct merge *m)
{
	m->keys = malloc(m->classes * sizeof(*m->keys));
	if (!m->keys)
		return -ENOMEM;
	for (size_t i = 0; i < m->classes; i++)
		m->keys[i].id = 0;
	for (uint32_t g = 1; g < m->r.count; g++) {
		struct btf_sort_key *k = &m->keys[m->class[g] - 1];

		if (!k->id || is_better(m, g, k->id))
			k->id = g;
	}
	return 0;
}

static int make_keys(void *arg, size_t begin, size_t end)
{
	struct merge *m = arg;

	for (size_t i = begin; i < end; i++) {
		uint32_t g = m->keys[i].id;
		const char *name = m->r.string[merge_record(&m->r, g)->name_off].string;

		m->keys[i] = btf_sort_key(name, origin_of(&m->r, g), g);
	}
	return 0;
}

static int sort(struct merge *m)
{
	size_t count = m->classes - 1;
	int err;

	m->id = malloc(m->classes * sizeof(*m->id));
	if (!m->id)
		return -ENOMEM;
	parallel_ranges(m->r.threads, count, make_keys, m);
	err = btf_sort_keys(&m->keys, count, m->r.threads);
	if (err)
		return err;
	m->id[0] = 0;
	for (size_t i = 0; i < count; i++)
		m->id[m->class[m->keys[i].id]] = i + 1;
	return 0;
}

static int map_records(struct merge *m, struct merged *ret)
{
	ret->types_count = m->classes - 1;
	ret->units = calloc(m->classes, sizeof(*ret->units));
	ret->map = malloc(m->r.count * sizeof(*ret->map));
	ret->chosen = calloc(m->r.count, 1);
	if (!ret->units || !ret->map || !ret->chosen)
		return -ENOMEM;
	ret->map[0] = 0;
	for (uint32_t g = 1; g < m->r.count; g++) {
		const struct merge_part *p = merge_part_of(&m->r, g);
		uint32_t id = m->id[m->class[g]], unit = p->id_unit[g - p->base - 1];
		uint32_t *first = &ret->units[id - 1];

		ret->map[g] = id;
		ret->chosen[g] = m->keys[id - 1].id == g;
		/* a declaration's unit does not define it */
		if (unit && (!*first || unit < *first) &&
		    (!is_forward(&m->r, g) || is_forward(&m->r, m->keys[id - 1].id)))
			*first = unit;
	}
	return 0;
}

static int write_btf(struct merge *m, struct merged *ret)
{
	struct merge_write w = { &m->r, m->keys, m->classes - 1, ret->map };

	return merge_write(&w, ret);
}

static void merge_deinit(struct merge *m)
{
	free(m->r.record);
	free(m->r.part);
	free(m->r.string);
	free(m->class);
	free(m->rank);
	free(m->keys);
	free(m->id);
}

int merge_types(struct merge_part *parts, size_t count, size_t threads, struct merged *ret)
{
	struct merge m = { .r.threads = threads };
	int err;

	memset(ret, 0, sizeof(*ret));
	parallel_steps(threads, count, finish_part, parts);
	err = list_records(&m, parts, count);
	if (!err)
		err = merge_strings(&m.r);
	if (!err)
		err = merge_classes(&m.r, &m.class, &m.classes, &m.rank, &ret->given_up);
	if (!err)
		err = choose(&m);
	if (!err)
		err = sort(&m);
	if (!err)
		err = map_records(&m, ret);
	if (!err)
		err = write_btf(&m, ret);
	merge_deinit(&m);
	if (err)
		merged_deinit(ret);
	return err;
}

void merged_deinit(struct merged *m)
{
	free(m->block);
	free(m->units);
	free(m->map);
	free(m->chosen);
	memset(m, 0, sizeof(*m));
}
