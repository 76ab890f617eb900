/* SPDX-License-Identifier: MIT */
/*
 * libstdc++'s containers of nodes: map and set, which are red-black trees, and unordered_map and
 * unordered_set, whose nodes are all on one list. What an element is only names tell: the type of
 * the allocator, which is a base, has it. Very long names are cut (docs/types.md): then the
 * container is printed as it is.
 */
#include "types/printers/printers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MAX (1u << 28) /* elements, before it is taken for garbage */

struct nodes {
	const struct ctype *value; /* of an element */
	uint64_t offset;           /* of the element in its node */
	uint64_t count, first;     /* elements; the first one's node */
	bool map;                  /* elements are pairs of key and value */
	int (*next)(struct format *f, uint64_t *node);
};

/* A type by its name in BTF. */
static int find_type(struct format *f, const char *name, const struct ctype **ret)
{
	struct expr_candidate found[1];

	if (f->names->type(f->names->ctx, "struct", name, found, 1) < 1 &&
	    f->names->type(f->names->ctx, "", name, found, 1) < 1)
		return -ENOENT;
	*ret = found[0].type;
	return found[0].type->size ? 0 : -ENOENT;
}

/* `text` between a prefix and a suffix. -ENOTSUP: it has not these. */
static int between(const char *text, const char *prefix, const char *suffix, char *buf, size_t size)
{
	size_t n = strlen(text), before = strlen(prefix), behind = strlen(suffix);

	if (strncmp(text, prefix, before) || n < before + behind || n >= size ||
	    strcmp(text + n - behind, suffix))
		return -ENOTSUP;
	snprintf(buf, size, "%.*s", (int)(n - before - behind), text + before);
	return 0;
}

/* The element's place in a node of the type that is named so. */
static int find_storage(struct format *f, const char *node, struct nodes *ret)
{
	struct ctype_field field;
	const struct ctype *type;
	int rc = find_type(f, node, &type);

	rc = rc ?: ctype_find_field(f->names->types, type, "_M_storage", &field);
	ret->offset = rc ? 0 : field.bit_offset / 8;
	return rc;
}

/* ---- trees ---- */

#define NODE "((struct std___Rb_tree_node_base *)i)->"

/* In order: the leftmost of the right subtree, else the first parent from whose left one comes. */
static int next_in_tree(struct format *f, uint64_t *node)
{
	uint64_t next, from = *node;
	int rc = printer_number(f, from, "(unsigned long)" NODE "_M_right", &next);

	if (!rc && next) {
		for (int n = 0; !rc && next && n < 128; n++) {
			*node = next;
			rc = printer_number(f, next, "(unsigned long)" NODE "_M_left", &next);
		}
		return rc;
	}
	for (int n = 0; !rc && n < 128; n++) {
		rc = printer_number(f, from, "(unsigned long)" NODE "_M_parent", node);
		rc = rc ?: printer_number(f, *node, "(unsigned long)" NODE "_M_right", &next);
		if (!rc && next != from)
			return 0;
		from = *node;
	}
	return rc ?: -EBADMSG;
}

static int plan_tree(struct format *f, const struct expr_value *it, struct nodes *ret)
{
	char name[2048], element[2000];
	struct ctype_field field;
	struct expr_value impl;
	int rc = format_eval(f, it, 0, "it._M_t._M_impl", &impl) ?:
		 format_number(f, it, 0, "it._M_t._M_impl._M_node_count", &ret->count) ?:
		 format_number(f, it, 0, "(unsigned long)it._M_t._M_impl._M_header._M_left",
		               &ret->first);

	rc = rc ?: ctype_field(f->names->types, impl.type, 0, &field);
	/* The base itself: clang calls the member by a typedef of it. */
	rc = rc
	         ?: between(ctype_base_tag(field.type), "std__allocator_Lstd___Rb_tree_node_L",
	                    "_R_R", element, sizeof(element));
	if (rc)
		return rc;
	snprintf(name, sizeof(name), "std___Rb_tree_node_L%s_R", element);
	ret->next = next_in_tree;
	return find_type(f, element, &ret->value) ?: find_storage(f, name, ret);
}

/* ---- hash tables ---- */

static int next_in_hash(struct format *f, uint64_t *node)
{
	return printer_number(
	    f, *node, "(unsigned long)((struct std____detail___Hash_node_base *)i)->_M_nxt", node);
}

static int plan_hash(struct format *f, const struct expr_value *it, struct nodes *ret)
{
	char node[2000], element[2000];
	struct ctype_field field;
	struct expr_value table;
	int rc = format_eval(f, it, 0, "it._M_h", &table) ?:
		 format_number(f, it, 0, "it._M_h._M_element_count", &ret->count) ?:
		 format_number(f, it, 0, "(unsigned long)it._M_h._M_before_begin._M_nxt",
		               &ret->first);

	if (rc)
		return rc;
	rc = -ENOTSUP;
	for (uint32_t i = 0; rc && i < ctype_fields(table.type); i++)
		if (!ctype_field(f->names->types, table.type, i, &field))
			rc = between(ctype_base_tag(field.type),
			             "std____detail___Hashtable_alloc_Lstd__allocator_L", "_R_R",
			             node, sizeof(node));
	if (!rc)
		rc = between(node, "std____detail___Hash_node_L", "_Ctrue_R", element,
		             sizeof(element))
		         ? between(node, "std____detail___Hash_node_L", "_Cfalse_R", element,
		                   sizeof(element))
		         : 0;
	ret->next = next_in_hash;
	return rc ?: find_type(f, element, &ret->value) ?: find_storage(f, node, ret);
}

/* ---- both ---- */

static int print_element(struct format *f, const struct nodes *nodes, uint64_t node, uint64_t i)
{
	struct expr_value element = { .type = nodes->value, .lvalue = true }, part;
	char key[300];
	int rc;

	element.address = node + nodes->offset;
	if (!nodes->map) {
		f->sink->ops->entry(f->sink, i, i);
		format_any(f, &element);
		return 0;
	}
	rc = format_eval(f, &element, 0, "it.first", &part);
	if (rc)
		return rc;
	printer_key(f, &part, key, sizeof(key));
	f->sink->ops->key(f->sink, key);
	rc = format_eval(f, &element, 0, "it.second", &part);
	if (!rc)
		format_any(f, &part);
	return rc;
}

static void print_elements(struct format *f, const struct nodes *nodes, const char *what)
{
	const char *unit = nodes->map ? "pair" : "element";
	uint64_t node = nodes->first;
	char label[64];
	int rc = 0;

	snprintf(label, sizeof(label), "%s, %" PRIu64 " %s%s:", what, nodes->count, unit,
	         nodes->count == 1 ? "" : "s");
	f->sink->ops->open(f->sink, nodes->map ? SINK_MAP : SINK_ARRAY, label, false);
	f->nest++;
	for (uint64_t i = 0; !rc && i < nodes->count && i < f->opts.elements_max; i++) {
		rc = node ? print_element(f, nodes, node, i) : -EBADMSG;
		if (!rc && i + 1 < nodes->count)
			rc = nodes->next(f, &node);
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (rc)
		f->sink->ops->note(f->sink, "the rest cannot be read");
	else if (nodes->count > f->opts.elements_max)
		f->sink->ops->note(f->sink, "more follow");
}

static int print_nodes(struct format *f, const struct expr_value *it, bool map, bool hashed)
{
	struct nodes nodes = { .map = map };
	int rc = hashed ? plan_hash(f, it, &nodes) : plan_tree(f, it, &nodes);

	if (!rc && nodes.count > COUNT_MAX)
		rc = -EBADMSG;
	if (!rc)
		print_elements(f, &nodes, map ? "map" : "set");
	return rc;
}

static int print_map(struct format *f, const struct expr_value *it)
{
	return print_nodes(f, it, true, false);
}

static int print_set(struct format *f, const struct expr_value *it)
{
	return print_nodes(f, it, false, false);
}

static int print_unordered_map(struct format *f, const struct expr_value *it)
{
	return print_nodes(f, it, true, true);
}

static int print_unordered_set(struct format *f, const struct expr_value *it)
{
	return print_nodes(f, it, false, true);
}

const struct printer printer_cxx_map = {
	.name = "libstdc++.map",
	.types = (const char *const[]){ "std__map_L*", "std__multimap_L*", NULL },
	.print = print_map,
};

const struct printer printer_cxx_set = {
	.name = "libstdc++.set",
	.types = (const char *const[]){ "std__set_L*", "std__multiset_L*", NULL },
	.print = print_set,
};

const struct printer printer_cxx_unordered_map = {
	.name = "libstdc++.unordered_map",
	.types =
	    (const char *const[]){ "std__unordered_map_L*", "std__unordered_multimap_L*", NULL },
	.print = print_unordered_map,
};

const struct printer printer_cxx_unordered_set = {
	.name = "libstdc++.unordered_set",
	.types =
	    (const char *const[]){ "std__unordered_set_L*", "std__unordered_multiset_L*", NULL },
	.print = print_unordered_set,
};
