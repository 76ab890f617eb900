/* SPDX-License-Identifier: MIT */
/*
 * Expressions of pretty printers: names of the program plus `it` and `i`. Each is
 * parsed and bound once for a type of `it`, and then evaluated with new values in
 * the two slots that its tree refers to.
 */
#include "types/format_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMPILED_MAX 4096

struct format_compiled {
	struct format_compiled *next;
	char *expr;
	const struct ctype *type;
	struct expr_tree *tree; /* NULL: it could not be compiled, `rc` says why */
	int rc;
	struct expr_value it, i;
};

struct layer {
	const struct expr_names *outer;
	struct format_compiled *c;
};

static int layer_symbol(void *ctx, const char *name, struct expr_symbol *ret, int max)
{
	struct layer *l = ctx;

	if (strcmp(name, "it") && strcmp(name, "i"))
		return l->outer->symbol(l->outer->ctx, name, ret, max);
	ret[0] = (struct expr_symbol){ .kind = EXPR_SYM_VALUE };
	ret[0].value = name[1] ? &l->c->it : &l->c->i;
	return 1;
}

static int layer_type(void *ctx, const char *tag, const char *name, struct expr_candidate *ret,
                      int max)
{
	struct layer *l = ctx;

	return l->outer->type(l->outer->ctx, tag, name, ret, max);
}

static bool is_type(void *ctx, const char *name)
{
	struct layer *l = ctx;
	struct expr_candidate found[1];

	if (!strcmp(name, "it") || !strcmp(name, "i"))
		return false;
	return l->outer->type(l->outer->ctx, "", name, found, 1) > 0 || expr_standard_type(name);
}

static int compile(struct format *f, struct format_compiled *c)
{
	struct layer layer = { f->names, c };
	struct expr_names names = *f->names;
	int rc;

	names.ctx = &layer;
	names.symbol = layer_symbol;
	names.type = layer_type;
	names.near = NULL;
	names.at = NULL;
	rc = expr_parse(c->expr, is_type, &layer, NULL, &c->tree);
	if (!rc)
		rc = expr_bind(c->tree, &names, NULL);
	if (rc) {
		expr_free(c->tree);
		c->tree = NULL;
	}
	return rc;
}

static struct format_compiled *find(struct format *f, const struct expr_value *it, const char *expr)
{
	struct format_compiled *c;
	unsigned n = 0;

	for (c = f->compiled; c; c = c->next, n++)
		if (c->type == it->type && c->it.lvalue == it->lvalue && !strcmp(c->expr, expr))
			return c;
	if (n >= COMPILED_MAX)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->expr = strdup(expr);
	if (!c->expr) {
		free(c);
		return NULL;
	}
	c->type = it->type;
	c->it = *it;
	c->i = (struct expr_value){ .type = ctype_builtin(CTYPE_B_ULONG) };
	c->rc = compile(f, c);
	c->next = f->compiled;
	f->compiled = c;
	return c;
}

int format_eval(struct format *f, const struct expr_value *it, uint64_t i, const char *expr,
                struct expr_value *ret)
{
	struct format_compiled *c = find(f, it, expr);

	if (!c)
		return -ENOMEM;
	if (c->rc)
		return c->rc;
	c->it = *it;
	c->i.integer = i;
	return expr_eval(c->tree, f->names, f->memory, NULL, ret);
}

int format_number(struct format *f, const struct expr_value *it, uint64_t i, const char *expr,
                  uint64_t *ret)
{
	struct expr_value v;
	int rc = format_eval(f, it, i, expr, &v);

	rc = rc ?: expr_load(f->memory, &v, &v);
	if (rc)
		return rc;
	if (!ctype_is_scalar(v.type) || v.type->kind == CTYPE_FLOAT)
		return -EINVAL;
	*ret = v.integer;
	return 0;
}

void format_compiled_free(struct format *f)
{
	struct format_compiled *next;

	for (struct format_compiled *c = f->compiled; c; c = next) {
		next = c->next;
		expr_free(c->tree);
		free(c->expr);
		free(c);
	}
	f->compiled = NULL;
}
