/* SPDX-License-Identifier: MIT */
/*
 * The end of a conversion: what the workers' builders hold becomes one BTF, each type once.
 */
#ifndef WEIR_TYPES_MERGE_H
#define WEIR_TYPES_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "types/builder.h"
#include "types/image.h"

struct merge_part {
	struct builder *b;       /* merge_types() finishes it */
	const uint32_t *id_unit; /* per type - 1: number of the unit that has it, 0: none */
	uint32_t base;           /* what is added to its ids; set by merge_types() */
};

struct merged {
	uint8_t
	    *block; /* from malloc; the BTF is at IMAGE_BTF_AT, which leaves room for a header */
	void *btf;  /* sorted by name */
	size_t btf_size;
	size_t types_count;
	uint32_t *units; /* by id - 1: the first unit that has the type */
	uint32_t *map;   /* by base + id: the type's final id */
	uint8_t *chosen; /* by base + id: is it this record that stands for its type? */
	bool given_up;   /* nothing was merged: see merge_classes.c */
};

/* -ENOMEM, -EOVERFLOW. Equal content gives equal bytes, however it is spread over parts, and
 * however many threads there are. Of the builders only the strings are of use afterwards. */
int merge_types(struct merge_part *parts, size_t count, size_t threads, struct merged *ret);
void merged_deinit(struct merged *m);

struct merge_string {
	const char *string;
	size_t length;
};

/* The records of all parts. */
struct merge_records {
	const struct merge_part *parts;
	size_t parts_count;
	size_t threads;
	size_t count;                /* of records, with void */
	uint8_t **record;            /* by base + id */
	uint16_t *part;              /* by base + id; NULL: there is only one part */
	struct merge_string *string; /* by number; 0: the empty one */
	size_t strings;
};
static inline const struct btf_type *merge_record(const struct merge_records *r, uint32_t g)
{
	return (const void *)r->record[g];
}
static inline const struct merge_part *merge_part_of(const struct merge_records *r, uint32_t g)
{
	return &r->parts[r->part ? r->part[g] : 0];
}
/* Makes string[], and numbers of all names and references in the records (merge_strings.c). */
int merge_strings(struct merge_records *records);

/* Which records are the same type (merge_classes.c).
 * Classes are numbered from 0 (void) to *ret_classes - 1; class[] is by record. Of a class's
 * definitions one of the lowest rank[] stands for the type. *ret_given_up: see merge_classes.c. */
int merge_classes(const struct merge_records *records, uint32_t **ret_class, size_t *ret_classes,
                  uint8_t **ret_rank, bool *ret_given_up);
/* What of a hash is used: all, but in a test that wants hashes to collide. */
extern uint64_t merge_hash_mask;
/* Unites classes that are variants of one struct (merge_variants.c); numbers may become unused.
 * look[]: hash of what a record looks like. */
int merge_variants(const struct merge_records *records, const uint64_t *look, uint32_t *class,
                   uint32_t classes, uint8_t *rank);

/* Where a record has its names and its references, in words behind the head. */
struct record_shape {
	bool head; /* `type` of the head is a reference */
	uint32_t names, refs, name_at, ref_at, step;
	uint32_t words; /* all words behind the head */
};
struct record_shape record_shape(const struct btf_type *t);

#endif
