/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_PARAM_H
#define WEIR_TYPES_PARAM_H

#include "types/internal.h"

/* How one parameter is passed by the calling convention; kind is PLACE_REGISTER, PLACE_STACK,
 * PLACE_MEMORY or PLACE_NOWHERE. */
int param_classify(const struct image *image, const struct symbol *symbol, uint32_t n,
                   struct symbol_param *ret);

#endif
