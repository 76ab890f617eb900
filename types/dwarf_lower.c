/* SPDX-License-Identifier: MIT */
/*
 * Makes a scanned graph into one that BTF has words for.
 *
 * First positions become indexes; then nodes are rebuilt one by one:
 *   T &                  pointer -> TYPE_TAG "&" -> T
 *   _Atomic T            T: a tag would be refused by the kernel below a typedef
 *   T a[2][3]            array of array
 *   T C::*               an opaque struct of 8 or 16 bytes
 *   a definition of what another entry declares (DW_AT_specification, DW_AT_signature): the
 *                        declaration becomes an alias
 *   a virtual base class an array of none of it, which says where to look: `print` does
 *   a variant part       a union of the discriminant and the variants
 * New nodes have no position and no parent; they come after the scanned ones.
 */
#include "types/convert.h"

#include <dwarf.h>

#include "types/util.h"

#define DIMENSIONS_MAX 32

static struct node *node_at(struct convert *cv, uint32_t i)
{
	return &cv->g.nodes[i];
}

/* --- positions to indexes --- */

static int find_reference(struct convert *cv, uint32_t position, uint32_t *ret)
{
	uint32_t i = graph_find(&cv->g, position);

	*ret = i;
	if (i)
		return 0;
	if (cv->shared) {
		i = graph_find(cv->shared, position);
		if (i) {
			*ret = NODE_DONE | graph_id(cv->shared, i);
			return 0;
		}
	}
	if (position >= cv->g.begin && position < cv->g.end)
		return -ENOENT;
	/* an entry of a unit that is not here: only a conversion of all units at once has it */
	return dw_file_unit_at(cv->file, position) ? -EXDEV : -ENOENT;
}

static int resolve_type(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i);
	uint32_t found = 0;
	int err;

	if (!n->type)
		return 0;
	err = find_reference(cv, n->type, &found);
	if (err == -ENOENT) {
		loss_add(&cv->losses, LOSS_DANGLING, n->name);
		found = 0;
	} else if (err) {
		return err;
	}
	n->type = found;
	return 0;
}

/* The origin of a function or variable in the shared graph is copied to where it is used. */
static int import_origin(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i), *from;
	uint32_t at = cv->shared ? graph_find(cv->shared, n->origin) : 0;

	n->origin = 0;
	if (!at)
		return 0;
	from = &cv->shared->nodes[at];
	if (!n->name)
		n->name = from->name;
	if (!n->type && from->type)
		n->type = NODE_DONE | graph_id(cv->shared, from->type);
	n->flags |= from->flags & NODE_EXTERNAL;
	return 0;
}

static bool is_type_tag(uint16_t tag)
{
	return tag != DW_TAG_subprogram && tag != DW_TAG_variable &&
	       tag != DW_TAG_formal_parameter && tag != DW_TAG_variant_part &&
	       tag != DW_TAG_namespace;
}

static int resolve_origin(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i);
	uint32_t found = 0;
	int err;

	if (!n->origin)
		return 0;
	err = find_reference(cv, n->origin, &found);
	if (!err && found & NODE_DONE) {
		if (is_type_tag(n->tag)) { /* a declaration with a signature */
			n->tag = NODE_TAG_ALIAS;
			n->type = found;
			n->origin = 0;
			return 0;
		}
		return import_origin(cv, i);
	}
	n->origin = found;
	if (err ==
	    -ENOENT) { /* e.g. the abstract variable of a dropped block: it has a name only */
		n->origin = 0;
		return 0;
	}
	return err;
}

static int resolve_positions(struct convert *cv)
{
	for (uint32_t i = 1; i < cv->g.scanned; i++) {
		int err = resolve_type(cv, i);

		if (!err)
			err = resolve_origin(cv, i);
		if (err)
			return err;
	}
	return 0;
}

/* --- declarations and their definitions --- */

static void make_alias(struct node *n, uint32_t to)
{
	n->tag = NODE_TAG_ALIAS;
	n->type = to;
	n->child = 0;
}

static void lower_definition(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i), *o;

	if (!n->origin || n->origin == i)
		return;
	o = node_at(cv, n->origin);
	switch (n->tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
	case DW_TAG_enumeration_type:
		break;
	default:
		return;
	}
	if (n->flags & NODE_SPECIFIES) {
		if (!n->name)
			n->name = o->name;
		n->parent = o->parent;
		if (o->flags & NODE_DECLARATION && o->tag != NODE_TAG_ALIAS && o->type != i)
			make_alias(o, i);
	} else { /* DW_AT_signature; DW_AT_abstract_origin of a type in an inlined function */
		make_alias(n, n->origin);
	}
	n->origin = 0;
}

/* Name and type of variables, parameters and functions from what they are instances of. */
static void inherit(struct convert *cv, uint32_t i)
{
	uint32_t o = node_at(cv, i)->origin;

	for (int steps = 0; o && steps < 8; steps++) {
		struct node *n = node_at(cv, i), *from = node_at(cv, o);

		if (!n->name)
			n->name = from->name;
		if (!n->type)
			n->type = from->type;
		n->flags |= from->flags & (NODE_EXTERNAL | NODE_STATIC_MEMBER);
		if (!n->place && from->place)
			n->place = from->place;
		else if (n->place && from->place && !cv->g.places[n->place].linkage_name)
			cv->g.places[n->place].linkage_name =
			    cv->g.places[from->place].linkage_name;
		if (n->tag != DW_TAG_formal_parameter && from->parent)
			n->parent = from->parent;
		o = from->origin;
	}
}

/* --- single types --- */

static int lower_reference(struct convert *cv, uint32_t i)
{
	uint32_t tag;
	int err = graph_add(&cv->g, NODE_TAG_TYPE_TAG, &tag);
	struct node *n = node_at(cv, i);

	if (err)
		return err;
	node_at(cv, tag)->name = n->tag == DW_TAG_reference_type ? "&" : "&&";
	node_at(cv, tag)->type = n->type;
	n->type = tag;
	n->tag = DW_TAG_pointer_type;
	return 0;
}

static uint16_t tag_of(struct convert *cv, uint32_t ref)
{
	ref = graph_real(&cv->g, ref);
	return ref & NODE_DONE ? 0 : node_at(cv, ref)->tag;
}

static uint64_t element_count(struct convert *cv, const struct node *array,
                              const struct node *range)
{
	if (range->flags & NODE_VARIABLE && !(range->flags & NODE_PLACED)) {
		loss_add(&cv->losses, NOTE_VLA, array->name);
		return 0;
	}
	if (!(range->flags & NODE_PLACED))
		return 0;
	if (range->value > UINT32_MAX) {
		loss_add(&cv->losses, LOSS_HUGE, "array");
		return 0;
	}
	return range->value;
}

/* Of a(2,3) a Fortran program has the first index vary fastest: in C that is a[3][2]. */
static void reverse_dimensions(struct convert *cv, const uint32_t *arrays, size_t count)
{
	for (size_t low = 0, high = count; low + 1 < high; low++) {
		uint64_t value = node_at(cv, arrays[low])->value;

		high--;
		node_at(cv, arrays[low])->value = node_at(cv, arrays[high])->value;
		node_at(cv, arrays[high])->value = value;
	}
}

/* a[2][3]: this node keeps the first dimension, new ones get the others. */
static int lower_array(struct convert *cv, uint32_t i)
{
	uint32_t range = node_at(cv, i)->child, at = i, arrays[DIMENSIONS_MAX];
	bool first = true;
	size_t count_of_arrays = 0;

	if (node_at(cv, i)->flags & NODE_VECTOR)
		loss_add(&cv->losses, NOTE_VECTOR, NULL);
	node_at(cv, i)->value = 0;
	for (; range; range = node_at(cv, range)->next) {
		uint64_t count;

		if (node_at(cv, range)->tag == DW_TAG_enumeration_type) {
			loss_add(&cv->losses, LOSS_TAG, "array indexed by an enum");
			continue;
		}
		if (node_at(cv, range)->tag != DW_TAG_subrange_type)
			continue;
		count = element_count(cv, node_at(cv, i), node_at(cv, range));
		if (!first) {
			uint32_t inner;
			int err = graph_add(&cv->g, DW_TAG_array_type, &inner);

			if (err)
				return err;
			node_at(cv, inner)->type = node_at(cv, at)->type;
			node_at(cv, at)->type = inner;
			at = inner;
		}
		first = false;
		node_at(cv, at)->value = count;
		if (count_of_arrays < DIMENSIONS_MAX)
			arrays[count_of_arrays++] = at;
	}
	if (language_is_fortran(cv->g.units[node_at(cv, i)->unit]->language))
		reverse_dimensions(cv, arrays, count_of_arrays);
	return 0;
}

static const char *complex_part(const struct node *n)
{
	if (n->encoding != DW_ATE_complex_float)
		return "int";
	switch (n->value) {
	case 4:
		return "_Float16";
	case 8:
		return "float";
	case 16:
		return "double";
	default:
		return n->name && strstr(n->name, "128") ? "_Float128" : "long double";
	}
}

static int lower_complex(struct convert *cv, uint32_t i)
{
	uint32_t part, real, imag;
	struct node *n;
	int err = graph_add(&cv->g, DW_TAG_base_type, &part);

	if (!err)
		err = graph_add(&cv->g, DW_TAG_member, &real);
	if (!err)
		err = graph_add(&cv->g, DW_TAG_member, &imag);
	if (err)
		return err;
	n = node_at(cv, i);
	if (!n->name || strcmp(n->name, "__unknown__")) /* g++ has this one in every unit */
		loss_add(&cv->losses, NOTE_COMPLEX, n->name);
	*node_at(cv, part) = (struct node){
		.tag = DW_TAG_base_type,
		.flags = NODE_SIZED,
		.value = n->value / 2,
		.encoding = n->encoding == DW_ATE_complex_float ? DW_ATE_float : DW_ATE_signed,
		.name = complex_part(n),
		.unit = n->unit,
	};
	node_at(cv, real)->name = "real";
	node_at(cv, real)->type = part;
	node_at(cv, real)->next = imag;
	node_at(cv, imag)->name = "imag";
	node_at(cv, imag)->type = part;
	node_at(cv, imag)->value = n->value / 2 * 8;
	n->tag = NODE_TAG_COMPLEX;
	n->child = real;
	return 0;
}

/* What becomes a struct is not called as C calls the type. */
static const char *struct_name(const char *name)
{
	static const char *const names[][2] = {
		{ "_Decimal32", "__decimal32" },
		{ "_Decimal64", "__decimal64" },
		{ "_Decimal128", "__decimal128" },
	};

	for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i][0]))
			return names[i][1];
	return name;
}

static const char *other_order_name(uint64_t size)
{
	return size == 2   ? "__other_byte_order2"
	       : size == 4 ? "__other_byte_order4"
	       : size == 8 ? "__other_byte_order8"
	                   : "__other_byte_order";
}

static int lower_base(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i);

	if (n->flags & NODE_BIG && n->value > 1) { /* as a number it would be another one */
		loss_add(&cv->losses, LOSS_BYTE_ORDER, n->name);
		n->tag = NODE_TAG_OPAQUE;
		n->name = other_order_name(n->value);
		return 0;
	}
	switch (n->encoding) {
	case DW_ATE_complex_float:
	case 0x80: /* DW_ATE_lo_user: GNU's complex integer */
		if (n->value % 2 == 0 && n->value >= 2 && n->value <= 32)
			return lower_complex(cv, i);
		break;
	case DW_ATE_boolean:
	case DW_ATE_signed:
	case DW_ATE_signed_char:
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
	case DW_ATE_UTF:
	case DW_ATE_ASCII:
	case DW_ATE_UCS:
	case DW_ATE_address:
		/* BTF: a power of two of at most 16 bytes */
		if (n->value == 1 || n->value == 2 || n->value == 4 || n->value == 8 ||
		    n->value == 16)
			return 0;
		if (!n->value && n->encoding == DW_ATE_unsigned) { /* Rust's () */
			n->tag = NODE_TAG_OPAQUE;
			return 0;
		}
		break;
	case DW_ATE_float:
		if (n->value == 2 || n->value == 4 || n->value == 8 || n->value == 12 ||
		    n->value == 16)
			return 0;
		break;
	}
	n->tag = NODE_TAG_OPAQUE;
	loss_add(&cv->losses, LOSS_BASE_TYPE, n->name);
	n->name = struct_name(n->name);
	return 0;
}

/* The size of what a DWARF 2 bit-field is declared as, for counting its bits. */
static uint64_t storage_size(struct convert *cv, uint32_t ref)
{
	for (int steps = 0; steps < 32; steps++) {
		const struct node *n;

		ref = graph_real(&cv->g, ref);
		if (!ref || ref & NODE_DONE)
			return 4;
		n = node_at(cv, ref);
		if (n->flags & NODE_SIZED)
			return n->value;
		ref = n->type;
	}
	return 4;
}

/* What is known to be none: a struct, a pointer, ... */
static bool is_no_integer(struct convert *cv, uint32_t ref)
{
	for (int steps = 0; steps < 32; steps++) {
		const struct node *n;

		ref = graph_real(&cv->g, ref);
		if (!ref || ref & NODE_DONE)
			return false;
		n = node_at(cv, ref);
		switch (n->tag) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			ref = n->type;
			break;
		default:
			return n->tag == DW_TAG_structure_type || n->tag == DW_TAG_class_type ||
			       n->tag == DW_TAG_union_type || n->tag == DW_TAG_array_type ||
			       n->tag == DW_TAG_pointer_type;
		}
	}
	return false;
}

static void lower_member(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i);

	/* clang: an _Atomic struct that is padded to a size with instructions looks like one. */
	if (n->flags & NODE_BITFIELD && !n->encoding && n->value % 8 == 0 &&
	    is_no_integer(cv, n->type))
		n->flags &= ~NODE_BITFIELD;
	if (n->flags & NODE_BITFIELD && n->encoding)
		n->value += storage_size(cv, n->type) * 8 - (n->encoding - 1) - n->bit_size;
}

static void lower_member_pointer(struct convert *cv, uint32_t i)
{
	uint16_t to = tag_of(cv, node_at(cv, i)->type);
	struct node *n = node_at(cv, i);

	loss_add(&cv->losses, NOTE_MEMBER_POINTER, NULL);
	n->tag = NODE_TAG_OPAQUE;
	n->name = to == DW_TAG_subroutine_type ? "__member_function_pointer" : "__member_pointer";
	n->parent = 0;
	n->value = to == DW_TAG_subroutine_type ? 16 : 8;
	n->type = 0;
}

/* --- Rust's enums --- */

static int add_discriminant(struct convert *cv, uint32_t owner, uint32_t part, uint32_t discr,
                            uint32_t *ret)
{
	uint32_t en, holder, member, wrapper, last = 0;
	uint64_t size = storage_size(cv, node_at(cv, discr)->type);
	int err = graph_add(&cv->g, DW_TAG_enumeration_type, &en);

	if (!err)
		err = graph_add(&cv->g, DW_TAG_structure_type, &holder);
	if (!err)
		err = graph_add(&cv->g, DW_TAG_member, &member);
	if (!err)
		err = graph_add(&cv->g, DW_TAG_member, &wrapper);
	for (uint32_t v = node_at(cv, part)->child; v && !err; v = node_at(cv, v)->next) {
		uint32_t value, payload = node_at(cv, v)->child;

		if (node_at(cv, v)->tag != DW_TAG_variant)
			continue;
		if (!(node_at(cv, v)->flags & NODE_DISCR)) {
			loss_add(&cv->losses, NOTE_NICHE, node_at(cv, owner)->name);
			continue;
		}
		err = graph_add(&cv->g, DW_TAG_enumerator, &value);
		if (err)
			break;
		node_at(cv, value)->name = payload ? node_at(cv, payload)->name : NULL;
		node_at(cv, value)->value = node_at(cv, v)->value;
		if (last)
			node_at(cv, last)->next = value;
		else
			node_at(cv, en)->child = value;
		last = value;
	}
	if (err)
		return err;
	node_at(cv, en)->value = size;
	node_at(cv, en)->flags = NODE_SIZED;
	node_at(cv, member)->name = "discriminant";
	node_at(cv, member)->type = en;
	node_at(cv, member)->value = node_at(cv, discr)->value;
	node_at(cv, holder)->child = member;
	node_at(cv, holder)->value = node_at(cv, discr)->value / 8 + size;
	node_at(cv, holder)->flags = NODE_SIZED;
	node_at(cv, wrapper)->type = holder;
	*ret = wrapper;
	return 0;
}

/* Every variant's payload begins where the enum does: then a union says it. */
static int lower_variant_part(struct convert *cv, uint32_t owner, uint32_t part)
{
	uint32_t discr = 0, last = 0, first = 0;
	int err;

	for (uint32_t c = node_at(cv, part)->child; c; c = node_at(cv, c)->next) {
		uint32_t payload = node_at(cv, c)->child;

		if (node_at(cv, c)->tag == DW_TAG_member)
			discr = c;
		else if (node_at(cv, c)->tag == DW_TAG_variant && payload &&
		         (node_at(cv, payload)->value || node_at(cv, payload)->next ||
		          node_at(cv, payload)->tag != DW_TAG_member))
			goto unknown;
	}
	if (node_at(cv, owner)->child != part || node_at(cv, owner)->tag == DW_TAG_union_type)
		goto unknown;
	for (uint32_t c = node_at(cv, part)->next; c; c = node_at(cv, c)->next) {
		if (node_at(cv, c)->tag == DW_TAG_member)
			goto unknown;
	}
	if (discr) {
		err = add_discriminant(cv, owner, part, discr, &first);
		if (err)
			return err;
		last = first;
	}
	for (uint32_t c = node_at(cv, part)->child; c; c = node_at(cv, c)->next) {
		uint32_t payload = node_at(cv, c)->child;

		if (node_at(cv, c)->tag != DW_TAG_variant || !payload)
			continue;
		if (last)
			node_at(cv, last)->next = payload;
		else
			first = payload;
		last = payload;
	}
	node_at(cv, owner)->tag = DW_TAG_union_type;
	node_at(cv, owner)->child = first;
	return 0;
unknown:
	loss_add(&cv->losses, LOSS_VARIANT, node_at(cv, owner)->name);
	return 0;
}

static int lower_virtual_base(struct convert *cv, uint32_t i)
{
	uint32_t array;
	int err = graph_add(&cv->g, DW_TAG_array_type, &array);

	if (err)
		return err;
	node_at(cv, array)->type = node_at(cv, i)->type;
	node_at(cv, i)->type = array;
	return 0;
}

static int lower_record(struct convert *cv, uint32_t i)
{
	for (uint32_t c = node_at(cv, i)->child; c; c = node_at(cv, c)->next) {
		const struct node *n = node_at(cv, c);
		int err = n->flags & NODE_VIRTUAL && n->value ? lower_virtual_base(cv, c) : 0;

		if (err)
			return err;
	}
	for (uint32_t c = node_at(cv, i)->child; c; c = node_at(cv, c)->next) {
		if (node_at(cv, c)->tag == DW_TAG_variant_part)
			return lower_variant_part(cv, i, c);
	}
	return 0;
}

static int lower_node(struct convert *cv, uint32_t i)
{
	struct node *n = node_at(cv, i);

	switch (n->tag) {
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		loss_add(&cv->losses, NOTE_REFERENCE, NULL);
		return lower_reference(cv, i);
	case DW_TAG_atomic_type:
		loss_add(&cv->losses, NOTE_ATOMIC, NULL);
		n->tag = NODE_TAG_ALIAS;
		return 0;
	case DW_TAG_immutable_type:
		n->tag = DW_TAG_const_type;
		return 0;
	case DW_TAG_packed_type:
	case DW_TAG_shared_type:
		n->tag = NODE_TAG_ALIAS;
		return 0;
	case DW_TAG_subrange_type:
	case DW_TAG_generic_subrange:
		if (n->parent && node_at(cv, n->parent)->tag == DW_TAG_array_type)
			return 0;
		n->tag = NODE_TAG_ALIAS;
		return 0;
	case DW_TAG_typedef:
	case DW_TAG_template_alias:
		n->tag = n->name ? DW_TAG_typedef : NODE_TAG_ALIAS;
		return 0;
	case DW_TAG_array_type:
		return lower_array(cv, i);
	case DW_TAG_base_type:
		return lower_base(cv, i);
	case DW_TAG_unspecified_type:
		/* void, or C++'s decltype(nullptr), which is a pointer */
		if (n->name && strstr(n->name, "nullptr")) {
			n->tag = DW_TAG_pointer_type;
			n->type = 0;
		} else {
			make_alias(n, 0);
		}
		return 0;
	case DW_TAG_member:
	case DW_TAG_inheritance:
		lower_member(cv, i);
		return 0;
	case DW_TAG_ptr_to_member_type:
		lower_member_pointer(cv, i);
		return 0;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
		return lower_record(cv, i);
	case DW_TAG_string_type:
	case DW_TAG_set_type:
	case DW_TAG_file_type:
	case DW_TAG_dynamic_type:
	case DW_TAG_coarray_type:
		loss_add(&cv->losses, LOSS_TAG, n->name);
		n->tag = NODE_TAG_OPAQUE;
		return 0;
	}
	return 0;
}

uint32_t graph_real(const struct graph *g, uint32_t ref)
{
	for (int steps = 0; steps < 64 && ref && !(ref & NODE_DONE); steps++) {
		if (g->nodes[ref].tag != NODE_TAG_ALIAS)
			return ref;
		ref = g->nodes[ref].type;
	}
	return ref & NODE_DONE ? ref : 0; /* a circle of aliases is void */
}

uint32_t graph_id(const struct graph *g, uint32_t ref)
{
	ref = graph_real(g, ref);
	return ref & NODE_DONE ? ref & ~NODE_DONE : g->nodes[ref].id;
}

int graph_lower(struct convert *cv)
{
	int err = resolve_positions(cv);

	if (err)
		return err;
	for (uint32_t i = 1; i < cv->g.scanned; i++)
		lower_definition(cv, i);
	for (uint32_t i = 1; i < cv->g.scanned; i++) {
		uint16_t tag = node_at(cv, i)->tag;

		if (tag == DW_TAG_variable || tag == DW_TAG_subprogram ||
		    tag == DW_TAG_formal_parameter)
			inherit(cv, i);
	}
	for (uint32_t i = 1; i < cv->g.scanned; i++) {
		err = lower_node(cv, i);
		if (err)
			return err;
	}
	return 0;
}
