/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

int cli_fail(const char *format, ...)
{
	int colour = isatty(STDERR_FILENO);
	va_list ap;

	fputs(colour ? "\033[31mweir:\033[0m " : "weir: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

int cli_fail_error(const struct weir_error *err)
{
	return cli_fail("%s", err->message);
}
