/* SPDX-License-Identifier: MIT */
/* types.h over one program (all.c): names, places of parameters, the cache. argv[1] is the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "types/types.h"

static const char *program;
static char cache[64];

static struct types *open_program(uint32_t flags)
{
	struct types_options opts = { .size = sizeof(opts), .flags = flags, .cache_dir = cache };
	struct weir_error err = { 0 };
	struct types *t = NULL;

	if (types_open(program, &opts, &err, &t))
		fail_msg("%s", err.message);
	return t;
}

struct found {
	size_t count;
	struct types_symbol symbol;
	struct types_type type;
};

static int take_symbol(const struct types_symbol *s, void *arg)
{
	struct found *f = arg;

	if (!f->count++)
		f->symbol = *s;
	return 0;
}

static int take_type(const struct types_type *t, void *arg)
{
	struct found *f = arg;

	if (!f->count++)
		f->type = *t;
	return 0;
}

static struct found symbol(struct types *t, const char *name)
{
	struct found f = { 0 };

	assert_int_equal(types_find_symbol(t, name, take_symbol, &f), 0);
	return f;
}

static struct found type(struct types *t, const char *name)
{
	struct found f = { 0 };

	assert_int_equal(types_find_type(t, name, take_type, &f), 0);
	return f;
}

static void symbols_by_name(void **state)
{
	struct types *t = open_program(TYPES_NO_CACHE);
	struct found f;

	(void)state;
	f = symbol(t, "everything");
	assert_int_equal(f.count, 1);
	assert_int_equal(f.symbol.kind, TYPES_VARIABLE);
	assert_int_equal(f.symbol.size, sizeof(void *));
	f = symbol(t, "hidden"); /* one in each unit */
	assert_int_equal(f.count, 2);
	f = symbol(t, "other.c::hidden");
	assert_int_equal(f.count, 1);
	assert_non_null(strstr(f.symbol.unit, "other.c"));
	assert_true(f.symbol.flags & TYPES_SYMBOL_STATIC);
	assert_int_equal(symbol(t, "ther.c::hidden").count, 0);
	f = symbol(t, "returns_large::calls");
	assert_int_equal(f.count, 1);
	assert_true(f.symbol.flags & TYPES_SYMBOL_LOCAL);
	assert_int_equal(symbol(t, "calls").count, 2);
	f = symbol(t, "per_thread");
	assert_int_equal(f.symbol.kind, TYPES_TLS_VARIABLE);
	assert_int_equal(symbol(t, "nowhere_to_be_found").count, 0);
	assert_string_equal(types_nearest(t, "everithing", true), "everything");
	assert_null(types_nearest(t, "qqqqqqqqqqqqqqqqq", true));
	types_close(t);
}

static void types_by_name(void **state)
{
	struct types *t = open_program(TYPES_NO_CACHE);
	struct found f = type(t, "struct t_everything");
	const struct btf_type *b;

	(void)state;
	assert_int_equal(f.count, 1);
	b = btf__type_by_id(types_btf(t), f.type.id);
	assert_string_equal(btf__name_by_offset(types_btf(t), b->name_off), "t_everything");
	assert_true(btf_is_struct(b));
	assert_int_equal(type(t, "union t_everything").count, 0);
	assert_int_equal(type(t, "t_bits").count, 1);
	assert_int_equal(type(t, "enum t_wide").type.kind, BTF_KIND_ENUM64);
	assert_int_equal(type(t, "struct t_forward").type.kind, BTF_KIND_FWD);
	assert_int_equal(type(t, "other.c::private").count, 1);
	assert_int_equal(type(t, "all.c::private").count, 0);
	assert_string_equal(types_nearest(t, "t_unions", false), "t_union");
	types_close(t);
}

static void by_address(void **state)
{
	struct types *t = open_program(TYPES_NO_CACHE);
	struct types_symbol numbers = symbol(t, "numbers").symbol, s;

	(void)state;
	assert_int_equal(types_symbol_by_address(t, numbers.address + 27, &s), 0);
	assert_string_equal(s.name, "numbers");
	assert_int_equal(types_symbol_by_address(t, symbol(t, "main").symbol.address + 1, &s), 0);
	assert_string_equal(s.name, "main");
	assert_int_equal(types_symbol_by_address(t, 1, &s), -ENOENT);
	types_close(t);
}

#if defined(__x86_64__)
static void expect(struct types *t, const struct types_symbol *s, uint32_t n, const char *name,
                   enum types_place place, int reg, int reg2, int offset)
{
	struct types_param p;

	assert_int_equal(types_param(t, s, n, &p), 0);
	assert_string_equal(p.name, name);
	assert_int_equal(p.place, place);
	if (place == TYPES_IN_REGISTER) {
		assert_int_equal(p.reg, reg);
		assert_int_equal(p.reg2, reg2);
	} else if (place == TYPES_ON_STACK) {
		assert_int_equal(p.offset, offset);
	}
}

/* long many(int, struct {long; double}, double, struct large, float, char *, long, long, long) */
static void places_of_parameters(void **state)
{
	struct types *t = open_program(TYPES_NO_CACHE);
	struct types_symbol s = symbol(t, "many").symbol;
	struct types_param p;

	(void)state;
	assert_int_equal(s.params, 9);
	expect(t, &s, 0, "a", TYPES_IN_REGISTER, 5, -1, 0);  /* rdi */
	expect(t, &s, 1, "b", TYPES_IN_REGISTER, 4, 17, 0);  /* rsi, xmm0 */
	expect(t, &s, 2, "c", TYPES_IN_REGISTER, 18, -1, 0); /* xmm1 */
	expect(t, &s, 3, "d", TYPES_ON_STACK, 0, 0, 8);      /* above the return address */
	expect(t, &s, 4, "e", TYPES_IN_REGISTER, 19, -1, 0); /* xmm2 */
	expect(t, &s, 5, "f", TYPES_IN_REGISTER, 1, -1, 0);  /* rdx */
	expect(t, &s, 6, "g", TYPES_IN_REGISTER, 2, -1, 0);  /* rcx */
	expect(t, &s, 7, "h", TYPES_IN_REGISTER, 8, -1, 0);
	expect(t, &s, 8, "i", TYPES_IN_REGISTER, 9, -1, 0);
	assert_int_equal(types_param(t, &s, 9, &p), -ERANGE);
	s = symbol(t, "returns_large").symbol; /* the result's address comes first */
	expect(t, &s, 0, "first", TYPES_IN_REGISTER, 4, -1, 0);
	types_close(t);
}
#endif

/* --- cache --- */

static void cached_name(char *path, size_t size, struct types *t)
{
	snprintf(path, size, "%s/%s", cache, types_build_id(t));
}

static void second_time_is_cached(void **state)
{
	struct types *first = open_program(0), *second = open_program(0), *third;
	size_t a, b;
	const void *raw = types_raw(first, &a), *again = types_raw(second, &b);

	(void)state;
	if (!*types_build_id(first))
		skip();
	assert_false(types_from_cache(first));
	assert_true(types_from_cache(second));
	assert_int_equal(a, b);
	assert_memory_equal(raw, again, a);
	assert_int_equal(symbol(second, "hidden").count, 2);
	third = open_program(TYPES_REBUILD);
	assert_false(types_from_cache(third));
	types_close(first);
	types_close(second);
	types_close(third);
}

static void spoiled_is_not_believed(void **state)
{
	struct types *t = open_program(0);
	char path[256], byte;
	struct stat st;
	int fd;

	(void)state;
	cached_name(path, sizeof(path), t);
	types_close(t);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
	t = open_program(0);
	assert_false(types_from_cache(t));
	types_close(t);
	t = open_program(0); /* it was replaced */
	assert_true(types_from_cache(t));
	types_close(t);
	assert_int_equal(truncate(path, 100), 0);
	t = open_program(0);
	assert_false(types_from_cache(t));
	types_close(t);
	close(fd);
}

static void strangers_is_not_believed(void **state)
{
	struct types *t = open_program(0);
	char path[256];

	(void)state;
	cached_name(path, sizeof(path), t);
	types_close(t);
	assert_int_equal(chmod(path, 0666), 0);
	t = open_program(0);
	assert_false(types_from_cache(t));
	types_close(t);
	assert_int_equal(chmod(cache, 0777), 0);
	t = open_program(0);
	assert_false(types_from_cache(t));
	types_close(t);
	assert_int_equal(chmod(cache, 0700), 0);
	if (!geteuid() && !chown(path, 12345, 12345)) {
		t = open_program(0);
		assert_false(types_from_cache(t));
		types_close(t);
	}
}

/* Many processes, some of which throw the cache away: everybody gets all types. */
static void many_processes(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid) {
			for (int k = 0; k < 10; k++) {
				struct types *t = open_program(i % 3 ? 0 : TYPES_REBUILD);
				size_t n = symbol(t, "hidden").count;

				types_close(t);
				if (n != 2)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 12; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void bounded(void **state)
{
	struct types *t;
	char path[256];

	(void)state;
	setenv("WEIR_TYPES_CACHE_MAX", "1000", 1); /* less than one image */
	t = open_program(TYPES_REBUILD);
	cached_name(path, sizeof(path), t);
	unlink(path);
	types_close(t);
	t = open_program(0);
	types_close(t);
	assert_int_equal(access(path, F_OK), -1);
	unsetenv("WEIR_TYPES_CACHE_MAX");
}

static int remove_cache(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", cache);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_by_name),
		cmocka_unit_test(types_by_name),
		cmocka_unit_test(by_address),
#if defined(__x86_64__)
		cmocka_unit_test(places_of_parameters),
#endif
		cmocka_unit_test(second_time_is_cached),
		cmocka_unit_test(spoiled_is_not_believed),
		cmocka_unit_test(strangers_is_not_believed),
		cmocka_unit_test(many_processes),
		cmocka_unit_test(bounded),
	};

	if (argc != 2)
		return 2;
	program = argv[1];
	snprintf(cache, sizeof(cache), "/tmp/weir-types-test-%d", getpid());
	return cmocka_run_group_tests(tests, NULL, remove_cache);
}
