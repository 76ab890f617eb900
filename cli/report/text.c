/* SPDX-License-Identifier: MIT */
#include "cli/report/output.h"

#include <stdlib.h>

/* Bytes of the character at `p`; *shown: it is one, and may be shown. */
static size_t character(const unsigned char *p, size_t size, bool *shown)
{
	uint32_t c;
	size_t n;

	*shown = *p >= 0x20 && *p < 0x7f;
	if (*p < 0x80)
		return 1;
	n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	if (*p < 0xc2 || *p > 0xf4 || n > size)
		return 1;
	c = *p & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	/* Not the shortest form, too high, halves of pairs. */
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 1;
	/* C1 controls, and what turns the direction of the text around it. */
	*shown = c >= 0xa0 && !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
	return n;
}

char *report_text(const char *bytes, size_t size)
{
	char *text = malloc(3 * size + 1), *to = text;

	if (!text)
		return NULL;
	while (size) {
		bool shown;
		size_t n = character((const unsigned char *)bytes, size, &shown);

		if (shown) {
			memcpy(to, bytes, n);
			to += n;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
		}
		bytes += n;
		size -= n;
	}
	*to = '\0';
	return text;
}
