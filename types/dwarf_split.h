/* SPDX-License-Identifier: MIT */
/* Split DWARF: the .dwo files of skeleton units, or the .dwp that collects them. */
#ifndef WEIR_TYPES_DWARF_SPLIT_H
#define WEIR_TYPES_DWARF_SPLIT_H

#include "types/dwarf_file.h"

struct dwarf_split {
	const char *path; /* of the file with the skeletons; may be NULL */
	struct dw_file *skeletons;
	struct dw_file *package; /* the .dwp, once it was opened */
	bool looked;
};

void dwarf_split_init(struct dwarf_split *split, const char *path, struct dw_file *skeletons);
void dwarf_split_deinit(struct dwarf_split *split);
/* Open what belongs to a skeleton. *ret is NULL if it is in the package. -ENOENT: not found. */
int dwarf_split_open(struct dwarf_split *split, struct dw_unit *skeleton, struct weir_error *err,
                     struct dw_file **ret);
void dwarf_split_close(struct dwarf_split *split, struct dw_file *file);

#endif
