/* SPDX-License-Identifier: MIT */
#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *error_text(const char *from, char *to, size_t room)
{
	size_t i;

	for (i = 0; from[i] && i < room - 1; i++)
		to[i] = (char)(from[i] < ' ' || from[i] > '~' ? '?' : from[i]);
	to[i] = '\0';
	return to;
}

int error_set(struct weir_error *err, int code, const char *format, ...)
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
