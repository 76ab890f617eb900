/* SPDX-License-Identifier: MIT */
/*
 * Gives every node of a parsed tree its type, and makes C's silent conversions
 * visible: arithmetic gets EXPR_CAST nodes, so that whoever walks the tree later
 * finds operands that already have the type of their operation. References of
 * C++ become EXPR_DEREF nodes.
 */
#include "types/expr_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_MAX 8

struct binder {
	struct expr_tree *tree;
	const struct expr_names *names;
	struct ctypes *types;
	struct expr_error *err;
};

static int bind(struct binder *b, struct expr **at);

static void declared(struct binder *b, const struct ctype *type, char *buf, size_t size)
{
	ctype_declare(b->types, type, NULL, buf, size);
}

/* What the user wrote for a node, for messages. */
static const char *source(struct binder *b, const struct expr *e, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)e->length, b->tree->text + e->column);
	return buf;
}

/* ---- types by name ---- */

static void list_candidates(struct binder *b, const struct expr_candidate *c, int n, char *buf,
                            size_t size)
{
	size_t at = 0;
	char type[96];

	(void)b;
	for (int i = 0; i < n && i < CANDIDATES_MAX && at < size; i++) {
		ctype_declare(b->types, c[i].type, NULL, type, sizeof(type));
		at += (size_t)snprintf(buf + at, size - at, "%s%s (%s, %llu bytes)", i ? ", " : "",
		                       c[i].unit && c[i].unit[0] ? c[i].unit : "unknown unit", type,
		                       (unsigned long long)c[i].type->size);
	}
}

static void suggest(struct binder *b, const char *name, bool symbol, char *buf, size_t size)
{
	char near[128] = "";

	buf[0] = 0;
	if (b->names->near)
		b->names->near(b->names->ctx, name, symbol, near, sizeof(near));
	if (near[0])
		snprintf(buf, size, "; did you mean `%s`?", near);
}

static int type_by_name(struct binder *b, const char *tag, const char *name, uint32_t column,
                        uint32_t length, const struct ctype **ret)
{
	struct expr_candidate found[CANDIDATES_MAX];
	const struct ctype *standard;
	char text[300];
	int n = b->names->type(b->names->ctx, tag, name, found, CANDIDATES_MAX);

	if (n < 0)
		return expr_fail(b->err, n, column, length, "looking for type `%s`: %s", name,
		                 strerror(-n));
	standard = tag[0] ? NULL : expr_standard_type(name);
	if (n == 0 && standard) {
		*ret = standard;
		return 0;
	}
	if (n == 0) {
		suggest(b, name, false, text, sizeof(text));
		return expr_fail_unknown(b->err, -ENOENT, column, length,
		                         "there is no type `%s%s%s`%s", tag, tag[0] ? " " : "",
		                         name, text);
	}
	for (int i = 1; i < n && i < CANDIDATES_MAX; i++) {
		if (ctype_same(b->types, found[0].type, found[i].type))
			continue;
		list_candidates(b, found, n, text, sizeof(text));
		return expr_fail(b->err, -ENOTUNIQ, column, length,
		                 "`%s` is more than one type: %s; write FILE::%s to choose", name,
		                 text, name);
	}
	*ret = found[0].type;
	return 0;
}

static int resolve_type(struct binder *b, const struct expr_type *named, const struct ctype **ret)
{
	const struct ctype *type;
	int rc = 0;

	if (named->builtin >= 0)
		type = ctype_builtin((enum ctype_builtin)named->builtin);
	else
		rc = type_by_name(b, named->tag, named->name, named->column, named->length, &type);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < named->stars; i++)
		type = ctype_pointer(b->types, type);
	for (uint32_t i = named->dims; i > 0; i--)
		type = ctype_array(b->types, type, named->dim[i - 1]);
	if (type->kind == CTYPE_BAD)
		return expr_fail(b->err, -EINVAL, named->column, named->length,
		                 "this type is malformed or too large");
	*ret = type;
	return 0;
}

/* A struct that its own unit only declares may be defined elsewhere. */
static const struct ctype *complete(struct binder *b, const struct ctype *type)
{
	struct expr_candidate found[CANDIDATES_MAX];
	const char *const tags[] = { "struct", "union", "enum" };

	if (type->kind != CTYPE_INCOMPLETE)
		return type;
	for (int i = 0; i < 3; i++) {
		int n =
		    b->names->type(b->names->ctx, tags[i], ctype_tag(type), found, CANDIDATES_MAX);

		if (n >= 1 && found[0].type->kind != CTYPE_INCOMPLETE)
			return found[0].type;
	}
	return type;
}

/* ---- conversions ---- */

static bool untyped(const struct expr *e)
{
	return e->op == EXPR_NAME && !e->type;
}

static int need_type(struct binder *b, const struct expr *e)
{
	if (!untyped(e))
		return 0;
	return expr_fail_unknown(
	    b->err, -ENODATA, e->column, e->length,
	    "the type of `%s` is not known (no debug information has it): cast it, "
	    "`(TYPE)%s`, or use its address, `&%s`",
	    e->name, e->name, e->name);
}

/* The type an operand has once it is a value: arrays and functions are addresses. */
static const struct ctype *decayed(struct binder *b, const struct ctype *type)
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

static int need(struct binder *b, const struct expr *e, bool ok, const char *wanted)
{
	char type[128], text[80];

	if (ok)
		return 0;
	declared(b, e->type, type, sizeof(type));
	return expr_fail(b->err, -EINVAL, e->column, e->length, "%s is wanted, but `%s` is `%s`",
	                 wanted, source(b, e, text, sizeof(text)), type);
}

static int need_arithmetic(struct binder *b, const struct expr *e, bool integer)
{
	if (ctype_is_integer(e->type) && e->type->size > 8)
		return expr_fail(b->err, -ENOTSUP, e->column, e->length,
		                 "16-byte integers can be shown, but not computed with");
	if (integer)
		return need(b, e, ctype_is_integer(e->type), "an integer");
	return need(b, e, ctype_is_arithmetic(e->type), "a number");
}

static int bind_integer(struct binder *b, struct expr **at)
{
	int rc = bind(b, at) ?: need_type(b, *at) ?: need_arithmetic(b, *at, true);

	return rc ?: cast_to(b, at, ctype_builtin(CTYPE_B_LONG));
}

/* ---- nodes ---- */

static int ambiguous_symbol(struct binder *b, const struct expr *e, const struct expr_symbol *found,
                            int n)
{
	char text[340], type[96], local_name[128];
	bool local = false;
	size_t at = 0;
	int shown = 0;

	snprintf(local_name, sizeof(local_name), "::%s", e->name);
	for (; shown < n && shown < CANDIDATES_MAX && at < sizeof(text) - 60; shown++) {
		const struct expr_symbol *s = &found[shown];
		const char *scope = s->scope ?: "";

		local = local || scope[0];
		snprintf(type, sizeof(type), "no type");
		if (s->type)
			declared(b, s->type, type, sizeof(type));
		at +=
		    (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%s%s%s (%s)",
		                     shown ? ", " : "", s->unit ?: "unknown unit",
		                     scope[0] ? ": " : "", scope, scope[0] ? local_name : "", type);
	}
	return expr_fail(b->err, -ENOTUNIQ, e->column, e->length,
	                 "`%s` is ambiguous: %s%s; write FILE::%s%s to choose", e->name, text,
	                 n > shown ? ", ..." : "", e->name, local ? " or FUNCTION::NAME" : "");
}

/* Names that C programs have as macros, if the program has nothing of that name. */
static bool bind_macro(struct binder *b, struct expr *e)
{
	if (!strcmp(e->name, "NULL") || !strcmp(e->name, "nullptr"))
		e->type = ctype_pointer(b->types, ctype_builtin(CTYPE_B_VOID));
	else if (!strcmp(e->name, "true") || !strcmp(e->name, "false"))
		e->type = ctype_builtin(CTYPE_B_BOOL);
	else
		return false;
	e->integer = !strcmp(e->name, "true");
	e->op = EXPR_INTEGER;
	return true;
}

static int bind_name(struct binder *b, struct expr *e)
{
	struct expr_symbol found[CANDIDATES_MAX];
	char text[200];
	int n = b->names->symbol(b->names->ctx, e->name, found, CANDIDATES_MAX);

	if (n < 0)
		return expr_fail(b->err, n, e->column, e->length, "looking for `%s`: %s", e->name,
		                 strerror(-n));
	if (n > 1)
		return ambiguous_symbol(b, e, found, n);
	if (n == 0) {
		if (bind_macro(b, e))
			return 0;
		suggest(b, e->name, true, text, sizeof(text));
		return expr_fail_unknown(b->err, -ENOENT, e->column, e->length,
		                         "there is no variable, function or constant `%s`%s",
		                         e->name, text);
	}
	e->symbol = found[0];
	if (e->symbol.missing)
		return expr_fail(b->err, -ENODATA, e->column, e->length, "`%s` cannot be read: %s",
		                 e->name, e->symbol.missing);
	e->type = e->symbol.type;
	e->lvalue = e->symbol.kind != EXPR_SYM_CONSTANT;
	if (e->symbol.kind == EXPR_SYM_VALUE) {
		e->type = e->symbol.value->type;
		e->lvalue = e->symbol.value->lvalue;
	}
	if (!e->type && e->symbol.kind == EXPR_SYM_FUNCTION)
		e->type = ctype_builtin(CTYPE_B_FUNCTION);
	if (!e->type && e->symbol.kind == EXPR_SYM_CONSTANT)
		e->type = ctype_builtin(CTYPE_B_LONG);
	return 0;
}

/* The nearest member, by how few edits; NULL if none is near. */
static unsigned edits(const char *a, const char *b)
{
	unsigned row[64], previous, left;
	size_t na = strlen(a), nb = strlen(b);

	if (na >= 64 || nb >= 64)
		return 64;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		previous = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			left = row[j - 1] < row[j] ? row[j - 1] + 1 : row[j] + 1;
			previous += a[i - 1] != b[j - 1];
			if (left < previous)
				previous = left;
			left = row[j];
			row[j] = previous;
			previous = left;
		}
	}
	return row[nb];
}

static void nearest_field(struct binder *b, const struct ctype *type, const char *name, int depth,
                          unsigned *best, const char **ret)
{
	struct ctype_field f;

	for (uint32_t i = 0; i < ctype_fields(type); i++) {
		if (ctype_field(b->types, type, i, &f))
			continue;
		if (!f.name[0] && depth < 8)
			nearest_field(b, f.type, name, depth + 1, best, ret);
		else if (f.name[0] && edits(name, f.name) < *best) {
			*best = edits(name, f.name);
			*ret = f.name;
		}
	}
}

static int no_field(struct binder *b, const struct expr *e, const struct ctype *record)
{
	unsigned best = (unsigned)strlen(e->name) / 2 + 1;
	char type[128], hint[160] = "";
	const char *near = NULL;

	nearest_field(b, record, e->name, 0, &best, &near);
	if (near)
		snprintf(hint, sizeof(hint), "; did you mean `%s`?", near);
	declared(b, record, type, sizeof(type));
	return expr_fail(b->err, -ENOENT, e->column, e->length, "`%s` has no member `%s`%s", type,
	                 e->name, hint);
}

static int not_a_record(struct binder *b, const struct expr *e)
{
	const struct ctype *type = e->a->type;
	char text[80], name[128];

	declared(b, type, name, sizeof(name));
	source(b, e->a, text, sizeof(text));
	if (type->kind == CTYPE_POINTER)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "`%s` is a pointer (%s): write `->%s`", text, name, e->name);
	if (type->kind == CTYPE_INCOMPLETE)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "`%s` is only declared in the debug information, its members are "
		                 "not known",
		                 name);
	return expr_fail(b->err, -EINVAL, e->column, e->length, "`%s` has no members: it is `%s`",
	                 text, name);
}

static int bind_member(struct binder *b, struct expr *e)
{
	struct ctype_field field;
	const struct ctype *record;
	int rc = bind(b, &e->a) ?: need_type(b, e->a);

	if (rc)
		return rc;
	record = complete(b, e->a->type);
	if (!ctype_is_record(record))
		return not_a_record(b, e);
	if (ctype_find_field(b->types, record, e->name, &field))
		return no_field(b, e, record);
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
	int rc = bind(b, &e->a) ?: need_type(b, e->a);

	if (rc)
		return rc;
	type = decayed(b, e->a->type);
	rc = need(b, e->a, type->kind == CTYPE_POINTER, "a pointer");
	if (rc)
		return rc;
	e->type = ctype_to(b->types, type);
	if (e->type->kind == CTYPE_INCOMPLETE)
		e->type = complete(b, e->type);
	e->lvalue = true;
	if (e->type->kind == CTYPE_VOID)
		return expr_fail(b->err, -EINVAL, e->a->column, e->a->length,
		                 "`%s` is a `void *`: cast it to what it points to",
		                 source(b, e->a, text, sizeof(text)));
	return 0;
}

static int bind_address(struct binder *b, struct expr *e)
{
	const struct ctype *type;
	int rc = bind(b, &e->a);

	if (rc)
		return rc;
	if (!e->a->lvalue)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "only an object in memory has an address");
	if (e->a->bit_size)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "a bit-field has no address");
	type = untyped(e->a) ? ctype_builtin(CTYPE_B_VOID) : e->a->type;
	e->type = ctype_pointer(b->types, type);
	return 0;
}

static int bind_slice(struct binder *b, struct expr *e)
{
	const struct ctype *type;
	uint64_t count = 0;
	int rc = bind(b, &e->a) ?: need_type(b, e->a);

	if (rc)
		return rc;
	type = decayed(b, e->a->type);
	rc = need(b, e->a, type->kind == CTYPE_POINTER, "a pointer or an array");
	rc = rc ?: bind_integer(b, &e->b) ?: bind_integer(b, &e->c);
	if (rc)
		return rc;
	type = complete(b, ctype_to(b->types, type));
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
	int rc = resolve_type(b, e->named, &e->type) ?: bind(b, &e->a);

	if (rc)
		return rc;
	if (untyped(e->a)) { /* As gdb: the cast says what the object is. */
		e->a->type = e->type;
		e->lvalue = true;
		return 0;
	}
	from = decayed(b, e->a->type);
	if (ctype_is_scalar(e->type) && ctype_is_scalar(from) &&
	    from->size <= 8 + 8 * (from->kind == CTYPE_FLOAT) &&
	    !(from->kind == CTYPE_FLOAT && e->type->kind == CTYPE_POINTER))
		return 0;
	if (e->type == from) {
		e->lvalue = e->a->lvalue;
		return 0;
	}
	declared(b, e->type, to, sizeof(to));
	source(b, e->a, text, sizeof(text));
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

	rc = e->named ? resolve_type(b, e->named, &type) : bind(b, &e->a) ?: need_type(b, e->a);
	if (rc)
		return rc;
	type = complete(b, e->named ? type : e->a->type);
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
	int rc = resolve_type(b, e->named, &record);

	if (rc)
		return rc;
	record = complete(b, record);
	rc = path_offset(b, e, record, &e->offset);
	declared(b, record, type, sizeof(type));
	if (rc)
		return expr_fail(b->err, rc, e->column, e->length,
		                 "`%s` has no member `%s` that has an address", type, e->name);
	if (e->op == EXPR_OFFSETOF) {
		make_integer(e, e->offset);
		return 0;
	}
	rc = bind(b, &e->a) ?: need_type(b, e->a);
	rc = rc ?: need(b, e->a, decayed(b, e->a->type)->kind == CTYPE_POINTER, "a pointer");
	e->type = ctype_pointer(b->types, record);
	return rc;
}

static int bind_unary(struct binder *b, struct expr *e)
{
	int rc = bind(b, &e->a) ?: need_type(b, e->a);

	if (rc)
		return rc;
	if (e->op == EXPR_NOT) {
		e->type = ctype_builtin(CTYPE_B_INT);
		return need(b, e->a, ctype_is_scalar(decayed(b, e->a->type)),
		            "a number or pointer");
	}
	rc = need_arithmetic(b, e->a, e->op == EXPR_INVERT);
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
	if (e->op == EXPR_ADD && decayed(b, e->a->type)->kind != CTYPE_POINTER) {
		struct expr *swap = e->a;

		e->a = e->b;
		e->b = swap;
	}
	e->type = decayed(b, e->a->type);
	to = complete(b, ctype_to(b->types, e->type));
	e->offset = to->kind == CTYPE_VOID || to->kind == CTYPE_FUNCTION ? 1 : to->size;
	if (to->kind == CTYPE_INCOMPLETE || to->kind == CTYPE_BAD)
		return expr_fail(b->err, -EINVAL, e->column, e->length,
		                 "the size of what `%s` points to is not known",
		                 source(b, e->a, text, sizeof(text)));
	rc = need_arithmetic(b, e->b, true);
	return rc ?: cast_to(b, &e->b, ctype_builtin(CTYPE_B_LONG));
}

static int bind_pointer_difference(struct binder *b, struct expr *e)
{
	const struct ctype *x = ctype_to(b->types, decayed(b, e->a->type));
	const struct ctype *y = ctype_to(b->types, decayed(b, e->b->type));

	e->offset = x->kind == CTYPE_VOID ? 1 : complete(b, x)->size;
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
	int rc = need_arithmetic(b, e->a, integer) ?: need_arithmetic(b, e->b, integer);

	if (rc)
		return rc;
	e->type = common_type(e->a, e->b);
	return cast_to(b, &e->a, e->type) ?: cast_to(b, &e->b, e->type);
}

static int bind_shift(struct binder *b, struct expr *e)
{
	int rc = need_arithmetic(b, e->a, true) ?: need_arithmetic(b, e->b, true);

	if (rc)
		return rc;
	e->type = promoted(e->a);
	return cast_to(b, &e->a, e->type) ?: cast_to(b, &e->b, promoted(e->b));
}

static int bind_comparison(struct binder *b, struct expr *e)
{
	bool pa = decayed(b, e->a->type)->kind == CTYPE_POINTER;
	bool pb = decayed(b, e->b->type)->kind == CTYPE_POINTER;
	const struct ctype *common;
	int rc;

	e->type = ctype_builtin(CTYPE_B_INT);
	if (pa || pb) {
		rc = pa ? 0 : need_arithmetic(b, e->a, true);
		rc = rc ?: pb ? 0 : need_arithmetic(b, e->b, true);
		common = ctype_builtin(CTYPE_B_ULONG);
	} else {
		rc = need_arithmetic(b, e->a, false) ?: need_arithmetic(b, e->b, false);
		common = rc ? NULL : common_type(e->a, e->b);
	}
	return rc ?: cast_to(b, &e->a, common) ?: cast_to(b, &e->b, common);
}

static int bind_logic(struct binder *b, struct expr *e)
{
	e->type = ctype_builtin(CTYPE_B_INT);
	return need(b, e->a, ctype_is_scalar(decayed(b, e->a->type)), "a number or pointer")
	           ?: need(b, e->b, ctype_is_scalar(decayed(b, e->b->type)), "a number or pointer");
}

static int bind_binary(struct binder *b, struct expr *e)
{
	int rc = bind(b, &e->a) ?: bind(b, &e->b) ?: need_type(b, e->a) ?: need_type(b, e->b);
	bool pa, pb;

	if (rc)
		return rc;
	pa = decayed(b, e->a->type)->kind == CTYPE_POINTER;
	pb = decayed(b, e->b->type)->kind == CTYPE_POINTER;
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

static int bind_cond(struct binder *b, struct expr *e)
{
	const struct ctype *yes, *no;
	int rc = bind(b, &e->a) ?: bind(b, &e->b) ?: bind(b, &e->c);

	rc = rc ?: need_type(b, e->a) ?: need_type(b, e->b) ?: need_type(b, e->c);
	rc = rc ?: need(b, e->a, ctype_is_scalar(decayed(b, e->a->type)), "a number or pointer");
	if (rc)
		return rc;
	yes = decayed(b, e->b->type);
	no = decayed(b, e->c->type);
	if (ctype_is_arithmetic(yes) && ctype_is_arithmetic(no)) {
		rc = need_arithmetic(b, e->b, false) ?: need_arithmetic(b, e->c, false);
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

static int bind(struct binder *b, struct expr **at)
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
	object->type = complete(b, ctype_to(b->types, e->type));
	object->lvalue = true;
	*at = object;
	return 0;
}

int expr_bind(struct expr_tree *tree, const struct expr_names *names, struct expr_error *err)
{
	struct binder b = { .tree = tree, .names = names, .types = names->types, .err = err };
	int rc = bind(&b, &tree->root);

	if (rc == -ENOMEM)
		return expr_fail(err, rc, 0, 1, "out of memory");
	return rc ?: need_type(&b, tree->root);
}
