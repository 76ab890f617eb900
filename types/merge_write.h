/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_MERGE_WRITE_H
#define WEIR_TYPES_MERGE_WRITE_H

#include "types/btf_sort.h"
#include "types/merge.h"

struct merge_write {
	const struct merge_records *r;   /* numbered */
	const struct btf_sort_key *keys; /* the records that become types, by id - 1 */
	size_t count;
	const uint32_t *map; /* by record: its type's final id */
};

/* Fills in ret->block, btf and btf_size. -ENOMEM, -EOVERFLOW. */
int merge_write(const struct merge_write *in, struct merged *ret);

#endif
