/* SPDX-License-Identifier: MIT */
/* Inside of dwarf_file.h: what its parts need of each other. */
#ifndef WEIR_TYPES_DWARF_UNIT_H
#define WEIR_TYPES_DWARF_UNIT_H

#include "types/dwarf_file.h"

/* The abbreviations at `offset`, parsed at the first call. -EBADMSG, -ENOMEM. */
int dw_abbrevs_get(struct dw_file *file, const struct dw_unit *unit, uint64_t offset,
                   struct dw_abbrevs **ret);
void dw_abbrevs_free_all(struct dw_file *file);

#endif
