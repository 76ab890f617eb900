/* SPDX-License-Identifier: MIT */
/*
 * Gives every node of a parsed tree its type, and makes C's silent conversions
 * visible: arithmetic gets EXPR_CAST nodes, so that whoever walks the tree later
 * finds operands that already have the type of their operation. References of
 * C++ become EXPR_DEREF nodes.
 */
#include "types/expr_bind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bind_member(struct binder *b, struct expr *e)
{
	struct ctype_field field;
	const struct ctype *record;
	int rc = bind_expr(b, &e->a) ?: bind_need_type(b, e->a);

	if (rc)
		return rc;
	record = bind_complete(b, e->a->type);
	if (!ctype_is_record(record))
		return bind_not_a_record(b, e);
	if (ctype_find_field(b->types, record, e->name, &field)) {
		rc = bind_virtual_base(b, &e->a, e->name);
		if (rc)
			return rc == -ENOENT ? bind_no_field(b, e, record) : rc;
		ctype_find_field(b->types, e->a->type, e->name, &field);
	}
	e->type = field.type;
	e->lvalue = true;
	e->offset = field.bit_offset / 8;
	e->bit_offset = (uint32_t)(field.bit_offset % 8);
	e->bit_size = field.bit_size;
	return 0;
}

static int bind_deref(struct binder *b, struct expr *e)
{
	const struct ctype *type;
	char text[80];
	int rc = bind_expr(b, &e->a) ?: bind_need_type(b, e->a);

	if (rc)
		return rc;
	type = bind_decayed(b, e->a->type);
	rc = bind_need(b, e->a, type->kind == CTYPE_POINTER, "a pointer");
	if (rc)
		return rc;
	e->type = ctype_to(b->types, type);
	if (e->type->kind == CTYPE_INCOMPLETE)
		e->type = bind_complete(b, e->type);
	e->lvalue = true;
	if (e->type->kind == CTYPE_VOID)
		return expr_fail(b->err, -EINVAL, e->a->column, e->a->length,
		                 "`%s` is a `void *`: cast it to what it points to",
		                 bind_source(b, e->a, text, sizeof(text)));
	return 0;
}

static int bind_address(struct binder *b, struct expr *e)
{
	const struct ctype *type;
	int rc = bind_expr(b, &e->a);

	if (rc)
		return rc;
	if (!e->a->lvalue)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "only an object in memory has an address");
	if (e->a->bit_size)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "a bit-field has no address");
	type = bind_untyped(e->a) ? ctype_builtin(CTYPE_B_VOID) : e->a->type;
	e->type = ctype_pointer(b->types, type);
	return 0;
}

static int bind_slice(struct binder *b, struct expr *e)
{
	const struct ctype *type;
	uint64_t count = 0;
	int rc = bind_expr(b, &e->a) ?: bind_need_type(b, e->a);

	if (rc)
		return rc;
	type = bind_decayed(b, e->a->type);
	rc = bind_need(b, e->a, type->kind == CTYPE_POINTER, "a pointer or an array");
	rc = rc ?: bind_integer(b, &e->b) ?: bind_integer(b, &e->c);
	if (rc)
		return rc;
	type = bind_complete(b, ctype_to(b->types, type));
	if (type->size == 0)
		return expr_fail(
		    b->err, -EINVAL, e->a->column, e->a->length,
		    "the elements have no size (`void *` or an incomplete type): cast it");
	if (e->b->a && e->c->a && e->b->a->op == EXPR_INTEGER && e->c->a->op == EXPR_INTEGER &&
	    e->c->a->integer > e->b->a->integer)
		count = e->c->a->integer - e->b->a->integer;
	e->offset = type->size;
	e->type = ctype_array(b->types, type, count <= EXPR_SLICE_MAX ? count : 0);
	e->lvalue = true;
	return 0;
}

static int bind_cast(struct binder *b, struct expr *e)
{
	const struct ctype *from;
	char text[80], to[128];
	int rc = bind_type(b, e->named, &e->type) ?: bind_expr(b, &e->a);

	if (rc)
		return rc;
	if (bind_untyped(e->a)) { /* As gdb: the cast says what the object is. */
		e->a->type = e->type;
		e->lvalue = true;
		return 0;
	}
	from = bind_decayed(b, e->a->type);
	if (from->kind == CTYPE_POINTER && e->type->kind == CTYPE_POINTER)
		return bind_base_cast(b, e, from);
	if (ctype_is_scalar(e->type) && ctype_is_scalar(from) &&
	    from->size <= 8 + 8 * (from->kind == CTYPE_FLOAT) &&
	    !(from->kind == CTYPE_FLOAT && e->type->kind == CTYPE_POINTER))
		return 0;
	if (e->type == from) {
		e->lvalue = e->a->lvalue;
		return 0;
	}
	bind_declared(b, e->type, to, sizeof(to));
	bind_source(b, e->a, text, sizeof(text));
	return expr_fail(b->err, -EINVAL, e->column, e->length,
	                 "`%s` cannot be cast to `%s`; to see its memory as that write *(%s *)&%s",
	                 text, to, to, text);
}

static void make_integer(struct expr *e, uint64_t value)
{
	e->op = EXPR_INTEGER;
	e->integer = value;
	e->type = ctype_builtin(CTYPE_B_ULONG);
	e->lvalue = false;
}

static int bind_sizeof(struct binder *b, struct expr *e)
{
	const struct ctype *type;
	int rc;

	rc = e->named ? bind_type(b, e->named, &type) : bind_expr(b, &e->a) ?: bind_need_type(b, e->a);
	if (rc)
		return rc;
	type = bind_complete(b, e->named ? type : e->a->type);
	if (type->size == 0 && type->kind != CTYPE_STRUCT && type->kind != CTYPE_ARRAY)
		return expr_fail(b->err, -EINVAL, e->column, e->length, "its size is not known");
	if (!e->named && e->a->bit_size)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "a bit-field has no size in bytes");
	make_integer(e, type->size);
	return 0;
}

/* "a.b[2].c" from `type` on. */
static int path_offset(struct binder *b, const struct expr *e, const struct ctype *type,
                       uint64_t *ret)
{
	const char *p = e->name;
	struct ctype_field field;
	uint64_t offset = 0;
	char part[128];
	size_t n;

	for (; *p; p += strspn(p, ". ")) {
		if (*p == '[') {
			char *end;
			uint64_t i = strtoull(p + 1, &end, 0);

			if (type->kind != CTYPE_ARRAY || *end != ']')
				return -EINVAL;
			type = ctype_to(b->types, type);
			if (__builtin_mul_overflow(i, type->size, &i))
				return -ERANGE;
			offset += i;
			p = end + 1;
			continue;
		}
		n = strcspn(p, ".[ ");
		snprintf(part, sizeof(part), "%.*s", (int)n, p);
		if (!n || ctype_find_field(b->types, type, part, &field) || field.bit_size)
			return -ENOENT;
		offset += field.bit_offset / 8;
		type = field.type;
		p += n;
	}
	*ret = offset;
	return 0;
}

static int bind_offset(struct binder *b, struct expr *e)
{
	const struct ctype *record;
	char type[128];
	int rc = bind_type(b, e->named, &record);

	if (rc)
		return rc;
	record = bind_complete(b, record);
	rc = path_offset(b, e, record, &e->offset);
	bind_declared(b, record, type, sizeof(type));
	if (rc)
		return expr_fail(b->err, rc, e->column, e->length,
		                 "`%s` has no member `%s` that has an address", type, e->name);
	if (e->op == EXPR_OFFSETOF) {
		make_integer(e, e->offset);
		return 0;
	}
	rc = bind_expr(b, &e->a) ?: bind_need_type(b, e->a);
	rc = rc
	         ?: bind_need(b, e->a, bind_decayed(b, e->a->type)->kind == CTYPE_POINTER,
	                      "a pointer");
	e->type = ctype_pointer(b->types, record);
	return rc;
}

static int bind_node(struct binder *b, struct expr *e)
{
	switch (e->op) {
	case EXPR_INTEGER:
	case EXPR_REAL:
		return 0;
	case EXPR_NAME:
		return bind_name(b, e);
	case EXPR_MEMBER:
		return bind_member(b, e);
	case EXPR_DEREF:
		return bind_deref(b, e);
	case EXPR_ADDRESS:
		return bind_address(b, e);
	case EXPR_SLICE:
		return bind_slice(b, e);
	case EXPR_CAST:
		return bind_cast(b, e);
	case EXPR_SIZEOF:
		return bind_sizeof(b, e);
	case EXPR_OFFSETOF:
	case EXPR_CONTAINER:
		return bind_offset(b, e);
	case EXPR_NEGATE:
	case EXPR_PLUS:
	case EXPR_INVERT:
	case EXPR_NOT:
		return bind_unary(b, e);
	case EXPR_COND:
		return bind_cond(b, e);
	default:
		return bind_binary(b, e);
	}
}

int bind_expr(struct binder *b, struct expr **at)
{
	struct expr *e = *at, *object;
	int rc = bind_node(b, e);

	if (rc || !e->type)
		return rc;
	if (e->type->kind == CTYPE_BAD)
		return expr_fail(b->err, -EBADMSG, e->column, e->length,
		                 "the debug information describes this type wrongly");
	if (!ctype_is_reference(e->type) || e->op == EXPR_CAST)
		return 0;
	object = expr_alloc(b->tree, sizeof(*object));
	if (!object)
		return -ENOMEM;
	object->op = EXPR_DEREF;
	object->column = e->column;
	object->length = e->length;
	object->a = e;
	object->type = bind_complete(b, ctype_to(b->types, e->type));
	object->lvalue = true;
	*at = object;
	return 0;
}

int expr_bind(struct expr_tree *tree, const struct expr_names *names, struct expr_error *err)
{
	struct binder b = { .tree = tree, .names = names, .types = names->types, .err = err };
	int rc = bind_expr(&b, &tree->root);

	if (rc == -ENOMEM)
		return expr_fail(err, rc, 0, 1, "out of memory");
	return rc ?: bind_need_type(&b, tree->root);
}
