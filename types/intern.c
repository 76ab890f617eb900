/* SPDX-License-Identifier: MIT */
/*
 * Nodes -> BTF records, each kept once.
 *
 * Types that refer to each other in a circle (a strongly connected component of the graph) are
 * one set; all others are sets of one. Tarjan's algorithm yields sets in an order in which
 * everything outside a set that it refers to has its final id already, so that equal bytes mean
 * equal types: whatever a header declares is stored once, however many units include it. What
 * is left for btf__dedup() is little: types that differ only in what a unit saw declared but not
 * defined.
 *
 * For a set to have the same bytes in every unit its types need an order that does not depend on
 * where the unit begins: it starts with the type whose record has the smallest hash, and goes on
 * in the order in which types are reached from there.
 */
#include "types/convert.h"

#include <dwarf.h>
#include <stdio.h>

#include "types/util.h"

#define VLEN_MAX     65535u
#define BITFIELD_MAX (1u << 24) /* bits */
#define PENDING_MAX  32

struct frame {
	uint32_t node;
	uint32_t child; /* next child to look at */
	bool type_done;
};

struct intern {
	uint32_t *index, *low, *local;
	size_t room;
	struct frame *frames;
	size_t frames_count, frames_room;
	uint32_t *stack;
	size_t stack_count, stack_room;
	uint32_t *order;
	size_t order_room;
	struct btf_member *members;
	size_t members_room;
	uint32_t next_index;
	uint32_t array_index; /* id of the type of array indexes */
	struct {
		enum loss loss;
		const char *name;
	} pending[PENDING_MAX];
	unsigned int pending_count;
};

int intern_init(struct convert *cv)
{
	uint32_t name, word = 32;
	int err;

	cv->intern = calloc(1, sizeof(*cv->intern));
	if (!cv->intern)
		return -ENOMEM;
	err = builder_string(&cv->b, "__ARRAY_SIZE_TYPE__", &name);
	builder_begin(&cv->b);
	if (!err)
		err = builder_type(&cv->b, name, BTF_KIND_INT, 0, false, 4);
	if (!err)
		err = builder_words(&cv->b, &word, 1);
	if (!err)
		err = builder_end(&cv->b, &cv->intern->array_index);
	return err;
}

void intern_deinit(struct convert *cv)
{
	struct intern *in = cv->intern;

	if (!in)
		return;
	free(in->index);
	free(in->low);
	free(in->local);
	free(in->frames);
	free(in->stack);
	free(in->order);
	free(in->members);
	free(in);
	cv->intern = NULL;
}

/* --- what is a type, and what it refers to --- */

static bool has_type_word(uint16_t tag)
{
	switch (tag) {
	case DW_TAG_pointer_type:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_typedef:
	case DW_TAG_array_type:
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram:
	case NODE_TAG_TYPE_TAG:
		return true;
	}
	return false;
}

static bool is_record(uint16_t tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
	case DW_TAG_union_type:
	case NODE_TAG_COMPLEX:
		return true;
	}
	return false;
}

static bool is_type(const struct node *n)
{
	return has_type_word(n->tag) || is_record(n->tag) || n->tag == DW_TAG_base_type ||
	       n->tag == DW_TAG_enumeration_type || n->tag == NODE_TAG_OPAQUE;
}

static bool is_proto(uint16_t tag)
{
	return tag == DW_TAG_subroutine_type || tag == DW_TAG_subprogram;
}

static bool is_member(const struct node *n)
{
	return n->tag == DW_TAG_member || n->tag == DW_TAG_inheritance;
}

static bool is_param(const struct node *n)
{
	return n->tag == DW_TAG_formal_parameter || n->tag == DW_TAG_unspecified_parameters;
}

/* The node behind a reference; 0 if there is none to visit (void, finished in another graph). */
static uint32_t target(const struct graph *g, uint32_t ref)
{
	ref = graph_real(g, ref);
	return ref & NODE_DONE || !ref || !is_type(&g->nodes[ref]) ? 0 : ref;
}

/* The list of parameters: an instance of an inline function may have lost some. */
static uint32_t params_of(const struct graph *g, const struct node *n)
{
	const struct node *o = n;

	if (n->tag != DW_TAG_subprogram)
		return n->child;
	for (int steps = 0; o->origin && !(n->flags & NODE_SPECIFIES) && steps < 4; steps++) {
		o = &g->nodes[o->origin];
		if (o->child)
			return o->child;
	}
	return n->child;
}

/* The next reference of a frame's node; false after the last. */
static bool next_target(const struct graph *g, struct frame *f, uint32_t *ret)
{
	const struct node *n = &g->nodes[f->node];

	if (!f->type_done) {
		f->type_done = true;
		if (is_record(n->tag))
			f->child = n->flags & NODE_DECLARATION ? 0 : n->child;
		else if (is_proto(n->tag))
			f->child = params_of(g, n);
		if (has_type_word(n->tag)) {
			*ret = target(g, n->type);
			return true;
		}
	}
	if (!f->child)
		return false;
	*ret = target(g, g->nodes[f->child].type);
	if (is_record(n->tag) ? !is_member(&g->nodes[f->child]) : !is_param(&g->nodes[f->child]))
		*ret = 0;
	f->child = g->nodes[f->child].next;
	return true;
}

/* --- records --- */

static void pend(struct intern *in, enum loss loss, const char *name)
{
	if (in->pending_count < PENDING_MAX) {
		in->pending[in->pending_count].loss = loss;
		in->pending[in->pending_count++].name = name;
	}
}

static uint32_t ref_word(const struct convert *cv, uint32_t ref)
{
	const struct graph *g = &cv->g;

	ref = graph_real(g, ref);
	if (!ref)
		return 0;
	if (ref & NODE_DONE)
		return ref & ~NODE_DONE;
	if (!is_type(&g->nodes[ref]))
		return 0;
	if (cv->intern->local[ref])
		return BUILDER_LOCAL | (cv->intern->local[ref] - 1);
	return g->nodes[ref].id;
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
	uint32_t base, real;
	int err;

	if (!(m->flags & NODE_BASE) && m->text) {
		*ret = m->text - 1;
		return 0;
	}
	if (!(m->flags & NODE_BASE))
		return builder_name_at(&cv->b, m->name, ret);
	real = graph_real(&cv->g, m->type);
	if (real & NODE_DONE)
		return builder_string(&cv->b, "__base", ret);
	err = node_name(cv, real, &base);
	if (err)
		return err;
	name = malloc(strlen(cv->b.strings + base) + 8);
	if (!name)
		return -ENOMEM;
	strcpy(stpcpy(name, "__base_"), cv->b.strings + base);
	return builder_name(&cv->b, name, ret);
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

		if (is_member(m) && m->flags & NODE_BITFIELD && !(m->flags & NODE_STATIC_MEMBER))
			*ret_bits = true;
	}
	for (uint32_t c = n->child; c; c = cv->g.nodes[c].next) {
		const struct node *m = &cv->g.nodes[c];
		struct btf_member *out;
		int err;

		if (!is_member(m) || m->flags & NODE_STATIC_MEMBER)
			continue;
		if (m->flags & NODE_VIRTUAL) {
			pend(in, LOSS_VIRTUAL_BASE, n->name);
			continue;
		}
		if (m->flags & NODE_COMPUTED) {
			pend(in, LOSS_COMPUTED, n->name);
			continue;
		}
		if (m->value > UINT32_MAX || (*ret_bits && m->value >= BITFIELD_MAX)) {
			pend(in, *ret_bits ? LOSS_DEEP_BITFIELD : LOSS_HUGE, n->name);
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
		out->offset = m->value;
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

static int emit(struct convert *cv, uint32_t i)
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

/* --- sets --- */

static int keep_losses(struct convert *cv, uint32_t id)
{
	struct intern *in = cv->intern;
	int err = 0;

	for (unsigned int k = 0; k < in->pending_count && !err; k++) {
		struct convert_loss l = { .id = id, .loss = in->pending[k].loss };

		err = array_reserve(&cv->type_losses, cv->type_losses_count, &cv->type_losses_room,
		                    sizeof(*cv->type_losses));
		if (!err)
			err = builder_string(&cv->b, in->pending[k].name, &l.name);
		if (!err)
			cv->type_losses[cv->type_losses_count++] = l;
	}
	return err;
}

static int end_set(struct convert *cv, uint32_t *ret)
{
	struct intern *in = cv->intern;
	size_t before = cv->b.count - cv->b.set_count;
	int err = builder_end(&cv->b, ret);

	if (!err && cv->b.count > before && in->pending_count)
		err = keep_losses(cv, *ret);
	in->pending_count = 0;
	return err;
}

/* 0: it is none. */
static uint32_t modifier_kind(uint16_t tag)
{
	switch (tag) {
	case DW_TAG_pointer_type:
		return BTF_KIND_PTR;
	case DW_TAG_const_type:
		return BTF_KIND_CONST;
	case DW_TAG_volatile_type:
		return BTF_KIND_VOLATILE;
	case DW_TAG_restrict_type:
		return BTF_KIND_RESTRICT;
	case NODE_TAG_TYPE_TAG:
		return BTF_KIND_TYPE_TAG;
	}
	return 0;
}

static int intern_modifier(struct convert *cv, struct node *n, uint32_t kind)
{
	uint32_t name = 0;
	int err = kind == BTF_KIND_TYPE_TAG ? builder_string(&cv->b, n->name, &name) : 0;

	cv->b.next_origin = cv->origin | (uint32_t)(n - cv->g.nodes);
	return err ? err : builder_modifier(&cv->b, name, kind, ref_word(cv, n->type), &n->id);
}

static int intern_one(struct convert *cv, uint32_t i)
{
	uint32_t id, kind = modifier_kind(cv->g.nodes[i].tag);
	int err;

	if (kind)
		return intern_modifier(cv, &cv->g.nodes[i], kind);
	builder_begin(&cv->b);
	err = emit(cv, i);
	if (!err)
		err = end_set(cv, &id);
	if (!err)
		cv->g.nodes[i].id = id;
	return err;
}

/* The member of the set whose record, blind to the set's own ids, hashes smallest. */
static int choose_root(struct convert *cv, const uint32_t *set, size_t count, uint32_t *ret)
{
	uint64_t best = 0;

	for (size_t k = 0; k < count; k++) {
		struct builder *b = &cv->b;
		uint64_t hash;
		int err;

		builder_begin(b);
		err = emit(cv, set[k]);
		if (err)
			return err;
		hash = hash_bytes(b->data + b->set_size, b->size - b->set_size, 1);
		builder_abort(b);
		cv->intern->pending_count = 0;
		if (!k || hash < best || (hash == best && set[k] < *ret)) {
			best = hash;
			*ret = set[k];
		}
	}
	return 0;
}

/* Number the set's members as they are reached from the root; in->local is 1 for each before. */
static void number_set(struct convert *cv, uint32_t root, size_t count)
{
	struct intern *in = cv->intern;
	size_t done = 0, found = 1;

	for (size_t k = 0; k < count; k++)
		in->local[in->order[k]] = UINT32_MAX;
	in->order[0] = root;
	in->local[root] = 1;
	while (done < found) {
		struct frame f = { .node = in->order[done++] };
		uint32_t to;

		while (next_target(&cv->g, &f, &to)) {
			if (!to || in->local[to] != UINT32_MAX)
				continue;
			in->order[found++] = to;
			in->local[to] = found;
		}
	}
}

static int intern_set(struct convert *cv, const uint32_t *set, size_t count)
{
	struct intern *in = cv->intern;
	uint32_t root = 0, id = 0;
	int err = 0;

	if (count > in->order_room) {
		free(in->order);
		in->order_room = count * 2;
		in->order = malloc(in->order_room * sizeof(*in->order));
		if (!in->order) {
			in->order_room = 0;
			return -ENOMEM;
		}
	}
	for (size_t k = 0; k < count; k++) {
		in->order[k] = set[k];
		in->local[set[k]] = 1;
	}
	err = choose_root(cv, set, count, &root);
	if (err)
		return err;
	number_set(cv, root, count);
	builder_begin(&cv->b);
	for (size_t k = 0; k < count && !err; k++)
		err = emit(cv, in->order[k]);
	if (!err)
		err = end_set(cv, &id);
	if (err)
		return err;
	for (size_t k = 0; k < count; k++) {
		cv->g.nodes[in->order[k]].id = id + k;
		in->local[in->order[k]] = 0;
	}
	return 0;
}

/* --- Tarjan's algorithm, without recursion --- */

static int visit(struct convert *cv, uint32_t i)
{
	struct intern *in = cv->intern;
	int err =
	    array_reserve(&in->frames, in->frames_count, &in->frames_room, sizeof(*in->frames));

	if (!err)
		err =
		    array_reserve(&in->stack, in->stack_count, &in->stack_room, sizeof(*in->stack));
	if (err)
		return err;
	in->index[i] = in->low[i] = ++in->next_index;
	in->stack[in->stack_count++] = i;
	in->frames[in->frames_count++] = (struct frame){ .node = i };
	return 0;
}

/* A type that contains itself by one step is a set of one with a local id. */
static bool is_circle(const struct convert *cv, uint32_t i)
{
	struct frame f = { .node = i };
	uint32_t to;

	while (next_target(&cv->g, &f, &to)) {
		if (to == i)
			return true;
	}
	return false;
}

/* All of i was seen: if it is the first of its set, the set is what lies above it on the stack. */
static int leave(struct convert *cv, uint32_t i)
{
	struct intern *in = cv->intern;
	size_t begin = in->stack_count;
	int err;

	if (in->low[i] != in->index[i])
		return 0;
	do
		begin--;
	while (in->stack[begin] != i);
	if (in->stack_count - begin == 1 && !is_circle(cv, i))
		err = intern_one(cv, i);
	else
		err = intern_set(cv, in->stack + begin, in->stack_count - begin);
	in->stack_count = begin;
	return err;
}

static void lower_low(struct intern *in, uint32_t i, uint32_t to)
{
	if (in->low[to] < in->low[i])
		in->low[i] = in->low[to];
}

static int walk_from(struct convert *cv, uint32_t start)
{
	struct intern *in = cv->intern;
	int err = visit(cv, start);

	while (!err && in->frames_count) {
		struct frame *f = &in->frames[in->frames_count - 1];
		uint32_t i = f->node, to;

		if (next_target(&cv->g, f, &to)) {
			if (!to || cv->g.nodes[to].id)
				continue;
			if (!in->index[to])
				err = visit(cv, to);
			else
				lower_low(in, i, to);
			continue;
		}
		err = leave(cv, i);
		in->frames_count--;
		if (in->frames_count && !cv->g.nodes[i].id)
			lower_low(in, in->frames[in->frames_count - 1].node, i);
	}
	in->frames_count = 0;
	return err;
}

static int make_room(struct intern *in, size_t count)
{
	if (count > in->room) {
		free(in->index);
		free(in->low);
		free(in->local);
		in->room = count + count / 4;
		in->index = malloc(in->room * sizeof(*in->index));
		in->low = malloc(in->room * sizeof(*in->low));
		in->local = malloc(in->room * sizeof(*in->local));
		if (!in->index || !in->low || !in->local) {
			in->room = 0;
			return -ENOMEM;
		}
	}
	memset(in->index, 0, count * sizeof(*in->index));
	memset(in->local, 0, count * sizeof(*in->local));
	in->next_index = 0;
	return 0;
}

int complete_units(struct convert *cv)
{
	while (cv->id_unit_count < cv->b.count) {
		int err = array_reserve(&cv->id_unit, cv->id_unit_count, &cv->id_unit_room,
		                        sizeof(*cv->id_unit));

		if (err)
			return err;
		cv->id_unit[cv->id_unit_count++] = 0;
	}
	return 0;
}

/* Remember in which unit a type was first. */
static int note_units(struct convert *cv)
{
	int err = complete_units(cv);

	if (err)
		return err;
	for (uint32_t i = 1; i < cv->g.scanned; i++) {
		const struct node *n = &cv->g.nodes[i];

		if (n->id && !cv->id_unit[n->id - 1])
			cv->id_unit[n->id - 1] = cv->g.units[n->unit]->index;
	}
	return 0;
}

/* A function that is only declared, or a clone without parameters of its own, is no root. */
static bool is_root(const struct node *n)
{
	if (n->tag == DW_TAG_subprogram)
		return n->flags & NODE_PLACED && n->name;
	return is_type(n);
}

int graph_intern(struct convert *cv)
{
	int err = make_room(cv->intern, cv->g.count);

	if (!err)
		err = graph_names(cv);
	for (uint32_t i = 1; i < cv->g.scanned && !err; i++) {
		if (is_root(&cv->g.nodes[i]) && !cv->g.nodes[i].id)
			err = walk_from(cv, i);
	}
	return err ? err : note_units(cv);
}
