/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"
#include "cli/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Names of programs, files and probes are others': what acts on a terminal is shown as \xNN. */
static void put_safe(FILE *to, const char *text)
{
	const uint8_t *s = (const uint8_t *)text;

	while (*s) {
		bool plain;
		size_t n = utf8_character(s, strnlen((const char *)s, 4), &plain);

		if (plain) {
			fwrite(s, 1, n, to);
			s += n;
			continue;
		}
		for (; n; n--)
			fprintf(to, "\\x%02x", *s++);
	}
}

int cli_fail(const char *format, ...)
{
	int colour = isatty(STDERR_FILENO);
	char text[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fputs(colour ? "\033[31mweir:\033[0m " : "weir: ", stderr);
	put_safe(stderr, text);
	fputc('\n', stderr);
	return 1;
}

int cli_fail_error(const struct weir_error *err)
{
	return cli_fail("%s", err->message);
}
