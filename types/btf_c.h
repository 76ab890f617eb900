/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_BTF_C_H
#define WEIR_TYPES_BTF_C_H

#include <stddef.h>

struct btf;

/* A copy of `btf` from which libbpf writes C that has the same layouts; ids stay what they are.
 * To be freed with btf__free(). `ret_left_out`: members whose types are only declared. */
int btf_for_c(const struct btf *btf, struct btf **ret, size_t *ret_left_out);

#endif
