/* SPDX-License-Identifier: MIT */
/* Notes as tools write them, and each way in which a weir note can lie. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "reader/nearest.h"
#include "reader/probe_desc.h"

static unsigned char note[512];
static size_t note_size;

static void put(const void *bytes, size_t size)
{
	memcpy(note + note_size, bytes, size);
	note_size += size;
}

static void put_field(int type, int arg, const char *name)
{
	struct weir_note_field f = { .type = type, .arg = arg };

	put(&f, sizeof(f));
	put(name, strlen(name) + 1);
}

static struct weir_note *head(void)
{
	return (struct weir_note *)note;
}

/* shop:order(u64 id, bytes body, string path): four arguments */
static void make_order(void)
{
	struct weir_note h = { .version = 1,
		               .fixed = sizeof(h),
		               .site = 0x1234,
		               .semaphore = 0x99,
		               .string_limit = 64,
		               .fields = 3,
		               .args = 4 };

	note_size = 0;
	put(&h, sizeof(h));
	put("shop\0order", 11);
	put_field(WEIR_NOTE_U64, 0, "id");
	put_field(WEIR_NOTE_BYTES, 1, "body");
	put_field(WEIR_NOTE_STRING, 3, "path");
	head()->size = note_size;
}

static int parse(void)
{
	struct probe_desc *d = NULL;
	int code = probe_desc_parse_weir(note, note_size, &d, NULL);

	assert_true(!code == !!d);
	free(d);
	return code;
}

static void reads_a_weir_note(void **state)
{
	struct probe_desc *d;

	(void)state;
	make_order();
	put("later", 5); /* what follows the note is not its business */
	assert_int_equal(probe_desc_parse_weir(note, note_size, &d, NULL), 0);
	memset(note, 0xff, sizeof(note)); /* nothing may point there */
	assert_int_equal(d->kind, PROBE_WEIR);
	assert_string_equal(d->provider, "shop");
	assert_string_equal(d->name, "order");
	assert_int_equal(d->site, 0x1234);
	assert_int_equal(d->semaphore, 0x99);
	assert_int_equal(d->string_limit, 64);
	assert_int_equal(d->fields_count, 3);
	assert_string_equal(d->fields[1].name, "body");
	assert_string_equal(probe_type_name(d->fields[1].type), "bytes");
	assert_int_equal(d->fields[2].arg, 3);
	free(d);
}

static void skips_a_longer_head(void **state)
{
	struct probe_desc *d;

	(void)state;
	make_order();
	memmove(note + sizeof(struct weir_note) + 8, note + sizeof(struct weir_note),
	        note_size - sizeof(struct weir_note));
	memset(note + sizeof(struct weir_note), 0xaa, 8);
	note_size += 8;
	head()->fixed += 8;
	head()->size += 8;
	assert_int_equal(probe_desc_parse_weir(note, note_size, &d, NULL), 0);
	assert_string_equal(d->name, "order");
	free(d);
}

static void refuses_what_is_no_note(void **state)
{
	size_t whole;

	(void)state;
	make_order();
	whole = note_size;
	for (note_size = 0; note_size < whole; note_size++)
		assert_int_equal(parse(), -EINVAL);
	assert_int_equal(parse(), 0);
	/* cut short, but with a head that says so */
	for (size_t size = sizeof(struct weir_note); size < whole; size++) {
		make_order();
		head()->size = size;
		assert_int_equal(parse(), -EINVAL);
	}
	make_order(), head()->version = 2;
	assert_int_equal(parse(), -EOPNOTSUPP);
	make_order(), head()->version = 0;
	assert_int_equal(parse(), -EINVAL);
	make_order(), head()->fixed = 16;
	assert_int_equal(parse(), -EINVAL);
	make_order(), head()->fixed = note_size + 1;
	assert_int_equal(parse(), -EINVAL);
	make_order(), head()->size = UINT32_MAX;
	assert_int_equal(parse(), -EINVAL);
	make_order(), head()->fields = UINT16_MAX;
	assert_int_equal(parse(), -EINVAL);
	make_order(), head()->fields = 4;
	assert_int_equal(parse(), -EINVAL);
	make_order(), head()->args = 3; /* path would be the fourth */
	assert_int_equal(parse(), -EINVAL);
	make_order(), note[sizeof(struct weir_note)] = '\x1b';
	assert_int_equal(parse(), -EINVAL);
	make_order(), note[sizeof(struct weir_note)] = 0;
	assert_int_equal(parse(), -EINVAL);
	make_order(), note[sizeof(struct weir_note) + 11] = 15; /* type of the first field */
	assert_int_equal(parse(), -EINVAL);
	make_order(), put_field(WEIR_NOTE_U8, 0, "id"), head()->fields = 4,
	                                                head()->size = note_size;
	assert_int_equal(parse(), -EINVAL);
}

static struct probe_desc *usdt(const char *arguments, unsigned word)
{
	struct probe_desc *d = NULL;
	uint64_t wide[] = { 0x1000, 0x2000, 0x3000 };
	uint32_t narrow[] = { 0x1000, 0x2000, 0x3000 };

	note_size = 0;
	put(word == 8 ? (void *)wide : (void *)narrow, 3 * word);
	put("libc\0setjmp", 12);
	put(arguments, strlen(arguments) + 1);
	assert_int_equal(probe_desc_parse_usdt(note, note_size, word, &d, NULL), 0);
	assert_string_equal(d->usdt, arguments);
	return d;
}

static void reads_usdt_notes(void **state)
{
	struct probe_desc *d = usdt("8@%rdi -4@%esi 8@$1234 1@-1(%rax,%rbx,4) -2@16+foo(%rip)", 8);
	static const char *const types[] = { "u64", "i32", "u64", "u8", "i16" };
	static const char *const operands[] = { "%rdi", "%esi", "$1234", "-1(%rax,%rbx,4)",
		                                "16+foo(%rip)" };

	(void)state;
	assert_string_equal(d->provider, "libc");
	assert_string_equal(d->name, "setjmp");
	assert_int_equal(d->site, 0x1000);
	assert_int_equal(d->base, 0x2000);
	assert_int_equal(d->semaphore, 0x3000);
	assert_int_equal(d->fields_count, 5);
	for (int i = 0; i < 5; i++) {
		assert_string_equal(probe_type_name(d->fields[i].type), types[i]);
		assert_string_equal(d->fields[i].operand, operands[i]);
	}
	assert_string_equal(d->fields[4].name, "arg4");
	free(d);

	d = usdt("-4@[sp, 12] 8f@%xmm0 4f@%xmm1 %rax", 4); /* aarch64's blanks, floats, no size */
	assert_int_equal(d->fields_count, 4);
	assert_string_equal(d->fields[0].operand, "[sp, 12]");
	assert_string_equal(probe_type_name(d->fields[1].type), "f64");
	assert_string_equal(probe_type_name(d->fields[2].type), "f32");
	assert_string_equal(d->fields[3].operand, "%rax");
	assert_string_equal(probe_type_name(d->fields[3].type), "u64");
	free(d);

	d = usdt("", 8);
	assert_int_equal(d->fields_count, 0);
	free(d);
}

static void refuses_bad_usdt_notes(void **state)
{
	struct probe_desc *d = NULL;
	char many[1024] = "";

	(void)state;
	free(usdt("8@%rdi", 8));
	for (size_t size = 0; size < 24 + 12; size++)
		assert_int_equal(probe_desc_parse_usdt(note, size, 8, &d, NULL), -EINVAL);
	note[24] = 0x9b;
	assert_int_equal(probe_desc_parse_usdt(note, note_size, 8, &d, NULL), -EINVAL);
	for (int i = 0; i < PROBE_DESC_FIELDS_MAX; i++)
		strcat(many, "8@1 ");
	d = NULL;
	note_size = 24;
	put("a\0b", 4);
	memcpy(note + note_size, many, strlen(many) + 1);
	assert_int_equal(probe_desc_parse_usdt(note, note_size + strlen(many) + 1, 8, &d, NULL), 0);
	assert_int_equal(d->fields_count, PROBE_DESC_FIELDS_MAX);
	assert_string_equal(d->fields[63].name, "arg63");
	free(d);
	strcat((char *)note + note_size, "8@1");
	assert_int_equal(probe_desc_parse_usdt(note, note_size + strlen(many) + 4, 8, &d, NULL),
	                 -EINVAL);
}

static void suggests_the_nearest_name(void **state)
{
	static const char *const names[] = { "shop:cart", "shop:order", "shop:orders_done",
		                             "ruby:gc__mark__begin" };
	struct weir_error err;

	(void)state;
	assert_string_equal(nearest_name("shop:ordr", names, 4), "shop:order");
	assert_string_equal(nearest_name("shop:roder", names, 4), "shop:order");
	assert_string_equal(nearest_name("SHOP:Order", names, 4), "shop:order");
	assert_string_equal(nearest_name("ruby:gc_mark_begin", names, 4), "ruby:gc__mark__begin");
	assert_null(nearest_name("postgres:query", names, 4));
	assert_null(nearest_name("", names, 4));
	nearest_error(&err, "shop:ordr", "process 12 (shopd)", names, 4, "weir list -p 12");
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.message, "no probe shop:ordr in process 12 (shopd); nearest: "
	                                 "shop:order; `weir list -p 12` shows all");
	nearest_error(&err, "x:y", "process 12 (shopd)", names, 4, "weir list -p 12");
	assert_string_equal(err.message, "no probe x:y in process 12 (shopd); it has 4 others: "
	                                 "`weir list -p 12` shows them");
	nearest_error(&err, "x:y", "process 12 (shopd)", NULL, 0, "weir list -p 12");
	assert_non_null(strstr(err.message, "no probes at all"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_weir_note),
		cmocka_unit_test(skips_a_longer_head),
		cmocka_unit_test(refuses_what_is_no_note),
		cmocka_unit_test(reads_usdt_notes),
		cmocka_unit_test(refuses_bad_usdt_notes),
		cmocka_unit_test(suggests_the_nearest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
