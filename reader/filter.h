/* SPDX-License-Identifier: MIT */
/*
 * `ms > 100 && path ~ "/cart*"`: which events are shown.
 *
 *   expr  := and { "||" and }
 *   and   := unary { "&&" unary }
 *   unary := "!" unary | "(" expr ")" | value [ op value ]
 *   op    := == != < <= > >= ~ !~
 *   value := field | number | string | true | false
 *
 * Bytes compare as the text that they are shown as, hexadecimal digits; a NULL string as "".
 * A name is a field of the probe, else one of pid, tid, cpu, probe, provider. `~` compares a
 * string with a glob. An expression is parsed once, and bound to each probe that it is used on:
 * binding finds the fields and checks the types.
 */
#ifndef WEIR_READER_FILTER_H
#define WEIR_READER_FILTER_H

#include "reader/record.h"

struct filter;       /* parsed */
struct filter_bound; /* for one probe */

struct filter_context {
	uint64_t pid;
	uint64_t tid;
	uint64_t cpu;
};

/* -EINVAL with the column and what was expected; -ENOMEM. */
int filter_parse(const char *text, struct filter **ret, struct weir_error *err);
void filter_free(struct filter *filter);

/*
 * -ENOENT: the probe lacks a field that is named; -EINVAL: types do not go together. Both with a
 * message. Borrows filter and probe.
 */
int filter_bind(const struct filter *filter, const struct schema_probe *probe,
                struct filter_bound **ret, struct weir_error *err);
void filter_bound_free(struct filter_bound *bound);

/*
 * Which name is there that none of these probes has? -ENOENT, and it is named; 0: each is a field of
 * some probe. For the error when no probe could be bound.
 */
int filter_strange_name(const struct filter *filter, struct schema_probe *const *probes,
                        size_t count, struct weir_error *err);

bool filter_match(const struct filter_bound *bound, const struct record_value *values,
                  const struct filter_context *context);

#endif
