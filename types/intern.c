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
#include "types/intern.h"

#include "types/util.h"

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

/* --- what a type refers to --- */

/* The node behind a reference; 0 if there is none to visit (void, finished in another graph). */
static uint32_t target(const struct graph *g, uint32_t ref)
{
	ref = graph_real(g, ref);
	return ref & NODE_DONE || !ref || !is_type(&g->nodes[ref]) ? 0 : ref;
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
	err = intern_emit(cv, i);
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
		err = intern_emit(cv, set[k]);
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
		err = intern_emit(cv, in->order[k]);
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
