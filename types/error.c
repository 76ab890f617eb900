/* SPDX-License-Identifier: MIT */
#include "types/error.h"

#include <stdarg.h>
#include <stdio.h>

int types_err(struct weir_error *err, int code, const char *format, ...)
{
	if (err) {
		va_list ap;

		err->code = code;
		va_start(ap, format);
		vsnprintf(err->message, sizeof(err->message), format, ap);
		va_end(ap);
	}
	return code;
}
