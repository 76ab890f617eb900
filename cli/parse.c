/* SPDX-License-Identifier: MIT */
#include "cli/parse.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		return -EINVAL;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || (end[1] && strcmp(end + 1, "iB") && strcmp(end + 1, "B")))
			return -EINVAL;
		for (const char *u = units; u <= unit; u++) {
			if (__builtin_mul_overflow(value, 1024, &value))
				return -EINVAL;
		}
	}
	*ret = value;
	return value ? 0 : -EINVAL;
}

int parse_number(const char *text, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || end == text || *end || *text == '-' || !*ret || *ret > most ? -EINVAL : 0;
}

int parse_seconds(const char *text, int64_t *ret)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds > 0) || seconds > 1e9)
		return -EINVAL;
	*ret = (int64_t)(seconds * 1e9);
	return 0;
}

int cli_split_command(int argc, char **argv, char ***command)
{
	*command = NULL;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			*command = &argv[i + 1];
			return i;
		}
	}
	return argc;
}
