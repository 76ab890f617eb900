/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_BTF_SORT_H
#define WEIR_TYPES_BTF_SORT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Raw BTF with its types sorted by name: anonymous ones first, in their old order; the rest as
 * strcmp has it (what libbpf's and the kernel's binary search look for). *ret is from malloc;
 * ret_map (may be NULL) gets, from malloc, the new id of each old one; [0] is 0.
 * The input is sound (btf_check()).
 */
int btf_sort(const void *data, size_t size, void **ret, size_t *ret_size, uint32_t **ret_map);

/*
 * btf__dedup() over raw BTF, which is taken over (freed). *ret is from malloc; map[i] (from malloc) is the new id of old type i.
 * Runs on a large stack of its own, as libbpf recurses as deep as the types are linked.
 */
int btf_dedup(void *data, size_t size, void **ret, size_t *ret_size, uint32_t **ret_map);

#endif
