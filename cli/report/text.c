/* SPDX-License-Identifier: MIT */
#include "cli/report/output.h"
#include "cli/utf8.h"

#include <stdlib.h>

char *report_text(const char *bytes, size_t size)
{
	char *text = malloc(3 * size + 1), *to = text;

	if (!text)
		return NULL;
	while (size) {
		bool shown;
		size_t n = utf8_character((const uint8_t *)bytes, size, &shown);

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
