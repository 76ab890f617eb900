/* SPDX-License-Identifier: MIT */
/*
 * One numbering of all parts' strings and types.
 *
 * The same name has another offset in each worker's builder, and names of C++ are long: most of the
 * time of merging would be spent with hashing and comparing them again wherever a record has one.
 * So each string is looked at once, and gets the number that the same string of another part has.
 * Then names are replaced by numbers in all records, and references by numbers of records.
 *
 * The strings of a builder lie behind each other. Which one begins at an offset is found like an
 * entry in a graph (graph.c): by the first one of its block of 64 bytes.
 */
#include "types/merge.h"

#include "types/equal.h"
#include "types/parallel.h"
#include "types/util.h"

#define BLOCK_SHIFT 6

struct part_strings {
	const struct builder *b;
	size_t base; /* what is added to the index of a string, from 0 on */
	uint32_t *offset;
	uint32_t *block;
};

struct numbering {
	struct merge_records *r;
	struct part_strings *parts;
	size_t count; /* of strings of all parts, and the empty one */
	uint64_t *keys;
	uint32_t *number; /* by index of string */
};

/* --- looking at each once --- */

static int list_strings(void *arg, size_t part)
{
	struct numbering *n = arg;
	struct part_strings *p = &n->parts[part];
	size_t size = p->b->strings_size, blocks = (size >> BLOCK_SHIFT) + 1, next = 0, i = 0;

	p->offset = malloc((p->b->names_used + 1) * sizeof(*p->offset));
	p->block = malloc(blocks * sizeof(*p->block));
	if (!p->offset || !p->block)
		return -ENOMEM;
	for (size_t at = 1; at < size; i++) {
		const char *s = p->b->strings + at;
		size_t length = strlen(s);

		p->offset[i] = at;
		while (next <= at >> BLOCK_SHIFT)
			p->block[next++] = i;
		n->keys[p->base + i] = hash_bytes(s, length, 0);
		n->r->string[p->base + i] = (struct merge_string){ s, length };
		at += length + 1;
	}
	return 0;
}

static bool same_string(const void *arg, uint32_t a, uint32_t b)
{
	const struct merge_string *x = &((const struct merge_string *)arg)[a],
	                          *y = &((const struct merge_string *)arg)[b];

	return x->length == y->length && !memcmp(x->string, y->string, x->length);
}

/* Numbers without gaps in place of the first one that is the same. */
static void close_gaps(struct numbering *n)
{
	struct merge_string *string = n->r->string;
	uint32_t next = 0;

	for (size_t i = 0; i < n->count; i++) {
		uint32_t first = n->number[i];

		if (first != i) {
			n->number[i] = n->number[first];
			continue;
		}
		string[next] = string[i];
		n->number[i] = next++;
	}
	n->r->strings = next;
}

/* --- records --- */

static uint32_t number_of(const struct numbering *n, const struct part_strings *p, uint32_t offset)
{
	size_t i;

	if (!offset)
		return 0;
	for (i = p->block[offset >> BLOCK_SHIFT]; p->offset[i] != offset; i++)
		;
	return n->number[p->base + i];
}

static void number_record(const struct numbering *n, uint32_t g)
{
	const struct merge_part *part = merge_part_of(n->r, g);
	const struct part_strings *p = &n->parts[part - n->r->parts];
	struct btf_type *t = (void *)n->r->record[g];
	uint32_t *w = (void *)(t + 1);
	struct record_shape s = record_shape(t);

	t->name_off = number_of(n, p, t->name_off);
	if (s.head && t->type)
		t->type += part->base;
	for (uint32_t i = 0; i < s.names; i++)
		w[i * s.step] = number_of(n, p, w[i * s.step]);
	for (uint32_t i = 0; i < s.refs; i++) {
		uint32_t *ref = &w[s.ref_at + i * s.step];

		if (*ref)
			*ref += part->base;
	}
}

static int number_records(void *arg, size_t begin, size_t end)
{
	for (size_t g = begin; g < end; g++) {
		if (g) /* void */
			number_record(arg, g);
	}
	return 0;
}

static int number_all(struct numbering *n)
{
	struct merge_records *r = n->r;
	int err;

	n->count = 1;
	for (size_t i = 0; i < r->parts_count; i++) {
		n->parts[i].b = r->parts[i].b;
		n->parts[i].base = n->count;
		n->count += r->parts[i].b->names_used;
	}
	n->keys = calloc(n->count, sizeof(*n->keys));
	n->number = malloc(n->count * sizeof(*n->number));
	r->string = calloc(n->count, sizeof(*r->string));
	if (!n->keys || !n->number || !r->string)
		return -ENOMEM;
	r->string[0] = (struct merge_string){ "", 0 };
	err = parallel_steps(r->threads, r->parts_count, list_strings, n);
	if (!err)
		err = equal_find(n->keys, n->count, r->threads, same_string, r->string, n->number);
	if (err)
		return err;
	close_gaps(n);
	return parallel_ranges(r->threads, r->count, number_records, n);
}

int merge_strings(struct merge_records *r)
{
	struct numbering n = { .r = r };
	int err;

	n.parts = calloc(r->parts_count, sizeof(*n.parts));
	err = n.parts ? number_all(&n) : -ENOMEM;
	for (size_t i = 0; n.parts && i < r->parts_count; i++) {
		free(n.parts[i].offset);
		free(n.parts[i].block);
	}
	free(n.parts);
	free(n.keys);
	free(n.number);
	return err;
}
