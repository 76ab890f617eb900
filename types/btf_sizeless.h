/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_BTF_SIZELESS_H
#define WEIR_TYPES_BTF_SIZELESS_H

#include <stddef.h>

#include "types/loss.h"

/*
 * Members that are void or a function are left out, and counted; variables of such types are
 * counted. A reference that leads nowhere becomes void, and gcc 12 writes void for a vector; neither
 * the kernel nor libbpf, which divides by the alignment, can do with such a member. In place, on sound
 * BTF whose strings follow its types, as ours is; ids stay. -ENOMEM.
 */
int btf_leave_out_sizeless(void *btf, size_t *size, struct losses *losses);

#endif
