/* SPDX-License-Identifier: MIT */
/*
 * Values as C writes them, or as JSON: names for enumerators, text for character
 * arrays, symbols for addresses, every member of a union, pointers followed as
 * deep as asked. Memory that is not there is said where it is met; the rest is
 * still printed.
 *
 * Hostile data is expected: what was shown once is not shown again (cycles end),
 * and the number of values is bounded.
 */
#ifndef WEIR_TYPES_FORMAT_H
#define WEIR_TYPES_FORMAT_H

#include "types/expr.h"
#include "types/sink.h"

struct format_options {
	uint32_t depth;        /* pointers to follow */
	uint32_t string_max;   /* bytes of a text */
	uint32_t elements_max; /* elements of an array, a list, a map */
	uint32_t values_max;   /* in all; what is cut by it is said to be */
	bool raw;              /* no pretty printers */
};

#define FORMAT_DEFAULTS                                                                  \
	{                                                                                \
		.depth = 0, .string_max = 200, .elements_max = 200, .values_max = 100000 \
	}

struct format;

/* All borrowed until destroy. 0 or -ENOMEM. */
int format_create(const struct format_options *opts, const struct expr_names *names,
                  const struct expr_memory *memory, struct format **ret);
void format_destroy(struct format *f);

/* Print one value. What cannot be read becomes part of the output. -EFAULT: there is nothing else in
 * it. */
int format_value(struct format *f, struct sink *to, const struct expr_value *value);

/*
 * Print a list: `value` is a record or a pointer to one, `member` leads to the next
 * ("next", "node.next" where that points to the embedded node). Ends at NULL, at a
 * node that was seen, at elements_max. err tells what is wrong with `member`.
 */
int format_list(struct format *f, struct sink *to, const struct expr_value *value,
                const char *member, struct expr_error *err);

#endif
