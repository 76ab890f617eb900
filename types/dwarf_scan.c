/* SPDX-License-Identifier: MIT */
/*
 * DWARF entries -> nodes, in one pass.
 *
 * A context (what the parent is) says which children are wanted. Of a function's inside only
 * parameters, static variables and types are; a subtree in which nothing can be wanted is jumped
 * over with DW_AT_sibling where the producer wrote one.
 */
#include "types/convert.h"

#include <dwarf.h>

#include "types/util.h"

#define DEPTH_MAX 512 /* deeper nesting is hostile */

enum context {
	IN_NOTHING,
	IN_SCOPE,    /* unit, namespace */
	IN_RECORD,   /* struct, union, class */
	IN_VARIANTS, /* variant_part, variant */
	IN_ENUM,
	IN_ARRAY,
	IN_PROTO, /* function type */
	IN_FUNCTION,
	IN_BLOCK,
	IN_DECLARED, /* function that is only declared: g++ puts types there */
};

#define WANT(class) (1u << DW_CLASS_##class)
static const uint32_t wants[] = {
	[IN_DECLARED] = WANT(TYPE) | WANT(SUBRANGE),
	[IN_NOTHING] = 0,
	[IN_SCOPE] = WANT(TYPE) | WANT(SUBRANGE) | WANT(VARIABLE) | WANT(FUNCTION) | WANT(SCOPE),
	[IN_RECORD] = WANT(TYPE) | WANT(SUBRANGE) | WANT(MEMBER) | WANT(VARIABLE) | WANT(FUNCTION) |
	              WANT(VARIANT),
	[IN_VARIANTS] = WANT(TYPE) | WANT(MEMBER) | WANT(VARIANT),
	[IN_ENUM] = WANT(ENUMERATOR) | WANT(FUNCTION),
	[IN_ARRAY] = WANT(SUBRANGE) | WANT(TYPE),
	[IN_PROTO] = WANT(PARAM) | WANT(TYPE) | WANT(SUBRANGE),
	[IN_FUNCTION] = WANT(PARAM) | WANT(TYPE) | WANT(SUBRANGE) | WANT(VARIABLE) | WANT(BLOCK) |
	                WANT(FUNCTION) | WANT(SCOPE),
	[IN_BLOCK] = WANT(TYPE) | WANT(SUBRANGE) | WANT(VARIABLE) | WANT(BLOCK) | WANT(FUNCTION) |
	             WANT(SCOPE),
};

struct level {
	enum context context;
	uint32_t parent; /* node */
	uint32_t last;   /* its last child */
};

struct scan {
	struct graph *g;
	struct dw_unit *unit;
	uint32_t unit_index;
	struct dw_cursor c;
	struct level levels[DEPTH_MAX];
	int depth;
};

/* What the attributes of one entry said. */
struct entry {
	struct node n;
	struct node_place p;
	uint32_t sibling;
	uint64_t bit_offset, data_bit_offset;
	bool has_bit_offset, has_data_bit_offset, has_byte_size, has_lower, has_upper, has_count;
	bool has_place, high_is_length;
	uint64_t byte_size, lower, upper;
	uint64_t virtual_slot; /* virtual base: so far before the vtable's address is its offset */
	struct dw_value ranges;
};

/* --- attributes --- */

static void set_location(struct entry *e, const struct dw_value *v)
{
	if (v->kind == DW_VALUE_BLOCK) {
		e->p.expression = v->block;
		e->p.expression_size = v->u;
		e->has_place = true;
	} else if (v->kind == DW_VALUE_OFFSET || v->kind == DW_VALUE_INDEX ||
	           v->kind == DW_VALUE_CONST) {
		e->p.list_kind = v->kind == DW_VALUE_INDEX ? DW_VALUE_INDEX : DW_VALUE_OFFSET;
		e->p.list = v->u;
		e->has_place = true;
	}
}

/* dup, deref, N, minus, deref, plus: what the object begins with points N bytes behind the offset. */
static uint64_t virtual_slot(const uint8_t *block, uint64_t size)
{
	struct dw_cursor c = { block + 3, block + size, false };
	uint64_t n = 0;

	if (size < 6 || block[0] != DW_OP_dup || block[1] != DW_OP_deref)
		return 0;
	if (block[2] >= DW_OP_lit1 && block[2] <= DW_OP_lit31)
		n = block[2] - DW_OP_lit0;
	else if (block[2] == DW_OP_const1u || block[2] == DW_OP_const2u)
		n = dw_fixed(&c, block[2] == DW_OP_const1u ? 1 : 2);
	else if (block[2] == DW_OP_constu)
		n = dw_uleb(&c);
	return !c.bad && c.end - c.p == 3 && c.p[0] == DW_OP_minus && c.p[1] == DW_OP_deref &&
	               c.p[2] == DW_OP_plus
	           ? n
	           : 0;
}

/* A member's place is a number or, in DWARF 2 and 3, the expression "plus_uconst number". */
static void set_member_location(struct entry *e, const struct dw_value *v)
{
	if (v->kind == DW_VALUE_CONST || v->kind == DW_VALUE_SIGNED) {
		e->n.value = v->u;
		e->n.flags |= NODE_PLACED;
	} else if (v->kind == DW_VALUE_BLOCK && v->u > 1 && v->block[0] == DW_OP_plus_uconst) {
		struct dw_cursor c = { v->block + 1, v->block + v->u, false };

		e->n.value = dw_uleb(&c);
		if (!c.bad && c.p == c.end)
			e->n.flags |= NODE_PLACED;
		else
			e->n.flags |= NODE_COMPUTED;
	} else {
		e->n.flags |= NODE_COMPUTED;
		if (v->kind == DW_VALUE_BLOCK)
			e->virtual_slot = virtual_slot(v->block, v->u);
	}
}

static uint64_t sign_extended(const struct dw_value *v)
{
	if (v->kind != DW_VALUE_CONST || !v->size || v->size == 8)
		return v->u;
	return (uint64_t)((int64_t)(v->u << (64 - v->size * 8)) >> (64 - v->size * 8));
}

static void set_const_value(struct entry *e, const struct dw_value *v)
{
	if (v->kind == DW_VALUE_SIGNED) {
		e->n.flags |= NODE_SIGNED;
	} else if (v->kind == DW_VALUE_BLOCK && v->u <= 8) {
		e->n.value = 0;
		memcpy(&e->n.value, v->block, v->u);
		e->n.flags |= NODE_CONST;
		return;
	} else if (v->kind != DW_VALUE_CONST) {
		return;
	}
	e->n.value = v->u;
	e->n.flags |= NODE_CONST;
}

static void set_bound(struct entry *e, uint16_t attr, const struct dw_value *v)
{
	if (v->kind != DW_VALUE_CONST && v->kind != DW_VALUE_SIGNED) {
		e->n.flags |= NODE_VARIABLE;
		return;
	}
	if (attr == DW_AT_count) {
		e->n.value = v->u;
		e->has_count = true;
	} else if (attr == DW_AT_lower_bound) {
		e->lower = v->u;
		e->has_lower = true;
	} else {
		/* -1 (no element) comes in all sizes */
		e->upper = v->size == 4 && (uint32_t)v->u == UINT32_MAX ? ~0ULL : sign_extended(v);
		if (v->size && v->size < 4)
			e->upper = v->u;
		e->has_upper = true;
	}
}

/* A reference to nothing is kept as such: position 1 is inside a header. */
static void set_reference(const struct dw_value *v, uint32_t *field)
{
	*field = v->kind == DW_VALUE_REF && v->u ? v->u : 1;
}

static void set_attribute(struct entry *e, uint16_t attr, const struct dw_value *v)
{
	switch (attr) {
	case DW_AT_sibling:
		e->sibling = v->kind == DW_VALUE_REF ? v->u : 0;
		break;
	case DW_AT_name:
		e->n.name = v->kind == DW_VALUE_STRING ? v->string : NULL;
		break;
	case DW_AT_type:
		set_reference(v, &e->n.type);
		break;
	case DW_AT_signature:
		set_reference(v, &e->n.origin);
		break;
	case DW_AT_specification:
		e->n.flags |= NODE_SPECIFIES;
		set_reference(v, &e->n.origin);
		break;
	case DW_AT_abstract_origin:
		set_reference(v, &e->n.origin);
		break;
	case DW_AT_byte_size:
		if (v->kind == DW_VALUE_CONST || v->kind == DW_VALUE_SIGNED) {
			e->byte_size = v->u;
			e->has_byte_size = true;
		}
		break;
	case DW_AT_bit_size:
		if (v->kind == DW_VALUE_CONST || v->kind == DW_VALUE_SIGNED) {
			e->n.bit_size = v->u > UINT32_MAX ? UINT32_MAX : v->u;
			e->n.flags |= NODE_BITFIELD;
		}
		break;
	case DW_AT_bit_offset:
		e->bit_offset = sign_extended(v);
		e->has_bit_offset = true;
		break;
	case DW_AT_data_bit_offset:
		e->data_bit_offset = v->u;
		e->has_data_bit_offset = v->kind == DW_VALUE_CONST || v->kind == DW_VALUE_SIGNED;
		break;
	case DW_AT_data_member_location:
		set_member_location(e, v);
		break;
	case DW_AT_encoding:
		e->n.encoding = v->u;
		break;
	case DW_AT_const_value:
		set_const_value(e, v);
		break;
	case DW_AT_discr_value:
		e->n.flags |= NODE_DISCR | (v->kind == DW_VALUE_SIGNED ? NODE_SIGNED : 0);
		e->n.value = v->u;
		break;
	case DW_AT_discr:
		e->n.origin = v->kind == DW_VALUE_REF ? v->u : 0;
		break;
	case DW_AT_upper_bound:
	case DW_AT_lower_bound:
	case DW_AT_count:
		set_bound(e, attr, v);
		break;
	case DW_AT_declaration:
		e->n.flags |= NODE_DECLARATION;
		break;
	case DW_AT_external:
		e->n.flags |= NODE_EXTERNAL;
		break;
	case DW_AT_artificial:
		e->n.flags |= NODE_ARTIFICIAL;
		break;
	case DW_AT_location:
		set_location(e, v);
		break;
	case DW_AT_low_pc:
		if (v->kind == DW_VALUE_ADDRESS) {
			e->p.low = v->u;
			e->has_place = true;
		}
		break;
	case DW_AT_high_pc:
		e->p.high = v->u;
		e->high_is_length = v->kind != DW_VALUE_ADDRESS;
		break;
	case DW_AT_entry_pc:
		if (v->kind == DW_VALUE_ADDRESS && !e->has_place) {
			e->p.low = v->u;
			e->has_place = true;
		}
		break;
	case DW_AT_ranges:
		e->ranges = *v;
		if (v->kind == DW_VALUE_CONST)
			e->ranges.kind = DW_VALUE_OFFSET;
		break;
	case DW_AT_inline:
		if (v->u)
			e->n.flags |= NODE_INLINE;
		break;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		e->p.linkage_name = v->kind == DW_VALUE_STRING ? v->string : NULL;
		break;
	case DW_AT_virtuality:
		if (v->u)
			e->n.flags |= NODE_VIRTUAL;
		break;
	case DW_AT_GNU_vector:
		e->n.flags |= NODE_VECTOR;
		break;
	case DW_AT_endianity:
		if (v->u == DW_END_big)
			e->n.flags |= NODE_BIG;
		break;
	}
}

static void read_entry(struct dw_cursor *c, const struct dw_unit *u, const struct dw_abbrev *a,
                       struct entry *e)
{
	const struct dw_step *s = u->abbrevs->steps + a->step, *end = s + a->steps;

	memset(e, 0, sizeof(*e));
	e->n.tag = a->tag;
	for (; s < end && !c->bad; s++) {
		struct dw_value v;

		if (s->form == DW_SKIP) {
			dw_advance(c, s->skip);
		} else if (s->attr) {
			dw_value_read(c, u, s->form, s->implicit, &v);
			set_attribute(e, s->attr, &v);
		} else {
			dw_form_skip(c, u, s->form);
		}
	}
}

/* Over an entry that nobody wants, looking for nothing but its sibling. */
static uint32_t skip_entry(struct dw_cursor *c, const struct dw_unit *u, const struct dw_abbrev *a)
{
	const struct dw_step *s = u->abbrevs->steps + a->step, *end = s + a->steps;
	uint32_t sibling = 0;

	if (a->fixed >= 0 && !a->has_children) {
		dw_advance(c, a->fixed);
		return 0;
	}
	for (; s < end && !c->bad; s++) {
		if (s->attr == DW_AT_sibling) {
			struct dw_value v;

			dw_value_read(c, u, s->form, s->implicit, &v);
			sibling = v.kind == DW_VALUE_REF ? v.u : 0;
		} else if (s->skip) {
			dw_advance(c, s->skip);
		} else {
			dw_form_skip(c, u, s->form);
		}
	}
	return sibling;
}

/* --- from attributes to a node --- */

static uint64_t count_of(const struct entry *e)
{
	if (e->has_count)
		return e->n.value;
	return e->upper - e->lower + 1; /* -1: no element */
}

static void finish_subrange(const struct scan *s, struct entry *e)
{
	if (!e->has_lower)
		e->lower = language_first_index(s->unit->language);
	if (e->has_count || e->has_upper) {
		e->n.value = count_of(e);
		e->n.flags |= NODE_PLACED;
	} else {
		e->n.value = 0;
	}
}

/*
 * A bit-field's first bit, counted from the least significant on little-endian machines. DWARF 2
 * counts from the most significant bit of a storage unit of DW_AT_byte_size bytes; a producer may
 * leave that size to the type, so the rest waits for dwarf_lower.c (encoding: 1 + bit offset).
 */
static void finish_bitfield(struct entry *e)
{
	uint64_t bits = e->n.flags & NODE_PLACED ? e->n.value * 8 : 0;

	if (e->has_data_bit_offset) {
		e->n.value = e->data_bit_offset;
		e->n.flags |= NODE_PLACED;
	} else if (e->has_bit_offset && e->has_byte_size) {
		e->n.value = bits + e->byte_size * 8 - e->bit_offset - e->n.bit_size;
	} else if (e->has_bit_offset) {
		e->n.value = bits;
		e->n.encoding = e->bit_offset + 1;
	} else {
		e->n.value = bits;
	}
}

static void finish_member(struct entry *e)
{
	if (e->n.flags & NODE_BITFIELD)
		finish_bitfield(e);
	else if (e->has_data_bit_offset)
		e->n.value = e->data_bit_offset, e->n.flags |= NODE_PLACED;
	else if (!(e->n.flags & NODE_CONST)) /* else a static member's value, not a place */
		e->n.value *= 8;
	if (e->n.tag == DW_TAG_inheritance && e->n.flags & NODE_VIRTUAL)
		e->n.value = e->virtual_slot;
	if (e->n.tag == DW_TAG_inheritance)
		e->n.flags |= NODE_BASE;
	else
		e->n.flags &= ~NODE_VIRTUAL;
	if (e->n.flags & (NODE_EXTERNAL | NODE_DECLARATION))
		e->n.flags |= NODE_STATIC_MEMBER;
}

static void finish_function(struct scan *s, struct entry *e)
{
	uint64_t low, high;

	if (e->ranges.kind != DW_VALUE_NONE && dw_first_range(s->unit, &e->ranges, &low, &high)) {
		if (!e->has_place || !e->p.low) {
			e->p.low = low;
			e->has_place = true;
		}
		e->p.high = e->p.low == low ? high : 0;
	} else if (e->high_is_length) {
		e->p.high += e->p.low;
	}
	if (e->has_place)
		e->n.flags |= NODE_PLACED;
}

static int add_place(struct scan *s, struct entry *e)
{
	struct graph *g = s->g;
	int err = array_reserve(&g->places, g->places_count, &g->places_room, sizeof(*g->places));

	if (err)
		return err;
	e->n.place = g->places_count;
	g->places[g->places_count++] = e->p;
	return 0;
}

static int finish_entry(struct scan *s, struct entry *e, const struct dw_abbrev *a)
{
	switch (a->class) {
	case DW_CLASS_SUBRANGE:
		finish_subrange(s, e);
		return 0;
	case DW_CLASS_MEMBER:
		finish_member(e);
		return 0;
	case DW_CLASS_FUNCTION:
		finish_function(s, e);
		return e->n.flags & NODE_PLACED || e->p.linkage_name ? add_place(s, e) : 0;
	case DW_CLASS_VARIABLE:
		if (e->has_place)
			e->n.flags |= NODE_PLACED;
		return e->has_place || e->p.linkage_name ? add_place(s, e) : 0;
	case DW_CLASS_PARAM:
		if (e->n.tag == DW_TAG_unspecified_parameters)
			e->n.flags |= NODE_VARARG;
		return e->has_place ? add_place(s, e) : 0;
	case DW_CLASS_TYPE:
		if (e->has_byte_size) {
			e->n.value = e->byte_size;
			e->n.flags |= NODE_SIZED;
		}
		return 0;
	}
	return 0;
}

/* A variable in a function: only one that lives at a fixed place. */
static bool is_static_place(const struct entry *e)
{
	if (!e->p.expression_size)
		return false;
	switch (e->p.expression[0]) {
	case DW_OP_addr:
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		return true;
	case DW_OP_const4u:
	case DW_OP_const8u:
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		switch (e->p.expression[e->p.expression_size - 1]) {
		case DW_OP_form_tls_address:
		case DW_OP_GNU_push_tls_address:
			return true;
		}
	}
	return false;
}

static bool is_wanted(const struct scan *s, const struct dw_abbrev *a)
{
	const struct level *l = &s->levels[s->depth];

	if (!(wants[l->context] & 1u << a->class))
		return false;
	if (a->class == DW_CLASS_VARIABLE && (l->context == IN_FUNCTION || l->context == IN_BLOCK))
		return a->placed;
	return true;
}

static bool is_dropped(const struct scan *s, const struct entry *e, const struct dw_abbrev *a)
{
	const struct level *l = &s->levels[s->depth];

	if (a->class == DW_CLASS_VARIABLE && (l->context == IN_FUNCTION || l->context == IN_BLOCK))
		return !is_static_place(e);
	/* "extern int x;" and "int f();" of other units: what defines them has them */
	if (l->context == IN_SCOPE && s->unit->language != DW_LANG_Rust &&
	    e->n.flags & NODE_DECLARATION && !s->levels[s->depth].parent)
		return a->class == DW_CLASS_FUNCTION && !e->p.linkage_name;
	return false;
}

static enum context context_of(const struct scan *s, const struct entry *e,
                               const struct dw_abbrev *a)
{
	switch (a->class) {
	case DW_CLASS_SCOPE:
		return IN_SCOPE;
	case DW_CLASS_BLOCK:
		return IN_BLOCK;
	case DW_CLASS_VARIANT:
		return IN_VARIANTS;
	case DW_CLASS_FUNCTION:
		if (!(e->n.flags & NODE_DECLARATION))
			return IN_FUNCTION;
		return language_has_scopes(s->unit->language) ? IN_DECLARED : IN_NOTHING;
	case DW_CLASS_TYPE:
		break;
	default:
		return IN_NOTHING;
	}
	switch (a->tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
	case DW_TAG_union_type:
		return IN_RECORD;
	case DW_TAG_enumeration_type:
		return IN_ENUM;
	case DW_TAG_array_type:
		return IN_ARRAY;
	case DW_TAG_subroutine_type:
		return IN_PROTO;
	}
	return IN_NOTHING;
}

int graph_add(struct graph *g, uint16_t tag, uint32_t *ret)
{
	int err = array_reserve(&g->nodes, g->count, &g->room, sizeof(*g->nodes));

	if (err)
		return err;
	if (g->count >= NODE_DONE)
		return -EOVERFLOW;
	*ret = g->count++;
	memset(&g->nodes[*ret], 0, sizeof(struct node));
	g->nodes[*ret].tag = tag;
	return 0;
}

static int add_node(struct scan *s, struct entry *e, enum dw_class class, uint32_t position,
                    uint32_t *ret)
{
	struct graph *g = s->g;
	struct level *l = &s->levels[s->depth];
	int err = graph_add(g, e->n.tag, ret);

	if (err)
		return err;
	e->n.position = position;
	e->n.unit = s->unit_index;
	e->n.parent = l->parent;
	if (class != DW_CLASS_MEMBER)
		e->n.scope = 0;
	if (l->context == IN_FUNCTION || l->context == IN_BLOCK)
		e->n.flags |= NODE_LOCAL;
	g->nodes[*ret] = e->n;
	if (l->last)
		g->nodes[l->last].next = *ret;
	else if (l->parent)
		g->nodes[l->parent].child = *ret;
	l->last = *ret;
	return 0;
}

static int descend(struct scan *s, enum context context, uint32_t parent, uint32_t last)
{
	if (s->depth + 1 >= DEPTH_MAX)
		return -EBADMSG;
	s->levels[++s->depth] = (struct level){ context, parent, last };
	return 0;
}

/* Jump over a subtree; false if the producer did not say where it ends. */
static bool jump(struct scan *s, uint32_t sibling)
{
	const uint8_t *to = s->unit->begin + (sibling - s->unit->base);

	if (!sibling || to <= s->c.p || to > s->c.end)
		return false;
	s->c.p = to;
	return true;
}

static int scan_wanted(struct scan *s, const struct dw_abbrev *a, uint32_t position)
{
	enum context context;
	struct entry e;
	uint32_t node;
	int err;

	read_entry(&s->c, s->unit, a, &e);
	if (s->c.bad)
		return -EBADMSG;
	err = finish_entry(s, &e, a);
	if (err)
		return err;
	if (is_dropped(s, &e, a)) {
		if (!a->has_children || jump(s, e.sibling))
			return 0;
		return descend(s, IN_NOTHING, 0, 0);
	}
	/* Blocks are transparent: what is in them hangs on the function. */
	if (a->class == DW_CLASS_BLOCK) {
		if (!a->has_children)
			return 0;
		err = descend(s, IN_BLOCK, s->levels[s->depth].parent, s->levels[s->depth].last);
		return err;
	}
	err = add_node(s, &e, a->class, position, &node);
	if (err || !a->has_children)
		return err;
	context = context_of(s, &e, a);
	if (context == IN_NOTHING && jump(s, e.sibling))
		return 0;
	return descend(s, context, node, 0);
}

static int scan_unwanted(struct scan *s, const struct dw_abbrev *a)
{
	uint32_t sibling = skip_entry(&s->c, s->unit, a);

	if (s->c.bad)
		return -EBADMSG;
	if (!a->has_children || jump(s, sibling))
		return 0;
	return descend(s, IN_NOTHING, 0, 0);
}

static void ascend(struct scan *s)
{
	struct level *l = &s->levels[s->depth--];

	/* a block hands its place in the function's children back */
	if (s->depth >= 0 && l->context == IN_BLOCK && s->levels[s->depth].parent == l->parent)
		s->levels[s->depth].last = l->last;
}

static int scan_entries(struct scan *s)
{
	const struct dw_unit *u = s->unit;
	int err;

	while (s->c.p < s->c.end && s->depth >= 0) {
		uint32_t position = u->base + (s->c.p - u->begin);
		uint64_t code = dw_uleb(&s->c);
		const struct dw_abbrev *a;

		if (!code) {
			ascend(s);
			continue;
		}
		a = dw_abbrev_find(u->abbrevs, code);
		if (!a)
			return -EBADMSG;
		if (is_wanted(s, a))
			err = scan_wanted(s, a, position);
		else
			err = scan_unwanted(s, a);
		if (err)
			return err;
	}
	return s->c.bad ? -EBADMSG : 0;
}

int graph_scan(struct graph *g, struct dw_unit *u)
{
	struct scan s;
	const struct dw_abbrev *a;
	uint64_t code;
	int err = array_reserve(&g->units, g->units_count, &g->units_room, sizeof(*g->units));

	if (err)
		return err;
	s.g = g;
	s.unit = u;
	s.unit_index = g->units_count;
	s.c = (struct dw_cursor){ u->die, u->end, false };
	s.depth = 0;
	s.levels[0] = (struct level){ IN_SCOPE, 0, 0 };
	if (!g->units_count)
		g->begin = u->base;
	g->end = u->base + (u->end - u->begin);
	g->units[g->units_count++] = u;
	/* the unit's own entry: its children are the first level */
	code = dw_uleb(&s.c);
	if (!code)
		return 0;
	a = dw_abbrev_find(u->abbrevs, code);
	if (!a)
		return -EBADMSG;
	skip_entry(&s.c, u, a);
	return a->has_children ? scan_entries(&s) : 0;
}
