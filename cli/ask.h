/* SPDX-License-Identifier: MIT */
/* Can an expression be asked of the probes that are there? */
#ifndef WEIR_CLI_ASK_H
#define WEIR_CLI_ASK_H

#include "reader/filter.h"
#include "reader/tracer.h"

/* 0: it can be asked of this probe; -EINVAL, -ENOENT: not of this one, with the reason; -ENOMEM. */
typedef int ask_fn(void *arg, struct schema_probe *probe, struct weir_error *err);

/* Asks `bind` of each probe. -EINVAL, with the reason, if there are probes and it can be asked of
 * none. */
int ask_probes(struct tracer *tracer, const struct filter *filter, ask_fn *bind, void *arg,
               struct weir_error *err);

/* Of what several probes say, keep the most helpful: a wrong type, then a nearest name. */
void ask_keep_best(struct weir_error *best, const struct weir_error *one);

#endif
