/* SPDX-License-Identifier: MIT */
/* Every pretty printer, one file each. docs/printers.md tells how to add one. */
#ifndef WEIR_TYPES_PRINTERS_H
#define WEIR_TYPES_PRINTERS_H

#include "types/format_private.h"

extern const struct printer printer_redis_sds;
extern const struct printer printer_redis_dict;
extern const struct printer printer_cxx_string;
extern const struct printer printer_cxx_string_view;
extern const struct printer printer_cxx_vector;
extern const struct printer printer_cxx_map;
extern const struct printer printer_cxx_set;
extern const struct printer printer_cxx_unordered_map;
extern const struct printer printer_cxx_unordered_set;
extern const struct printer printer_cxx_unique_ptr;
extern const struct printer printer_cxx_shared_ptr;
extern const struct printer printer_cxx_optional;
extern const struct printer printer_postgres_list;
extern const struct printer printer_postgres_node;
extern const struct printer printer_ruby_value;

/* Helpers that several have use for. */
void printer_integer(struct format *f, int64_t value);
/* An expression over the number `i` alone. */
int printer_value(struct format *f, uint64_t i, const char *expr, struct expr_value *ret);
int printer_number(struct format *f, uint64_t i, const char *expr, uint64_t *ret);
/* A value as the key of a map: what it prints as; in JSON a text that is whole and UTF-8 without quotes. */
void printer_key(struct format *f, const struct expr_value *key, char *buf, size_t size);

#endif
