/* SPDX-License-Identifier: MIT */
/*
 * A recursive descent over C's expression grammar with one token of look-ahead;
 * binary operators climb by precedence. The only thing that C's grammar cannot
 * decide alone is whether `(x)` is a cast: is_type() is asked.
 */
#include "types/expr_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct expr_tree *tree;
	size_t at;
	struct token token; /* the next one */
	uint32_t end;       /* where the one before ended */
	int depth;
	bool deep; /* the tree became deeper than EXPR_DEPTH_MAX allows */
	expr_is_type_fn is_type;
	void *ctx;
	struct expr_error *err;
};

static int parse_expr(struct parser *p, struct expr **ret);
static int parse_unary(struct parser *p, struct expr **ret);

static int next(struct parser *p)
{
	p->end = p->token.column + p->token.length;
	return expr_lex(p->tree, &p->at, &p->token, p->err);
}

static bool is_punct(const struct parser *p, unsigned punct)
{
	return p->token.kind == TOKEN_PUNCT && p->token.punct == punct;
}

static int unexpected(struct parser *p, const char *wanted)
{
	const struct token *t = &p->token;

	if (t->kind == TOKEN_END)
		return expr_fail(p->err, -EINVAL, t->column, 1, "%s is missing at the end", wanted);
	return expr_fail(p->err, -EINVAL, t->column, t->length, "%s is expected before `%.*s`",
	                 wanted, (int)t->length, p->tree->text + t->column);
}

static int expect(struct parser *p, unsigned punct)
{
	char wanted[8] = { '`', (char)punct, '`' };

	if (!is_punct(p, punct))
		return unexpected(p, wanted);
	return next(p);
}

/* NULL: out of memory, or p->deep. Binding and evaluating recurse over the tree: its depth is
   bounded here, where chains that are parsed in a loop count too. */
static struct expr *node(struct parser *p, enum expr_op op, uint32_t column, struct expr *a,
                         struct expr *b)
{
	uint32_t depth_a = a ? a->depth : 0, depth_b = b ? b->depth : 0;
	struct expr *e;

	p->deep = p->deep || depth_a > EXPR_DEPTH_MAX || depth_b > EXPR_DEPTH_MAX;
	e = p->deep ? NULL : expr_alloc(p->tree, sizeof(*e));
	if (!e)
		return NULL;
	e->depth = 1 + (depth_a > depth_b ? depth_a : depth_b);
	e->op = op;
	e->column = column;
	e->length = p->end > column ? p->end - column : 1;
	e->a = a;
	e->b = b;
	return e;
}

static int give(struct expr *e, struct expr **ret)
{
	if (!e)
		return -ENOMEM;
	*ret = e;
	return 0;
}

/* ---- types ---- */

static bool is_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_NAME && !p->token.quoted && !strcmp(p->token.name, word);
}

static bool is_any_word(const struct parser *p, const char *const *words)
{
	for (; *words; words++)
		if (is_word(p, *words))
			return true;
	return false;
}

static const char *const qualifiers[] = { "const", "volatile", "restrict", "_Atomic", NULL };
static const char *const tags[] = { "struct", "union", "enum", "class", NULL };
static const char *const basics[] = { "void",   "char",     "short",    "int",    "long",
	                              "signed", "float",    "unsigned", "double", "_Bool",
	                              "bool",   "__int128", NULL };

/* Words of C that would look like a call. */
static const char *const words_without_use[] = { "_Alignof",   "alignof",  "typeof",
	                                         "__typeof__", "_Generic", NULL };

static bool starts_type(const struct parser *p)
{
	if (is_any_word(p, qualifiers) || is_any_word(p, tags) || is_any_word(p, basics))
		return true;
	if (p->token.kind != TOKEN_NAME)
		return false;
	if (p->is_type)
		return p->is_type(p->ctx, p->token.name);
	return expr_standard_type(p->token.name) != NULL;
}

struct basic_words {
	int longs, shorts, chars, ints, signeds, unsigneds, floats, doubles, bools, voids, int128s;
};

static bool count_basic(struct parser *p, struct basic_words *w)
{
	const struct {
		const char *word;
		int *count;
	} words[] = {
		{ "long", &w->longs },   { "short", &w->shorts },   { "char", &w->chars },
		{ "int", &w->ints },     { "signed", &w->signeds }, { "unsigned", &w->unsigneds },
		{ "float", &w->floats }, { "double", &w->doubles }, { "_Bool", &w->bools },
		{ "bool", &w->bools },   { "void", &w->voids },     { "__int128", &w->int128s },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_word(p, words[i].word)) {
			(*words[i].count)++;
			return true;
		}
	}
	return false;
}

static int basic_type(const struct basic_words *w)
{
	bool u = w->unsigneds;

	if (w->voids)
		return CTYPE_B_VOID;
	if (w->bools)
		return CTYPE_B_BOOL;
	if (w->floats)
		return CTYPE_B_FLOAT;
	if (w->doubles)
		return w->longs ? CTYPE_B_LDOUBLE : CTYPE_B_DOUBLE;
	if (w->int128s)
		return u ? CTYPE_B_UINT128 : CTYPE_B_INT128;
	if (w->chars)
		return u ? CTYPE_B_UCHAR : w->signeds ? CTYPE_B_SCHAR : CTYPE_B_CHAR;
	if (w->shorts)
		return u ? CTYPE_B_USHORT : CTYPE_B_SHORT;
	if (w->longs >= 2)
		return u ? CTYPE_B_ULLONG : CTYPE_B_LLONG;
	if (w->longs)
		return u ? CTYPE_B_ULONG : CTYPE_B_LONG;
	return u ? CTYPE_B_UINT : CTYPE_B_INT;
}

static int parse_basic(struct parser *p, struct expr_type *type)
{
	struct basic_words w = { 0 };
	int rc;

	while (count_basic(p, &w) || is_any_word(p, qualifiers)) {
		rc = next(p);
		if (rc)
			return rc;
	}
	type->builtin = basic_type(&w);
	type->tag = "";
	type->name = ctype_builtin((enum ctype_builtin)type->builtin)->name;
	return 0;
}

static int parse_specifier(struct parser *p, struct expr_type *type)
{
	int rc;

	while (is_any_word(p, qualifiers)) {
		rc = next(p);
		if (rc)
			return rc;
	}
	if (is_any_word(p, basics))
		return parse_basic(p, type);
	type->builtin = -1;
	type->tag = "";
	if (is_any_word(p, tags)) {
		type->tag = is_word(p, "class") ? "struct" : p->token.name;
		rc = next(p);
		if (rc)
			return rc;
	}
	if (p->token.kind != TOKEN_NAME)
		return unexpected(p, "the name of a type");
	type->name = p->token.name;
	return next(p);
}

static int derive(struct parser *p, struct expr_type *type, int what, uint64_t count)
{
	if (type->derived_count == EXPR_DERIVED_MAX)
		return expr_fail(p->err, -E2BIG, p->token.column, p->token.length ?: 1,
		                 "a type with more than %d `*`, `[]` and `()`", EXPR_DERIVED_MAX);
	type->derived[type->derived_count].what = what;
	type->derived[type->derived_count++].count = count;
	return 0;
}

static int parse_bound(struct parser *p, uint64_t *ret)
{
	int rc = next(p);

	if (rc)
		return rc;
	if (p->token.kind != TOKEN_INTEGER)
		return unexpected(p, "a constant array bound");
	*ret = p->token.integer;
	return next(p) ?: expect(p, ']');
}

/* The parameters of a function's type say nothing about where it is. */
static int skip_parameters(struct parser *p)
{
	int depth = 0, rc = 0;

	do {
		depth += is_punct(p, '(') - is_punct(p, ')');
		if (p->token.kind == TOKEN_END)
			return unexpected(p, "`)`");
		rc = next(p);
	} while (!rc && depth);
	return rc;
}

/* `[2][3]`, `(int)`: the last one comes first. */
static int parse_suffixes(struct parser *p, struct expr_type *type)
{
	uint64_t count = 0;
	int rc;

	if (++p->depth > EXPR_DEPTH_MAX)
		return expr_fail(p->err, -E2BIG, p->token.column, 1, "nested too deeply");
	if (is_punct(p, '['))
		rc = parse_bound(p, &count) ?: parse_suffixes(p, type) ?: derive(p, type, EXPR_ARRAY_OF, count);
	else if (is_punct(p, '('))
		rc = skip_parameters(p) ?: parse_suffixes(p, type) ?: derive(p, type, EXPR_FUNCTION_OF, 0);
	else
		rc = 0;
	p->depth--;
	return rc;
}

/* `*`, `(*)[3]`, `(*)(int)`: from the inside out, so what is in parentheses comes last. */
static int parse_declarator(struct parser *p, struct expr_type *type)
{
	struct expr_type inner = { 0 };
	struct parser before;
	int rc = 0;

	if (++p->depth > EXPR_DEPTH_MAX)
		return expr_fail(p->err, -E2BIG, p->token.column, 1, "nested too deeply");
	while (!rc && (is_punct(p, '*') || is_any_word(p, qualifiers))) {
		if (is_punct(p, '*'))
			rc = derive(p, type, EXPR_POINTER_TO, 0);
		rc = rc ?: next(p);
	}
	before = *p;
	if (!rc && is_punct(p, '('))
		rc = next(p);
	if (!rc && is_punct(&before, '(') && is_punct(p, '*'))
		rc = parse_declarator(p, &inner) ?: expect(p, ')');
	else
		*p = before;
	rc = rc ?: parse_suffixes(p, type);
	for (uint32_t i = 0; !rc && i < inner.derived_count; i++)
		rc = derive(p, type, (int)inner.derived[i].what, inner.derived[i].count);
	p->depth--;
	return rc;
}

/* `struct foo **`, `unsigned char[16]`, `int (*)[5]`. */
static int parse_type(struct parser *p, const struct expr_type **ret)
{
	struct expr_type *type = expr_alloc(p->tree, sizeof(*type));
	int rc;

	if (!type)
		return -ENOMEM;
	type->column = p->token.column;
	rc = parse_specifier(p, type) ?: parse_declarator(p, type);
	if (rc)
		return rc;
	type->length = p->end - type->column;
	*ret = type;
	return 0;
}

/* ---- expressions ---- */

static int parse_sizeof(struct parser *p, struct expr **ret)
{
	uint32_t column = p->token.column;
	const struct expr_type *named = NULL;
	struct expr *a = NULL, *e;
	struct parser before;
	int rc = next(p);

	if (rc)
		return rc;
	before = *p;
	if (is_punct(p, '(')) {
		rc = next(p);
		if (rc)
			return rc;
		if (starts_type(p))
			rc = parse_type(p, &named) ?: expect(p, ')');
		else
			*p = before;
	}
	if (!rc && !named)
		rc = parse_unary(p, &a);
	if (rc)
		return rc;
	e = node(p, EXPR_SIZEOF, column, a, NULL);
	if (e)
		e->named = named;
	return give(e, ret);
}

/* The text of a member path "a.b[2].c" up to the closing parenthesis. */
static int parse_member_path(struct parser *p, const char **ret)
{
	uint32_t start = p->token.column;
	int rc;

	if (p->token.kind != TOKEN_NAME)
		return unexpected(p, "a member");
	do {
		rc = next(p);
		if (rc)
			return rc;
	} while (p->token.kind == TOKEN_NAME || p->token.kind == TOKEN_INTEGER ||
	         is_punct(p, '.') || is_punct(p, '[') || is_punct(p, ']'));
	*ret = expr_strndup(p->tree, p->tree->text + start, p->end - start);
	return *ret ? 0 : -ENOMEM;
}

/* container_of(pointer, type, member), offsetof(type, member) */
static int parse_macro(struct parser *p, enum expr_op op, uint32_t column, struct expr **ret)
{
	const struct expr_type *named = NULL;
	const char *path = NULL;
	struct expr *a = NULL, *e;
	int rc = next(p);

	if (!rc && op == EXPR_CONTAINER)
		rc = parse_expr(p, &a) ?: expect(p, ',');
	rc = rc ?: parse_type(p, &named) ?: expect(p, ',') ?: parse_member_path(p, &path) ?: expect(p, ')');
	if (rc)
		return rc;
	e = node(p, op, column, a, NULL);
	if (e) {
		e->named = named;
		e->name = path;
	}
	return give(e, ret);
}

static int parse_name(struct parser *p, struct expr **ret)
{
	struct token t = p->token;
	struct expr *e;
	int rc;

	if (is_word(p, "sizeof"))
		return parse_sizeof(p, ret);
	if (is_any_word(p, tags) || is_any_word(p, basics))
		return expr_fail(p->err, -EINVAL, t.column, t.length,
		                 "`%s` is a type; a value is wanted (a cast is written in "
		                 "parentheses)",
		                 t.name);
	if (is_any_word(p, words_without_use))
		return expr_fail(p->err, -EINVAL, t.column, t.length,
		                 "`%s` is not among the operators that are known here", t.name);
	rc = next(p);
	if (rc)
		return rc;
	if (is_punct(p, '(')) {
		if (!strcmp(t.name, "container_of"))
			return parse_macro(p, EXPR_CONTAINER, t.column, ret);
		if (!strcmp(t.name, "offsetof"))
			return parse_macro(p, EXPR_OFFSETOF, t.column, ret);
		return expr_fail(p->err, -EINVAL, t.column, t.length,
		                 "`%s(...)` is a call: functions of the program are never run",
		                 t.name);
	}
	e = node(p, EXPR_NAME, t.column, NULL, NULL);
	if (e)
		e->name = t.name;
	return give(e, ret);
}

static int parse_constant(struct parser *p, struct expr **ret)
{
	struct token t = p->token;
	struct expr *e;
	int rc = next(p);

	if (rc)
		return rc;
	e = node(p, t.kind == TOKEN_REAL ? EXPR_REAL : EXPR_INTEGER, t.column, NULL, NULL);
	if (!e)
		return -ENOMEM;
	e->type = t.type;
	if (t.kind == TOKEN_REAL)
		e->real = t.real;
	else
		e->integer = t.integer;
	return give(e, ret);
}

static int parse_primary(struct parser *p, struct expr **ret)
{
	int rc;

	if (p->token.kind == TOKEN_INTEGER || p->token.kind == TOKEN_REAL)
		return parse_constant(p, ret);
	if (p->token.kind == TOKEN_NAME)
		return parse_name(p, ret);
	if (!is_punct(p, '('))
		return unexpected(p, "a value");
	rc = next(p) ?: parse_expr(p, ret);
	return rc ?: expect(p, ')');
}

static int parse_member(struct parser *p, struct expr **ret)
{
	bool arrow = is_punct(p, PUNCT2('-', '>'));
	uint32_t column = (*ret)->column;
	struct expr *e = *ret;
	int rc = next(p);

	if (rc)
		return rc;
	if (p->token.kind != TOKEN_NAME)
		return unexpected(p, "the name of a member");
	if (arrow) {
		e = node(p, EXPR_DEREF, column, e, NULL);
		if (!e)
			return -ENOMEM;
	}
	e = node(p, EXPR_MEMBER, p->token.column, e, NULL);
	if (!e)
		return -ENOMEM;
	e->name = p->token.name;
	e->length = p->token.length;
	*ret = e;
	return next(p);
}

/* a[i] is *(a + i), as in C. */
static int parse_index(struct parser *p, struct expr **ret)
{
	struct expr *array = *ret, *from = NULL, *to = NULL, *e;
	uint32_t column = array->column;
	int rc = next(p) ?: parse_expr(p, &from);

	if (!rc && is_punct(p, PUNCT2('.', '.')))
		rc = next(p) ?: parse_expr(p, &to);
	rc = rc ?: expect(p, ']');
	if (rc)
		return rc;
	if (to) {
		e = node(p, EXPR_SLICE, column, array, from);
		if (e) {
			e->c = to;
			e->depth += to->depth;
		}
		return give(e, ret);
	}
	e = node(p, EXPR_ADD, column, array, from);
	return e ? give(node(p, EXPR_DEREF, column, e, NULL), ret) : -ENOMEM;
}

static int parse_postfix(struct parser *p, struct expr **ret)
{
	int rc = parse_primary(p, ret);

	while (!rc) {
		if (is_punct(p, '.') || is_punct(p, PUNCT2('-', '>')))
			rc = parse_member(p, ret);
		else if (is_punct(p, '['))
			rc = parse_index(p, ret);
		else
			break;
	}
	return rc;
}

/* "(x) 1" could only be a cast: x is no operator's operand, and no known type either. */
static int parse_group(struct parser *p, struct expr **ret)
{
	int rc = parse_postfix(p, ret);
	const struct expr *e = rc ? NULL : *ret;

	if (!e || e->op != EXPR_NAME ||
	    (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_INTEGER &&
	     p->token.kind != TOKEN_REAL))
		return rc;
	return expr_fail_unknown(
	    p->err, -ENOENT, e->column, e->length,
	    "`%s` is no type that this program's types have (is a cast meant?)", e->name);
}

static int parse_cast_or_group(struct parser *p, struct expr **ret)
{
	uint32_t column = p->token.column;
	struct parser before = *p;
	const struct expr_type *named;
	struct expr *a, *e;
	int rc = next(p);

	if (rc)
		return rc;
	if (!starts_type(p)) {
		*p = before;
		return parse_group(p, ret);
	}
	rc = parse_type(p, &named) ?: expect(p, ')') ?: parse_unary(p, &a);
	if (rc)
		return rc;
	e = node(p, EXPR_CAST, column, a, NULL);
	if (e)
		e->named = named;
	return give(e, ret);
}

static int prefix_op(unsigned punct)
{
	switch (punct) {
	case '*':
		return EXPR_DEREF;
	case '&':
		return EXPR_ADDRESS;
	case '-':
		return EXPR_NEGATE;
	case '+':
		return EXPR_PLUS;
	case '~':
		return EXPR_INVERT;
	case '!':
		return EXPR_NOT;
	default:
		return -1;
	}
}

static int parse_unary(struct parser *p, struct expr **ret)
{
	uint32_t column = p->token.column;
	int op = p->token.kind == TOKEN_PUNCT ? prefix_op(p->token.punct) : -1;
	struct expr *a;
	int rc;

	if (++p->depth > EXPR_DEPTH_MAX)
		return expr_fail(p->err, -E2BIG, column, 1, "nested too deeply");
	if (op >= 0) {
		rc = next(p) ?: parse_unary(p, &a);
		if (!rc)
			rc = give(node(p, (enum expr_op)op, column, a, NULL), ret);
	} else if (is_punct(p, '(')) {
		rc = parse_cast_or_group(p, ret);
	} else {
		rc = parse_postfix(p, ret);
	}
	p->depth--;
	return rc;
}

static int binary_op(const struct parser *p, int *precedence)
{
	static const struct {
		unsigned punct;
		int precedence;
		enum expr_op op;
	} ops[] = {
		{ PUNCT2('|', '|'), 1, EXPR_LOR },
		{ PUNCT2('&', '&'), 2, EXPR_LAND },
		{ '|', 3, EXPR_OR },
		{ '^', 4, EXPR_XOR },
		{ '&', 5, EXPR_AND },
		{ PUNCT2('=', '='), 6, EXPR_EQ },
		{ PUNCT2('!', '='), 6, EXPR_NE },
		{ '<', 7, EXPR_LT },
		{ '>', 7, EXPR_GT },
		{ PUNCT2('<', '='), 7, EXPR_LE },
		{ PUNCT2('>', '='), 7, EXPR_GE },
		{ PUNCT2('<', '<'), 8, EXPR_SHL },
		{ PUNCT2('>', '>'), 8, EXPR_SHR },
		{ '+', 9, EXPR_ADD },
		{ '-', 9, EXPR_SUB },
		{ '*', 10, EXPR_MUL },
		{ '/', 10, EXPR_DIV },
		{ '%', 10, EXPR_REM },
	};

	for (size_t i = 0; p->token.kind == TOKEN_PUNCT && i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (p->token.punct == ops[i].punct) {
			*precedence = ops[i].precedence;
			return (int)ops[i].op;
		}
	}
	return -1;
}

static int parse_binary(struct parser *p, int floor, struct expr **ret)
{
	int rc = parse_unary(p, ret), precedence, op;
	struct expr *b;

	while (!rc) {
		op = binary_op(p, &precedence);
		if (op < 0 || precedence < floor)
			break;
		rc = next(p) ?: parse_binary(p, precedence + 1, &b);
		if (!rc)
			rc = give(node(p, (enum expr_op)op, (*ret)->column, *ret, b), ret);
	}
	return rc;
}

static int parse_expr(struct parser *p, struct expr **ret)
{
	struct expr *yes, *no, *e;
	int rc;

	if (++p->depth > EXPR_DEPTH_MAX)
		return expr_fail(p->err, -E2BIG, p->token.column, 1, "nested too deeply");
	rc = parse_binary(p, 1, ret);
	if (!rc && is_punct(p, '?')) {
		rc = next(p) ?: parse_expr(p, &yes) ?: expect(p, ':') ?: parse_expr(p, &no);
		if (rc)
			return rc;
		e = node(p, EXPR_COND, (*ret)->column, *ret, yes);
		if (e) {
			e->c = no;
			e->depth += no->depth;
		}
		rc = give(e, ret);
	}
	p->depth--;
	return rc;
}

int expr_parse(const char *text, expr_is_type_fn is_type, void *ctx, struct expr_error *err,
               struct expr_tree **ret)
{
	struct parser p = { .is_type = is_type, .ctx = ctx, .err = err };
	int rc;

	if (strlen(text) > EXPR_TEXT_MAX)
		return expr_fail(err, -E2BIG, 0, 1, "an expression has at most %d bytes",
		                 EXPR_TEXT_MAX);
	p.tree = calloc(1, sizeof(*p.tree));
	if (!p.tree)
		return expr_fail(err, -ENOMEM, 0, 1, "out of memory");
	p.tree->text = strdup(text);
	rc = p.tree->text ? next(&p) : -ENOMEM;
	rc = rc ?: parse_expr(&p, &p.tree->root);
	if (!rc && p.token.kind != TOKEN_END)
		rc = unexpected(&p, "an operator");
	if (p.deep)
		rc = expr_fail(err, -E2BIG, p.token.column, 1, "nested too deeply");
	else if (rc == -ENOMEM)
		expr_fail(err, rc, 0, 1, "out of memory");
	if (rc) {
		expr_free(p.tree);
		return rc;
	}
	*ret = p.tree;
	return 0;
}
