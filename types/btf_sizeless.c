/* SPDX-License-Identifier: MIT */
#include "types/btf_sizeless.h"

#include <bpf/btf.h>

#include "types/builder.h"
#include "types/util.h"

#define CHAIN_MAX 1024

struct records {
	uint8_t *types;
	size_t size;
	const char *names;
	uint32_t *offsets, count;
};

static int find_records(struct records *r)
{
	size_t room = 0;

	if (array_reserve(&r->offsets, 0, &room, sizeof(*r->offsets)))
		return -ENOMEM;
	r->count = 1;
	for (size_t at = 0; at < r->size;) {
		if (array_reserve(&r->offsets, r->count, &room, sizeof(*r->offsets)))
			return -ENOMEM;
		r->offsets[r->count++] = at;
		at += btf_record_size((const void *)(r->types + at));
	}
	return 0;
}

/* Void or a function, whatever it is called. */
static bool has_no_size(const struct records *r, uint32_t id)
{
	for (int i = 0; i < CHAIN_MAX && id; i++) {
		const struct btf_type *t = (const void *)(r->types + r->offsets[id]);

		if (btf_is_typedef(t) || btf_is_mod(t))
			id = t->type;
		else if (btf_is_array(t))
			id = btf_array(t)->type;
		else
			return btf_is_func_proto(t);
	}
	return true;
}

/* Returns how many members are left; they are moved to the front. */
static uint32_t keep_members(const struct records *r, struct btf_type *t, struct losses *losses)
{
	struct btf_member *m = (void *)(t + 1);
	uint32_t vlen = BTF_INFO_VLEN(t->info), kept = 0;

	for (uint32_t i = 0; i < vlen; i++) {
		if (has_no_size(r, m[i].type))
			loss_add(losses, LOSS_NO_TYPE, r->names + m[i].name_off);
		else
			m[kept++] = m[i];
	}
	return kept;
}

/* Members are dropped in their places first, records moved together afterwards: until then the
   offsets hold. */
static size_t compact(struct records *r, const uint32_t *kept)
{
	size_t to = 0;

	for (uint32_t id = 1; id < r->count; id++) {
		struct btf_type *t = (void *)(r->types + r->offsets[id]);
		uint32_t kind = BTF_INFO_KIND(t->info);
		size_t bytes;

		if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
			t->info = (t->info & ~0xffffu) | kept[id];
		bytes = btf_record_size(t);
		memmove(r->types + to, t, bytes);
		to += bytes;
	}
	return to;
}

static int leave_out(struct records *r, struct losses *losses, size_t *ret)
{
	_cleanup_free_ uint32_t *kept = NULL;
	int err = find_records(r);

	if (!err)
		kept = calloc(r->count, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	for (uint32_t id = 1; id < r->count; id++) {
		struct btf_type *t = (void *)(r->types + r->offsets[id]);
		uint32_t kind = BTF_INFO_KIND(t->info);

		if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
			kept[id] = keep_members(r, t, losses);
		else if (kind == BTF_KIND_VAR && has_no_size(r, t->type))
			loss_add(losses, LOSS_NO_TYPE, r->names + t->name_off);
	}
	*ret = compact(r, kept);
	return 0;
}

int btf_leave_out_sizeless(void *btf, size_t *size, struct losses *losses)
{
	struct btf_header *h = btf;
	uint8_t *types = (uint8_t *)btf + h->hdr_len + h->type_off;
	struct records r = { .types = types, .size = h->type_len };
	size_t left = 0;
	int err;

	r.names = (const char *)btf + h->hdr_len + h->str_off;
	err = leave_out(&r, losses, &left);
	free(r.offsets);
	if (err)
		return err;
	memmove(types + left, r.names, h->str_len);
	h->type_len = left;
	h->str_off = h->type_off + left;
	*size = h->hdr_len + h->str_off + h->str_len;
	return 0;
}
