/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL's List (version 13 and later: an array) and Node: whatever begins with a
 * NodeTag `T_Name` is a struct `Name`. Nodes are followed at the top and as --depth allows.
 */
#include "types/printers/printers.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* The enumerator of the tag at `address`, without its T_: the name of the struct there. */
static int node_name(struct format *f, uint64_t address, char *buf, size_t size)
{
	struct expr_value tag;
	int64_t value;
	int rc = printer_value(f, address, "((struct Node *)i)->type", &tag)
	             ?: expr_load(f->memory, &tag, &tag);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < ctype_enumerators(tag.type); i++) {
		const char *name = ctype_enumerator(tag.type, i, &value);

		if ((uint64_t)value != tag.integer || strncmp(name, "T_", 2))
			continue;
		snprintf(buf, size, "%s", name + 2);
		return 0;
	}
	return -ENOENT;
}

static int find_node_type(struct format *f, const char *name, const struct ctype **ret)
{
	struct expr_candidate found[1];

	if (f->names->type(f->names->ctx, "struct", name, found, 1) < 1 &&
	    f->names->type(f->names->ctx, "", name, found, 1) < 1)
		return -ENOENT;
	*ret = found[0].type;
	return ctype_is_record(found[0].type) ? 0 : -ENOENT;
}

/* Nodes that are one value, printed as that: version 15 has a struct for each, before there was one
 * for all. */
static const struct leaf {
	const char *node, *now, *before;
	bool text;
} leaves[] = {
	{ "String", "(unsigned long)((struct String *)i)->sval",
	  "(unsigned long)((struct Value *)i)->val.str", true },
	{ "Float", "(unsigned long)((struct Float *)i)->fval",
	  "(unsigned long)((struct Value *)i)->val.str", true },
	{ "BitString", "(unsigned long)((struct BitString *)i)->bsval",
	  "(unsigned long)((struct Value *)i)->val.str", true },
	{ "Integer", "((struct Integer *)i)->ival", "((struct Value *)i)->val.ival", false },
	{ "Boolean", "((struct Boolean *)i)->boolval", "((struct Boolean *)i)->boolval", false },
};

/* -ENOENT: no such node. */
static int print_leaf(struct format *f, const char *name, uint64_t address)
{
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		struct expr_value v;
		int rc;

		if (strcmp(leaves[i].node, name))
			continue;
		rc = printer_value(f, address, leaves[i].now, &v);
		rc = rc ? printer_value(f, address, leaves[i].before, &v) : rc;
		rc = rc ?: expr_load(f->memory, &v, &v);
		if (rc)
			return rc;
		if (leaves[i].text)
			format_cstring(f, v.integer);
		else
			format_plain(f, &v);
		return 0;
	}
	return -ENOENT;
}

static int print_node(struct format *f, const struct expr_value *it)
{
	const struct ctype *type;
	struct expr_value pointer = { 0 };
	char name[128], text[170];
	uint64_t address;
	size_t n;
	int rc = format_number(f, it, 0, "it", &address);

	if (rc || !address)
		return rc ?: -ENODATA;
	rc = node_name(f, address, name, sizeof(name));
	if (!rc && !print_leaf(f, name, address))
		return 0;
	/* IntList, OidList and XidList are tags of a List. */
	n = strlen(name);
	if (!rc && n > 4 && !strcmp(name + n - 4, "List") && find_node_type(f, name, &type))
		strcpy(name, "List");
	rc = rc ?: find_node_type(f, name, &type);
	if (rc)
		return rc;
	if (f->nest == 0 || f->depth < f->opts.depth) {
		pointer.type = ctype_pointer(f->names->types, type);
		pointer.integer = address;
		if (printer_find(f, pointer.type) &&
		    printer_find(f, pointer.type)->print != print_node)
			format_any(f, &pointer);
		else
			format_pointer(f, &pointer, true);
		return 0;
	}
	snprintf(text, sizeof(text), "(%s *)0x%" PRIx64, name, address);
	f->sink->ops->scalar(f->sink, text, json_object_new_string(text));
	return 0;
}

const struct printer printer_postgres_node = {
	.name = "postgres.Node",
	.types = (const char *const[]){ "Node *", "Expr *", "Plan *", NULL },
	.print = print_node,
};

static void print_cell(struct format *f, const struct expr_value *list, uint64_t i,
                       const char *cell)
{
	struct expr_value v;

	f->sink->ops->entry(f->sink, i, i);
	if (format_eval(f, list, i, cell, &v))
		format_failure(f, "cannot be read");
	else
		format_any(f, &v);
}

static int print_list(struct format *f, const struct expr_value *it)
{
	const char *cell = "(struct Node *)it->elements[i].ptr_value";
	uint64_t length, address;
	char name[64], label[100];
	int rc = format_number(f, it, 0, "it", &address);

	if (rc || !address)
		return rc ?: -ENODATA;
	rc = node_name(f, address, name, sizeof(name))
	         ?: format_number(f, it, 0, "it->length", &length);
	if (rc)
		return rc;
	if (!strcmp(name, "IntList"))
		cell = "it->elements[i].int_value";
	else if (!strcmp(name, "OidList"))
		cell = "it->elements[i].oid_value";
	else if (strcmp(name, "List"))
		return -EBADMSG;
	if (length > INT32_MAX)
		return -EBADMSG;
	snprintf(label, sizeof(label), "%s, %" PRIu64 ":", name, length);
	f->sink->ops->open(f->sink, SINK_ARRAY, label, false);
	f->nest++;
	for (uint64_t i = 0; i < length && i < f->opts.elements_max; i++)
		print_cell(f, it, i, cell);
	f->nest--;
	f->sink->ops->close(f->sink);
	if (length > f->opts.elements_max)
		f->sink->ops->note(f->sink, "more follow");
	return 0;
}

const struct printer printer_postgres_list = {
	.name = "postgres.List",
	.types = (const char *const[]){ "List *", NULL },
	.print = print_list,
};
