/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_ENVIRONMENT_H
#define WEIR_LIB_ENVIRONMENT_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Is this switch on? Not if it is unset, empty or "0", and never under AT_SECURE. */
static inline bool environment_on(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value && strcmp(value, "0") != 0;
}

#endif
