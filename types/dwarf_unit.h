/* SPDX-License-Identifier: MIT */
/* Inside of dwarf_file.h: what its parts need of each other. */
#ifndef WEIR_TYPES_DWARF_UNIT_H
#define WEIR_TYPES_DWARF_UNIT_H

#include "types/dwarf_file.h"

/* The abbreviations at `offset`, compiled; valid until the next call. -EBADMSG, -ENOMEM. */
int dw_abbrevs_get(struct dw_file *file, const struct dw_unit *unit, uint64_t offset,
                   struct dw_abbrevs **ret);
void dw_abbrevs_free(struct dw_abbrevs *abbrevs);
/* A place in the abbreviations of the unit, at the attributes of `code`; and whether any of them
 * refers to another unit. */
int dw_abbrevs_survey(const struct dw_file *file, uint64_t offset, uint64_t code,
                      struct dw_cursor *ret, uint16_t *ret_tag, bool *ret_far);

/* Room for a unit in file->buffer; what is in it stays. */
int dw_buffer_reserve(struct dw_file *file, size_t size);

#endif
