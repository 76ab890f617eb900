/* SPDX-License-Identifier: MIT */
/* Binding: C's conversions, and the operators that make them. */
#include "types/expr_bind.h"

#include <errno.h>

bool bind_untyped(const struct expr *e)
{
	return e->op == EXPR_NAME && !e->type;
}

int bind_need_type(struct binder *b, const struct expr *e)
{
	if (!bind_untyped(e))
		return 0;
	return expr_fail_unknown(
	    b->err, -ENODATA, e->column, e->length,
	    "the type of `%s` is not known (no debug information has it): cast it, "
	    "`(TYPE)%s`, or use its address, `&%s`",
	    e->name, e->name, e->name);
}

/* The type an operand has once it is a value: arrays and functions are addresses. */
const struct ctype *bind_decayed(struct binder *b, const struct ctype *type)
{
	if (type->kind == CTYPE_ARRAY)
		return ctype_pointer(b->types, ctype_to(b->types, type));
	if (type->kind == CTYPE_FUNCTION)
		return ctype_pointer(b->types, type);
	return type;
}

static int cast_to(struct binder *b, struct expr **at, const struct ctype *type)
{
	struct expr *e;

	if ((*at)->type == type && !(*at)->bit_size)
		return 0;
	e = expr_alloc(b->tree, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->op = EXPR_CAST;
	e->column = (*at)->column;
	e->length = (*at)->length;
	e->a = *at;
	e->type = type;
	*at = e;
	return 0;
}

/* C's integer promotion: what is smaller than int becomes int; a bit-field by its width. */
static const struct ctype *promoted(const struct expr *e)
{
	const struct ctype *type = e->type;
	uint64_t bits = e->bit_size ?: type->size * 8;

	if (type->kind == CTYPE_FLOAT)
		return type;
	/* An enumerator that fits is an int, whatever its enum is. */
	if (e->op == EXPR_NAME && e->symbol.kind == EXPR_SYM_CONSTANT && type->kind == CTYPE_ENUM &&
	    (int64_t)e->symbol.address == (int32_t)e->symbol.address)
		return ctype_builtin(CTYPE_B_INT);
	if (bits < 32 || type->kind == CTYPE_BOOL || (bits == 32 && type->is_signed))
		return ctype_builtin(CTYPE_B_INT);
	if (bits == 32)
		return ctype_builtin(CTYPE_B_UINT);
	if (type->kind == CTYPE_ENUM)
		return ctype_builtin(type->is_signed ? CTYPE_B_LONG : CTYPE_B_ULONG);
	return type;
}

static const struct ctype *common_type(const struct expr *x, const struct expr *y)
{
	const struct ctype *a = promoted(x), *b = promoted(y);

	if (a->kind == CTYPE_FLOAT || b->kind == CTYPE_FLOAT) {
		if (a->kind != CTYPE_FLOAT)
			return b;
		return b->kind == CTYPE_FLOAT && b->size > a->size ? b : a;
	}
	if (a->size != b->size)
		return a->size > b->size ? a : b;
	return a->is_signed ? b : a;
}

int bind_need(struct binder *b, const struct expr *e, bool ok, const char *wanted)
{
	char type[128], text[80];

	if (ok)
		return 0;
	bind_declared(b, e->type, type, sizeof(type));
	return expr_fail(b->err, -EINVAL, e->column, e->length, "%s is wanted, but `%s` is `%s`",
	                 wanted, bind_source(b, e, text, sizeof(text)), type);
}

int bind_need_arithmetic(struct binder *b, const struct expr *e, bool integer)
{
	if (ctype_is_integer(e->type) && e->type->size > 8)
		return expr_fail(b->err, -ENOTSUP, e->column, e->length,
		                 "16-byte integers can be shown, but not computed with");
	if (integer)
		return bind_need(b, e, ctype_is_integer(e->type), "an integer");
	return bind_need(b, e, ctype_is_arithmetic(e->type), "a number");
}

int bind_integer(struct binder *b, struct expr **at)
{
	int rc = bind_expr(b, at) ?: bind_need_type(b, *at) ?: bind_need_arithmetic(b, *at, true);

	return rc ?: cast_to(b, at, ctype_builtin(CTYPE_B_LONG));
}

int bind_unary(struct binder *b, struct expr *e)
{
	int rc = bind_expr(b, &e->a) ?: bind_need_type(b, e->a);

	if (rc)
		return rc;
	if (e->op == EXPR_NOT) {
		e->type = ctype_builtin(CTYPE_B_INT);
		return bind_need(b, e->a, ctype_is_scalar(bind_decayed(b, e->a->type)),
		                 "a number or pointer");
	}
	rc = bind_need_arithmetic(b, e->a, e->op == EXPR_INVERT);
	if (rc)
		return rc;
	e->type = promoted(e->a);
	return cast_to(b, &e->a, e->type);
}

static int bind_pointer_sum(struct binder *b, struct expr *e)
{
	const struct ctype *to;
	char text[80];
	int rc;

	/* 2 + p is p + 2. */
	if (e->op == EXPR_ADD && bind_decayed(b, e->a->type)->kind != CTYPE_POINTER) {
		struct expr *swap = e->a;

		e->a = e->b;
		e->b = swap;
	}
	e->type = bind_decayed(b, e->a->type);
	to = bind_complete(b, ctype_to(b->types, e->type));
	e->offset = to->kind == CTYPE_VOID || to->kind == CTYPE_FUNCTION ? 1 : to->size;
	if (to->kind == CTYPE_INCOMPLETE || to->kind == CTYPE_BAD)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "the size of what `%s` points to is not known",
		                 bind_source(b, e->a, text, sizeof(text)));
	rc = bind_need_arithmetic(b, e->b, true);
	return rc ?: cast_to(b, &e->b, ctype_builtin(CTYPE_B_LONG));
}

static int bind_pointer_difference(struct binder *b, struct expr *e)
{
	const struct ctype *x = ctype_to(b->types, bind_decayed(b, e->a->type));
	const struct ctype *y = ctype_to(b->types, bind_decayed(b, e->b->type));

	e->offset = x->kind == CTYPE_VOID ? 1 : bind_complete(b, x)->size;
	if (!e->offset || x->size != y->size)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "pointers to different types cannot be subtracted");
	e->type = ctype_builtin(CTYPE_B_LONG);
	return 0;
}

static int bind_arithmetic(struct binder *b, struct expr *e)
{
	bool integer =
	    e->op == EXPR_REM || e->op == EXPR_AND || e->op == EXPR_OR || e->op == EXPR_XOR;
	int rc = bind_need_arithmetic(b, e->a, integer) ?: bind_need_arithmetic(b, e->b, integer);

	if (rc)
		return rc;
	e->type = common_type(e->a, e->b);
	return cast_to(b, &e->a, e->type) ?: cast_to(b, &e->b, e->type);
}

static int bind_shift(struct binder *b, struct expr *e)
{
	int rc = bind_need_arithmetic(b, e->a, true) ?: bind_need_arithmetic(b, e->b, true);

	if (rc)
		return rc;
	e->type = promoted(e->a);
	return cast_to(b, &e->a, e->type) ?: cast_to(b, &e->b, promoted(e->b));
}

static int bind_comparison(struct binder *b, struct expr *e)
{
	bool pa = bind_decayed(b, e->a->type)->kind == CTYPE_POINTER;
	bool pb = bind_decayed(b, e->b->type)->kind == CTYPE_POINTER;
	const struct ctype *common;
	int rc;

	e->type = ctype_builtin(CTYPE_B_INT);
	if (pa || pb) {
		rc = pa ? 0 : bind_need_arithmetic(b, e->a, true);
		rc = rc ?: pb ? 0 : bind_need_arithmetic(b, e->b, true);
		common = ctype_builtin(CTYPE_B_ULONG);
	} else {
		rc = bind_need_arithmetic(b, e->a, false) ?: bind_need_arithmetic(b, e->b, false);
		common = rc ? NULL : common_type(e->a, e->b);
	}
	return rc ?: cast_to(b, &e->a, common) ?: cast_to(b, &e->b, common);
}

static int bind_logic(struct binder *b, struct expr *e)
{
	e->type = ctype_builtin(CTYPE_B_INT);
	return bind_need(b, e->a, ctype_is_scalar(bind_decayed(b, e->a->type)),
	                 "a number or pointer")
	           ?: bind_need(b, e->b, ctype_is_scalar(bind_decayed(b, e->b->type)),
	                        "a number or pointer");
}

int bind_binary(struct binder *b, struct expr *e)
{
	int rc = bind_expr(b, &e->a) ?: bind_expr(b, &e->b) ?: bind_need_type(b, e->a) ?: bind_need_type(b, e->b);
	bool pa, pb;

	if (rc)
		return rc;
	pa = bind_decayed(b, e->a->type)->kind == CTYPE_POINTER;
	pb = bind_decayed(b, e->b->type)->kind == CTYPE_POINTER;
	switch (e->op) {
	case EXPR_ADD:
		return pa || pb ? bind_pointer_sum(b, e) : bind_arithmetic(b, e);
	case EXPR_SUB:
		if (pa && pb)
			return bind_pointer_difference(b, e);
		return pa ? bind_pointer_sum(b, e) : bind_arithmetic(b, e);
	case EXPR_SHL:
	case EXPR_SHR:
		return bind_shift(b, e);
	case EXPR_LT:
	case EXPR_GT:
	case EXPR_LE:
	case EXPR_GE:
	case EXPR_EQ:
	case EXPR_NE:
		return bind_comparison(b, e);
	case EXPR_LAND:
	case EXPR_LOR:
		return bind_logic(b, e);
	default:
		return bind_arithmetic(b, e);
	}
}

int bind_cond(struct binder *b, struct expr *e)
{
	const struct ctype *yes, *no;
	int rc = bind_expr(b, &e->a) ?: bind_expr(b, &e->b) ?: bind_expr(b, &e->c);

	rc = rc ?: bind_need_type(b, e->a) ?: bind_need_type(b, e->b) ?: bind_need_type(b, e->c);
	rc = rc
	         ?: bind_need(b, e->a, ctype_is_scalar(bind_decayed(b, e->a->type)),
	                      "a number or pointer");
	if (rc)
		return rc;
	yes = bind_decayed(b, e->b->type);
	no = bind_decayed(b, e->c->type);
	if (ctype_is_arithmetic(yes) && ctype_is_arithmetic(no)) {
		rc = bind_need_arithmetic(b, e->b, false) ?: bind_need_arithmetic(b, e->c, false);
		if (rc)
			return rc;
		e->type = common_type(e->b, e->c);
		return cast_to(b, &e->b, e->type) ?: cast_to(b, &e->c, e->type);
	}
	e->type = yes->kind == CTYPE_POINTER ? yes : no;
	if (ctype_is_record(yes) && ctype_same(b->types, yes, no)) {
		e->lvalue = e->b->lvalue && e->c->lvalue;
		return 0;
	}
	if (e->type->kind != CTYPE_POINTER || !ctype_is_scalar(yes) || !ctype_is_scalar(no))
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "the two sides of `:` have types that do not fit together");
	return cast_to(b, &e->b, e->type) ?: cast_to(b, &e->c, e->type);
}
