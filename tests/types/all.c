/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "all.h"

#include <link.h>
#include <stdio.h>

struct t_everything *everything;
struct t_everything *const constant_pointer;
t_bits bits;
struct t_bits_late late;
struct t_empty_array empty;
int numbers[7];
static int hidden = 1;
_Thread_local int per_thread = 5;
static _Thread_local long per_thread_hidden;
enum t_unsigned en_u;
enum t_wide_signed en_ws;
enum t_packed en_p;
extern struct t_list in_other;
int twice(int);

struct pair {
	long a;
	double b;
};
struct large {
	long v[5];
};

__attribute__((noinline)) long many(int a, struct pair b, double c, struct large d, float e,
                                    char *f, long g, long h, long i)
{
	static int calls;

	calls++;
	return a + b.a + (long)b.b + (long)c + d.v[4] + (long)e + (f != 0) + g + h + i + calls;
}

__attribute__((noinline)) struct large returns_large(int first)
{
	static int calls;
	struct large l = { { first, ++calls } };

	return l;
}

static int find_base(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(uintptr_t *)arg = info->dlpi_addr;
	return 1;
}

#define SHOW(x) printf("%s %lx\n", #x, (unsigned long)((uintptr_t)&x - base))

int main(int argc, char **argv)
{
	struct pair p = { argc, 2.0 };
	struct large l = { { argc } };
	uintptr_t base = 0;

	(void)argv;
	dl_iterate_phdr(find_base, &base);
	SHOW(everything);
	SHOW(bits);
	SHOW(late);
	SHOW(numbers);
	SHOW(hidden);
	SHOW(in_other);
	SHOW(many);
	SHOW(returns_large);
	SHOW(main);
	per_thread += hidden++;
	per_thread_hidden++;
	l = returns_large((int)many(argc, p, 3.0, l, 1.0f, argv[0], 1, 2, 3));
	return twice((int)l.v[0]) == 12345;
}
