/* SPDX-License-Identifier: MIT */
/* Layouts that need more than their members' order: attributes, wide numbers, enums of all sizes. */
#include "packed.h"

#define KEEP(type, name)   \
	extern type *name; \
	type *name = (type *)0

KEEP(union u3, a);
KEEP(struct has_u3, b);
KEEP(struct packed_aligned, c);
KEEP(struct packed_even, d);
KEEP(struct in_packed, e);
KEEP(struct wide, f);
KEEP(struct wide_bits, g);
KEEP(struct gaps, h);
KEEP(struct low, i);
KEEP(struct sizes, j);
KEEP(struct words, k);
KEEP(struct empty_first, l);
KEEP(struct over, m);
KEEP(struct line, n);
KEEP(union padded_union, o);
KEEP(struct pointers, p);
KEEP(struct circle, q);
KEEP(struct huge, r);
KEEP(struct bits_across, s);
KEEP(union bits_in_union, t);
KEEP(struct bits_only_end, u);
KEEP(struct transparent, v);
enum apart apart_value;

int main(void)
{
	return 0;
}
