/* SPDX-License-Identifier: MIT */
/* `weir print ruby:frames`: what every Ruby thread of a process runs. */
#ifndef WEIR_CLI_RUBY_FRAMES_H
#define WEIR_CLI_RUBY_FRAMES_H

#include <stdio.h>

#include "cli/target.h"
#include "types/format.h"

/* 0, or -errno after a message was printed. */
/* Is it a Ruby process whose interpreter has no types, and could its JIT header's be added now? */
bool ruby_add_types(struct target *target);
int ruby_frames_show(struct target *target, struct format *format, bool json, FILE *to);

#endif
