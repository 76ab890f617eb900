/* SPDX-License-Identifier: MIT */
/* Every pretty printer, one file each. docs/printers.md tells how to add one. */
#ifndef WEIR_TYPES_PRINTERS_H
#define WEIR_TYPES_PRINTERS_H

#include "types/format_private.h"

extern const struct printer printer_redis_sds;
extern const struct printer printer_redis_dict;
extern const struct printer printer_ruby_value;

/* Helpers that several have use for. */
void printer_integer(struct format *f, int64_t value);

#endif
