/* SPDX-License-Identifier: MIT */
/*
 * Of each class of records (merge_classes.c) the one that was made first stands for the type: the
 * one of the lowest unit, and there the one that was interned first. Types of one name are in
 * that order too, and types without a name; strings follow in the order in which types use them.
 * So nothing depends on which worker had which unit.
 */
#include "types/merge.h"

#include "types/btf_sort.h"
#include "types/util.h"

struct merge {
	struct merge_records r;
	uint32_t *class;
	uint8_t *rank; /* of records */
	size_t classes;
	struct btf_sort_key *keys; /* by class - 1, then by id - 1; `id` is a record */
	uint32_t *id;              /* by class */
	struct builder strings;
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
	for (size_t i = 0; i + 1 < m->classes; i++) {
		struct btf_sort_key *k = &m->keys[i];
		const char *name = merge_string(&m->r, k->id, merge_record(&m->r, k->id)->name_off);

		*k = btf_sort_key(name, origin_of(&m->r, k->id), k->id);
	}
	return 0;
}

static int sort(struct merge *m)
{
	m->id = malloc(m->classes * sizeof(*m->id));
	if (!m->id)
		return -ENOMEM;
	qsort(m->keys, m->classes - 1, sizeof(*m->keys), btf_sort_by_key);
	m->id[0] = 0;
	for (size_t i = 0; i + 1 < m->classes; i++)
		m->id[m->class[m->keys[i].id]] = i + 1;
	return 0;
}

static uint32_t final_id(const struct merge *m, uint32_t g, uint32_t ref)
{
	return ref ? m->id[m->class[merge_part_of(&m->r, g)->base + ref]] : 0;
}

static int write_record(struct merge *m, uint32_t g, uint8_t *to)
{
	const struct btf_type *t = merge_record(&m->r, g);
	const uint32_t *w = (const void *)(t + 1);
	struct record_shape s = record_shape(t);
	struct btf_type *out = (void *)to;
	uint32_t *words = (void *)(out + 1);
	int err = builder_string(&m->strings, merge_string(&m->r, g, t->name_off), &out->name_off);

	out->info = t->info;
	out->size = s.head ? final_id(m, g, t->type) : t->size;
	memcpy(words, w, s.words * sizeof(*w));
	for (uint32_t i = 0; i < s.refs; i++)
		words[s.ref_at + i * s.step] = final_id(m, g, w[s.ref_at + i * s.step]);
	for (uint32_t i = 0; i < s.names && !err; i++)
		err = builder_string(&m->strings, merge_string(&m->r, g, w[i * s.step]),
		                     &words[i * s.step]);
	return err;
}

static int write_btf(struct merge *m, struct merged *ret)
{
	size_t size = 0, at = sizeof(struct btf_header);
	uint8_t *out;
	int err = 0;

	for (size_t i = 0; i + 1 < m->classes; i++)
		size += btf_record_size(merge_record(&m->r, m->keys[i].id));
	out = malloc(at + size);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < m->classes && !err; i++) {
		err = write_record(m, m->keys[i].id, out + at);
		at += btf_record_size(merge_record(&m->r, m->keys[i].id));
	}
	if (!err && at + m->strings.strings_size > UINT32_MAX)
		err = -EOVERFLOW;
	if (!err) {
		uint8_t *all = realloc(out, at + m->strings.strings_size);

		if (all)
			out = all;
		else
			err = -ENOMEM;
	}
	if (err) {
		free(out);
		return err;
	}
	memcpy(out + at, m->strings.strings, m->strings.strings_size);
	*(struct btf_header *)out = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(struct btf_header),
		.type_len = size,
		.str_off = size,
		.str_len = m->strings.strings_size,
	};
	ret->btf = out;
	ret->btf_size = at + m->strings.strings_size;
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

int merge_types(struct merge_part *parts, size_t count, struct merged *ret)
{
	struct merge m = { 0 };
	int err = builder_init(&m.strings, 0);

	memset(ret, 0, sizeof(*ret));
	if (!err)
		err = list_records(&m, parts, count);
	if (!err)
		err = merge_classes(&m.r, &m.class, &m.classes, &m.rank);
	if (!err)
		err = choose(&m);
	if (!err)
		err = sort(&m);
	if (!err)
		err = write_btf(&m, ret);
	if (!err)
		err = map_records(&m, ret);
	builder_deinit(&m.strings);
	free(m.r.record);
	free(m.r.part);
	free(m.class);
	free(m.rank);
	free(m.keys);
	free(m.id);
	if (err)
		merged_deinit(ret);
	return err;
}

void merged_deinit(struct merged *m)
{
	free(m->btf);
	free(m->units);
	free(m->map);
	free(m->chosen);
	memset(m, 0, sizeof(*m));
}
