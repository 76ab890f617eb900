/* SPDX-License-Identifier: MIT */
#include "reader/pattern.h"
#include "reader/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One [...] at p, which is behind the bracket. Returns what is behind it; NULL if it never ends. */
static const char *match_set(const char *p, const char *end, unsigned char c, bool *ret)
{
	bool negate = p < end && (*p == '!' || *p == '^');
	bool in = false;

	if (negate)
		p++;
	for (bool first = true; p < end && (first || *p != ']'); first = false) {
		unsigned char low = *p++, high = low;

		if (end - p >= 2 && *p == '-' && p[1] != ']') {
			high = p[1];
			p += 2;
		}
		in |= low <= c && c <= high;
	}
	if (p >= end)
		return NULL;
	*ret = in != negate;
	return p + 1;
}

bool glob_match(const char *p, size_t pattern_size, const char *t, size_t text_size)
{
	const char *end = p + pattern_size, *text_end = t + text_size;
	const char *star = NULL, *star_text = NULL;

	for (;;) {
		if (p < end && *p == '*') {
			star = ++p;
			star_text = t;
			continue;
		}
		if (t == text_end && p == end)
			return true;
		if (t < text_end && p < end) {
			const char *next = p + 1;
			bool ok = *p == '?' || *p == *t;

			if (*p == '[') {
				const char *behind = match_set(p + 1, end, *t, &ok);

				if (behind)
					next = behind; /* else a lone bracket means itself */
			}
			if (ok) {
				p = next;
				t++;
				continue;
			}
		}
		/* The last star takes one character more; earlier ones need not be tried again. */
		if (!star || star_text >= text_end)
			return false;
		p = star;
		t = ++star_text;
	}
}

bool pattern_match(const char *pattern, const char *provider, const char *probe)
{
	const char *colon = strchr(pattern, ':');

	return glob_match(pattern, colon - pattern, provider, strlen(provider)) &&
	       glob_match(colon + 1, strlen(colon + 1), probe, strlen(probe));
}

bool patterns_match(const struct patterns *patterns, const char *provider, const char *probe)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (pattern_match(patterns->list[i], provider, probe))
			return true;
	}
	return false;
}

static int pattern_check(const char *arg, struct weir_error *err)
{
	const char *colon = strchr(arg, ':');

	if (!*arg || colon == arg || (colon && !colon[1]))
		return weir_err(err, -EINVAL,
		                "`%s` is no pattern: write PROVIDER:PROBE, such as 'shop:*'", arg);
	if (colon && strchr(colon + 1, ':'))
		return weir_err(err, -EINVAL, "`%s` is no pattern: it has two colons", arg);
	for (const char *c = arg; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');

		if (!letter && !(*c >= '0' && *c <= '9') && !strchr("_:*?[]!^-", *c))
			return weir_err(err, -EINVAL,
			                "`%s` can match nothing: no probe's name has a `%c`", arg,
			                *c);
	}
	return 0;
}

int patterns_parse(const char *const *args, size_t count, struct patterns *ret,
                   struct weir_error *err)
{
	static const char *const everything[] = { "*:*" };
	struct patterns patterns = { 0 };

	if (!count) {
		args = everything;
		count = 1;
	}
	patterns.list = calloc(count, sizeof(*patterns.list));
	if (!patterns.list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int code = pattern_check(args[i], err);
		char *pattern;

		if (!code &&
		    asprintf(&pattern, "%s%s", args[i], strchr(args[i], ':') ? "" : ":*") < 0)
			code = -ENOMEM;
		if (code) {
			patterns_deinit(&patterns);
			return code;
		}
		patterns.list[patterns.count++] = pattern;
	}
	*ret = patterns;
	return 0;
}

void patterns_deinit(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free((char *)patterns->list[i]);
	free(patterns->list);
	*patterns = (struct patterns){ 0 };
}

bool patterns_join(const struct patterns *patterns, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < patterns->count; i++) {
		int n = snprintf(ret + used, size - used, "%s%s", i ? ";" : "", patterns->list[i]);

		if (n < 0 || (size_t)n >= size - used)
			return false;
		used += n;
	}
	return true;
}
