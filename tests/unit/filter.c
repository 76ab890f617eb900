/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/filter.h"
#include "reader/pattern.h"

enum { I, U, MS, PATH, OK, BLOB, NONE, FIELDS };

static struct schema_probe *shop(void)
{
	struct schema_probe *p = calloc(1, sizeof(*p) + FIELDS * sizeof(p->fields[0]));

	p->provider = "shop";
	p->name = "order";
	p->count = FIELDS;
	p->fields[I] = (struct schema_field){ "i", WEIR_I32, 0, 0 };
	p->fields[U] = (struct schema_field){ "u", WEIR_U64, 0, 1 };
	p->fields[MS] = (struct schema_field){ "ms", WEIR_F64, 0, 2 };
	p->fields[PATH] = (struct schema_field){ "path", WEIR_STRING, 0, 3 };
	p->fields[BLOB] = (struct schema_field){ "blob", WEIR_BYTES, 0, 5 };
	p->fields[NONE] = (struct schema_field){ "none", WEIR_STRING, 0, 7 };
	p->fields[OK] = (struct schema_field){ "ok", WEIR_BOOL, 0, 4 };
	return p;
}

/* i = -5, u = 2^64-1, ms = 2.5, path = "/cart/7", ok = true, blob = "by", none = NULL; pid 10, tid 11, cpu 1 */
static int ask(const char *text)
{
	struct record_value values[FIELDS] = {
		[I] = { .i64 = -5 },
		[U] = { .u64 = UINT64_MAX },
		[MS] = { .f64 = 2.5 },
		[PATH] = { .data = "/cart/7", .size = 7 },
		[OK] = { .u64 = 1 },
		[BLOB] = { .data = "by", .size = 2 },
		[NONE] = { .data = "", .null = true },
	};
	const struct filter_context context = { .pid = 10, .tid = 11, .cpu = 1 };
	struct schema_probe *probe = shop();
	struct filter_bound *bound;
	struct filter *filter;
	int ret = filter_parse(text, &filter, NULL);

	if (!ret) {
		ret = filter_bind(filter, probe, &bound, NULL);
		if (!ret) {
			ret = filter_match(bound, values, &context);
			filter_bound_free(bound);
		}
		filter_free(filter);
	}
	free(probe);
	return ret;
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		int expected;
	} cases[] = {
		{ "i == -5", 1 },
		{ "i < 0", 1 },
		{ "i < u", 1 }, /* by value, whatever their signs */
		{ "u == 18446744073709551615", 1 },
		{ "u == -1", 0 },
		{ "u > 1e19", 1 },
		{ "i == -5.0", 1 },
		{ "i <= -0x5", 1 },
		{ "ms > 2", 1 },
		{ "ms >= 2.5 && ms <= 2.5", 1 },
		{ "ms != 2.5", 0 },
		{ "ms == .25e1", 1 },
		{ "2 < ms", 1 },
		{ "path == \"/cart/7\"", 1 },
		{ "path == '/cart/7'", 1 },
		{ "blob == \"6279\"", 1 },
		{ "\"6279\" == blob", 1 },
		{ "blob == \"by\"", 0 },
		{ "blob ~ \"62*\"", 1 },
		{ "blob == blob", 1 },
		{ "none == \"\"", 1 },
		{ "path == \"/cart\"", 0 },
		{ "path != \"/cart\"", 1 },
		{ "path > \"/a\"", 1 },
		{ "path ~ \"/cart*\"", 1 },
		{ "path ~ \"/cart/[0-9]\"", 1 },
		{ "path ~ \"/cart/[!0-9]\"", 0 },
		{ "path ~ \"/cart\"", 0 },
		{ "path !~ \"*9\"", 1 },
		{ "ok", 1 },
		{ "!ok", 0 },
		{ "ok == true", 1 },
		{ "ok != false", 1 },
		{ "!!i", 1 },
		{ "i == 1 || i == -5", 1 },
		{ "i == 1 || i == 2 && ok", 0 },
		{ "(i == -5 || i == 2) && !ok", 0 },
		{ "!(i == 1) && (ok)", 1 },
		{ "pid == 10 && tid == 11 && cpu == 1", 1 },
		{ "probe == \"order\" && provider ~ \"s*\"", 1 },
		{ "  i==-5  ", 1 },
		{ "path == \"a\\\"b\"", 0 },
		{ "path == '\\x2fcart\\u002F7'", 1 },
		{ "path != '\\x2fcart\\u002f\\x37'", 0 },
		{ "'\\u00e9' == '\xc3\xa9' && '\\u20ac' == '\xe2\x82\xac'", 1 },
		{ "'\\n\\r\\t\\b\\f\\/\\\\\\'' == '\n\r\t\b\f/\\x5c\\x27'", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (ask(cases[i].text) != cases[i].expected)
			fail_msg("%s: %d", cases[i].text, ask(cases[i].text));
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ "", "column 1" },
		{ "i ==", "column 5" },
		{ "i = 3", "==" },
		{ "(i == 3", "`)`" },
		{ "i == 3)", "column 7" },
		{ "i == 3 4", "column 8" },
		{ "path == \"abc", "does not end" },
		{ "path == \"abc\\", "does not end" },
		{ "path == '\\x1'", "column 10: two hexadecimal digits" },
		{ "path == '\\u12 4'", "column 10: four hexadecimal digits" },
		{ "i == 3x", "column 7" },
		{ "&& i", "column 1" },
		{ "i == 3 &&", "column 10" },
	};
	char deep[2000];
	struct filter *filter;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct weir_error err = { 0 };

		assert_int_equal(filter_parse(cases[i].text, &filter, &err), -EINVAL);
		if (!strstr(err.message, cases[i].says))
			fail_msg("%s: %s", cases[i].text, err.message);
	}
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	assert_int_equal(filter_parse(deep, &filter, NULL), -EINVAL);
	memset(deep, '!', sizeof(deep) - 1);
	assert_int_equal(filter_parse(deep, &filter, NULL), -EINVAL);
	deep[0] = 0;
	for (int i = 0; i < 150; i++)
		strcat(deep, "i==1||");
	strcat(deep, "i==1");
	assert_int_equal(filter_parse(deep, &filter, NULL), -EINVAL);
}

static void test_types(void **state)
{
	(void)state;
	assert_int_equal(ask("nosuch == 1"), -ENOENT);
	assert_int_equal(ask("path == 1"), -EINVAL);
	assert_int_equal(ask("i == \"1\""), -EINVAL);
	assert_int_equal(ask("i ~ \"1\""), -EINVAL);
	assert_int_equal(ask("path ~ path"), -EINVAL);
	assert_int_equal(ask("path"), -EINVAL);
	assert_int_equal(ask("!path"), -EINVAL);
}

static void test_nan(void **state)
{
	struct record_value values[FIELDS] = { [MS] = { .f64 = NAN } };
	const struct filter_context context = { 0 };
	static const char *const no[] = { "ms == 1", "ms < 1", "ms > 1", "ms >= 1" };
	struct schema_probe *probe = shop();
	struct filter_bound *bound;
	struct filter *filter;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(filter_parse(i < 4 ? no[i] : "ms != 1", &filter, NULL), 0);
		assert_int_equal(filter_bind(filter, probe, &bound, NULL), 0);
		assert_int_equal(filter_match(bound, values, &context), i == 4);
		filter_bound_free(bound);
		filter_free(filter);
	}
	free(probe);
}

static bool glob(const char *pattern, const char *text)
{
	return glob_match(pattern, strlen(pattern), text, strlen(text));
}

static void test_glob(void **state)
{
	char pattern[61], text[4001];

	(void)state;
	assert_true(glob("", ""));
	assert_true(glob("*", ""));
	assert_true(glob("a*b*c", "aXXbYYbc"));
	assert_false(glob("a*b*c", "aXXbYYb"));
	assert_true(glob("?[a-c]?", "xbz"));
	assert_false(glob("?[!a-c]?", "xbz"));
	assert_true(glob("[]]", "]"));
	assert_true(glob("[a-]", "-"));
	assert_true(glob("[", "["));
	assert_false(glob("?", ""));
	/* What makes a backtracking matcher take years. */
	for (size_t i = 0; i < 60; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[60] = 0;
	memset(text, 'a', 4000);
	text[4000] = 0;
	text[3999] = 'b';
	assert_false(glob(pattern, text));
}

static void test_patterns(void **state)
{
	const char *const args[] = { "shop", "db:query_*" };
	static const char *const wrong[] = {
		"", ":", "a:", ":a", "a:b:c", "a b", "a;b", "\xc3\xa4"
	};
	struct patterns patterns;
	char joined[64];

	(void)state;
	assert_int_equal(patterns_parse(args, 2, &patterns, NULL), 0);
	assert_true(patterns_match(&patterns, "shop", "anything"));
	assert_true(patterns_match(&patterns, "db", "query_start"));
	assert_false(patterns_match(&patterns, "db", "start"));
	assert_false(patterns_match(&patterns, "shopper", "order"));
	assert_true(patterns_join(&patterns, joined, sizeof(joined)));
	assert_string_equal(joined, "shop:*;db:query_*");
	assert_false(patterns_join(&patterns, joined, strlen(joined)));
	patterns_deinit(&patterns);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(patterns_parse(&wrong[i], 1, &patterns, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_types),  cmocka_unit_test(test_nan),
		cmocka_unit_test(test_glob),   cmocka_unit_test(test_patterns),
	};

	return RUN(tests);
}
