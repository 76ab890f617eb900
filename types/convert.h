/* SPDX-License-Identifier: MIT */
/* The state of one DWARF conversion, shared by the passes over a graph. */
#ifndef WEIR_TYPES_CONVERT_H
#define WEIR_TYPES_CONVERT_H

#include "types/builder.h"
#include "types/graph.h"
#include "types/loss.h"
#include "types/symbols.h"

struct convert {
	struct builder b;
	struct losses losses;
	struct symbols symbols;
	struct graph *shared; /* units that others refer to, interned already; or NULL */
	struct graph g;
	struct dw_file *file; /* that positions refer to (and its alt) */
	struct name_memo *memo;
	size_t memo_size, memo_used;
	struct intern *intern;
	uint64_t origin; /* of the unit; what is made of a node adds the node's index */
	/* losses of types that may turn out to be the same as another worker's */
	struct convert_loss {
		uint32_t id, name;
		enum loss loss;
	} * type_losses;
	size_t type_losses_count, type_losses_room;
	/* per BTF id - 1: the first unit that has the type, plus 1 */
	uint32_t *id_unit;
	size_t id_unit_count, id_unit_room;
	struct convert_range {
		uint64_t low, high;
	} * ranges; /* of sections that are loaded */
	size_t ranges_count, ranges_room;
	bool address_ok_all; /* relocatable file: every address is taken */
	bool declarations;   /* variables that are only declared are kept */
};

/* Rewrite the graph until BTF can say it. -EXDEV: it refers to units that are neither in the
 * graph nor shared. */
int graph_lower(struct convert *cv);
/* Give every type of the graph its BTF id. */
int graph_intern(struct convert *cv);
/* Collect variables and functions. */
int graph_symbols(struct convert *cv);

/* The id of a reference (node.type after lowering). 0: void. */
uint32_t graph_id(const struct graph *g, uint32_t ref);
/* Follow aliases. */
uint32_t graph_real(const struct graph *g, uint32_t ref);

/* Name of a type, qualified by its scope and mangled to an identifier where the language has
 * scopes; *ret is its offset in the builder. */
int node_name(struct convert *cv, uint32_t node, uint32_t *ret);
/* The names of all types, members and enumerators of the graph, which then are in node.text. */
int graph_names(struct convert *cv);
/* The scope of a node ("ns::cls"), as the source writes it; "" (0) at top level. */
int node_scope(struct convert *cv, uint32_t node, uint32_t *ret);
bool language_has_scopes(uint16_t language);
bool language_is_fortran(uint16_t language);
/* Of an array, where DWARF does not say it. */
uint64_t language_first_index(uint16_t language);

int names_init(struct convert *cv);
/* Addresses of strings are about to be used again (another .dwo file). */
void names_forget(struct convert *cv);
/* Every record has a word in id_unit: those that were made last may lack one. */
int complete_units(struct convert *cv);
int intern_init(struct convert *cv);
void intern_deinit(struct convert *cv);

#endif
