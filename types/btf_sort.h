/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_BTF_SORT_H
#define WEIR_TYPES_BTF_SORT_H

#include <stddef.h>
#include <stdint.h>

/* What types are sorted by: their name as strcmp has it, then where they come from. */
struct btf_sort_key {
	uint64_t prefix; /* first 8 bytes of the name, big-endian: most comparisons end here */
	uint64_t origin;
	const char *name;
	uint32_t id; /* the caller's */
};

struct btf_sort_key btf_sort_key(const char *name, uint64_t origin, uint32_t id);
/* Sorts *keys, from malloc, which may become another array. -ENOMEM. */
int btf_sort_keys(struct btf_sort_key **keys, size_t count, size_t threads);

/*
 * Raw BTF with its types sorted by name: anonymous ones first, in their old order; the rest as
 * strcmp has it (what libbpf's and the kernel's binary search look for). *ret is from malloc.
 * The input is sound (btf_check()).
 */
int btf_sort(const void *data, void **ret, size_t *ret_size);

/* btf__dedup() over raw BTF, which is taken over (freed). *ret is from malloc. */
int btf_dedup(void *data, size_t size, void **ret, size_t *ret_size);

#endif
