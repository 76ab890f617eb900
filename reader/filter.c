/* SPDX-License-Identifier: MIT */
#include "reader/filter.h"
#include "reader/error.h"
#include "reader/nearest.h"
#include "reader/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 256 /* bounds the parser's and the matcher's recursion, too */

enum node_kind {
	NODE_OR,
	NODE_AND,
	NODE_NOT,
	NODE_COMPARE, /* left op right */
	NODE_TRUTH,   /* left is not zero */
	NODE_NAME,
	NODE_INT,
	NODE_FLOAT,
	NODE_STRING,
};

enum compare { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_GLOB, OP_NOGLOB };

struct node {
	enum node_kind kind;
	enum compare op;
	uint32_t left, right;
	uint32_t column; /* from 1 */
	__int128 integer;
	double real;
	const char *text; /* name or string; in filter.text */
	uint32_t size;
};

struct filter {
	uint32_t root;
	uint32_t count;
	uint32_t depth; /* of the parser's recursion */
	char *text;     /* copies of names and strings, NUL terminated */
	size_t used;
	struct node nodes[NODES_MAX];
};

struct parser {
	struct filter *f;
	const char *begin, *at;
	struct weir_error *err;
};

static int fail(const struct parser *p, const char *at, const char *expected)
{
	return weir_err(p->err, -EINVAL, "--where, column %zu: %s%s%.20s%s", at - p->begin + 1,
	                expected, *at ? " before `" : " at the end", at, *at ? "`" : "");
}

static void space(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool eat(struct parser *p, const char *token)
{
	space(p);
	if (strncmp(p->at, token, strlen(token)))
		return false;
	p->at += strlen(token);
	return true;
}

static int node_new(struct parser *p, enum node_kind kind, const char *at, uint32_t *ret)
{
	struct filter *f = p->f;

	if (f->count == NODES_MAX)
		return fail(p, at, "the expression is too long");
	f->nodes[f->count] = (struct node){ .kind = kind, .column = at - p->begin + 1 };
	*ret = f->count++;
	return 0;
}

static void node_text(struct filter *f, struct node *node, const char *text, size_t size)
{
	/* f->text has room: it is twice as large as the source. */
	node->text = f->text + f->used;
	node->size = size;
	memcpy(f->text + f->used, text, size);
	f->text[f->used + size] = 0;
	f->used += size + 1;
}

/* `digits` hexadecimal digits at `at`; -1 if they are not there. */
static int32_t parse_hex(const char *at, int digits)
{
	int32_t value = 0;

	for (int i = 0; i < digits; i++) {
		char c = at[i];

		if (!isxdigit((unsigned char)c))
			return -1;
		value = value * 16 + (isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return value;
}

static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* Those of JSON, as events are shown, and \xHH for a byte; before another character, only that. */
static int parse_escape(struct parser *p, char **out)
{
	static const char names[] = "nrtbf", values[] = "\n\r\t\b\f";
	const char *at = p->at, *name = strchr(names, at[1]);
	int32_t code;

	p->at += 2;
	if (at[1] == 'x' || at[1] == 'u') {
		int digits = at[1] == 'x' ? 2 : 4;

		code = parse_hex(p->at, digits);
		if (code < 0)
			return fail(p, at,
			            digits == 2 ? "two hexadecimal digits belong to \\x"
			                        : "four hexadecimal digits belong to \\u");
		p->at += digits;
		if (digits == 4)
			*out = put_utf8(*out, (uint32_t)code);
		else
			*(*out)++ = (char)code;
		return 0;
	}
	*(*out)++ = name ? values[name - names] : at[1];
	return 0;
}

static int parse_string(struct parser *p, uint32_t *ret)
{
	const char *at = p->at;
	char quote = *p->at++;
	struct filter *f = p->f;
	char *out;
	int code = node_new(p, NODE_STRING, at, ret);

	if (code)
		return code;
	out = f->text + f->used;
	f->nodes[*ret].text = out;
	while (*p->at != quote) {
		if (!*p->at)
			return fail(p, at, "a string that does not end");
		if (*p->at != '\\' || !p->at[1]) {
			*out++ = *p->at++;
			continue;
		}
		code = parse_escape(p, &out);
		if (code)
			return code;
	}
	p->at++;
	f->nodes[*ret].size = out - f->nodes[*ret].text;
	*out++ = 0;
	f->used = out - f->text;
	return 0;
}

static int parse_number(struct parser *p, uint32_t *ret)
{
	const char *at = p->at;
	bool negative = *at == '-';
	const char *digits = at + negative;
	unsigned long long value;
	char *end, *real_end;
	double real;
	int code;

	errno = 0;
	value = strtoull(digits, &end, 0);
	code = errno;
	real = strtod(digits, &real_end);
	if (real_end == digits)
		return fail(p, at, "expected a number");
	if (real_end > end || code == ERANGE) {
		code = node_new(p, NODE_FLOAT, at, ret);
		if (code)
			return code;
		p->f->nodes[*ret].real = negative ? -real : real;
		p->at = real_end;
	} else {
		code = node_new(p, NODE_INT, at, ret);
		if (code)
			return code;
		p->f->nodes[*ret].integer = negative ? -(__int128)value : (__int128)value;
		p->at = end;
	}
	if (isalnum((unsigned char)*p->at) || *p->at == '_')
		return fail(p, p->at, "a number that goes on");
	return 0;
}

static int parse_value(struct parser *p, uint32_t *ret)
{
	const char *at;
	size_t n = 0;
	int code;

	space(p);
	at = p->at;
	if (*at == '"' || *at == '\'')
		return parse_string(p, ret);
	if (isdigit((unsigned char)*at) || *at == '-' || *at == '.')
		return parse_number(p, ret);
	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	if (!n)
		return fail(p, at, "expected a field, a number or a \"string\"");
	p->at += n;
	if ((n == 4 && !memcmp(at, "true", 4)) || (n == 5 && !memcmp(at, "false", 5))) {
		code = node_new(p, NODE_INT, at, ret);
		if (!code)
			p->f->nodes[*ret].integer = n == 4;
		return code;
	}
	code = node_new(p, NODE_NAME, at, ret);
	if (!code)
		node_text(p->f, &p->f->nodes[*ret], at, n);
	return code;
}

static bool parse_operator(struct parser *p, enum compare *op)
{
	static const struct {
		const char *token;
		enum compare op;
	} table[] = {
		{ "==", OP_EQ }, { "!=", OP_NE }, { "!~", OP_NOGLOB }, { "<=", OP_LE },
		{ ">=", OP_GE }, { "<", OP_LT },  { ">", OP_GT },      { "~", OP_GLOB },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (eat(p, table[i].token)) {
			*op = table[i].op;
			return true;
		}
	}
	return false;
}

static int parse_or(struct parser *p, uint32_t *ret);

static int parse_unary(struct parser *p, uint32_t *ret)
{
	const char *at;
	uint32_t left, right;
	enum compare op;
	int code;

	space(p);
	at = p->at;
	if (*at == '!') {
		p->at++;
		if (++p->f->depth > 64)
			return fail(p, at, "too deep");
		code = parse_unary(p, &left);
		p->f->depth--;
		if (code || (code = node_new(p, NODE_NOT, at, ret)))
			return code;
		p->f->nodes[*ret].left = left;
		return 0;
	}
	if (*at == '(') {
		p->at++;
		if (++p->f->depth > 64)
			return fail(p, at, "too deep");
		code = parse_or(p, ret);
		p->f->depth--;
		if (code)
			return code;
		return eat(p, ")") ? 0 : fail(p, p->at, "expected `)`");
	}
	code = parse_value(p, &left);
	if (code)
		return code;
	space(p);
	at = p->at;
	if (!parse_operator(p, &op)) {
		if (*at == '=')
			return fail(p, at, "equality is written ==,");
		if (p->f->nodes[left].kind == NODE_STRING)
			return fail(p, at,
			            "a string alone is no condition: compare a field with it;");
		code = node_new(p, NODE_TRUTH, at, ret);
		if (!code)
			p->f->nodes[*ret].left = left;
		return code;
	}
	code = parse_value(p, &right);
	if (code || (code = node_new(p, NODE_COMPARE, at, ret)))
		return code;
	p->f->nodes[*ret].op = op;
	p->f->nodes[*ret].left = left;
	p->f->nodes[*ret].right = right;
	return 0;
}

static int parse_chain(struct parser *p, enum node_kind kind, uint32_t *ret)
{
	int (*part)(struct parser *, uint32_t *) = parse_unary;
	const char *token = kind == NODE_OR ? "||" : "&&";
	uint32_t left, right;
	int code;

	code = kind == NODE_OR ? parse_chain(p, NODE_AND, &left) : part(p, &left);
	if (code)
		return code;
	while (eat(p, token)) {
		const char *at = p->at;

		code = kind == NODE_OR ? parse_chain(p, NODE_AND, &right) : part(p, &right);
		if (code || (code = node_new(p, kind, at, ret)))
			return code;
		p->f->nodes[*ret].left = left;
		p->f->nodes[*ret].right = right;
		left = *ret;
	}
	*ret = left;
	return 0;
}

static int parse_or(struct parser *p, uint32_t *ret)
{
	return parse_chain(p, NODE_OR, ret);
}

int filter_parse(const char *text, struct filter **ret, struct weir_error *err)
{
	struct filter *f = calloc(1, sizeof(*f));
	struct parser p = { .f = f, .begin = text, .at = text, .err = err };
	int code = -ENOMEM;

	if (f)
		f->text = malloc(2 * strlen(text) + 2);
	if (f && f->text)
		code = parse_or(&p, &f->root);
	if (!code) {
		space(&p);
		if (*p.at)
			code = fail(&p, p.at, "expected && or || or the end");
	}
	if (code) {
		filter_free(f);
		return code;
	}
	*ret = f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (f)
		free(f->text);
	free(f);
}

enum value_kind {
	VALUE_SIGNED,
	VALUE_UNSIGNED,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_BYTES, /* compared as they are shown: in hexadecimal digits */
};

/* Where a name's value comes from. */
enum origin { FROM_FIELD, FROM_PID, FROM_TID, FROM_CPU, FROM_CONSTANT };

struct binding {
	enum value_kind kind;
	enum origin origin;
	uint32_t field;
	const char *text;
};

struct filter_bound {
	const struct filter *f;
	struct binding of[]; /* by node */
};

static enum value_kind kind_of(uint8_t type)
{
	switch (type) {
	case WEIR_I8:
	case WEIR_I16:
	case WEIR_I32:
	case WEIR_I64:
		return VALUE_SIGNED;
	case WEIR_F32:
	case WEIR_F64:
		return VALUE_REAL;
	case WEIR_STRING:
		return VALUE_TEXT;
	case WEIR_BYTES:
		return VALUE_BYTES;
	default:
		return VALUE_UNSIGNED;
	}
}

static int no_field(const struct node *node, const struct schema_probe *probe,
                    struct weir_error *err)
{
	const char *names[SCHEMA_FIELDS_MAX], *nearest;

	for (uint32_t i = 0; i < probe->count; i++)
		names[i] = probe->fields[i].name;
	nearest = nearest_name(node->text, names, probe->count);
	return weir_err(err, -ENOENT, "--where, column %u: %s:%s has no field `%s`%s%s",
	                node->column, probe->provider, probe->name, node->text,
	                nearest ? "; nearest: " : "", nearest ? nearest : "");
}

static int bind_name(const struct node *node, const struct schema_probe *probe, struct binding *b,
                     struct weir_error *err)
{
	for (uint32_t i = 0; i < probe->count; i++) {
		if (!strcmp(probe->fields[i].name, node->text)) {
			*b =
			    (struct binding){ kind_of(probe->fields[i].type), FROM_FIELD, i, NULL };
			return 0;
		}
	}
	if (!strcmp(node->text, "pid"))
		*b = (struct binding){ VALUE_UNSIGNED, FROM_PID, 0, NULL };
	else if (!strcmp(node->text, "tid"))
		*b = (struct binding){ VALUE_UNSIGNED, FROM_TID, 0, NULL };
	else if (!strcmp(node->text, "cpu"))
		*b = (struct binding){ VALUE_UNSIGNED, FROM_CPU, 0, NULL };
	else if (!strcmp(node->text, "probe"))
		*b = (struct binding){ VALUE_TEXT, FROM_CONSTANT, 0, probe->name };
	else if (!strcmp(node->text, "provider"))
		*b = (struct binding){ VALUE_TEXT, FROM_CONSTANT, 0, probe->provider };
	else
		return no_field(node, probe, err);
	return 0;
}

static bool has_name(const struct node *node, const struct schema_probe *probe)
{
	struct binding b;

	return !bind_name(node, probe, &b, NULL);
}

/* The field of any of them that is meant, most likely. NULL: none is near. */
static const char *nearest_field(const char *name, struct schema_probe *const *probes, size_t count)
{
	const char *of_each[SCHEMA_FIELDS_MAX + 1], *best = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t n = 0;

		for (uint32_t k = 0; k < probes[i]->count; k++)
			of_each[n++] = probes[i]->fields[k].name;
		if (best)
			of_each[n++] = best;
		best = nearest_name(name, of_each, n);
	}
	return best;
}

int filter_strange_name(const struct filter *f, struct schema_probe *const *probes, size_t count,
                        struct weir_error *err)
{
	for (uint32_t i = 0; i < f->count && count; i++) {
		const struct node *node = &f->nodes[i];
		const char *nearest;
		bool known = node->kind != NODE_NAME;

		for (size_t k = 0; k < count && !known; k++)
			known = has_name(node, probes[k]);
		if (known)
			continue;
		nearest = nearest_field(node->text, probes, count);
		if (count == 1)
			return no_field(node, probes[0], err);
		return weir_err(err, -ENOENT,
		                "--where, column %u: none of the %zu probes has a field `%s`%s%s",
		                node->column, count, node->text, nearest ? "; nearest: " : "",
		                nearest ? nearest : "");
	}
	return 0;
}

static bool is_text(enum value_kind kind)
{
	return kind == VALUE_BYTES || kind == VALUE_TEXT;
}

static int bind_compare(const struct filter *f, const struct node *node,
                        const struct schema_probe *probe, const struct binding *of,
                        struct weir_error *err)
{
	bool left = is_text(of[node->left].kind), right = is_text(of[node->right].kind);
	const char *name = f->nodes[node->left].text ? f->nodes[node->left].text : "a number";

	if (left != right)
		return weir_err(err, -EINVAL,
		                "--where, column %u: a string is compared with a number in %s:%s",
		                node->column, probe->provider, probe->name);
	if ((node->op == OP_GLOB || node->op == OP_NOGLOB) &&
	    (!left || f->nodes[node->right].kind != NODE_STRING))
		return weir_err(
		    err, -EINVAL,
		    "--where, column %u: ~ compares a string field with a \"glob\"; %s is %s",
		    node->column, name, left ? "not followed by one" : "no string");
	return 0;
}

static int bind_truth(const struct filter *f, const struct node *node,
                      const struct schema_probe *probe, const struct binding *of,
                      struct weir_error *err)
{
	if (!is_text(of[node->left].kind))
		return 0;
	return weir_err(err, -EINVAL,
	                "--where, column %u: %s of %s:%s is a string: compare it, as in %s != \"\"",
	                node->column, f->nodes[node->left].text, probe->provider, probe->name,
	                f->nodes[node->left].text);
}

int filter_bind(const struct filter *f, const struct schema_probe *probe, struct filter_bound **ret,
                struct weir_error *err)
{
	struct filter_bound *bound = calloc(1, sizeof(*bound) + f->count * sizeof(bound->of[0]));
	int code = 0;

	if (!bound)
		return -ENOMEM;
	bound->f = f;
	/* Children were made before their parents. */
	for (uint32_t i = 0; i < f->count && !code; i++) {
		const struct node *node = &f->nodes[i];

		switch (node->kind) {
		case NODE_NAME:
			code = bind_name(node, probe, &bound->of[i], err);
			break;
		case NODE_INT:
			bound->of[i].kind = VALUE_SIGNED;
			break;
		case NODE_FLOAT:
			bound->of[i].kind = VALUE_REAL;
			break;
		case NODE_STRING:
			bound->of[i].kind = VALUE_TEXT;
			break;
		case NODE_COMPARE:
			code = bind_compare(f, node, probe, bound->of, err);
			break;
		case NODE_TRUTH:
			code = bind_truth(f, node, probe, bound->of, err);
			break;
		default:
			break;
		}
	}
	if (code) {
		free(bound);
		return code;
	}
	*ret = bound;
	return 0;
}

void filter_bound_free(struct filter_bound *bound)
{
	free(bound);
}

struct operand {
	enum value_kind kind;
	__int128 integer;
	double real;
	const char *data;
	size_t size;
};

static struct operand load(const struct filter_bound *bound, uint32_t i,
                           const struct record_value *values, const struct filter_context *context)
{
	const struct node *node = &bound->f->nodes[i];
	const struct binding *b = &bound->of[i];
	struct operand o = { .kind = b->kind };

	if (node->kind != NODE_NAME) {
		o.integer = node->integer;
		o.real = node->real;
		o.data = node->text;
		o.size = node->size;
		return o;
	}
	switch (b->origin) {
	case FROM_PID:
		o.integer = context->pid;
		break;
	case FROM_TID:
		o.integer = context->tid;
		break;
	case FROM_CPU:
		o.integer = context->cpu;
		break;
	case FROM_CONSTANT:
		o.data = b->text;
		o.size = strlen(b->text);
		break;
	case FROM_FIELD:
		if (b->kind == VALUE_SIGNED) {
			o.integer = values[b->field].i64;
		} else if (b->kind == VALUE_UNSIGNED) {
			o.integer = values[b->field].u64;
		} else if (b->kind == VALUE_REAL) {
			o.real = values[b->field].f64;
		} else {
			o.data = values[b->field].data;
			o.size = values[b->field].size;
		}
		break;
	}
	return o;
}

static bool ordered(enum compare op, int sign)
{
	switch (op) {
	case OP_EQ:
		return sign == 0;
	case OP_NE:
		return sign != 0;
	case OP_LT:
		return sign < 0;
	case OP_LE:
		return sign <= 0;
	case OP_GT:
		return sign > 0;
	default:
		return sign >= 0;
	}
}

/* More than a record holds; what is longer is cut. */
#define HEX_MAX (2 * WEIR_RECORD_MAX)

static struct operand in_hex(const struct operand *o, char *buf)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = o->size < HEX_MAX / 2 ? o->size : HEX_MAX / 2;

	for (size_t i = 0; i < n; i++) {
		buf[2 * i] = digits[(uint8_t)o->data[i] >> 4];
		buf[2 * i + 1] = digits[o->data[i] & 0xf];
	}
	return (struct operand){ .kind = VALUE_TEXT, .data = buf, .size = 2 * n };
}

static bool compare_text(enum compare op, const struct operand *a, const struct operand *b)
{
	size_t n = a->size < b->size ? a->size : b->size;
	int sign;

	if (op == OP_GLOB || op == OP_NOGLOB)
		return glob_match(b->data, b->size, a->data, a->size) == (op == OP_GLOB);
	sign = n ? memcmp(a->data, b->data, n) : 0;
	if (!sign)
		sign = (a->size > b->size) - (a->size < b->size);
	return ordered(op, sign);
}

static bool compare_bytes(enum compare op, const struct operand *a, const struct operand *b)
{
	char of_a[HEX_MAX], of_b[HEX_MAX];
	struct operand x = a->kind == VALUE_BYTES ? in_hex(a, of_a) : *a;
	struct operand y = b->kind == VALUE_BYTES ? in_hex(b, of_b) : *b;

	return compare_text(op, &x, &y);
}

static bool compare(enum compare op, const struct operand *a, const struct operand *b)
{
	if (a->kind == VALUE_BYTES || b->kind == VALUE_BYTES)
		return compare_bytes(op, a, b);
	if (is_text(a->kind))
		return compare_text(op, a, b);
	if (a->kind == VALUE_REAL || b->kind == VALUE_REAL) {
		/* long double holds every 64-bit integer */
		long double x =
		    a->kind == VALUE_REAL ? (long double)a->real : (long double)a->integer;
		long double y =
		    b->kind == VALUE_REAL ? (long double)b->real : (long double)b->integer;

		if (x != x || y != y)
			return op == OP_NE;
		return ordered(op, (x > y) - (x < y));
	}
	return ordered(op, (a->integer > b->integer) - (a->integer < b->integer));
}

static bool match(const struct filter_bound *bound, uint32_t i, const struct record_value *values,
                  const struct filter_context *context)
{
	const struct node *node = &bound->f->nodes[i];
	struct operand a, b;

	switch (node->kind) {
	case NODE_OR:
		return match(bound, node->left, values, context) ||
		       match(bound, node->right, values, context);
	case NODE_AND:
		return match(bound, node->left, values, context) &&
		       match(bound, node->right, values, context);
	case NODE_NOT:
		return !match(bound, node->left, values, context);
	case NODE_TRUTH:
		a = load(bound, node->left, values, context);
		return a.kind == VALUE_REAL ? a.real != 0 : a.integer != 0;
	default:
		a = load(bound, node->left, values, context);
		b = load(bound, node->right, values, context);
		return compare(node->op, &a, &b);
	}
}

bool filter_match(const struct filter_bound *bound, const struct record_value *values,
                  const struct filter_context *context)
{
	return match(bound, bound->f->root, values, context);
}
