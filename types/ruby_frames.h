/* SPDX-License-Identifier: MIT */
/* What every thread of a Ruby process runs, from its own types (Ruby 3.0 and later). */
#ifndef WEIR_TYPES_RUBY_FRAMES_H
#define WEIR_TYPES_RUBY_FRAMES_H

#include "types/format.h"

/* -ENOENT: a type or symbol of the interpreter is not known; -ENODATA: no VM runs; -EFAULT: it was
   torn down while it was read. */
int ruby_frames(struct format *f, struct sink *to);

#endif
