/* SPDX-License-Identifier: MIT */
/* Records: every field type, and lengths that do not add up. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "reader/record.h"

#define TYPES 14

/* A probe with one field of each type, in the order of their numbers. */
static struct schema_probe *probe_of_all(void)
{
	struct schema_probe *probe =
	    calloc(1, sizeof(*probe) + TYPES * sizeof(struct schema_field));

	probe->provider = "test";
	probe->name = "all";
	probe->count = TYPES;
	probe->string_limit = 256;
	for (uint8_t i = 0; i < TYPES; i++)
		probe->fields[i] = (struct schema_field){ "f", i + 1, 0, i };
	return probe;
}

static uint64_t word_of_double(double d)
{
	uint64_t word;

	memcpy(&word, &d, sizeof(word));
	return word;
}

static uint32_t build(uint64_t *record, const uint64_t *fields, size_t count, const char *tail,
                      size_t tail_size)
{
	uint32_t length = 16 + count * 8 + tail_size;

	memset(record, 0, 16);
	record[0] = 7 | (uint64_t)(length / 8) << 54;
	memcpy(record + 2, fields, count * 8);
	memcpy(record + 2 + count, tail, tail_size);
	return length;
}

static void test_types(void **state)
{
	/* High bits of narrow fields are noise and do not count. */
	const uint64_t noise = UINT64_C(0xdeadbeef00000000);
	uint64_t fields[TYPES] = {
		noise | 0xff,
		noise | 0x18000,
		noise | 0x80000000,
		UINT64_C(1) << 63,
		noise | 0xff,
		noise | 0x18000,
		noise | 0x80000000,
		UINT64_MAX,
		0,
		0,
		noise | 0x100,
		8 | 3u << 16,
		8 | 5u << 16,
		0x7fff12345678,
	};
	struct record_value v[TYPES];
	struct schema_probe *probe = probe_of_all();
	uint64_t record[64];
	float f = 1.5f;
	uint32_t length, bits;

	(void)state;
	memcpy(&bits, &f, sizeof(bits));
	fields[8] = noise | bits;
	fields[9] = word_of_double(-0.25);
	length = build(record, fields, TYPES, "abc\0\0\0\0\0\1\2\3\4\5\0\0\0", 16);
	assert_int_equal(record_length(record, sizeof(record)), length);
	assert_true(record_decode(probe, record, length, 0, v));
	assert_int_equal(v[0].i64, -1);
	assert_int_equal(v[1].i64, -32768);
	assert_int_equal(v[2].i64, INT32_MIN);
	assert_true(v[3].i64 == INT64_MIN);
	assert_int_equal(v[4].u64, 255);
	assert_int_equal(v[5].u64, 32768);
	assert_int_equal(v[6].u64, UINT64_C(0x80000000));
	assert_true(v[7].u64 == UINT64_MAX);
	assert_true(v[8].f64 == 1.5);
	assert_true(v[9].f64 == -0.25);
	assert_int_equal(v[10].u64, 0);
	assert_int_equal(v[11].size, 3);
	assert_memory_equal(v[11].data, "abc", 3);
	assert_int_equal(v[12].size, 5);
	assert_memory_equal(v[12].data, "\1\2\3\4\5", 5);
	assert_int_equal(v[13].u64, 0x7fff12345678);
	free(probe);
}

/* Bytes that were cut: what is stored follows from the limits, not from the padding. */
static void test_truncated(void **state)
{
	struct schema_probe *probe = calloc(1, sizeof(*probe) + sizeof(struct schema_field));
	uint64_t field = 16 | 100u << 16, record[16];
	struct record_value v;
	uint32_t length;

	(void)state;
	probe->count = 1;
	probe->string_limit = 13;
	probe->fields[0] = (struct schema_field){ "f", WEIR_BYTES, 0, 0 };
	length = build(record, &field, 1, "0123456789abc\0\0", 16);
	assert_true(record_decode(probe, record, length, 0, &v));
	assert_int_equal(v.size, 13);
	assert_int_equal(v.original, 100);
	assert_true(record_decode(probe, record, length, 10, &v));
	assert_int_equal(v.size, 10);
	/* Which one was NULL the record does not say: it is one that is empty. */
	record[1] = (uint64_t)WEIR_RECORD_FAULT << 48;
	assert_true(record_decode(probe, record, length, 0, &v));
	assert_false(v.null);
	field = 0;
	length = build(record, &field, 1, "", 0);
	assert_true(record_decode(probe, record, length, 0, &v));
	assert_false(v.null);
	record[1] = (uint64_t)WEIR_RECORD_FAULT << 48;
	assert_true(record_decode(probe, record, length, 0, &v));
	assert_true(v.null);
	field = 16 | 100u << 16;
	/* A string without its NUL ends with its bytes. */
	probe->fields[0].type = WEIR_STRING;
	length = build(record, &field, 1, "0123456789abcdef", 16);
	assert_true(record_decode(probe, record, length, 0, &v));
	assert_int_equal(v.size, 16);
	free(probe);
}

static void test_lengths(void **state)
{
	struct schema_probe *probe = probe_of_all();
	uint64_t fields[TYPES] = { 0 }, record[64] = { 0 };
	struct record_value v[TYPES];
	uint32_t length;

	(void)state;
	for (uint32_t size = 0; size < 16; size++)
		assert_int_equal(record_length(record, size), 0);
	for (uint64_t words = 0; words < 1024; words++) {
		record[0] = words << 54;
		length = record_length(record, sizeof(record));
		assert_int_equal(length, words >= 2 && words <= 64 ? words * 8 : 0);
	}
	/* Padded lengths that are odd or lead outside. */
	for (uint32_t padded = 0; padded < 64; padded++) {
		uint64_t *exact;

		fields[11] = padded;
		length = build(record, fields, TYPES, "", 0) + 16;
		exact = calloc(1, length);
		memcpy(exact, record, length - 16);
		assert_int_equal(record_decode(probe, exact, length, 0, v),
		                 padded % 8 == 0 && padded <= 16);
		free(exact);
	}
	/* Shorter than its fields. */
	fields[11] = 0;
	length = build(record, fields, TYPES, "", 0);
	for (uint32_t n = 16; n < length; n += 8) {
		uint64_t *exact = malloc(n);

		memcpy(exact, record, n);
		assert_false(record_decode(probe, exact, n, 0, v));
		free(exact);
	}
	free(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lengths),
	};

	return RUN(tests);
}
