/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_BTF_CHECK_H
#define WEIR_TYPES_BTF_CHECK_H

#include <stddef.h>

#include <weir/weir.h>

/*
 * Is this BTF sound? Every record, name and type id is inside; no type contains itself; chains
 * of references end. What passes can be walked without further checks: libbpf's own reader
 * believes most of it. -EBADMSG and a sentence if not.
 */
int btf_check(const void *data, size_t size, struct weir_error *err);

struct losses;

/*
 * Go's `type T *T`, and what else nobody can write in C: pointers and names that lead to themselves
 * lead to void, and are counted. -EBADMSG: it is not sound for other reasons.
 */
int btf_open_circles(void *data, size_t size, struct losses *losses);

/* Longest chain of types that a reference may go through (pointer, typedef, const, array ...). */
#define BTF_CHAIN_MAX 1024

#endif
