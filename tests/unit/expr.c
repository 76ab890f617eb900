/* SPDX-License-Identifier: MIT */
/*
 * C expressions. The oracle for arithmetic is the compiler: each case is one text
 * that it and the evaluator compute, and value, size and signedness are compared.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expr_world.h"
#include <json-c/json.h>

#include "types/format.h"

static struct world world;

static bool is_type(void *ctx, const char *name)
{
	struct expr_candidate found[1];
	struct expr_symbol symbol[1];

	return !world.names.symbol(ctx, name, symbol, 1) &&
	       (world.names.type(ctx, "", name, found, 1) > 0 || expr_standard_type(name));
}

static int evaluate(const char *text, struct expr_error *err, struct expr_value *ret)
{
	struct expr_tree *tree = NULL;
	int rc = expr_parse(text, is_type, &world, err, &tree);

	rc = rc ?: expr_bind(tree, &world.names, err);
	rc = rc ?: expr_eval(tree, &world.names, &world.memory, err, ret);
	rc = rc ?: expr_load(&world.memory, ret, ret);
	expr_free(tree);
	return rc;
}

struct number {
	const char *text;
	uint64_t value;
	long double real;
	uint64_t size;
	bool is_signed, is_real;
};

#define IS_REAL(e) _Generic((e), float : true, double : true, long double : true, default : false)
#define IS_SIGNED(e)               \
	_Generic((e), signed char  \
	         : true, char      \
	         : true, short     \
	         : true, int       \
	         : true, long      \
	         : true, long long \
	         : true, default   \
	         : false)
#define NUMBER(e)                                                                        \
	{                                                                                \
#e, (uint64_t)(e), (long double)(e), sizeof(e), IS_SIGNED(e), IS_REAL(e) \
	}

#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Woverflow"
#pragma GCC diagnostic ignored "-Wlogical-op"

static void check_numbers(const struct number *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct number *c = &cases[i];
		struct expr_error err = { 0 };
		struct expr_value v;

		if (evaluate(c->text, &err, &v))
			fail_msg("%s: %s", c->text, err.message);
		if (c->is_real) {
			if (v.real != c->real || v.type->kind != CTYPE_FLOAT)
				fail_msg("%s is %Lg, not %Lg", c->text, c->real, v.real);
		} else if (v.integer != c->value) {
			fail_msg("%s is %lld, not %lld", c->text, (long long)c->value,
			         (long long)v.integer);
		}
		if (v.type->size != c->size)
			fail_msg("%s has %d bytes, not %d", c->text, (int)c->size,
			         (int)v.type->size);
		if (!c->is_real && v.type->is_signed != c->is_signed)
			fail_msg("%s: wrong signedness", c->text);
	}
}

static void arithmetic_is_the_compilers(void **state)
{
	const struct number cases[] = {
		NUMBER(1 + 2 * 3),
		NUMBER((1 + 2) * 3),
		NUMBER(7 / 2),
		NUMBER(-7 / 2),
		NUMBER(-7 % 3),
		NUMBER(7u / -2),
		NUMBER(-1 < 1u),
		NUMBER(-1L < 1u),
		NUMBER(0x7fffffff),
		NUMBER(0x80000000),
		NUMBER(2147483648),
		NUMBER(0xffffffffffffffff),
		NUMBER(10u),
		NUMBER(10L),
		NUMBER(10ULL),
		NUMBER(017),
		NUMBER('a'),
		NUMBER('\n'),
		NUMBER('\x41'),
		NUMBER('\377'),
		NUMBER(1.5),
		NUMBER(1.5f),
		NUMBER(1e3),
		NUMBER(.5),
		NUMBER(1.5L),
		NUMBER(1 / 3.0L),
		NUMBER(0.1L + 0.2),
		NUMBER(0.1L == 0.1),
		NUMBER(0.1 + 0.2),
		NUMBER(1e300 * 1e300L),
		NUMBER((double)(1 / 3.0L)),
		NUMBER((long)(1e15L + 0.5L)),
		NUMBER(-2.5L),
		NUMBER(1 ? 2 : 3),
		NUMBER(0 ? 2 : 3u),
		NUMBER(1 ? -1 : 3u),
		NUMBER(1 << 4),
		NUMBER(1L << 40),
		NUMBER(-8 >> 1),
		NUMBER(0xff & 0x3c),
		NUMBER(1 | 6),
		NUMBER(5 ^ 1),
		NUMBER(~5),
		NUMBER(~5u),
		NUMBER(!5),
		NUMBER(!0),
		NUMBER(- -3),
		NUMBER(2 == 2),
		NUMBER(2 != 2),
		NUMBER(1 && 0),
		NUMBER(1 || 0),
		NUMBER(1 < 2 == 1),
		NUMBER(6 & 3 == 3),
		NUMBER(1 - 2 - 3),
		NUMBER(100 / 10 / 5),
		NUMBER(1.0 / 3),
		NUMBER(1.0f / 3),
		NUMBER(3 > 2 > 1),
		NUMBER(1 ? 0 ? 4 : 5 : 6),
		NUMBER(sizeof(int)),
		NUMBER((char)300),
		NUMBER((unsigned char)-1),
		NUMBER((_Bool)7),
		NUMBER((short)70000),
		NUMBER((long)-1.9),
		NUMBER((unsigned)3.9),
		NUMBER((double)7 / 2),
		NUMBER(-2147483647 - 1),
		NUMBER((int64_t)5),
		NUMBER((size_t)-1),
	};

	(void)state;
	check_numbers(cases, sizeof(cases) / sizeof(cases[0]));
}

static void conversions_are_the_compilers(void **state)
{
	const struct number cases[] = {
		NUMBER(v_schar + v_uchar),
		NUMBER(v_uchar << 4),
		NUMBER(v_ushort * v_short),
		NUMBER(v_int + v_uint),
		NUMBER(v_int < v_uint),
		NUMBER(v_long < v_uint),
		NUMBER(v_long + v_uint),
		NUMBER(v_long > v_ulong),
		NUMBER(v_uint + v_ulong),
		NUMBER(v_float * 2),
		NUMBER(v_float + v_double),
		NUMBER(v_ldouble * 2),
		NUMBER(v_ldouble == 0.1),
		NUMBER(v_ldouble == 0.1L),
		NUMBER(v_ldouble + v_ulong),
		NUMBER((double)v_ldouble),
		NUMBER(v_int / v_double),
		NUMBER(-v_uint),
		NUMBER(-v_uchar),
		NUMBER(~v_ushort),
		NUMBER(+v_schar),
		NUMBER(!v_double),
		NUMBER(v_double < v_int),
		NUMBER(v_int ? v_uint : v_long),
		NUMBER(v_schar % 7),
		NUMBER(v_ulong / 7),
		NUMBER(v_ulong >> 60),
		NUMBER(v_long >> 3),
		NUMBER(v_int & v_ulong),
		NUMBER((unsigned short)v_int),
		NUMBER((int)v_double),
		NUMBER((float)v_long),
		NUMBER(v_nodes[0].bits.a + 0),
		NUMBER(v_nodes[0].bits.b * 2),
		NUMBER(-v_nodes[0].bits.a),
		NUMBER(v_nodes[0].bits.a - 6 < 0),
		NUMBER(v_nodes[0].value + v_nodes[1].value),
		NUMBER(v_pointer->next->next->value),
		NUMBER((*v_pointer).left),
		NUMBER(v_pointer->bytes[1] + 0),
		NUMBER(v_array[2]),
		NUMBER(2 [v_array]),
		NUMBER(*v_array),
		NUMBER(*(v_array + 3)),
		NUMBER(*(2 + v_array)),
		NUMBER(&v_array[5] - v_array),
		NUMBER(&v_nodes[3] - &v_nodes[1]),
		NUMBER(&v_nodes[1] > v_nodes),
		NUMBER(v_pointer == v_nodes),
		NUMBER(!v_pointer),
		NUMBER(v_pointer && v_pointer->value == 1),
		NUMBER(sizeof v_nodes),
		NUMBER(sizeof(v_array[0])),
		NUMBER(sizeof(struct world_node)),
		NUMBER(sizeof(struct world_node *)),
		NUMBER(sizeof(int[3][2])),
		NUMBER(sizeof(int(*)[3])),
		NUMBER(sizeof(int *[3])),
		NUMBER(sizeof(*(int(*)[3])v_array)),
		NUMBER((*(int(*)[6])v_array)[4]),
		NUMBER(((int(*)[2])v_array)[1][1]),
		NUMBER(((int(*)[2][3])v_array)[0][1][2]),
		NUMBER((long)(int (*)(int))8),
		NUMBER((int (*(*)(void))(long, char *))0 == 0),
		NUMBER(offsetof(struct world_node, name)),
		NUMBER(offsetof(struct world_node, bytes[2])),
		NUMBER(((struct world_node *)v_nodes)[1].value),
		NUMBER(*(unsigned char *)&v_int + 0),
		NUMBER(v_nodes[0].colour == WORLD_GREEN),
		NUMBER(v_nodes[0].flags & WORLD_GREEN),
		NUMBER(v_nodes[0].colour - 6 > 0),
		NUMBER(WORLD_GREEN - 6 < 0),
		NUMBER(v_high > 0),
		NUMBER(v_high + 0),
		NUMBER((long)v_high),
		NUMBER(WORLD_HIGH > 0),
		NUMBER((long)WORLD_HIGH),
		NUMBER((long)&v_nodes[1].next - (long)v_nodes),
		NUMBER((0 ? v_pointer : &v_nodes[2])->value),
	};

	(void)state;
	check_numbers(cases, sizeof(cases) / sizeof(cases[0]));
}

/* Texts that C has not. */
static void own_syntax(void **state)
{
	const struct {
		const char *text;
		int64_t value;
	} cases[] = {
		{ "b.c::twice", -5000000000 },
		{ "0b101", 5 },
		{ "container_of(&v_nodes[2].bits, struct world_node, bits)->value", 3 },
		{ "container_of(&v_nodes[1].bytes[2], struct world_node, bytes[2]) - v_nodes", 1 },
		{ "(int)untyped", -7 },
		{ "*(int *)&untyped", -7 },
		{ "(number_t)3.7", 3 },
		{ "true + (NULL == 0)", 2 },
		{ "sizeof(v_nodes[0..3])", 3 * sizeof(struct world_node) },
		{ "v_array[1..3][1]", 12 },
		{ "-9223372036854775807 - 1", INT64_MIN },
		{ "(-9223372036854775807 - 1) / -1", INT64_MIN },
		{ "1 << 70", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct expr_error err = { 0 };
		struct expr_value v;

		if (evaluate(cases[i].text, &err, &v))
			fail_msg("%s: %s", cases[i].text, err.message);
		if ((int64_t)v.integer != cases[i].value)
			fail_msg("%s is not %lld", cases[i].text, (long long)v.integer);
	}
}

static void errors_point_at_their_place(void **state)
{
	const struct {
		const char *text;
		int code;
		uint32_t column;
		const char *says;
	} cases[] = {
		{ "", -EINVAL, 0, "missing" },
		{ "1 +", -EINVAL, 3, "a value is missing" },
		{ "(1", -EINVAL, 2, "`)` is missing" },
		{ "v_nodes[0", -EINVAL, 9, "`]`" },
		{ "1 2", -EINVAL, 2, "operator" },
		{ "v_int = 3", -EINVAL, 6, "`==`" },
		{ "f(1)", -EINVAL, 0, "never run" },
		{ "v_pointer->nxt", -ENOENT, 11, "did you mean `next`" },
		{ "v_pointer.next", -EINVAL, 10, "->next" },
		{ "v_int->x", -EINVAL, 0, "a pointer is wanted" },
		{ "vint", -ENOENT, 0, "did you mean `v_int`" },
		{ "(struct world_nod *)0", -ENOENT, 1, "did you mean `world_node`" },
		{ "(world_nod)3", -ENOENT, 1, "is no type" },
		{ "3 + twice", -ENOTUNIQ, 4, "a.c (int), b.c (long)" },
		{ "(struct twin *)0", -ENOTUNIQ, 1, "more than one type" },
		{ "untyped + 1", -ENODATA, 0, "cast it" },
		{ "lost", -ENODATA, 0, "optimised out" },
		{ "*v_int", -EINVAL, 1, "pointer is wanted" },
		{ "&3", -EINVAL, 0, "address" },
		{ "&v_nodes[0].bits.a", -EINVAL, 0, "bit-field" },
		{ "*(void *)v_pointer", -EINVAL, 1, "cast it" },
		{ "v_nodes[0] + 1", -EINVAL, 0, "number is wanted" },
		{ "1.5 % 2", -EINVAL, 0, "integer is wanted" },
		{ "(struct world_bits)v_int", -EINVAL, 0, "*(struct world_bits *)&v_int" },
		{ "1 / (v_int + 7)", -EDOM, 0, "division by zero" },
		{ "v_nodes[3].next->value + 0", -EFAULT, 17, "NULL" },
		{ "((struct other *)v_pointer)->x", -EINVAL, 29, "only declared" },
		{ "99999999999999999999", -EINVAL, 0, "64 bits" },
		{ "12abc", -EINVAL, 0, "not a number" },
		{ "v_array[3..1]", -ERANGE, 0, "no elements" },
		{ "v_array[0..99999999]", -ERANGE, 0, "more than" },
		{ "loop", -EBADMSG, 0, "wrongly" },
		{ "'unclosed", -EINVAL, 0, "closing" },
		{ "a::", -EINVAL, 1, "name is missing" },
		{ "v_int @ 3", -EINVAL, 6, "no meaning" },
		{ "(int (*)[v_int])v_array", -EINVAL, 9, "constant array bound" },
		{ "(int (*)(int", -EINVAL, 12, "`)` is missing" },
		{ "(int (*[2](int))(int))0", -EINVAL, 1, "functions are only pointed to" },
		{ "v_int++", -EINVAL, 5, "nothing is ever written" },
		{ "--v_int", -EINVAL, 0, "nothing is ever written" },
		{ "v_int -= 3", -EINVAL, 6, "nothing is ever written" },
		{ "_Alignof(int)", -EINVAL, 0, "not among the operators" },
		{ "world_node", -ENOENT, 0, "`struct world_node` is a type" },
		{ "a.c::twins", -ENOTUNIQ, 0, "a.c: run::twins (int) at 0x" },
		{ "a.c::twins", -ENOTUNIQ, 0, "FILE::twins or FUNCTION::NAME or *(TYPE *)ADDRESS" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct expr_error err = { 0 };
		struct expr_value v;
		int rc = evaluate(cases[i].text, &err, &v);

		if (rc != cases[i].code || err.code != rc)
			fail_msg("`%s`: %d (%s), not %d", cases[i].text, rc, err.message,
			         cases[i].code);
		if (err.column != cases[i].column || !strstr(err.message, cases[i].says))
			fail_msg("`%s`: column %u: %s", cases[i].text, err.column, err.message);
	}
}

static void caret_is_under_the_word(void **state)
{
	struct expr_error err = { 0 };
	struct expr_value v;
	char text[512];

	(void)state;
	assert_int_equal(evaluate("1 + v_pointer->nxt", &err, &v), -ENOENT);
	expr_error_render(&err, "1 + v_pointer->nxt", text, sizeof(text));
	assert_string_equal(strchr(text, '\n'), "\n  1 + v_pointer->nxt\n                 ^~~\n");
	assert_true(expr_error_render(&err, "1 + v_pointer->nxt", text, 10) > 10);
	assert_int_equal(strlen(text), 9);
}

static void long_lines_are_cut(void **state)
{
	char text[2000], message[1200], *line, *caret;
	struct expr_error err = { 0 };
	struct expr_value v;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "1 +", 3);
	strcpy(text + 1000, "vint + 1");
	memset(text + strlen(text), ' ', 500);
	text[1500] = 0;
	assert_int_equal(evaluate(text, &err, &v), -ENOENT);
	expr_error_render(&err, text, message, sizeof(message));
	line = strchr(message, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	assert_true(caret - line < 220);
	assert_memory_equal(line, "  ... ", 6);
	assert_memory_equal(line + (strchr(caret, '^') - caret), "vint + 1", 8);
}

static void depth_is_bounded(void **state)
{
	static const char *const units[] = { "(",        "- ", "*",       "!",    "1+(",
		                             "v_nodes[", "1?", "sizeof ", "(int)" };
	char *text = malloc(EXPR_TEXT_MAX + 2);
	struct expr_error err;
	struct expr_value v;

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = 0, unit = strlen(units[i]);

		for (; n + unit < EXPR_TEXT_MAX; n += unit)
			memcpy(text + n, units[i], unit);
		text[n] = 0;
		assert_int_equal(evaluate(text, &err, &v), -E2BIG);
	}
	/* Chains are parsed in a loop, but make a deep tree all the same. */
	for (size_t n = 0; n < EXPR_TEXT_MAX; n++)
		text[n] = n % 2 ? '+' : '1';
	text[EXPR_TEXT_MAX - 1] = 0;
	assert_int_equal(evaluate(text, &err, &v), -E2BIG);
	memset(text, '1', EXPR_TEXT_MAX + 1);
	text[EXPR_TEXT_MAX + 1] = 0;
	assert_int_equal(evaluate(text, &err, &v), -E2BIG);
	free(text);
}

/* ---- formatting ---- */

static uint32_t values_max = 100000;

static char *format_text(const char *text, uint32_t depth, const char *list, bool json)
{
	struct format_options opts = FORMAT_DEFAULTS;
	struct expr_error err = { 0 };
	struct expr_tree *tree;
	struct expr_value v;
	struct format *f;
	struct sink *sink;
	char *out = NULL;
	size_t size;
	FILE *to = open_memstream(&out, &size);

	opts.depth = depth;
	opts.values_max = values_max;
	assert_int_equal(expr_parse(text, is_type, &world, &err, &tree), 0);
	assert_int_equal(expr_bind(tree, &world.names, &err), 0);
	assert_int_equal(expr_eval(tree, &world.names, &world.memory, &err, &v), 0);
	assert_int_equal(format_create(&opts, &world.names, &world.memory, &f), 0);
	sink = json ? sink_json_create() : sink_text_create(to);
	if (list)
		assert_int_equal(format_list(f, sink, &v, list, &err), 0);
	else
		format_value(f, sink, &v);
	if (json) {
		struct json_object *object = sink_json_take(sink);

		fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), to);
		json_object_put(object);
	}
	sink_destroy(sink);
	format_destroy(f);
	expr_free(tree);
	fclose(to);
	return out;
}

static void check_text(const char *text, const char *wanted)
{
	char *got = format_text(text, 0, NULL, false);

	assert_string_equal(got, wanted);
	free(got);
}

static void values_look_like_c(void **state)
{
	char wanted[64];

	(void)state;
	check_text("v_schar", "-100 '\\234'");
	check_text("v_uint", "4000000000");
	check_text("v_double", "-2.25");
	check_text("v_ldouble", "0.1");
	check_text("v_ldouble * 1e4000L", "1e+3999");
	check_text("1 / 3.0L", "0.33333333333333333334");
	check_text("0.1", "0.1");
	check_text("(float)0.1", "0.1");
	check_text("v_array", "{ 10, 11, 12, 13, 14, 15 }");
	check_text("v_array[1..3]", "{ 11, 12 }");
	check_text("(char)10", "10 '\\n'");
	check_text("v_nodes[0].flags", "WORLD_A|WORLD_C");
	check_text("v_nodes[2].flags", "WORLD_A|0x8");
	check_text("v_nodes[0].colour", "WORLD_GREEN");
	check_text("v_high", "WORLD_HIGH");
	check_text("(enum world_high)0x80000001", "WORLD_HIGH|0x1");
	check_text("v_nodes[2].colour", "(enum world_colour)7");
	check_text("v_nodes[0].bits",
	           "(struct world_bits) {\n\t.a = 5,\n\t.b = -3,\n\t.c = 737894400291,\n}");
	check_text("v_nodes[0].name", "\"first\"");
	check_text("v_nodes[3].name", "\"12345678\"");
	check_text("v_nodes[0].bytes", "{ 1, 2, 3, 4 }");
	check_text("(char *)v_nodes[0].name == 0 ? NULL : NULL", "NULL");
	check_text("*v_nodes[3].next", "<0x10 is not mapped>");
	check_text("v_nodes[3].next->name", "<0x2c is not mapped>");
	snprintf(wanted, sizeof(wanted), "%p", (void *)v_nodes);
	check_text("v_pointer", wanted);
}

static void cycles_end(void **state)
{
	char *got = format_text("v_pointer", 40, NULL, false);

	(void)state;
	assert_non_null(strstr(got, "/* shown above */"));
	assert_non_null(strstr(got, "\"second\""));
	free(got);
	got = format_text("v_pointer", 0, "next", false);
	assert_non_null(strstr(got, "then again one that is shown above"));
	assert_non_null(strstr(got, "[2] = "));
	assert_null(strstr(got, "[3] = "));
	free(got);
	/* A list that leads to nowhere shows what there is of it. */
	got = format_text("&v_nodes[3]", 0, "next", false);
	assert_non_null(strstr(got, "0x10 -> <0x10 is not mapped>"));
	assert_non_null(strstr(got, "the next one cannot be read"));
	free(got);
}

static void what_is_cut_is_said(void **state)
{
	char *got;

	(void)state;
	values_max = 20;
	got = format_text("v_nodes", 0, "next", false);
	assert_non_null(strstr(got, "more follow"));
	assert_null(strstr(got, "{}"));
	free(got);
	values_max = 5;
	got = format_text("v_nodes[0]", 0, NULL, false);
	assert_non_null(strstr(got, "/* cut: more than 5 values in all */"));
	free(got);
	got = format_text("v_array", 0, NULL, false);
	assert_non_null(strstr(got, "/* 4 of 6 elements */"));
	free(got);
	values_max = 100000;
}

static void json_has_the_same(void **state)
{
	char wanted[256], *got = format_text("v_nodes[0]", 0, NULL, true);

	(void)state;
	snprintf(wanted, sizeof(wanted),
	         "{\"value\":1,\"next\":\"%p\",\"bits\":{\"a\":5,\"b\":-3,\"c\":737894400291},"
	         "\"left\":67305985,\"bytes\":[1,2,3,4],\"name\":\"first\",\"flags\":\"WORLD_A|"
	         "WORLD_C\","
	         "\"colour\":\"WORLD_GREEN\"}",
	         (void *)&v_nodes[1]);
	assert_string_equal(got, wanted);
	free(got);
	got = format_text("v_pointer", 0, "next", true);
	snprintf(wanted, sizeof(wanted), "[{\"pointer\":\"%p\",\"value\":{\"value\":1,",
	         (void *)v_pointer);
	assert_memory_equal(got, wanted, strlen(wanted));
	free(got);
	got = format_text("v_ulong", 0, NULL, true);
	assert_string_equal(got, "18000000000000000000");
	free(got);
}

/* A document is UTF-8, whatever the program's bytes are. */
static void json_keys_are_utf8(void **state)
{
	struct sink *sink = sink_json_create();
	struct json_object *object;

	(void)state;
	sink->ops->open(sink, SINK_MAP, NULL, false);
	sink->ops->key(sink, "\xc3\xbf");
	sink->ops->scalar(sink, "1", json_object_new_int(1));
	sink->ops->key(sink, "\xff");
	sink->ops->scalar(sink, "2", json_object_new_int(2));
	sink->ops->close(sink);
	object = sink_json_take(sink);
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
	                    "{\"\xc3\xbf\":1,\"\\\\377\":2}");
	json_object_put(object);
	sink_destroy(sink);
}

static void declarations_read_like_c(void **state)
{
	struct ctypes *t = world.types;
	const struct ctype *integer = ctype_builtin(CTYPE_B_INT);
	char text[64];

	(void)state;
#define CHECK(type, name, wanted)                         \
	ctype_declare(t, type, name, text, sizeof(text)); \
	assert_string_equal(text, wanted)
	CHECK(integer, "x", "int x");
	CHECK(ctype_pointer(t, integer), NULL, "int *");
	CHECK(ctype_array(t, ctype_pointer(t, integer), 3), "x", "int *x[3]");
	CHECK(ctype_pointer(t, ctype_array(t, integer, 3)), "x", "int (*x)[3]");
	CHECK(ctype_array(t, ctype_array(t, integer, 2), 3), "x", "int x[3][2]");
	CHECK(ctype_pointer(t, ctype_function(t, integer)), "x", "int (*x)()");
#undef CHECK
}

static int set_up(void **state)
{
	(void)state;
	world_init(&world);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_deinit(&world);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_is_the_compilers),
		cmocka_unit_test(conversions_are_the_compilers),
		cmocka_unit_test(own_syntax),
		cmocka_unit_test(errors_point_at_their_place),
		cmocka_unit_test(caret_is_under_the_word),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(values_look_like_c),
		cmocka_unit_test(cycles_end),
		cmocka_unit_test(what_is_cut_is_said),
		cmocka_unit_test(json_has_the_same),
		cmocka_unit_test(json_keys_are_utf8),
		cmocka_unit_test(declarations_read_like_c),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
