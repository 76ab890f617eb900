/* SPDX-License-Identifier: MIT */
/* What of a program's text may go to a terminal as it is. */
#ifndef WEIR_CLI_UTF8_H
#define WEIR_CLI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed UTF-8 sequence at `s`, 0 if there is none (RFC 3629). */
static inline size_t utf8_length(const uint8_t *s, size_t size)
{
	size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (!n || n > size)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/*
 * The code point of a well-formed sequence of `n` bytes that acts on a terminal, or on what a
 * reader takes the text for; 0: it is harmless. C1 controls; line and paragraph separators; the
 * marks, embeddings, overrides and isolates of bidirectional text.
 */
static inline uint32_t utf8_control(const uint8_t *s, size_t n)
{
	uint32_t code;

	if (n == 2) {
		code = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
		return code < 0xa0 || code == 0x61c ? code : 0;
	}
	if (n != 3 || s[0] != 0xe2)
		return 0;
	code = 0x2000u | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	if (code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2066 && code <= 0x2069))
		return code;
	return 0;
}

/* Bytes of the character at `s`, 1 if it is none; *plain: it is one, and acts on nothing. */
static inline size_t utf8_character(const uint8_t *s, size_t size, bool *plain)
{
	size_t n = *s < 0x80 ? 1 : utf8_length(s, size);

	*plain = n == 1 ? *s >= ' ' && *s != 127 : n && !utf8_control(s, n);
	return n ? n : 1;
}

/* The size without a sequence that was cut off at its end. */
static inline size_t utf8_whole(const uint8_t *s, size_t size)
{
	for (size_t k = 1; k <= 3 && k <= size; k++) {
		uint8_t c = s[size - k];

		if ((c & 0xc0) == 0x80)
			continue;
		return c >= (k == 1 ? 0xc2 : k == 2 ? 0xe0 : 0xf0) && c < 0xf5 ? size - k : size;
	}
	return size;
}

#endif
