/* SPDX-License-Identifier: MIT */
/* What is there instead of what was asked for: -ENOENT, with the sentence for the person. */
#ifndef WEIR_READER_EXPLAIN_H
#define WEIR_READER_EXPLAIN_H

#include "reader/tracer.h"

/* The process has memories of weir, but no such probe. */
int explain_no_match(const struct tracer *tracer, const struct tracer_process *process,
                     struct weir_error *err);

/* It has none. It may have plain USDT probes of that name: those are for other tools. */
int explain_no_memory(const struct tracer *tracer, const struct tracer_process *process,
                      struct weir_error *err);

/* For tracer_explain(), a target's last word. */
void explain_keep(struct tracer *tracer, const struct target *target);

#endif
