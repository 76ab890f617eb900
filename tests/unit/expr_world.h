/* SPDX-License-Identifier: MIT */
/* A small program for expressions to look at: hand-made BTF, and this process's own memory. */
#ifndef WEIR_TESTS_EXPR_WORLD_H
#define WEIR_TESTS_EXPR_WORLD_H

#include <bpf/btf.h>

#include "types/btf_view.h"
#include "types/expr.h"

struct world {
	struct btf *btf;
	struct btf_view *view; /* of btf */
	struct ctypes *types;
	struct expr_names names;
	struct expr_memory memory;
};

/* What the program's variables are, for the compiler and in the BTF alike. */
struct world_bits {
	unsigned a : 3;
	int b : 4;
	unsigned long c : 40;
};

enum world_flags { WORLD_A = 1, WORLD_B = 2, WORLD_C = 4 };
enum world_colour { WORLD_RED, WORLD_GREEN = 5 };
enum world_high { WORLD_LOW = 2, WORLD_HIGH = 0x80000000 };

struct world_node {
	int value;
	struct world_node *next;
	struct world_bits bits;
	union {
		int left;
		unsigned char bytes[4];
	};
	char name[8];
	enum world_flags flags;
	enum world_colour colour;
};

extern signed char v_schar;
extern unsigned char v_uchar;
extern short v_short;
extern unsigned short v_ushort;
extern int v_int;
extern unsigned v_uint;
extern long v_long;
extern unsigned long v_ulong;
extern float v_float;
extern double v_double;
extern long double v_ldouble;
extern enum world_high v_high;
extern struct world_node v_nodes[4];
extern struct world_node *v_pointer;
extern int v_array[6];

void world_init(struct world *w);
void world_deinit(struct world *w);

#endif
