/* SPDX-License-Identifier: MIT */
/* Every construct that `weir print` shows, with values that gdb is asked for too. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

enum colour { RED, GREEN = 5, BLUE };
enum sign { MINUS = -1, ZERO, PLUS };
enum mode { MODE_READ = 1, MODE_WRITE = 2, MODE_EXEC = 4, MODE_ALL = 7 };

struct bits {
	unsigned a : 3;
	int b : 4;
	unsigned long c : 40;
	_Bool d : 1;
	enum colour e : 4;
	int64_t f : 33;
};

struct node {
	int value;
	struct node *next;
};

struct link {
	struct link *next, *prev;
};

struct item {
	int before;
	struct link link;
	char name[8];
};

union number {
	int i;
	float f;
	unsigned char bytes[4];
};

struct inner {
	short s;
	struct {
		int anonymous;
		union {
			int left;
			unsigned right;
		};
	};
};

struct all {
	char c;
	signed char sc;
	unsigned char uc;
	short s;
	unsigned short us;
	int i;
	unsigned u;
	long l;
	unsigned long ul;
	long long ll;
	float f;
	double d;
	long double ld;
	bool yes;
	enum colour colour;
	enum sign sign;
	enum mode mode;
	struct bits bits;
	union number number;
	struct inner inner;
	int grid[2][3];
	char text[16];
	const char *string;
	const char *missing;
	struct node *list;
	struct all *self;
	int (*function)(int);
	void *data;
	int *wild;
	uint8_t raw[4];
};

static int twice(int x)
{
	return 2 * x;
}

struct node nodes[5];
struct item items[3];
struct all all;
struct all *pointer = &all;
struct node cycle[2];
static int shared = 11; /* fixture_other.c has one of this name, too */
volatile unsigned spinning;
unsigned big = 4000000000u;
int minus = -7;
long table[300];
const char *names[] = { "zero", "one", "two", NULL };
_Thread_local int per_thread = 1;
static _Thread_local char thread_name[8];
const char *utf8 = "gr\xc3\xbc\xc3\x9f \"x\"\n";
struct incomplete *opaque;
double real = 2.5;
struct {
	char latin[4], rest[6];
} bytes = { "\xff\xfe\x61", "a\0bc" };

/* Names that are used more than once. */
struct twin {
	int a;
} twin_a = { 7 };
int steps = 100;

static int count_calls(void)
{
	static int calls = 40;
	static int steps = 55;

	{
		static int inner = 1;

		inner++;
	}
	{
		static int inner = 10;

		inner++;
	}
	return ++calls + steps;
}

static void fill_lists(void)
{
	for (int i = 0; i < 5; i++) {
		nodes[i].value = i * i;
		nodes[i].next = i < 4 ? &nodes[i + 1] : NULL;
	}
	cycle[0] = (struct node){ 1, &cycle[1] };
	cycle[1] = (struct node){ 2, &cycle[0] };
	for (int i = 0; i < 3; i++) {
		items[i].before = 100 + i;
		items[i].link.next = &items[(i + 1) % 3].link;
		items[i].link.prev = &items[(i + 2) % 3].link;
		snprintf(items[i].name, sizeof(items[i].name), "item%d", i);
	}
}

static void fill_all(void)
{
	all = (struct all){ .c = 'x',
		            .sc = -3,
		            .uc = 200,
		            .s = -300,
		            .us = 60000,
		            .i = -5,
		            .u = 4000000001u,
		            .l = -6000000000,
		            .ul = 18000000000000000000ul,
		            .ll = -1,
		            .f = 1.5f,
		            .d = 0.1,
		            .ld = 3.25L,
		            .yes = true,
		            .colour = BLUE,
		            .sign = MINUS,
		            .mode = MODE_READ | MODE_EXEC,
		            .text = "hello",
		            .string = "a string" };
	all.bits = (struct bits){
		.a = 5, .b = -3, .c = 0xabcdef0123, .d = 1, .e = GREEN, .f = -4000000000
	};
	all.number.f = 1.0f;
	all.inner.s = -1;
	all.inner.anonymous = 77;
	all.inner.right = 88;
	for (int i = 0; i < 6; i++)
		all.grid[i / 3][i % 3] = i;
	all.list = nodes;
	all.self = &all;
	all.function = twice;
	all.data = &shared;
	all.wild = (int *)0x10;
	memcpy(all.raw, "\1\2\3\4", 4);
	table[0] = 1;
	table[299] = 2;
}

static void *thread(void *arg)
{
	per_thread = 1000;
	strcpy(thread_name, arg);
	for (;;)
		spinning++;
	return NULL;
}

int main(void)
{
	pthread_t t;
	char line[8];

	fill_lists();
	fill_all();
	count_calls();
	strcpy(thread_name, "main");
	pthread_create(&t, NULL, thread, (void *)(uintptr_t) "worker");
	other_start();
	usleep(10000);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	/* Until whoever started it closes its end. */
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}
