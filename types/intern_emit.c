/* SPDX-License-Identifier: MIT */
/* One node -> one BTF record, its members and names included. */
#include <stdio.h>

#include "types/intern.h"
#include "types/util.h"

#define VLEN_MAX     65535u
#define BITFIELD_MAX (1u << 24) /* bits */

static void pend(struct intern *in, enum loss loss, const char *name)
{
	if (in->pending_count < PENDING_MAX) {
		in->pending[in->pending_count].loss = loss;
		in->pending[in->pending_count++].name = name;
	}
}

static int emit_ref(struct convert *cv, const struct node *n, uint32_t kind, uint32_t name)
{
	return builder_type(&cv->b, name, kind, 0, false, ref_word(cv, n->type));
}

static int emit_base(struct convert *cv, uint32_t i)
{
	const struct node *n = &cv->g.nodes[i];
	uint32_t name, word = n->value * 8;
	int err = builder_string(&cv->b, n->name ? n->name : "", &name);

	if (err)
		return err;
	if (!name) { /* BTF wants a name; clang leaves it out for _BitInt-like helpers */
		err = builder_string(&cv->b, "__unnamed_int", &name);
		if (err)
			return err;
	}
	if (n->encoding == DW_ATE_float)
		return builder_type(&cv->b, name, BTF_KIND_FLOAT, 0, false, n->value);
	if (n->encoding == DW_ATE_signed || n->encoding == DW_ATE_signed_char)
		word |= BTF_INT_SIGNED << 24;
	else if (n->encoding == DW_ATE_boolean)
		word |= BTF_INT_BOOL << 24;
	err = builder_type(&cv->b, name, BTF_KIND_INT, 0, false, n->value);
	return err ? err : builder_words(&cv->b, &word, 1);
}

static int emit_array(struct convert *cv, uint32_t i)
{
	uint32_t words[3] = { ref_word(cv, cv->g.nodes[i].type), cv->intern->array_index,
		              cv->g.nodes[i].value };
	int err = builder_type(&cv->b, 0, BTF_KIND_ARRAY, 0, false, 0);

	return err ? err : builder_words(&cv->b, words, 3);
}

static int member_name(struct convert *cv, const struct node *m, uint32_t *ret)
{
	_cleanup_free_ char *name = NULL;
	char prefix[40] = "__base_";
	uint32_t base, real;
	int err;

	if (!(m->flags & NODE_BASE) && m->text) {
		*ret = m->text - 1;
		return 0;
	}
	if (!(m->flags & NODE_BASE))
		return builder_name_at(&cv->b, m->name, ret);
	real = graph_real(&cv->g, m->type);
	if (m->flags & NODE_VIRTUAL) {
		real = graph_real(&cv->g, cv->g.nodes[real].type);
		snprintf(prefix, sizeof(prefix), "__virtual_%llu_", (unsigned long long)m->value);
	}
	if (real & NODE_DONE)
		return builder_string(&cv->b, "__base", ret);
	err = node_name(cv, real, &base);
	if (err)
		return err;
	name = malloc(strlen(prefix) + strlen(cv->b.strings + base) + 1);
	if (!name)
		return -ENOMEM;
	strcpy(stpcpy(name, prefix), cv->b.strings + base);
	return builder_name(&cv->b, name, ret);
}

/* Bits of what is no integer to BTF (of a scalar in the other byte order) cannot be told. */
static bool has_opaque_bits(struct convert *cv, const struct node *m)
{
	uint32_t real = m->flags & NODE_BITFIELD ? graph_real(&cv->g, m->type) : 0;
	const struct btf_type *t;

	if (!real)
		return false;
	if (!(real & NODE_DONE))
		return cv->g.nodes[real].tag == NODE_TAG_OPAQUE;
	t = (const void *)(cv->b.data + cv->b.offset[(real & ~NODE_DONE) - 1]);
	return BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT;
}

/* Members that BTF can say go to in->members, offsets in bits, sizes of bit-fields in the id. */
static int collect_members(struct convert *cv, uint32_t i, size_t *ret_count, bool *ret_bits)
{
	struct intern *in = cv->intern;
	const struct node *n = &cv->g.nodes[i];
	size_t count = 0;

	*ret_bits = false;
	for (uint32_t c = n->child; c; c = cv->g.nodes[c].next) {
		const struct node *m = &cv->g.nodes[c];

		/* With bit-fields, no offset may have more bits; one that has more is left out. */
		if (is_member(m) && m->flags & NODE_BITFIELD && m->value < BITFIELD_MAX &&
		    !(m->flags & NODE_STATIC_MEMBER))
			*ret_bits = true;
	}
	for (uint32_t c = n->child; c; c = cv->g.nodes[c].next) {
		const struct node *m = &cv->g.nodes[c];
		struct btf_member *out;
		bool deep;
		int err;

		if (!is_member(m) || m->flags & NODE_STATIC_MEMBER)
			continue;
		if (m->flags & NODE_VIRTUAL) {
			pend(in, LOSS_VIRTUAL_BASE, n->name);
			if (!m->value)
				continue;
		} else if (m->flags & NODE_COMPUTED) {
			pend(in, LOSS_COMPUTED, n->name);
			continue;
		}
		deep = m->value >= BITFIELD_MAX && (*ret_bits || m->flags & NODE_BITFIELD);
		if (m->value > UINT32_MAX || deep) {
			pend(in, deep ? LOSS_DEEP_BITFIELD : LOSS_HUGE, n->name);
			continue;
		}
		if (has_opaque_bits(cv, m)) {
			pend(in, LOSS_BYTE_ORDER, n->name);
			continue;
		}
		if (count >= VLEN_MAX) {
			pend(in, LOSS_HUGE, n->name);
			break;
		}
		err = array_reserve(&in->members, count, &in->members_room, sizeof(*in->members));
		if (err)
			return err;
		out = &in->members[count++];
		err = member_name(cv, m, &out->name_off);
		if (err)
			return err;
		out->type = ref_word(cv, m->type);
		out->offset = m->flags & NODE_VIRTUAL ? 0 : m->value;
		if (m->flags & NODE_BITFIELD)
			out->offset |= (m->bit_size & 0xff) << 24;
	}
	*ret_count = count;
	return 0;
}

static uint32_t bit_offset(const struct btf_member *m, bool bits)
{
	return bits ? m->offset & (BITFIELD_MAX - 1) : m->offset;
}

/* The kernel wants ascending offsets; producers nearly always give them. Stable. */
static void sort_members(struct btf_member *m, size_t count, bool bits)
{
	for (size_t i = 1; i < count; i++) {
		struct btf_member moved = m[i];
		size_t low = 0, high = i;

		if (bit_offset(&m[i - 1], bits) <= bit_offset(&moved, bits))
			continue;
		while (low < high) { /* the first one that is beyond it */
			size_t middle = (low + high) / 2;

			if (bit_offset(&m[middle], bits) <= bit_offset(&moved, bits))
				low = middle + 1;
			else
				high = middle;
		}
		memmove(&m[low + 1], &m[low], (i - low) * sizeof(*m));
		m[low] = moved;
	}
}

static int emit_record(struct convert *cv, uint32_t i)
{
	struct intern *in = cv->intern;
	const struct node *n = &cv->g.nodes[i];
	bool is_union = n->tag == DW_TAG_union_type, bits;
	uint32_t kind = is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, name;
	uint64_t size = n->value;
	size_t count;
	int err = node_name(cv, i, &name);

	n = &cv->g.nodes[i];
	if (err)
		return err;
	if (n->flags & NODE_DECLARATION && name)
		return builder_type(&cv->b, name, BTF_KIND_FWD, 0, is_union, 0);
	if (size > UINT32_MAX) {
		pend(in, LOSS_HUGE, n->name);
		size = 0;
	}
	err = collect_members(cv, i, &count, &bits);
	if (err)
		return err;
	sort_members(in->members, count, bits);
	err = builder_type(&cv->b, name, kind, count, bits, size);
	return err ? err : builder_words(&cv->b, (void *)in->members, count * 3);
}

static int emit_opaque(struct convert *cv, uint32_t i)
{
	uint64_t size = cv->g.nodes[i].value;
	uint32_t name;
	int err = node_name(cv, i, &name);

	return err ? err
	           : builder_type(&cv->b, name, BTF_KIND_STRUCT, 0, false,
	                          size > UINT32_MAX ? 0 : size);
}

/* The signedness is that of the underlying type where one is given, else that of the values. */
static bool enum_is_signed(const struct graph *g, const struct node *n)
{
	uint32_t under = graph_real(g, n->type);
	int64_t sign = n->value && n->value < 8 ? -(1LL << (n->value * 8 - 1)) : INT64_MIN;

	for (int steps = 0; under && !(under & NODE_DONE) && steps < 16; steps++) {
		const struct node *u = &g->nodes[under];

		if (u->tag == DW_TAG_base_type)
			return u->encoding == DW_ATE_signed || u->encoding == DW_ATE_signed_char;
		under = graph_real(g, u->type);
	}
	for (uint32_t c = n->child; c; c = g->nodes[c].next) {
		const struct node *e = &g->nodes[c];

		if (e->tag == DW_TAG_enumerator && e->flags & NODE_SIGNED &&
		    (int64_t)e->value < 0 && (int64_t)e->value >= sign)
			return true;
	}
	return false;
}

static bool enum_is_wide(const struct graph *g, const struct node *n, bool is_signed)
{
	for (uint32_t c = n->child; c; c = g->nodes[c].next) {
		uint64_t v = g->nodes[c].value;

		if (g->nodes[c].tag != DW_TAG_enumerator || v <= INT32_MAX)
			continue;
		if (is_signed ? (int64_t)v < INT32_MIN || (int64_t)v > INT32_MAX : v > UINT32_MAX)
			return n->value > 4;
	}
	return false;
}

static int emit_enum(struct convert *cv, uint32_t i)
{
	const struct node *n = &cv->g.nodes[i];
	bool is_signed = enum_is_signed(&cv->g, n), wide = enum_is_wide(&cv->g, n, is_signed);
	uint32_t name, count = 0, size = n->value;
	int err = node_name(cv, i, &name);

	if (err)
		return err;
	if (size != 1 && size != 2 && size != 4 && size != 8) {
		if (!(n->flags & NODE_DECLARATION))
			pend(cv->intern, LOSS_BASE_TYPE, n->name);
		size = 4;
	}
	for (uint32_t c = n->child; c; c = cv->g.nodes[c].next)
		count += cv->g.nodes[c].tag == DW_TAG_enumerator;
	if (count > VLEN_MAX) {
		pend(cv->intern, LOSS_HUGE, n->name);
		count = VLEN_MAX;
	}
	err = builder_type(&cv->b, name, wide ? BTF_KIND_ENUM64 : BTF_KIND_ENUM, count, is_signed,
	                   size);
	for (uint32_t c = n->child; c && count && !err; c = cv->g.nodes[c].next) {
		const struct node *e = &cv->g.nodes[c];
		uint32_t words[3] = { 0, e->value, e->value >> 32 };

		if (e->tag != DW_TAG_enumerator)
			continue;
		count--;
		if (e->text)
			words[0] = e->text - 1;
		else
			err = builder_name_at(&cv->b, e->name, &words[0]);
		if (!err && !words[0])
			err = builder_string(&cv->b, "_", &words[0]);
		if (!err)
			err = builder_words(&cv->b, words, wide ? 3 : 2);
	}
	return err;
}

static int emit_proto(struct convert *cv, uint32_t i)
{
	const struct graph *g = &cv->g;
	const struct node *n = &g->nodes[i];
	bool named = n->tag == DW_TAG_subprogram;
	uint32_t count = 0, nth = 0;
	int err;

	for (uint32_t c = params_of(g, n); c; c = g->nodes[c].next)
		count += is_param(&g->nodes[c]);
	if (count > VLEN_MAX) {
		pend(cv->intern, LOSS_HUGE, n->name);
		count = VLEN_MAX;
	}
	err = builder_type(&cv->b, 0, BTF_KIND_FUNC_PROTO, count, false, ref_word(cv, n->type));
	for (uint32_t c = params_of(g, n); c && count && !err; c = g->nodes[c].next) {
		const struct node *p = &g->nodes[c];
		uint32_t words[2] = { 0, 0 };

		if (!is_param(p))
			continue;
		count--;
		nth++;
		if (!(p->flags & NODE_VARARG)) {
			words[1] = ref_word(cv, p->type);
			if (named)
				err = builder_name_at(&cv->b, p->name, &words[0]);
			if (!err && named && !words[0]) { /* a FUNC's parameters have names */
				char name[24];

				snprintf(name, sizeof(name), "_arg%u", nth);
				err = builder_string(&cv->b, name, &words[0]);
			}
		}
		if (!err)
			err = builder_words(&cv->b, words, 2);
	}
	return err;
}

int intern_emit(struct convert *cv, uint32_t i)
{
	const struct node *n = &cv->g.nodes[i];
	uint32_t name = 0;
	int err = 0;

	cv->b.next_origin = cv->origin | i;
	switch (n->tag) {
	case DW_TAG_base_type:
		return emit_base(cv, i);
	case DW_TAG_pointer_type:
		return emit_ref(cv, n, BTF_KIND_PTR, 0);
	case DW_TAG_const_type:
		return emit_ref(cv, n, BTF_KIND_CONST, 0);
	case DW_TAG_volatile_type:
		return emit_ref(cv, n, BTF_KIND_VOLATILE, 0);
	case DW_TAG_restrict_type:
		return emit_ref(cv, n, BTF_KIND_RESTRICT, 0);
	case NODE_TAG_TYPE_TAG:
		err = builder_string(&cv->b, n->name, &name);
		return err ? err : emit_ref(cv, n, BTF_KIND_TYPE_TAG, name);
	case DW_TAG_typedef:
		err = node_name(cv, i, &name);
		return err ? err : emit_ref(cv, &cv->g.nodes[i], BTF_KIND_TYPEDEF, name);
	case DW_TAG_array_type:
		return emit_array(cv, i);
	case DW_TAG_enumeration_type:
		return emit_enum(cv, i);
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram:
		return emit_proto(cv, i);
	case NODE_TAG_OPAQUE:
		return emit_opaque(cv, i);
	}
	return emit_record(cv, i);
}
