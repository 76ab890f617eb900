/* SPDX-License-Identifier: MIT */
#include "types/expr_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '$';
}

static bool name_char(char c)
{
	return name_start(c) || isdigit((unsigned char)c);
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	if (!name_start(s[0]))
		return 0;
	while (name_char(s[n]))
		n++;
	return n;
}

/* Is "x.c" at s[n] from its dot on the name of a source file? */
static bool source_suffix(const char *dot, size_t n)
{
	static const char *const suffixes[] = { ".c", ".h",  ".cc",  ".cpp", ".cxx",
		                                ".C", ".hh", ".hpp", ".inc", ".def",
		                                ".y", ".l",  ".rs",  NULL };

	for (int i = 0; suffixes[i]; i++)
		if (strlen(suffixes[i]) == n && !memcmp(dot, suffixes[i], n))
			return true;
	return false;
}

/*
 * The length of "src/file.c" in "src/file.c::name", else 0. In C no `::` follows
 * a member, so nothing else can be meant.
 */
static size_t unit_length(const char *s)
{
	const char *dot = NULL;
	size_t n = 0;

	while (name_char(s[n]) || s[n] == '.' || s[n] == '/') {
		if (s[n] == '.')
			dot = s + n;
		n++;
	}
	if (!dot || s[n] != ':' || s[n + 1] != ':')
		return 0;
	return source_suffix(dot, (size_t)(s + n - dot)) ? n : 0;
}

/* name, a::b, file.c::name, 'libx.so.1'::file.c::name: one token, as the names' owner wants it. `quoted`:
   what is before. */
static int lex_name(struct expr_tree *tree, const char *s, const char *quoted, size_t quoted_length,
                    struct token *t, struct expr_error *err)
{
	const char *start = s;
	size_t n = quoted_length ? 0 : unit_length(s) ?: name_length(s);
	char *name;

	s += n;
	while (s[0] == ':' && s[1] == ':') {
		size_t part = s == start && quoted_length ? unit_length(s + 2) : 0;

		part = part ?: name_length(s + 2);
		if (!part)
			return expr_fail(err, -EINVAL, t->column + (uint32_t)(s - start), 2,
			                 "a name is missing after `::`");
		s += 2 + part;
	}
	name = expr_alloc(tree, quoted_length + (size_t)(s - start) + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name, quoted, quoted_length);
	memcpy(name + quoted_length, start, (size_t)(s - start));
	t->kind = TOKEN_NAME;
	t->name = name;
	t->length += (uint32_t)(s - start);
	return 0;
}

/* C++: `::name`, of no namespace. */
static int lex_outermost(struct expr_tree *tree, const char *s, struct token *t,
                         struct expr_error *err)
{
	t->length = 2;
	return lex_name(tree, s + 2, "", 0, t, err);
}

static void set_integer_type(struct token *t, bool decimal, bool u, int l)
{
	bool int_ok = t->integer <= INT32_MAX, uint_ok = t->integer <= UINT32_MAX;
	bool long_ok = t->integer <= INT64_MAX;
	enum ctype_builtin type = CTYPE_B_ULONG;

	if (!l && !u && int_ok)
		type = CTYPE_B_INT;
	else if (!l && uint_ok && (u || !decimal))
		type = CTYPE_B_UINT;
	else if (!u && long_ok)
		type = l == 2 ? CTYPE_B_LLONG : CTYPE_B_LONG;
	else if (l == 2)
		type = CTYPE_B_ULLONG;
	t->type = ctype_builtin(type);
}

static int lex_real(const char *s, struct token *t, struct expr_error *err)
{
	char *end;

	t->kind = TOKEN_REAL;
	t->type = ctype_builtin(CTYPE_B_DOUBLE);
	t->real = strtod(s, &end);
	if (*end == 'f' || *end == 'F') {
		t->real = strtof(s, &end);
		t->type = ctype_builtin(CTYPE_B_FLOAT);
		end++;
	} else if (*end == 'l' || *end == 'L') {
		t->real = strtold(s, &end);
		t->type = ctype_builtin(CTYPE_B_LDOUBLE);
		end++;
	}
	t->length = (uint32_t)(end - s);
	if (name_char(*end))
		return expr_fail(err, -EINVAL, t->column, t->length + 1, "not a number");
	return 0;
}

static bool is_real(const char *s)
{
	bool hex = s[0] == '0' && (s[1] | 32) == 'x';
	size_t n = hex ? 2 : 0;

	n += strspn(s + n, hex ? "0123456789abcdefABCDEF" : "0123456789");
	/* "0..10" is a slice's bounds. */
	return (s[n] == '.' && s[n + 1] != '.') || (s[n] | 32) == (hex ? 'p' : 'e');
}

static int lex_number(const char *s, struct token *t, struct expr_error *err)
{
	bool binary = s[0] == '0' && (s[1] | 32) == 'b', decimal = s[0] != '0', u = false;
	char *end;
	int l = 0;

	if (is_real(s))
		return lex_real(s, t, err);
	t->kind = TOKEN_INTEGER;
	errno = 0;
	t->integer = binary ? strtoull(s + 2, &end, 2) : strtoull(s, &end, 0);
	if (errno == ERANGE)
		return expr_fail(err, -EINVAL, t->column, (uint32_t)(end - s),
		                 "the number does not fit in 64 bits");
	for (;; end++) {
		if ((*end == 'u' || *end == 'U') && !u)
			u = true;
		else if ((*end == 'l' || *end == 'L') && l < 2)
			l++;
		else
			break;
	}
	t->length = (uint32_t)(end - s);
	if (name_char(*end))
		return expr_fail(err, -EINVAL, t->column, t->length + 1, "`%.*s` is not a number",
		                 (int)t->length + 1, s);
	set_integer_type(t, decimal, u, l);
	return 0;
}

/* The character after a backslash at *s, which is moved behind it. */
static uint64_t escape(const char **s)
{
	static const char from[] = "abefnrtv", to[] = "\a\b\033\f\n\r\t\v";
	const char *p;
	uint64_t v = 0;

	if (**s == 'x') {
		for ((*s)++; isxdigit((unsigned char)**s); (*s)++)
			v = v * 16 + (uint64_t)(isdigit((unsigned char)**s)
			                            ? **s - '0'
			                            : (**s | 32) - 'a' + 10);
		return v;
	}
	if (**s >= '0' && **s <= '7') {
		for (int i = 0; i < 3 && **s >= '0' && **s <= '7'; i++)
			v = v * 8 + (uint64_t)(*(*s)++ - '0');
		return v;
	}
	p = **s ? strchr(from, **s) : NULL;
	v = p ? (uint64_t)to[p - from] : (unsigned char)**s;
	if (**s)
		(*s)++;
	return v;
}

/* 'c' is a character, 'anything longer' a name, as gdb has it. */
static int lex_quote(struct expr_tree *tree, const char *s, struct token *t, struct expr_error *err)
{
	const char *p = s + 1, *close;

	if (p[0] == '\\') {
		p++;
		t->integer = (uint64_t)(int64_t)(signed char)escape(&p);
	} else if (p[0] && p[1] == '\'') {
		t->integer = (uint64_t)(int64_t)(signed char)*p++;
	} else {
		close = strchr(p, '\'');
		if (!close || close == p)
			return expr_fail(err, -EINVAL, t->column, 1, "a closing ' is missing");
		t->quoted = true;
		t->length = (uint32_t)(close + 1 - s);
		return lex_name(tree, close + 1, p, (size_t)(close - p), t, err);
	}
	if (*p != '\'')
		return expr_fail(err, -EINVAL, t->column, 1, "a closing ' is missing");
	t->kind = TOKEN_INTEGER;
	t->type = ctype_builtin(CTYPE_B_INT);
	t->length = (uint32_t)(p + 1 - s);
	return 0;
}

/* L'a', u'a', U'a', u8'a': how long what stands before the quote is; 0: this is none. */
static size_t wide_prefix(const char *s, enum ctype_builtin *type)
{
	size_t n = s[0] == 'u' && s[1] == '8' ? 2 : 1;

	if (!strchr("LuU", s[0]) || s[n] != '\'')
		return 0;
	*type = s[0] == 'L'   ? CTYPE_B_INT
	        : s[0] == 'U' ? CTYPE_B_UINT
	        : n == 1      ? CTYPE_B_USHORT
	                      : CTYPE_B_UCHAR;
	return n;
}

/* One character of UTF-8; what is none is its first byte. */
static uint64_t utf8_character(const char **s)
{
	const unsigned char *c = (const unsigned char *)*s;
	int more = c[0] >= 0xf0 ? 3 : c[0] >= 0xe0 ? 2 : c[0] >= 0xc2 ? 1 : 0;
	uint64_t v = more ? c[0] & (0x3f >> more) : c[0];

	for (int i = 1; i <= more; i++) {
		if ((c[i] & 0xc0) != 0x80) {
			(*s)++;
			return c[0];
		}
		v = v << 6 | (c[i] & 0x3f);
	}
	*s += more + 1;
	return v;
}

static int lex_wide(const char *s, size_t prefix, enum ctype_builtin type, struct token *t,
                    struct expr_error *err)
{
	const char *p = s + prefix + 1;

	if (*p == '\\' && p[1]) {
		p++;
		t->integer = escape(&p);
	} else if (*p && *p != '\'') {
		t->integer = utf8_character(&p);
	}
	if (*p != '\'' || p == s + prefix + 1)
		return expr_fail(err, -EINVAL, t->column, (uint32_t)prefix + 1,
		                 "one character and a closing ' are wanted");
	t->kind = TOKEN_INTEGER;
	t->type = ctype_builtin(type);
	if (t->type->size < 8)
		t->integer &= (UINT64_C(1) << (8 * t->type->size)) - 1;
	t->length = (uint32_t)(p + 1 - s);
	return 0;
}

static int lex_punct(const char *s, struct token *t, struct expr_error *err)
{
	static const char *const writes[] = { "++", "--", "+=", "-=", "*=", "/=",
		                              "%=", "&=", "|=", "^=", NULL };
	static const char *const twos[] = { "->", "..", "<<", ">>", "<=", ">=",
		                            "==", "!=", "&&", "||", NULL };

	t->kind = TOKEN_PUNCT;
	for (int i = 0; writes[i]; i++)
		if (s[0] == writes[i][0] && s[1] == writes[i][1])
			return expr_fail(err, -EINVAL, t->column, 2,
			                 "nothing is ever written (`- -x` is minus minus x)");
	for (int i = 0; twos[i]; i++) {
		if (s[0] == twos[i][0] && s[1] == twos[i][1]) {
			t->punct = PUNCT2((unsigned char)s[0], (unsigned char)s[1]);
			t->length = 2;
			return 0;
		}
	}
	t->length = 1;
	t->punct = (unsigned char)s[0];
	if (strchr(".[]()*&+-~!/%<>^|?:,", s[0]))
		return 0;
	if (s[0] == '=')
		return expr_fail(err, -EINVAL, t->column, 1,
		                 "nothing is ever written; `==` compares");
	if (s[0] == '"')
		return expr_fail(err, -EINVAL, t->column, 1,
		                 "text constants are not possible; compare characters");
	return expr_fail(err, -EINVAL, t->column, 1, "this character has no meaning here");
}

int expr_lex(struct expr_tree *tree, size_t *at, struct token *ret, struct expr_error *err)
{
	struct token t = { 0 };
	enum ctype_builtin wide;
	size_t prefix;
	const char *s;
	int rc;

	while (isspace((unsigned char)tree->text[*at]))
		(*at)++;
	s = tree->text + *at;
	t.column = (uint32_t)*at;
	if (!*s)
		rc = 0;
	else if (isdigit((unsigned char)*s) || (*s == '.' && isdigit((unsigned char)s[1])))
		rc = lex_number(s, &t, err);
	else if (*s == '\'')
		rc = lex_quote(tree, s, &t, err);
	else if ((prefix = wide_prefix(s, &wide)))
		rc = lex_wide(s, prefix, wide, &t, err);
	else if (s[0] == ':' && s[1] == ':' && name_start(s[2]))
		rc = lex_outermost(tree, s, &t, err);
	else if (name_start(*s))
		rc = lex_name(tree, s, "", 0, &t, err);
	else
		rc = lex_punct(s, &t, err);
	if (rc)
		return rc;
	*at += t.length;
	*ret = t;
	return 0;
}
