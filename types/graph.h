/* SPDX-License-Identifier: MIT */
/*
 * The entries of one unit (or of units that refer to each other) that a conversion needs, as a
 * flat array of nodes in the order of DWARF. It lives as long as the unit is converted.
 *
 *   dwarf_scan.c   DWARF entries -> nodes; references are positions
 *   dwarf_lower.c  positions -> indexes; what BTF has no word for is rebuilt from what it has
 *   intern.c       nodes -> BTF records in the builder, each once
 */
#ifndef WEIR_TYPES_GRAPH_H
#define WEIR_TYPES_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types/dwarf_file.h"

enum node_flag {
	NODE_DECLARATION = 1u << 0,
	NODE_EXTERNAL = 1u << 1,
	NODE_SIZED = 1u << 2, /* `size` is known */
	NODE_VECTOR = 1u << 3,
	NODE_BITFIELD = 1u << 4, /* member: bit_size, offset in bits */
	NODE_PLACED = 1u << 5, /* member: offset; subrange: count; enumerator: value; else: place */
	NODE_VARARG = 1u << 6, /* unspecified parameters */
	NODE_VIRTUAL = 1u << 7, /* virtual base class; value: dwarf_scan.c's virtual_slot(), or 0 */
	NODE_BASE = 1u << 8,    /* base class */
	NODE_SIGNED = 1u << 9,  /* enumerator: its value's form was signed */
	NODE_INLINE = 1u << 10, /* abstract instance */
	NODE_LOCAL = 1u << 11,  /* in a function */
	NODE_STATIC_MEMBER = 1u << 12,
	NODE_SPECIFIES = 1u << 13, /* origin is a DW_AT_specification */
	NODE_VARIABLE = 1u << 14,  /* subrange: its bound is computed at run time */
	NODE_BIG = 1u << 15,       /* byte order differs (DW_AT_endianity) */
	NODE_DISCR = 1u << 16,     /* variant: has a discriminant's value */
	NODE_ARTIFICIAL = 1u << 18,
	NODE_CONST = 1u << 19,    /* variable: `value` is its constant */
	NODE_COMPUTED = 1u << 20, /* member: its place is an expression */
};

/* Tags of nodes that only dwarf_lower.c makes. */
enum {
	NODE_TAG_TYPE_TAG = 0xff01, /* `name` is the tag */
	NODE_TAG_ALIAS = 0xff02,    /* stands for `type` */
	NODE_TAG_OPAQUE = 0xff03,   /* a struct of `value` bytes whose inside is not expressed */
	NODE_TAG_COMPLEX = 0xff04,  /* `child` are its two members */
};

struct node_place {
	uint64_t low, high;        /* function */
	const uint8_t *expression; /* variable, parameter */
	uint32_t expression_size;
	uint8_t list_kind; /* parameter: a location list (enum dw_value_kind) */
	uint64_t list;
	const char *linkage_name;
};

struct node {
	uint32_t position;
	uint16_t tag;
	uint16_t encoding; /* base type; DWARF 2 bit-field without a size: 1 + DW_AT_bit_offset */
	uint32_t unit;     /* index in graph->units */
	uint32_t flags;
	uint32_t parent, child, next; /* indexes; 0: none */
	uint32_t type;                /* position, after lowering index (or NODE_DONE | id) */
	uint32_t origin;              /* position, after lowering index */
	uint32_t place;               /* index in graph->places; 0: none */
	union {
		uint32_t bit_size; /* member */
		uint32_t scope; /* type, function, namespace: its name as a scope, plus 1; or 0 */
	};
	const char *name;
	uint64_t value; /* byte size; member: bit offset; enumerator: value; subrange: count */
	uint32_t text; /* type, member, enumerator: its name's offset in the builder, plus 1; 0: not
	                  known yet */
	uint32_t id;   /* BTF type; while unknown see intern.c */
};

/* node.type: a finished BTF id instead of a node's index */
#define NODE_DONE 0x80000000u

struct graph {
	struct node *nodes; /* nodes[0] is void */
	size_t count, room;
	struct node_place *places;
	size_t places_count, places_room;
	struct dw_unit **units;
	size_t units_count, units_room;
	uint32_t begin, end; /* positions it covers */
	uint32_t *blocks;    /* first node at or after each 64 bytes */
	size_t blocks_count, blocks_room;
	size_t scanned; /* nodes that scanning made; lowering adds more */
};

int graph_init(struct graph *g);
void graph_deinit(struct graph *g);
void graph_clear(struct graph *g);

/* Append the nodes of a unit. Units come in the order of their positions. */
int graph_scan(struct graph *g, struct dw_unit *unit);
/* Make positions findable, once all units are scanned. */
int graph_index(struct graph *g);
/* The node at a position; 0 if there is none. */
uint32_t graph_find(const struct graph *g, uint32_t position);
int graph_add(struct graph *g, uint16_t tag, uint32_t *ret);

#endif
