/* SPDX-License-Identifier: MIT */
#include "types/btf_check.h"

#include <linux/btf.h>

#include "types/builder.h"
#include "types/error.h"
#include "types/loss.h"
#include "types/util.h"

struct check {
	const uint8_t *types;
	size_t types_size;
	const char *names;
	size_t names_size;
	uint32_t *offsets;
	size_t count, room; /* with void */
	uint16_t *height;   /* 0: not seen, OPEN: on the path, else length of the chain plus OPEN */
	uint32_t *stack;    /* the path: type, next reference, longest chain below so far */
	struct losses *opened; /* circles are opened and counted; NULL: they are errors */
	struct weir_error *err;
};

static int bad(const struct check *c, uint32_t id, const char *what)
{
	return types_err(c->err, -EBADMSG, "malformed BTF: type %u %s", id, what);
}

static const struct btf_type *type_at(const struct check *c, uint32_t id)
{
	return (const void *)(c->types + c->offsets[id]);
}

static int check_header(struct check *c, const void *data, size_t size)
{
	const struct btf_header *h = data;

	if (size < sizeof(*h) || h->magic != BTF_MAGIC)
		return types_err(c->err, -EBADMSG, "malformed BTF: no header");
	if (h->version != BTF_VERSION || h->hdr_len < sizeof(*h) || h->hdr_len > size ||
	    h->hdr_len % 4)
		return types_err(c->err, -EBADMSG, "malformed BTF: unknown version");
	size -= h->hdr_len;
	if (h->type_off % 4 || h->type_off > size || h->type_len > size - h->type_off ||
	    h->str_off > size || h->str_len > size - h->str_off || !h->str_len)
		return types_err(c->err, -EBADMSG, "malformed BTF: its sections are cut short");
	c->types = (const uint8_t *)data + h->hdr_len + h->type_off;
	c->types_size = h->type_len;
	c->names = (const char *)data + h->hdr_len + h->str_off;
	c->names_size = h->str_len;
	if (c->names[0] || c->names[c->names_size - 1])
		return types_err(c->err, -EBADMSG, "malformed BTF: its strings do not end");
	return 0;
}

static int find_records(struct check *c)
{
	size_t at = 0;

	c->count = 1;
	while (at < c->types_size) {
		const struct btf_type *t = (const void *)(c->types + at);
		size_t size;

		if (c->types_size - at < sizeof(*t))
			return bad(c, c->count, "is cut short");
		size = btf_record_size(t);
		if (!size)
			return bad(c, c->count, "is of an unknown kind");
		if (size > c->types_size - at)
			return bad(c, c->count, "is cut short");
		if (array_reserve(&c->offsets, c->count, &c->room, sizeof(*c->offsets)))
			return types_err(c->err, -ENOMEM, "out of memory");
		c->offsets[c->count++] = at;
		at += size;
	}
	return 0;
}

struct id_check {
	size_t count;
	bool ok;
};

static void check_id(uint32_t *id, void *arg)
{
	struct id_check *k = arg;

	if (*id >= k->count)
		k->ok = false;
}

static bool names_ok(const struct check *c, const struct btf_type *t)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info), kind = BTF_INFO_KIND(t->info);
	const uint32_t *words = (const void *)(t + 1);
	size_t step = 0;

	if (t->name_off >= c->names_size)
		return false;
	if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM64)
		step = 3;
	else if (kind == BTF_KIND_ENUM || kind == BTF_KIND_FUNC_PROTO)
		step = 2;
	for (uint32_t i = 0; step && i < vlen; i++) {
		if (words[i * step] >= c->names_size)
			return false;
	}
	return true;
}

static int check_record(const struct check *c, uint32_t id)
{
	const struct btf_type *t = type_at(c, id);
	struct id_check k = { c->count, true };

	if (!names_ok(c, t))
		return bad(c, id, "has a name outside the strings");
	btf_record_ids((struct btf_type *)t, check_id, &k);
	if (!k.ok)
		return bad(c, id, "refers to a type that is not there");
	if (BTF_INFO_KIND(t->info) == BTF_KIND_INT) {
		uint32_t word = *(const uint32_t *)(t + 1);

		if (!t->size || t->size > 16 || BTF_INT_BITS(word) > 128 ||
		    BTF_INT_BITS(word) > t->size * 8)
			return bad(c, id, "is an integer of an impossible size");
	}
	return 0;
}

/* --- circles --- */

/*
 * References by which a type is a part of another one, or another name for it. A circle of these
 * has no size. Pointers and functions are followed too, as long as there is no struct between,
 * because a circle of them (typedef *T T) cannot be printed or deduplicated either.
 */
static uint32_t part(const struct check *c, uint32_t id, uint32_t n)
{
	const struct btf_type *t = type_at(c, id);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_VAR:
		return n ? UINT32_MAX : t->type;
	case BTF_KIND_ARRAY:
		return n ? UINT32_MAX : ((const struct btf_array *)(t + 1))->type;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n >= BTF_INFO_VLEN(t->info) ? UINT32_MAX
		                                   : ((const struct btf_member *)(t + 1))[n].type;
	}
	return UINT32_MAX;
}

static uint32_t reference(const struct check *c, uint32_t id, uint32_t n)
{
	const struct btf_type *t = type_at(c, id);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return UINT32_MAX;
	case BTF_KIND_PTR:
	case BTF_KIND_FUNC:
	case BTF_KIND_DECL_TAG:
		return n ? UINT32_MAX : t->type;
	case BTF_KIND_FUNC_PROTO:
		if (!n)
			return t->type;
		return n > BTF_INFO_VLEN(t->info) ? UINT32_MAX
		                                  : ((const struct btf_param *)(t + 1))[n - 1].type;
	}
	return part(c, id, n);
}

typedef uint32_t (*next_fn)(const struct check *c, uint32_t id, uint32_t n);

#define OPEN 1

static void push(struct check *c, size_t depth, uint32_t id)
{
	c->stack[depth * 3] = id;
	c->stack[depth * 3 + 1] = 0;
	c->stack[depth * 3 + 2] = 0;
	c->height[id] = OPEN;
}

/*
 * A circle was met: `to` is on the path again. It is opened at a pointer, which points to void then,
 * or at another name. false: what is on it is neither.
 */
static bool open_circle(struct check *c, size_t depth, uint32_t to)
{
	const char *name = NULL;
	struct btf_type *at = NULL;

	for (size_t i = depth; i-- > 0;) {
		struct btf_type *t = (struct btf_type *)type_at(c, c->stack[i * 3]);

		if (BTF_INFO_KIND(t->info) == BTF_KIND_PTR)
			at = t;
		else if (!at && (BTF_INFO_KIND(t->info) == BTF_KIND_TYPEDEF ||
		                 BTF_INFO_KIND(t->info) == BTF_KIND_CONST ||
		                 BTF_INFO_KIND(t->info) == BTF_KIND_VOLATILE))
			at = t;
		if (t->name_off)
			name = c->names + t->name_off;
		if (c->stack[i * 3] == to)
			break;
	}
	if (!at)
		return false;
	at->type = 0;
	loss_add(c->opened, LOSS_CIRCLE, name);
	for (size_t i = 0; i < depth; i++)
		c->height[c->stack[i * 3]] = 0;
	return true;
}

/* Depth-first search without recursion. */
static int search(struct check *c, uint32_t start, next_fn next)
{
	size_t depth = 1;

	push(c, 0, start);
	while (depth) {
		uint32_t *top = &c->stack[(depth - 1) * 3], to = next(c, top[0], top[1]++);
		uint32_t below;

		if (to == UINT32_MAX) {
			below = top[2] + 1;
			c->height[top[0]] = OPEN + below;
			depth--;
			top -= 3;
			if (depth && top[2] < below)
				top[2] = below;
			continue;
		}
		if (!to)
			continue;
		if (c->height[to] == OPEN && c->opened && open_circle(c, depth, to)) {
			depth = 1;
			push(c, 0, start);
			continue;
		}
		if (c->height[to] == OPEN)
			return bad(c, to, "contains itself");
		if (c->height[to]) {
			below = c->height[to] - OPEN;
			if (top[2] < below)
				top[2] = below;
			if (depth + below < BTF_CHAIN_MAX)
				continue;
		}
		if (c->height[to] || depth + 1 >= BTF_CHAIN_MAX)
			return bad(c, start, "begins a chain of references that is too long");
		push(c, depth++, to);
	}
	return 0;
}

static int check_circles(struct check *c)
{
	static const next_fn kinds[] = { reference, part };

	for (int k = 0; k < 2; k++) {
		memset(c->height, 0, c->count * sizeof(*c->height));
		for (uint32_t id = 1; id < c->count; id++) {
			int ret = c->height[id] ? 0 : search(c, id, kinds[k]);

			if (ret)
				return ret;
		}
	}
	return 0;
}

static int check_all(struct check *c, const void *data, size_t size)
{
	int ret = check_header(c, data, size);

	if (!ret)
		ret = find_records(c);
	for (uint32_t id = 1; !ret && id < c->count; id++)
		ret = check_record(c, id);
	if (ret)
		return ret;
	c->height = malloc(c->count * sizeof(*c->height));
	c->stack = malloc(BTF_CHAIN_MAX * 3 * sizeof(*c->stack));
	if (!c->height || !c->stack)
		return types_err(c->err, -ENOMEM, "out of memory");
	return check_circles(c);
}

static int check(struct check *c, const void *data, size_t size)
{
	int ret = check_all(c, data, size);

	free(c->offsets);
	free(c->height);
	free(c->stack);
	return ret;
}

int btf_check(const void *data, size_t size, struct weir_error *err)
{
	struct check c = { .err = err };

	return check(&c, data, size);
}

int btf_open_circles(void *data, size_t size, struct losses *losses)
{
	struct check c = { .opened = losses };

	return check(&c, data, size);
}
