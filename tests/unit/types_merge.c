/* SPDX-License-Identifier: MIT */
/* Parts of several workers -> one BTF, whoever had what and however many threads there are. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "types/btf_check.h"
#include "types/btf_sort.h"
#include "types/equal.h"
#include "types/merge.h"
#include "types/parallel.h"

enum { MANY = 40000 };

/* --- parts --- */

static void add_int(struct builder *b, const char *name, uint32_t *ret)
{
	uint32_t offset, word = 32;

	assert_int_equal(builder_string(b, name, &offset), 0);
	builder_begin(b);
	assert_int_equal(builder_type(b, offset, BTF_KIND_INT, 0, false, 4), 0);
	assert_int_equal(builder_words(b, &word, 1), 0);
	assert_int_equal(builder_end(b, ret), 0);
}

/* struct NAME { MEMBER_TYPE MEMBER; } */
static void add_struct(struct builder *b, const char *name, const char *member, uint32_t type,
                       uint32_t *ret)
{
	uint32_t offset, words[3] = { 0, type, 0 };

	assert_int_equal(builder_string(b, name, &offset), 0);
	assert_int_equal(builder_string(b, member, &words[0]), 0);
	builder_begin(b);
	assert_int_equal(builder_type(b, offset, BTF_KIND_STRUCT, 1, false, 8), 0);
	assert_int_equal(builder_words(b, words, 3), 0);
	assert_int_equal(builder_end(b, ret), 0);
}

static void add_declaration(struct builder *b, const char *name, uint32_t *ret)
{
	uint32_t offset;

	assert_int_equal(builder_string(b, name, &offset), 0);
	builder_begin(b);
	assert_int_equal(builder_type(b, offset, BTF_KIND_FWD, 0, false, 0), 0);
	assert_int_equal(builder_end(b, ret), 0);
}

/* struct user { struct used *u; }, and struct used { int x; }, which one unit has only declared */
static void add_unit(struct builder *b, uint32_t unit, bool defines)
{
	uint32_t number, used, pointer, user;

	b->next_origin = (uint64_t)unit << 32;
	add_int(b, "int", &number);
	b->next_origin++;
	if (defines)
		add_struct(b, "used", "x", number, &used);
	else
		add_declaration(b, "used", &used);
	b->next_origin++;
	assert_int_equal(builder_modifier(b, 0, BTF_KIND_PTR, used, &pointer), 0);
	b->next_origin++;
	add_struct(b, "user", "u", pointer, &user);
}

/* Units 1 (a declaration) and 2 (a definition), each where it says. */
static void merge_two(size_t part_of_first, size_t part_of_second, size_t threads,
                      struct merged *ret)
{
	struct builder b[2];
	uint32_t units[16];
	struct merge_part parts[2] = { { &b[0], units, 0 }, { &b[1], units, 0 } };

	for (int i = 0; i < 2; i++)
		assert_int_equal(builder_init(&b[i], 0), 0);
	for (int i = 0; i < 16; i++)
		units[i] = 1;
	add_unit(&b[part_of_first], 1, false);
	add_unit(&b[part_of_second], 2, true);
	assert_int_equal(merge_types(parts, 2, threads, ret), 0);
	assert_int_equal(btf_check(ret->btf, ret->btf_size, NULL), 0);
	for (int i = 0; i < 2; i++)
		builder_deinit(&b[i]);
}

static void test_merge(void **state)
{
	struct merged one, other;

	(void)state;
	merge_two(0, 0, 1, &one);
	assert_int_equal(one.types_count, 4); /* int, used, its pointer, user */
	assert_false(one.given_up);
	for (int i = 0; i < 6; i++) {
		merge_two(i & 1, i >> 1 & 1, 1 + i / 2, &other);
		assert_int_equal(other.btf_size, one.btf_size);
		assert_memory_equal(other.btf, one.btf, one.btf_size);
		merged_deinit(&other);
	}
	merged_deinit(&one);
}

/* All records look the same: nothing may be merged by that, and somebody is told. */
static void test_collision(void **state)
{
	struct merged m;

	(void)state;
	merge_hash_mask = 0;
	merge_two(0, 1, 2, &m);
	merge_hash_mask = UINT64_MAX;
	assert_true(m.given_up);
	assert_int_equal(m.types_count, 8);
	merged_deinit(&m);
}

/* --- what it stands on --- */

static bool same_parity(const void *arg, uint32_t a, uint32_t b)
{
	(void)arg;
	return a % 2 == b % 2;
}

static void test_equal(void **state)
{
	uint64_t *keys = malloc(MANY * sizeof(*keys));
	uint32_t *first = malloc(MANY * sizeof(*first));

	(void)state;
	assert_true(keys && first);
	for (size_t i = 0; i < MANY; i++)
		keys[i] = i % 999 * 0x123456789abcdefULL;
	for (size_t threads = 1; threads <= 3; threads++) {
		assert_int_equal(equal_find(keys, MANY, threads, NULL, NULL, first), 0);
		for (size_t i = 0; i < MANY; i++)
			assert_int_equal(first[i], i % 999);
		assert_int_equal(equal_find(keys, MANY, threads, same_parity, NULL, first), 0);
		for (size_t i = 0; i < MANY; i++)
			assert_int_equal(first[i], i % 1998);
	}
	free(keys);
	free(first);
}

static void test_sort(void **state)
{
	static const char *const names[] = { "", "a", "std__vector_of_int", "std__vector_of_char" };
	struct btf_sort_key *one = malloc(MANY * sizeof(*one)),
	                    *more = malloc(MANY * sizeof(*more));

	(void)state;
	assert_true(one && more);
	for (uint32_t i = 0; i < MANY; i++)
		one[i] = more[i] = btf_sort_key(names[i % 7 % 4], i * 7919 % MANY, i);
	assert_int_equal(btf_sort_keys(&one, MANY, 1), 0);
	assert_int_equal(btf_sort_keys(&more, MANY, 3), 0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(one[i].id, more[i].id);
	free(one);
	free(more);
}

static int fail_from_three_on(void *arg, size_t step)
{
	(void)arg;
	return step >= 3 ? -(int)step : 0;
}

static int add_range(void *arg, size_t begin, size_t end)
{
	__atomic_fetch_add((size_t *)arg, (begin + end - 1) * (end - begin) / 2, __ATOMIC_RELAXED);
	return 0;
}

static void test_parallel(void **state)
{
	(void)state;
	for (size_t threads = 0; threads <= 4; threads++) {
		size_t sum = 0;

		assert_int_equal(parallel_steps(threads, 100, fail_from_three_on, NULL), -3);
		assert_int_equal(parallel_steps(threads, 3, fail_from_three_on, NULL), 0);
		assert_int_equal(parallel_ranges(threads, MANY, add_range, &sum), 0);
		assert_int_equal(sum, (size_t)MANY * (MANY - 1) / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),    cmocka_unit_test(test_collision),
		cmocka_unit_test(test_equal),    cmocka_unit_test(test_sort),
		cmocka_unit_test(test_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
