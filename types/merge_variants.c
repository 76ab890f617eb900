/* SPDX-License-Identifier: MIT */
/*
 * A struct that one unit saw with a declaration inside and another one with its definition.
 *
 * merge_classes.c resolves a declaration where its name has one definition. Where it has several,
 * what leads to the declaration stays apart from what leads to each of the definitions, and users
 * would find two of a name that differ in nothing they can see. The *variants* of a struct are the
 * classes of one name that look the same. They are one type after all if each two of them differ
 * in nothing but a declaration here and a definition of the same name there, or in variants of
 * other structs that are one type themselves. So all are taken to be, and those that contradict
 * are taken out until none does. Where units lead to different definitions, variants contradict,
 * and all of them stay. The one that leads to the fewest declarations stands for the type.
 */
#include "types/merge.h"

#include "types/equal.h"
#include "types/parallel.h"
#include "types/util.h"

#define VARIANTS_MAX 8  /* of one struct */
#define DEPTH_MAX    16 /* pointers to arrays of functions ... */
#define ROUNDS_MAX   64

struct variants {
	const struct merge_records *r;
	const uint64_t *look;
	uint32_t *class;
	uint32_t classes;
	uint32_t *first; /* by class: a record of it, a definition if there is one */
	uint32_t *group; /* by class: its place in begin[], plus 1; 0: it has no variants */
	struct variant {
		uint64_t look;
		uint32_t class;
	} * list;
	size_t count, room;
	uint32_t *begin; /* of groups in the list */
	bool *alive;
	size_t groups, begin_room, alive_room;
	uint64_t work;
	/* while classes become one: by class */
	uint64_t *keys;
	uint32_t *to;
};

static const struct btf_type *record_of(const struct variants *v, uint32_t class)
{
	return merge_record(v->r, v->first[class]);
}

static bool is_named_record(const struct btf_type *t)
{
	uint32_t kind = BTF_INFO_KIND(t->info);

	return t->name_off && (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION);
}

/* The nth reference of a record: a class, or UINT32_MAX after the last. */
static uint32_t nth_class(const struct variants *v, uint32_t g, uint32_t n)
{
	const struct btf_type *t = merge_record(v->r, g);
	const uint32_t *w = (const void *)(t + 1);
	struct record_shape s = record_shape(t);

	if (s.head && !n--)
		return v->class[t->type];
	return n < s.refs ? v->class[w[s.ref_at + n * s.step]] : UINT32_MAX;
}

/* --- which variants agree --- */

static bool declares(const struct variants *v, uint32_t class, uint32_t other)
{
	const struct btf_type *x = record_of(v, class), *y = record_of(v, other);
	uint32_t kind = BTF_INFO_KFLAG(x->info) ? BTF_KIND_UNION : BTF_KIND_STRUCT;

	return BTF_INFO_KIND(x->info) == BTF_KIND_FWD && BTF_INFO_KIND(y->info) == kind &&
	       x->name_off == y->name_off;
}

static bool agree(struct variants *v, uint32_t a, uint32_t b, int depth);

static bool lead_to_same(struct variants *v, uint32_t a, uint32_t b, int depth)
{
	v->work++;
	if (a == b)
		return true;
	if (!a || !b)
		return false;
	if (declares(v, a, b) || declares(v, b, a))
		return true;
	if (v->group[a] || v->group[b])
		return v->group[a] == v->group[b] && v->alive[v->group[a] - 1];
	return !is_named_record(record_of(v, a)) && depth < DEPTH_MAX &&
	       v->work < v->r->count * 16ULL && v->look[v->first[a]] == v->look[v->first[b]] &&
	       agree(v, a, b, depth + 1);
}

/* Two that look the same. */
static bool agree(struct variants *v, uint32_t a, uint32_t b, int depth)
{
	for (uint32_t n = 0;; n++) {
		uint32_t x = nth_class(v, v->first[a], n), y = nth_class(v, v->first[b], n);

		if (x == UINT32_MAX)
			return true;
		if (!lead_to_same(v, x, y, depth))
			return false;
	}
}

static bool group_agrees(struct variants *v, size_t group)
{
	size_t begin = v->begin[group], end = v->begin[group + 1];

	if (end - begin > VARIANTS_MAX)
		return false;
	for (size_t i = begin; i < end; i++) {
		for (size_t j = i + 1; j < end; j++) {
			if (!agree(v, v->list[i].class, v->list[j].class, 0))
				return false;
		}
	}
	return true;
}

/* False: too much work for any honest input. */
static bool settle(struct variants *v)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		bool changed = false;

		for (size_t i = 0; i < v->groups; i++) {
			if (v->alive[i] && !group_agrees(v, i))
				v->alive[i] = false, changed = true;
		}
		if (v->work >= v->r->count * 16ULL)
			return false;
		if (!changed)
			return true;
	}
	return false;
}

/* --- finding them --- */

static void find_first(struct variants *v)
{
	for (uint32_t g = v->r->count; g-- > 1;) {
		uint32_t *first = &v->first[v->class[g]];

		if (!*first || BTF_INFO_KIND(merge_record(v->r, g)->info) != BTF_KIND_FWD)
			*first = g;
	}
}

static int by_look(const void *a, const void *b)
{
	const struct variant *x = a, *y = b;

	if (x->look != y->look)
		return x->look < y->look ? -1 : 1;
	return (x->class > y->class) - (x->class < y->class);
}

static int add_group(struct variants *v, size_t begin, size_t end)
{
	int err = array_reserve(&v->begin, v->groups + 1, &v->begin_room, sizeof(*v->begin));

	if (!err)
		err = array_reserve(&v->alive, v->groups, &v->alive_room, sizeof(*v->alive));
	if (err)
		return err;
	v->begin[v->groups] = begin;
	v->begin[v->groups + 1] = end;
	v->alive[v->groups++] = true;
	for (size_t i = begin; i < end; i++)
		v->group[v->list[i].class] = v->groups;
	return 0;
}

static int find_groups(struct variants *v)
{
	size_t kept = 0;
	int err = 0;

	for (uint32_t c = 1; c < v->classes && !err; c++) {
		if (!v->first[c] || !is_named_record(record_of(v, c)))
			continue;
		err = array_reserve(&v->list, v->count, &v->room, sizeof(*v->list));
		if (!err)
			v->list[v->count++] = (struct variant){ v->look[v->first[c]], c };
	}
	if (err || !v->count)
		return err;
	qsort(v->list, v->count, sizeof(*v->list), by_look);
	/* groups are moved together, so that one begins where the other ends */
	for (size_t i = 0, end; i < v->count && !err; i = end) {
		for (end = i + 1; end < v->count && v->list[end].look == v->list[i].look;)
			end++;
		if (end - i < 2)
			continue;
		memmove(v->list + kept, v->list + i, (end - i) * sizeof(*v->list));
		err = add_group(v, kept, kept + (end - i));
		kept += end - i;
	}
	return err;
}

/* --- making them one --- */

static uint32_t declarations_behind(const struct variants *v, uint32_t class, int depth)
{
	uint32_t count = 0, to;

	if (!class)
		return 0;
	if (BTF_INFO_KIND(record_of(v, class)->info) == BTF_KIND_FWD)
		return 1;
	if (depth > 4 || is_named_record(record_of(v, class)))
		return 0;
	for (uint32_t n = 0; n < 32 && (to = nth_class(v, v->first[class], n)) != UINT32_MAX; n++)
		count += declarations_behind(v, to, depth + 1);
	return count;
}

static uint8_t rank_of(const struct variants *v, uint32_t g)
{
	uint32_t count = 0, to;

	for (uint32_t n = 0; count < 255 && (to = nth_class(v, g, n)) != UINT32_MAX; n++)
		count += declarations_behind(v, to, 0);
	return count < 255 ? count : 255;
}

static uint64_t key_of(const struct variants *v, uint32_t class)
{
	uint64_t h = v->look[v->first[class]];
	uint32_t to;

	if (v->group[class] && v->alive[v->group[class] - 1])
		return hash_mix(h + 1);
	if (BTF_INFO_KIND(record_of(v, class)->info) == BTF_KIND_FWD)
		return hash_mix(h ^ class * 0x9e3779b97f4a7c15ULL);
	for (uint32_t n = 0; (to = nth_class(v, v->first[class], n)) != UINT32_MAX; n++)
		h = hash_mix(h * 31 + to);
	return h;
}

static int make_keys(void *arg, size_t begin, size_t end)
{
	struct variants *v = arg;

	for (size_t c = begin; c < end; c++)
		v->keys[c] = v->first[c] ? key_of(v, c) : 0;
	return 0;
}

/* A class that is not used any more is equal to none. */
static bool are_used(const void *arg, uint32_t a, uint32_t b)
{
	const struct variants *v = arg;

	return v->first[a] && v->first[b];
}

static int move_records(void *arg, size_t begin, size_t end)
{
	struct variants *v = arg;

	for (size_t g = begin; g < end; g++)
		v->class[g] = v->to[v->class[g]];
	return 0;
}

/* What leads to variants that became one type may be one type now too. */
static int coarsen(struct variants *v, bool *ret_changed)
{
	int err;

	parallel_ranges(v->r->threads, v->classes, make_keys, v);
	err = equal_find(v->keys, v->classes, v->r->threads, are_used, v, v->to);
	if (err)
		return err;
	*ret_changed = false;
	for (uint32_t c = 1; c < v->classes; c++) {
		if (v->to[c] == c)
			continue;
		v->first[c] = 0;
		*ret_changed = true;
	}
	if (*ret_changed)
		parallel_ranges(v->r->threads, v->r->count, move_records, v);
	return 0;
}

static int unite(struct variants *v, uint8_t *rank)
{
	bool changed = true;
	int err = 0;

	v->keys = malloc(v->classes * sizeof(*v->keys));
	v->to = malloc(v->classes * sizeof(*v->to));
	if (!v->keys || !v->to)
		return -ENOMEM;
	for (uint32_t g = 1; g < v->r->count; g++) {
		uint32_t group = v->group[v->class[g]];

		if (group && v->alive[group - 1])
			rank[g] = rank_of(v, g);
	}
	while (changed && !err)
		err = coarsen(v, &changed);
	return err;
}

int merge_variants(const struct merge_records *r, const uint64_t *look, uint32_t *class,
                   uint32_t classes, uint8_t *rank)
{
	struct variants v = { .r = r, .look = look, .class = class, .classes = classes };
	int err = 0;

	v.first = calloc(classes, sizeof(*v.first));
	v.group = calloc(classes, sizeof(*v.group));
	if (!v.first || !v.group) {
		err = -ENOMEM;
	} else {
		find_first(&v);
		err = find_groups(&v);
		if (!err && v.groups && settle(&v))
			err = unite(&v, rank);
	}
	free(v.first);
	free(v.group);
	free(v.list);
	free(v.begin);
	free(v.alive);
	free(v.keys);
	free(v.to);
	return err;
}
