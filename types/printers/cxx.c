/* SPDX-License-Identifier: MIT */
/*
 * libstdc++'s string, vector and map. Types of C++ have mangled names in
 * BTF: `<` is _L, `,` is _C, `>` is _R, `::` is two underscores (docs/types.md).
 */
#include "types/printers/printers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MAX (1u << 28) /* elements, before it is taken for garbage */

static int print_string(struct format *f, const struct expr_value *it)
{
	uint64_t address, length, ignored;
	int rc = format_number(f, it, 0, "(unsigned long)it._M_dataplus._M_p", &address)
	             ?: format_number(f, it, 0, "it._M_string_length", &length);

	/* Is it one at all? Its last byte and its NUL have to be there. */
	rc = rc ?: format_read(f, address + length, &ignored, 1);
	if (!rc)
		format_bytes(f, 0, address, length);
	return rc;
}

const struct printer printer_cxx_string = {
	.name = "libstdc++.string",
	.types = (const char *const[]){ "std____cxx11__basic_string_Lchar_*", NULL },
	.print = print_string,
};

static int print_vector(struct format *f, const struct expr_value *it)
{
	struct expr_value start, elements = { .lvalue = true };
	uint64_t count;
	char label[64];
	int rc = format_number(f, it, 0, "it._M_impl._M_finish - it._M_impl._M_start", &count) ?:
		 format_eval(f, it, 0, "it._M_impl._M_start", &start) ?:
		 expr_load(f->memory, &start, &start);

	if (rc)
		return rc;
	if (count > COUNT_MAX)
		return -EBADMSG;
	elements.type = ctype_array(f->names->types, ctype_to(f->names->types, start.type), count);
	elements.address = start.integer;
	if (!count) {
		snprintf(label, sizeof(label), "vector, empty:");
		f->sink->ops->open(f->sink, SINK_ARRAY, label, true);
		f->sink->ops->close(f->sink);
		return 0;
	}
	format_plain(f, &elements);
	return 0;
}

const struct printer printer_cxx_vector = {
	.name = "libstdc++.vector",
	.types = (const char *const[]){ "std__vector_L*", NULL },
	.print = print_vector,
};

/* ---- map: a red-black tree ---- */

struct tree {
	const struct ctype *value; /* of an element: a pair */
	uint64_t offset;           /* of the element in its node */
};

static int find_struct(struct format *f, const char *name, const struct ctype **ret)
{
	struct expr_candidate found[1];

	if (f->names->type(f->names->ctx, "struct", name, found, 1) < 1 ||
	    found[0].type->kind != CTYPE_STRUCT)
		return -ENOENT;
	*ret = found[0].type;
	return 0;
}

/* The element's type is only in names: the tree's allocator is a base, and is one of nodes. */
static int plan_tree(struct format *f, const struct expr_value *it, struct tree *ret)
{
	static const char prefix[] = "__base_std__allocator_Lstd___Rb_tree_node_L";
	const struct ctype *node;
	struct ctype_field field;
	struct expr_value impl;
	char name[2048], element[2000];
	size_t n;
	int rc = format_eval(f, it, 0, "it._M_t._M_impl", &impl);

	rc = rc ?: ctype_field(f->names->types, impl.type, 0, &field);
	if (rc)
		return rc;
	n = strlen(field.name);
	if (strncmp(field.name, prefix, strlen(prefix)) || n < strlen(prefix) + 4 ||
	    n >= sizeof(element))
		return -ENOTSUP;
	snprintf(element, sizeof(element), "%.*s", (int)(n - strlen(prefix) - 4),
	         field.name + strlen(prefix));
	snprintf(name, sizeof(name), "std___Rb_tree_node_L%s_R", element);
	rc = find_struct(f, element, &ret->value) ?: find_struct(f, name, &node);
	rc = rc ?: ctype_find_field(f->names->types, node, "_M_storage", &field);
	ret->offset = rc ? 0 : field.bit_offset / 8;
	return rc;
}

#define NODE "((struct std___Rb_tree_node_base *)i)->"

/* In order: the leftmost of the right subtree, else the first parent from whose left one comes. */
static int next_node(struct format *f, uint64_t *node)
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

static int print_element(struct format *f, const struct tree *tree, uint64_t node)
{
	struct expr_value pair = { .type = tree->value, .lvalue = true }, part;
	char key[300];
	int rc;

	pair.address = node + tree->offset;
	rc = format_eval(f, &pair, 0, "it.first", &part);
	if (rc)
		return rc;
	printer_key(f, &part, key, sizeof(key));
	f->sink->ops->key(f->sink, key);
	rc = format_eval(f, &pair, 0, "it.second", &part);
	if (!rc)
		format_any(f, &part);
	return rc;
}

static int print_map(struct format *f, const struct expr_value *it)
{
	uint64_t count, node;
	struct tree tree;
	char label[64];
	int rc = format_number(f, it, 0, "it._M_t._M_impl._M_node_count", &count) ?:
		 format_number(f, it, 0, "(unsigned long)it._M_t._M_impl._M_header._M_left", &node) ?:
		 plan_tree(f, it, &tree);

	if (rc)
		return rc;
	if (count > COUNT_MAX)
		return -EBADMSG;
	snprintf(label, sizeof(label), "map, %" PRIu64 "%s", count,
	         count == 1 ? " pair:" : " pairs:");
	f->sink->ops->open(f->sink, SINK_MAP, label, false);
	f->nest++;
	for (uint64_t i = 0; !rc && i < count && i < f->opts.elements_max; i++) {
		rc = print_element(f, &tree, node);
		if (!rc && i + 1 < count)
			rc = next_node(f, &node);
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (rc)
		f->sink->ops->note(f->sink, "the rest cannot be read");
	else if (count > f->opts.elements_max)
		f->sink->ops->note(f->sink, "more follow");
	return 0;
}

const struct printer printer_cxx_map = {
	.name = "libstdc++.map",
	.types = (const char *const[]){ "std__map_L*", NULL },
	.print = print_map,
};
