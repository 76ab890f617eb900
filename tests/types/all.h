/* SPDX-License-Identifier: MIT */
/* Every way C has of declaring a type; names of what is compared begin with t_. */
#ifndef ALL_H
#define ALL_H

#include <complex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct t_forward; /* never defined */
struct later_on;  /* defined in other.c only */

struct t_list {
	struct t_list *next, **prev;
	struct later_on *later;
};

typedef struct {
	unsigned a : 3, b : 5;
	int c : 7;
	unsigned long d : 40;
	_Bool e : 1;
	unsigned : 0;
	signed char f : 4;
	uint16_t : 3;
	uint16_t g : 9;
	uint8_t after;
	uint64_t h : 63;
} t_bits;

struct t_bits_late {
	char text[37];
	int x : 5;
	unsigned y : 27;
	long z;
	enum t_small { T_A, T_B, T_C = 7 } small : 4;
} __attribute__((packed));

union t_union {
	int i;
	float f;
	char c[9];
	struct {
		short s;
		struct {
			char deep;
			long deeper;
		};
	};
};

enum t_signed { T_NEG = -5, T_POS = 100, T_MIN = -2147483647 - 1 };
enum t_unsigned { T_TOP = 0xffffffffu, T_ZERO = 0 };
enum t_wide { T_WIDE = 0x123456789abcULL, T_WIDEST = 0xffffffffffffffffULL };
enum t_wide_signed { T_WNEG = -0x123456789abcLL, T_WPOS = 0x7fffffffffffffffLL };
enum __attribute__((packed)) t_packed { T_P0, T_P255 = 255 };

struct __attribute__((aligned(64))) t_aligned {
	char c;
	_Alignas(16) int i;
};

typedef int (*t_callback)(struct t_list *, const char *, ...);
typedef void t_function(void);

struct t_everything {
	char c;
	struct t_list list;
	union t_union un;
	union {
		int one;
		double two;
	};
	struct {
		int x, y;
	} anonymous;
	int matrix[2][3][4];
	const volatile char *const restrict_me;
	char *restrict r;
	double _Complex z;
	float _Complex zf;
	long double _Complex zl;
	long double ld;
	float f;
	t_callback callback;
	t_function *function;
	int (*(*returns_pointer)(int))[5];
	struct t_forward *forward;
	enum t_signed en;
	enum t_wide wide;
	__int128 big;
	unsigned __int128 ubig;
	wchar_t wc;
	_Atomic int atomic;
	_Atomic(struct t_list *) atomic_pointer;
	const _Atomic volatile long both;
	t_bits bits;
	struct t_aligned aligned;
	void *nothing;
	struct t_everything *self[3];
	int flexible[];
};

struct t_empty_array {
	int n;
	char none[0];
};

#endif
