/* SPDX-License-Identifier: MIT */
/* What to do about events that were lost, as far as weir knows why they were. */
#ifndef WEIR_CLI_LOSS_H
#define WEIR_CLI_LOSS_H

#include "reader/tracer.h"

/* `faster`: what makes this command faster, with ", " behind it. Nothing if nothing was lost. */
void loss_advise(const struct tracer *tracer, const char *faster);

#endif
