/* SPDX-License-Identifier: MIT */
#include "types/mangle.h"

#include <stdio.h>

#include "types/util.h"

#define KEEP 480

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

bool is_identifier(const char *name)
{
	const char *c = name;

	if (*c >= '0' && *c <= '9')
		return false;
	while (is_word(*c))
		c++;
	return !*c && c > name && c - name < MANGLED_MAX;
}

static const char *escape(char c)
{
	switch (c) {
	case '<':
		return "_L";
	case '>':
		return "_R";
	case ',':
		return "_C";
	case '*':
		return "_P";
	case '&':
		return "_A";
	case '(':
		return "_O";
	case ')':
		return "_E";
	case '[':
		return "_B";
	case ']':
		return "_D";
	}
	return NULL;
}

size_t mangle(const char *name, char *dst)
{
	size_t n = 0;

	if (is_identifier(name)) {
		n = strlen(name);
		memcpy(dst, name, n + 1);
		return n;
	}
	if (*name >= '0' && *name <= '9')
		dst[n++] = '_';
	for (const char *c = name; *c; c++) {
		const char *e;

		if (n >= KEEP) {
			uint64_t h = hash_bytes(name, strlen(name), 0);

			return n + snprintf(dst + n, MANGLED_MAX - n, "_h%016llx",
			                    (unsigned long long)h);
		}
		if (is_word(*c)) {
			dst[n++] = *c;
		} else if (c[0] == ':' && c[1] == ':') {
			dst[n++] = '_';
			dst[n++] = '_';
			c++;
		} else if (*c == ' ') {
			if (c > name && is_word(c[-1]) && is_word(c[1]))
				dst[n++] = '_';
		} else if ((e = escape(*c))) {
			dst[n++] = e[0];
			dst[n++] = e[1];
		} else {
			n += snprintf(dst + n, MANGLED_MAX - n, "_x%02x", (unsigned char)*c);
		}
	}
	if (!n)
		dst[n++] = '_';
	dst[n] = 0;
	return n;
}
