/* SPDX-License-Identifier: MIT */
/*
 * The chosen records, in their final order -> BTF. Strings follow in the order in which types use
 * them first. Everything's place is known before anything is written, so that all can be written
 * side by side, and into memory that is touched only once.
 */
#include "types/merge_write.h"

#include "types/parallel.h"
#include "types/util.h"

#define STEPS 16

struct use {
	uint32_t *list; /* strings that a range of types is the first in the range to use */
	size_t count, room;
};

struct write {
	const struct merge_write *in;
	const struct merge_records *r;
	struct use uses[STEPS];
	uint32_t *at;     /* of type id - 1 in the type section; one more: its end */
	uint32_t *offset; /* by string */
	uint32_t *used;   /* strings in the order of their offsets */
	size_t used_count, strings_size;
	uint8_t *types;
	char *strings;
};

static const struct btf_type *record_of(const struct write *w, size_t i)
{
	return merge_record(w->r, w->in->keys[i].id);
}

/* --- what goes where --- */

static int use_string(struct use *u, uint64_t *seen, uint32_t string)
{
	int err;

	if (seen[string / 64] >> string % 64 & 1)
		return 0;
	err = array_reserve(&u->list, u->count, &u->room, sizeof(*u->list));
	if (err)
		return err;
	seen[string / 64] |= 1ULL << string % 64;
	u->list[u->count++] = string;
	return 0;
}

/* Sizes of records (in at[]) and strings of a range. */
static int survey(void *arg, size_t step)
{
	struct write *w = arg;
	struct use *u = &w->uses[step];
	size_t begin = w->in->count * step / STEPS, end = w->in->count * (step + 1) / STEPS;
	_cleanup_free_ uint64_t *seen = calloc(w->r->strings / 64 + 1, sizeof(*seen));
	int err = seen ? 0 : -ENOMEM;

	for (size_t i = begin; i < end && !err; i++) {
		const struct btf_type *t = record_of(w, i);
		const uint32_t *words = (const void *)(t + 1);
		struct record_shape s = record_shape(t);

		w->at[i] = sizeof(*t) + s.words * sizeof(*words);
		err = use_string(u, seen, t->name_off);
		for (uint32_t k = 0; k < s.names && !err; k++)
			err = use_string(u, seen, words[k * s.step]);
	}
	return err;
}

static int place_records(struct write *w)
{
	uint64_t at = 0;

	for (size_t i = 0; i < w->in->count; i++) {
		uint32_t size = w->at[i];

		w->at[i] = at;
		at += size;
		if (at > UINT32_MAX)
			return -EOVERFLOW;
	}
	w->at[w->in->count] = at;
	return 0;
}

/* The empty one is at 0. */
static int place_strings(struct write *w)
{
	uint64_t at = 1;

	for (size_t step = 0; step < STEPS; step++) {
		for (size_t i = 0; i < w->uses[step].count; i++) {
			uint32_t string = w->uses[step].list[i];

			if (!string || w->offset[string])
				continue;
			w->offset[string] = at;
			w->used[w->used_count++] = string;
			at += w->r->string[string].length + 1;
			if (at > INT32_MAX)
				return -EOVERFLOW;
		}
	}
	w->strings_size = at;
	return 0;
}

/* --- writing --- */

static int write_records(void *arg, size_t begin, size_t end)
{
	const struct write *w = arg;
	const uint32_t *map = w->in->map;

	for (size_t i = begin; i < end; i++) {
		const struct btf_type *t = record_of(w, i);
		const uint32_t *from = (const void *)(t + 1);
		struct record_shape s = record_shape(t);
		struct btf_type *out = (void *)(w->types + w->at[i]);
		uint32_t *to = (void *)(out + 1);

		out->name_off = w->offset[t->name_off];
		out->info = t->info;
		out->size = s.head ? map[t->type] : t->size;
		memcpy(to, from, s.words * sizeof(*from));
		for (uint32_t k = 0; k < s.names; k++)
			to[k * s.step] = w->offset[from[k * s.step]];
		for (uint32_t k = 0; k < s.refs; k++)
			to[s.ref_at + k * s.step] = map[from[s.ref_at + k * s.step]];
	}
	return 0;
}

static int write_strings(void *arg, size_t begin, size_t end)
{
	const struct write *w = arg;

	for (size_t i = begin; i < end; i++) {
		const struct merge_string *s = &w->r->string[w->used[i]];

		memcpy(w->strings + w->offset[w->used[i]], s->string, s->length + 1);
	}
	return 0;
}

static int write_all(struct write *w, struct merged *ret)
{
	size_t types_size = w->at[w->in->count], head = sizeof(struct btf_header);

	if (head + types_size + w->strings_size > UINT32_MAX)
		return -EOVERFLOW;
	ret->btf_size = head + types_size + w->strings_size;
	ret->block = malloc(IMAGE_BTF_AT + ret->btf_size);
	if (!ret->block)
		return -ENOMEM;
	ret->btf = ret->block + IMAGE_BTF_AT;
	*(struct btf_header *)ret->btf = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = head,
		.type_len = types_size,
		.str_off = types_size,
		.str_len = w->strings_size,
	};
	w->types = ret->block + IMAGE_BTF_AT + head;
	w->strings = (char *)w->types + types_size;
	w->strings[0] = 0;
	parallel_ranges(w->r->threads, w->in->count, write_records, w);
	parallel_ranges(w->r->threads, w->used_count, write_strings, w);
	return 0;
}

int merge_write(const struct merge_write *in, struct merged *ret)
{
	struct write w = { .in = in, .r = in->r };
	int err = 0;

	w.at = malloc((in->count + 1) * sizeof(*w.at));
	w.offset = calloc(w.r->strings, sizeof(*w.offset));
	w.used = malloc(w.r->strings * sizeof(*w.used));
	if (!w.at || !w.offset || !w.used)
		err = -ENOMEM;
	if (!err)
		err = parallel_steps(w.r->threads, STEPS, survey, &w);
	if (!err)
		err = place_records(&w);
	if (!err)
		err = place_strings(&w);
	if (!err)
		err = write_all(&w, ret);
	for (size_t i = 0; i < STEPS; i++)
		free(w.uses[i].list);
	free(w.at);
	free(w.offset);
	free(w.used);
	return err;
}
