/* SPDX-License-Identifier: MIT */
/*
 * Payload layouts: the portable way, the machine code and the field-by-field way must give the same
 * bytes, for every type and for random shapes; and those bytes are the ones LTTng's types say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lttng_layout.h"

#define BUFFER 1024

static struct weir_note *note_make(const uint8_t *types, unsigned int count, uint32_t limit)
{
	static _Alignas(8) uint8_t bytes[1024];
	struct weir_note *note = (void *)bytes;
	uint8_t *at = bytes + sizeof(*note);
	unsigned int arg = 0;

	memset(bytes, 0, sizeof(bytes));
	memcpy(at, "p\0e", 4);
	at += 4;
	for (unsigned int i = 0; i < count; i++) {
		*at++ = types[i];
		*at++ = 0;
		*at++ = arg;
		*at++ = 0;
		at += sprintf((char *)at, "f%u", i) + 1;
		arg += types[i] == WEIR_BYTES ? 2 : 1;
	}
	note->version = WEIR_NOTE_VERSION;
	note->fixed = sizeof(*note);
	note->size = at - bytes;
	note->fields = count;
	note->args = arg;
	note->string_limit = limit;
	return note;
}

/* LTTng's ring buffer as lttng_layout_write() sees it. */
static uint8_t written[65536];
static size_t written_size;

static void ring_write(struct ust_ring_ctx *ctx, const void *from, size_t size, size_t align)
{
	(void)ctx;
	while (written_size % align)
		written[written_size++] = 0;
	memcpy(written + written_size, from, size);
	written_size += size;
}

static void ring_strcpy(struct ust_ring_ctx *ctx, const char *from, size_t size)
{
	(void)ctx;
	memset(written + written_size, '#', size);
	memcpy(written + written_size, from, strnlen(from, size - 1));
	written_size += size;
	written[written_size - 1] = 0;
}

static const struct ust_buffer_ops ops = {
	.event_write = ring_write,
	.event_strcpy = ring_strcpy,
};

static lttng_pack_fn *code_make(const struct lttng_layout *layout, uint8_t *code)
{
	size_t size;

	assert_int_equal(mprotect(code, 4096, PROT_READ | PROT_WRITE), 0);
	size = lttng_code_emit(layout, code, LTTNG_CODE_MAX);
	assert_int_equal(mprotect(code, 4096, PROT_READ | PROT_EXEC), 0);
	if (!LTTNG_PACKED) {
		assert_int_equal(size, 0);
		return NULL;
	}
#if defined(__x86_64__)
	assert_true(size > 0);
#endif
	return size ? (lttng_pack_fn *)code : NULL;
}

static uint8_t *code_page(void)
{
	uint8_t *code =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(code, MAP_FAILED);
	return code;
}

/* All ways for one fire; returns the size, 0 if the payload does not fit `room`. */
static size_t pack_all(const struct lttng_layout *layout, const uint64_t *args, size_t room,
                       uint8_t *code, uint8_t *ret)
{
	static uint8_t one[BUFFER + 64], two[BUFFER + 64];
	lttng_pack_fn *machine = code_make(layout, code);
	uint16_t sizes[WEIR_FIELDS_MAX];
	size_t size, measured;
	uint8_t *end;

	memset(one, 0xa5, sizeof(one));
	memset(two, 0xa5, sizeof(two));
	end = lttng_layout_pack(layout, args, one, one + room);
	for (size_t i = room + layout->fixed; i < sizeof(one); i++)
		assert_int_equal(one[i], 0xa5);
	if (machine) {
		uint8_t *other = machine(layout, args, two, two + room);

		assert_int_equal(!end, !other);
		if (end)
			assert_int_equal(end - one, other - two);
		for (size_t i = room + layout->fixed; i < sizeof(two); i++)
			assert_int_equal(two[i], 0xa5);
	}
	written_size = 0;
	measured = lttng_layout_measure(layout, args, sizes);
	lttng_layout_write(layout, args, sizes, &ops, NULL);
	assert_int_equal(measured, written_size);
	if (!end)
		return 0;
	size = end - one;
	assert_int_equal(size, measured);
	assert_memory_equal(one, written, size);
	if (machine)
		assert_memory_equal(one, two, size);
	memcpy(ret, one, size);
	return size;
}

static void test_known_bytes(void **state)
{
	static const uint8_t types[] = { WEIR_I8,    WEIR_U32, WEIR_STRING, WEIR_BOOL,
		                         WEIR_BYTES, WEIR_U16, WEIR_F32,    WEIR_STRING };
	static const uint8_t packed[] = { 0xff, 4,    3,   2,   1,   'a',  'b',  0,   1,
		                          3,    0,    7,   8,   9,   0x34, 0x12, 0,   0,
		                          0x80, 0x3f, '(', 'n', 'u', 'l',  'l',  ')', 0 };
	static const uint8_t natural[] = { 0xff, 0,    0,   0,   4,   3,   2,   1,    'a',  'b', 0,
		                           1,    3,    0,   7,   8,   9,   0,   0x34, 0x12, 0,   0,
		                           0x80, 0x3f, '(', 'n', 'u', 'l', 'l', ')',  0 };
	const uint64_t args[] = { (uint64_t)-1,
		                  0x9901020304,
		                  (uintptr_t) "ab",
		                  0x5502,
		                  (uintptr_t) "\7\10\11",
		                  3,
		                  0x771234,
		                  0x3f800000,
		                  0 };
	struct lttng_layout layout;
	uint8_t *code = code_page();
	uint8_t got[BUFFER];
	size_t size;

	(void)state;
	assert_int_equal(lttng_layout_init(&layout, note_make(types, 8, 0)), 0);
	size = pack_all(&layout, args, 512, code, got);
	assert_int_equal(size, LTTNG_PACKED ? sizeof(packed) : sizeof(natural));
	assert_memory_equal(got, LTTNG_PACKED ? packed : natural, size);
	assert_int_equal(layout.align, LTTNG_PACKED ? 1 : 4);
	munmap(code, 4096);
}

/* A string that ends at the last byte before an unmapped page, at every length. */
static void test_page_end(void **state)
{
	static const uint8_t types[] = { WEIR_STRING };
	uint8_t *pages =
	    mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *code = code_page();
	struct lttng_layout layout;
	uint8_t got[BUFFER];

	(void)state;
	assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
	memset(pages, 'x', 4096);
	pages[4095] = 0;
	assert_int_equal(lttng_layout_init(&layout, note_make(types, 1, 100)), 0);
	for (size_t length = 0; length < 200; length++) {
		uint64_t args[] = { (uintptr_t)(pages + 4095 - length) };
		size_t want = length < 100 ? length : 100;

		assert_int_equal(pack_all(&layout, args, 512, code, got), want + 1);
		assert_int_equal(strlen((char *)got), want);
	}
	munmap(pages, 8192);
	munmap(code, 4096);
}

static void test_limit(void **state)
{
	static const uint8_t types[] = { WEIR_STRING, WEIR_BYTES, WEIR_U8 };
	static char text[5000];
	const uint64_t args[] = { (uintptr_t)text, (uintptr_t)text, sizeof(text), 5 };
	uint8_t *code = code_page();
	struct lttng_layout layout;
	uint8_t got[BUFFER];
	size_t size;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	for (unsigned int limit = 1; limit < 40; limit++) {
		assert_int_equal(lttng_layout_init(&layout, note_make(types, 3, limit)), 0);
		size = 2 * limit + 4 + (LTTNG_PACKED ? 0 : (limit + 1) % 2);
		assert_int_equal(pack_all(&layout, args, 512, code, got), size);
		assert_int_equal(got[limit], 0);
		assert_int_equal(got[size - 1], 5);
	}
	/* beyond the buffer: only the field-by-field way */
	assert_int_equal(lttng_layout_init(&layout, note_make(types, 3, 4096)), 0);
	assert_int_equal(pack_all(&layout, args, 512, code, got), 0);
	munmap(code, 4096);
}

static void test_random(void **state)
{
	static char text[8192];
	uint8_t *code = code_page();
	uint8_t got[BUFFER];
	unsigned int fitted = 0;

	(void)state;
	srandom(5);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = random() % 40 ? 'a' + random() % 26 : 0;
	for (unsigned int turn = 0; turn < 20000; turn++) {
		uint8_t types[WEIR_FIELDS_MAX];
		unsigned int count = random() % (WEIR_FIELDS_MAX + 1), arg = 0;
		uint64_t args[WEIR_ARGS_MAX];
		struct lttng_layout layout;

		for (unsigned int i = 0; i < count; i++) {
			types[i] = 1 + random() % WEIR_POINTER;
			args[arg] = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ random();
			if (types[i] == WEIR_STRING || types[i] == WEIR_BYTES)
				args[arg] = random() % 20 ? (uintptr_t)text + random() % 4096 : 0;
			arg++;
			if (types[i] == WEIR_BYTES)
				args[arg++] = random() % 64;
		}
		assert_int_equal(
		    lttng_layout_init(&layout, note_make(types, count, 1 + random() % 60)), 0);
		fitted += pack_all(&layout, args, random() % 300, code, got) != 0;
	}
	assert_in_range(fitted, 5000, 19999);
	munmap(code, 4096);
}

static void test_stack(void **state)
{
	static const uint8_t types[] = { WEIR_I8,    WEIR_U16,  WEIR_F32,     WEIR_F64, WEIR_STRING,
		                         WEIR_BYTES, WEIR_BOOL, WEIR_POINTER, WEIR_I32, WEIR_U32 };
	const char *text = "t";
	double half = 0.5;
	uint64_t args[11] = {
		0xfe, 0x1ffff, 0x3f000000, 0,          (uintptr_t)text, (uintptr_t)text,
		1,    4,       0xdead,     0xffffffff, 0xfffffffff
	};
	uint64_t stack[LTTNG_STACK_WORDS], bits;
	struct lttng_layout layout;

	(void)state;
	memcpy(&bits, &half, sizeof(bits));
	args[3] = bits;
	assert_int_equal(lttng_layout_init(&layout, note_make(types, 10, 0)), 0);
	lttng_layout_stack(&layout, args, stack);
	assert_int_equal(stack[0], (uint64_t)-2);
	assert_int_equal(stack[1], 0xffff);
	assert_int_equal(stack[2], bits); /* a float is read as a double */
	assert_int_equal(stack[3], bits);
	assert_ptr_equal((void *)(uintptr_t)stack[4], text);
	assert_int_equal(stack[5], 1);
	assert_ptr_equal((void *)(uintptr_t)stack[6], text);
	assert_int_equal(stack[7], 1);
	assert_int_equal(stack[8], 0xdead);
	assert_int_equal(stack[9], UINT64_MAX);
	assert_int_equal(stack[10], 0xffffffff);
}

static void test_refused(void **state)
{
	static const uint8_t unknown[] = { 0 }, later[] = { WEIR_POINTER + 1 };
	struct lttng_layout layout;

	(void)state;
	assert_int_equal(lttng_layout_init(&layout, note_make(unknown, 1, 0)), -EINVAL);
	assert_int_equal(lttng_layout_init(&layout, note_make(later, 1, 0)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_bytes), cmocka_unit_test(test_page_end),
		cmocka_unit_test(test_limit),       cmocka_unit_test(test_random),
		cmocka_unit_test(test_stack),       cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
