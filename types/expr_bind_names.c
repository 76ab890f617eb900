/* SPDX-License-Identifier: MIT */
/* Binding: what names mean, and what is said when they mean nothing or too much. */
#include "types/expr_bind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CANDIDATES_MAX 8

void bind_declared(struct binder *b, const struct ctype *type, char *buf, size_t size)
{
	ctype_declare(b->types, type, NULL, buf, size);
}

/* What the user wrote for a node, for messages. */
const char *bind_source(struct binder *b, const struct expr *e, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)e->length, b->tree->text + e->column);
	return buf;
}

/* ---- types by name ---- */

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ?: "", b ?: "");
}

/* As an expression has it before a name. */
static size_t image_text(const char *image, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "'%s'::", image ?: "?");
}

/* Returns whether they are of several images. */
static bool list_candidates(struct binder *b, const struct expr_candidate *c, int n, char *buf,
                            size_t size)
{
	bool images = false;
	size_t at = 0;
	char type[96];

	for (int i = 1; i < n && i < CANDIDATES_MAX; i++)
		images = images || !same_text(c[i].image, c[0].image);
	for (int i = 0; i < n && i < CANDIDATES_MAX && at < size; i++) {
		ctype_declare(b->types, c[i].type, NULL, type, sizeof(type));
		at += (size_t)snprintf(buf + at, size - at, "%s", i ? ", " : "");
		if (images && at < size)
			at += image_text(c[i].image, buf + at, size - at);
		if (at < size)
			at +=
			    (size_t)snprintf(buf + at, size - at, "%s (%s, %llu bytes)",
			                     c[i].unit && c[i].unit[0] ? c[i].unit : "unknown unit",
			                     type, (unsigned long long)c[i].type->size);
	}
	return images;
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

/* There may be a type of that name: "a variable `node`" was not what is there. */
static bool suggest_type(struct binder *b, const char *name, char *buf, size_t size)
{
	static const char *const tags[] = { "struct", "union", "enum", "" };
	struct expr_candidate found[1];

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (b->names->type(b->names->ctx, tags[i], name, found, 1) < 1)
			continue;
		snprintf(buf, size, "; `%s%s%s` is a type: *(%s%s%s *)ADDRESS", tags[i],
		         tags[i][0] ? " " : "", name, tags[i], tags[i][0] ? " " : "", name);
		return true;
	}
	return false;
}

static int type_by_name(struct binder *b, const char *tag, const char *name, uint32_t column,
                        uint32_t length, const struct ctype **ret)
{
	struct expr_candidate found[CANDIDATES_MAX];
	const struct ctype *standard;
	bool images;
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
		images = list_candidates(b, found, n, text, sizeof(text));
		return expr_fail(b->err, -ENOTUNIQ, column, length,
		                 "`%s` is more than one type: %s; write %s::%s to choose", name,
		                 text, images ? "'LIBRARY'" : "FILE", name);
	}
	*ret = found[0].type;
	return 0;
}

int bind_type(struct binder *b, const struct expr_type *named, const struct ctype **ret)
{
	const struct ctype *type;
	int rc = 0;

	if (named->builtin >= 0)
		type = ctype_builtin((enum ctype_builtin)named->builtin);
	else
		rc = type_by_name(b, named->tag, named->name, named->column, named->length, &type);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < named->derived_count; i++) {
		const struct expr_derived *d = &named->derived[i];

		/* Neither an array nor a function consists or results in functions. */
		if (d->what != EXPR_POINTER_TO && type->kind == CTYPE_FUNCTION)
			return expr_fail(b->err, -EINVAL, named->column, named->length,
			                 "functions are only pointed to");
		type = d->what == EXPR_POINTER_TO ? ctype_pointer(b->types, type)
		       : d->what == EXPR_ARRAY_OF ? ctype_array(b->types, type, d->count)
		                                  : ctype_function(b->types, type);
	}
	if (type->kind == CTYPE_BAD)
		return expr_fail(b->err, -EINVAL, named->column, named->length,
		                 "this type is malformed or too large");
	*ret = type;
	return 0;
}

/* A struct that its own unit only declares may be defined elsewhere. */
const struct ctype *bind_complete(struct binder *b, const struct ctype *type)
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

/* Two blocks of one function have a static of that name: only where they are tells them apart. */
static bool has_twin(const struct expr_symbol *found, int n, int i)
{
	for (int k = 0; k < n; k++)
		if (k != i && found[k].module == found[i].module &&
		    same_text(found[k].unit, found[i].unit) &&
		    same_text(found[k].scope, found[i].scope))
			return true;
	return false;
}

static size_t candidate_text(struct binder *b, const struct expr_symbol *s, const char *name,
                             bool twin, char *buf, size_t size)
{
	const char *scope = s->scope ?: "";
	char type[96] = "no type", place[40] = "";

	if (s->type)
		bind_declared(b, s->type, type, sizeof(type));
	if (twin && s->kind == EXPR_SYM_MEMORY && !s->missing)
		snprintf(place, sizeof(place), " at 0x%llx", (unsigned long long)s->address);
	return (size_t)snprintf(buf, size, "%s%s%s%s%s (%s)%s", s->unit ?: "unknown unit",
	                        scope[0] ? ": " : "", scope, scope[0] ? "::" : "",
	                        scope[0] ? name : "", type, place);
}

/* Enumerators of one name and several values. */
static int ambiguous_constant(struct binder *b, const struct expr *e,
                              const struct expr_symbol *found, int n)
{
	char text[340], type[96];
	int shown = 0;
	size_t at = 0;

	for (; shown < n && shown < CANDIDATES_MAX && at < sizeof(text) - 60; shown++) {
		bind_declared(b, found[shown].type, type, sizeof(type));
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%lld (%s)",
		                       shown ? ", " : "", (long long)found[shown].address, type);
	}
	return expr_fail(
	    b->err, -ENOTUNIQ, e->column, e->length,
	    "`%s` is ambiguous: %s%s; write ENUM::%s (or CLASS::%s) to choose, or the number",
	    e->name, text, n > shown ? ", ..." : "", e->name, e->name);
}

static int ambiguous_symbol(struct binder *b, const struct expr *e, const struct expr_symbol *found,
                            int n)
{
	const char *colons = strrchr(e->name, ':'), *name = colons ? colons + 1 : e->name;
	int shown = 0, known = n < CANDIDATES_MAX ? n : CANDIDATES_MAX;
	bool local = false, twins = false, images = false;
	char text[340];
	size_t at = 0;

	for (int i = 1; i < known; i++)
		images = images || found[i].module != found[0].module;
	for (; shown < known && at < sizeof(text) - 60; shown++) {
		bool twin = has_twin(found, known, shown);

		local = local || (found[shown].scope && found[shown].scope[0]);
		twins = twins || twin;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", shown ? ", " : "");
		if (images)
			at += image_text(found[shown].image, text + at, sizeof(text) - at);
		if (at < sizeof(text))
			at += candidate_text(b, &found[shown], name, twin, text + at,
			                     sizeof(text) - at);
	}
	return expr_fail(b->err, -ENOTUNIQ, e->column, e->length,
	                 "`%s` is ambiguous: %s%s; write %s::%s%s%s to choose", e->name, text,
	                 n > shown ? ", ..." : "", images ? "'LIBRARY'" : "FILE",
	                 images ? e->name : name, local ? " or FUNCTION::NAME" : "",
	                 twins ? " or *(TYPE *)ADDRESS" : "");
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

int bind_name(struct binder *b, struct expr *e)
{
	struct expr_symbol found[CANDIDATES_MAX];
	char text[200];
	int n = b->names->symbol(b->names->ctx, e->name, found, CANDIDATES_MAX);

	if (n < 0)
		return expr_fail(b->err, n, e->column, e->length, "looking for `%s`: %s", e->name,
		                 strerror(-n));
	if (n > 1 && found[0].kind == EXPR_SYM_CONSTANT && found[0].type)
		return ambiguous_constant(b, e, found, n);
	if (n > 1)
		return ambiguous_symbol(b, e, found, n);
	if (n == 0) {
		if (bind_macro(b, e))
			return 0;
		if (!suggest_type(b, e->name, text, sizeof(text)))
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

int bind_no_field(struct binder *b, const struct expr *e, const struct ctype *record)
{
	unsigned best = (unsigned)strlen(e->name) / 2 + 1;
	char type[128], hint[160] = "";
	const char *near = NULL;

	nearest_field(b, record, e->name, 0, &best, &near);
	if (near)
		snprintf(hint, sizeof(hint), "; did you mean `%s`?", near);
	bind_declared(b, record, type, sizeof(type));
	return expr_fail(b->err, -ENOENT, e->column, e->length, "`%s` has no member `%s`%s", type,
	                 e->name, hint);
}

int bind_not_a_record(struct binder *b, const struct expr *e)
{
	const struct ctype *type = e->a->type;
	char text[80], name[128];

	bind_declared(b, type, name, sizeof(name));
	bind_source(b, e->a, text, sizeof(text));
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
