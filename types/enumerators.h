/* SPDX-License-Identifier: MIT */
/* Enumerators by name. BTF has no index of them, so this walks all enums. */
#ifndef WEIR_TYPES_ENUMERATORS_H
#define WEIR_TYPES_ENUMERATORS_H

#include "types/btf_view.h"
#include "types/expr.h"
#include "types/mangle.h"

struct enumerator_search {
	struct ctypes *types;
	const char *name;        /* the enumerator's */
	char scope[MANGLED_MAX]; /* what is before it: its enum, or where that is; "": anywhere */
	uint32_t module;         /* of what is found */
	struct expr_symbol *ret;
	int max, n;
};

/* Adds to `ret` what `btf` has: different values only; n counts also what there was no room for. */
void enumerators_find(struct enumerator_search *q, const struct btf_view *btf);

#endif
