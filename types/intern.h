/* SPDX-License-Identifier: MIT */
/* What interning (intern.c) and the writing of single records (intern_emit.c) share. */
#ifndef WEIR_TYPES_INTERN_H
#define WEIR_TYPES_INTERN_H

#include <dwarf.h>

#include "types/convert.h"

#define PENDING_MAX 32

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

/* --- what is a type, and what it refers to --- */

static inline bool has_type_word(uint16_t tag)
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

static inline bool is_record(uint16_t tag)
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

static inline bool is_type(const struct node *n)
{
	return has_type_word(n->tag) || is_record(n->tag) || n->tag == DW_TAG_base_type ||
	       n->tag == DW_TAG_enumeration_type || n->tag == NODE_TAG_OPAQUE;
}

static inline bool is_proto(uint16_t tag)
{
	return tag == DW_TAG_subroutine_type || tag == DW_TAG_subprogram;
}

static inline bool is_member(const struct node *n)
{
	return n->tag == DW_TAG_member || n->tag == DW_TAG_inheritance;
}

static inline bool is_param(const struct node *n)
{
	return n->tag == DW_TAG_formal_parameter || n->tag == DW_TAG_unspecified_parameters;
}

/* The list of parameters: an instance of an inline function may have lost some. */
static inline uint32_t params_of(const struct graph *g, const struct node *n)
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

/* A reference as records have it: an id, or a place in the set that is being written. */
static inline uint32_t ref_word(const struct convert *cv, uint32_t ref)
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

/* Writes the record of a node behind what the builder has. */
int intern_emit(struct convert *cv, uint32_t node);

#endif
