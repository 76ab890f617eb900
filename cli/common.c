/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"
#include "cli/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

const char *cli_time(int64_t ns, char ret[CLI_TIME_ROOM])
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	n = strftime(ret, CLI_TIME_ROOM, "%F %T", &tm);
	snprintf(ret + n, CLI_TIME_ROOM - n, ".%06d", abs((int)(ns % 1000000000 / 1000)));
	return ret;
}

int cli_fail_error(const struct weir_error *err)
{
	return cli_fail("%s", err->message);
}
