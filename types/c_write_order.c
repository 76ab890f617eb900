/* SPDX-License-Identifier: MIT */
/*
 * Which definition comes when: depth first, what a unit (a struct, union or enum with a name, a
 * typedef, a base type C does not know) needs before the unit. What it contains by value has to be
 * complete, what it points to has to be declared, typedefs have to be there in either case; types
 * without a name are part of the unit. A circle that C could not have had is cut where it closes; when
 * it is written, what is not there yet is found out.
 *
 * Neither the depth nor what a unit needs is bounded in foreign BTF, so both are kept in arrays.
 */
#include "types/c_write_private.h"
#include "types/util.h"

struct need {
	uint32_t id;
	bool by_value;
};

struct frame {
	uint32_t id;
	size_t next, end; /* of its needs in order.before; what is behind them is later frames' */
	size_t begin;
};

struct order {
	struct c_writer *w;
	struct need *queue; /* of the unit that is looked at */
	size_t queue_count, queue_room;
	uint32_t unit;
	struct c_unit *before;
	size_t before_count, before_room;
	struct frame *frames;
	size_t depth, frames_room;
	int error;
};

static void need(struct order *o, uint32_t id, bool by_value)
{
	struct c_type_state *s = &o->w->types[id];

	if (!id || s->by_value == o->unit || (!by_value && s->by_any == o->unit))
		return;
	*(by_value ? &s->by_value : &s->by_any) = o->unit;
	if (array_reserve(&o->queue, o->queue_count, &o->queue_room, sizeof(*o->queue))) {
		o->error = -ENOMEM;
		return;
	}
	o->queue[o->queue_count++] = (struct need){ id, by_value };
}

static void add_before(struct order *o, uint32_t id, bool forward)
{
	if (array_reserve(&o->before, o->before_count, &o->before_room, sizeof(*o->before))) {
		o->error = -ENOMEM;
		return;
	}
	o->before[o->before_count++] = (struct c_unit){ id, forward };
}

static void need_members(struct order *o, const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		need(o, btf_members(t)[i].type, true);
}

static void need_record(struct order *o, uint32_t id, const struct btf_type *t, bool by_value)
{
	if (c_has_name(o->w, t)) {
		add_before(o, id, !by_value);
		return;
	}
	o->w->types[id].is_met = true;
	need_members(o, t);
}

/* A typedef brings what it names without a name along. */
static void need_named(struct order *o, uint32_t id, const struct btf_type *t, bool by_value)
{
	const struct btf_type *real = c_type(o->w, c_real(o->w, t->type));

	add_before(o, id, false);
	if (by_value && (btf_is_array(real) || c_has_name(o->w, real)))
		need(o, t->type, true);
}

static void need_function(struct order *o, const struct btf_type *t)
{
	need(o, t->type, false);
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		need(o, btf_params(t)[i].type, false);
}

static void look_at(struct order *o, uint32_t id, bool by_value)
{
	const struct btf_type *t = c_type(o->w, id);

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		o->w->has_float16 |= c_base_is_float16(o->w, t);
		if (c_base_has_alias(o->w, t))
			add_before(o, id, false);
		break;
	case BTF_KIND_PTR:
		need(o, t->type, false);
		break;
	case BTF_KIND_ARRAY: /* its elements are complete wherever it is */
		need(o, btf_array(t)->type, true);
		break;
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		need(o, t->type, by_value);
		break;
	case BTF_KIND_TYPEDEF:
		need_named(o, id, t, by_value);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		need_record(o, id, t, by_value);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (c_has_name(o->w, t))
			add_before(o, id, false);
		o->w->types[id].is_met = true;
		break;
	case BTF_KIND_FWD:
		if (c_has_name(o->w, t))
			add_before(o, id, true);
		break;
	case BTF_KIND_FUNC_PROTO:
		need_function(o, t);
		break;
	}
}

/* What unit `id` needs, in the order of its members. */
static void collect(struct order *o, uint32_t id)
{
	const struct btf_type *t = c_type(o->w, id);

	o->unit = id;
	o->queue_count = 0;
	if (c_is_record(t))
		need_members(o, t);
	else if (btf_is_typedef(t))
		need(o, t->type, false);
	for (size_t i = 0; i < o->queue_count && !o->error; i++)
		look_at(o, o->queue[i].id, o->queue[i].by_value);
}

static void add_unit(struct order *o, uint32_t id, bool forward)
{
	struct c_writer *w = o->w;

	if (array_reserve(&w->units, w->units_count, &w->units_room, sizeof(*w->units)))
		o->error = -ENOMEM;
	else
		w->units[w->units_count++] = (struct c_unit){ id, forward };
}

static void open_unit(struct order *o, uint32_t id)
{
	size_t begin = o->before_count;

	if (array_reserve(&o->frames, o->depth, &o->frames_room, sizeof(*o->frames))) {
		o->error = -ENOMEM;
		return;
	}
	o->w->types[id].is_open = true;
	collect(o, id);
	o->frames[o->depth++] =
	    (struct frame){ .id = id, .begin = begin, .next = begin, .end = o->before_count };
}

/* What is declared only: as late as that, because much is defined by now. */
static void close_unit(struct order *o)
{
	const struct frame *f = &o->frames[--o->depth];

	for (size_t i = f->begin; i < f->end; i++) {
		struct c_type_state *s = &o->w->types[o->before[i].id];

		if (!o->before[i].forward || s->is_ordered || s->is_forward_ordered ||
		    o->before[i].id == f->id)
			continue;
		s->is_forward_ordered = true;
		add_unit(o, o->before[i].id, true);
	}
	o->before_count = f->begin;
	o->w->types[f->id].is_ordered = true;
	add_unit(o, f->id, false);
}

static void order_from(struct order *o, uint32_t root)
{
	if (!o->w->types[root].is_open)
		open_unit(o, root);
	while (o->depth && !o->error) {
		struct frame *f = &o->frames[o->depth - 1];
		const struct c_unit *u = &o->before[f->next];

		if (f->next == f->end) {
			close_unit(o);
			continue;
		}
		f->next++;
		if (!u->forward && !o->w->types[u->id].is_open)
			open_unit(o, u->id);
	}
}

/* What a user asks for by name is wanted as a whole, also behind a typedef. */
static void order_type(struct order *o, uint32_t id)
{
	const struct btf_type *t = c_type(o->w, id);
	uint32_t real = btf_is_typedef(t) ? c_real(o->w, id) : 0;

	if (real && c_is_record(c_type(o->w, real)) && c_has_name(o->w, c_type(o->w, real)))
		order_from(o, real);
	if (c_is_record(t) || btf_is_any_enum(t) || btf_is_typedef(t)) {
		order_from(o, id);
	} else if (btf_is_fwd(t) && !o->w->types[id].is_forward_ordered) {
		o->w->types[id].is_forward_ordered = true;
		add_unit(o, id, true);
	} else if ((btf_is_int(t) || btf_is_float(t)) && c_base_has_alias(o->w, t)) {
		order_from(o, id);
	}
}

static void order_all(struct order *o)
{
	for (uint32_t id = 1; id < o->w->count && !o->error; id++) {
		const struct btf_type *t = c_type(o->w, id);

		/* a base type comes with what it is used for */
		if (c_has_name(o->w, t) && !btf_is_int(t) && !btf_is_float(t))
			order_type(o, id);
	}
	for (uint32_t id = 1; id < o->w->count && !o->error; id++) {
		const struct btf_type *t = c_type(o->w, id);

		if (!c_has_name(o->w, t) && btf_is_any_enum(t) && btf_vlen(t) &&
		    !o->w->types[id].is_met)
			order_type(o, id);
	}
}

int c_order(struct c_writer *w, const uint32_t *ids, size_t count)
{
	struct order o = { .w = w };

	if (!ids)
		order_all(&o);
	for (size_t i = 0; ids && i < count && !o.error; i++)
		order_type(&o, ids[i]);
	free(o.queue);
	free(o.before);
	free(o.frames);
	return o.error;
}
