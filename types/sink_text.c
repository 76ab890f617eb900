/* SPDX-License-Identifier: MIT */
#include "types/sink.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX_DEPTH 64
#define WRAP           100

struct text_sink {
	struct sink sink;
	FILE *out;
	unsigned depth;
	struct {
		bool flat, any;
		enum sink_shape shape;
		size_t column;
	} open[OPEN_MAX_DEPTH];
};

static struct text_sink *self(struct sink *s)
{
	return (struct text_sink *)s;
}

static void indent(struct text_sink *t)
{
	fputc('\n', t->out);
	for (unsigned i = 0; i < t->depth; i++)
		fputc('\t', t->out);
}

static void text_open(struct sink *s, enum sink_shape shape, const char *label, bool flat)
{
	struct text_sink *t = self(s);

	if (label && label[0])
		fprintf(t->out, "%s ", label);
	fputc('{', t->out);
	if (t->depth + 1 < OPEN_MAX_DEPTH)
		t->depth++;
	t->open[t->depth].flat = flat;
	t->open[t->depth].any = false;
	t->open[t->depth].shape = shape;
	t->open[t->depth].column = 0;
}

static void separate(struct text_sink *t)
{
	bool first = !t->open[t->depth].any;

	t->open[t->depth].any = true;
	if (!t->open[t->depth].flat) {
		if (!first)
			fputc(',', t->out);
		indent(t);
		return;
	}
	fputs(first ? " " : ", ", t->out);
	if (t->open[t->depth].column > WRAP) {
		indent(t);
		t->open[t->depth].column = 0;
	}
}

static void text_key(struct sink *s, const char *name)
{
	struct text_sink *t = self(s);

	separate(t);
	if (t->open[t->depth].shape == SINK_MAP)
		fprintf(t->out, "[%s] = ", name);
	else if (name[0])
		fprintf(t->out, ".%s = ", name);
	t->open[t->depth].column += strlen(name) + 5;
}

static void text_entry(struct sink *s, uint64_t from, uint64_t to)
{
	struct text_sink *t = self(s);

	separate(t);
	if (from != to)
		fprintf(t->out, "[%llu ... %llu] = ", (unsigned long long)from,
		        (unsigned long long)to);
	else if (!t->open[t->depth].flat)
		fprintf(t->out, "[%llu] = ", (unsigned long long)from);
}

static void text_close(struct sink *s)
{
	struct text_sink *t = self(s);
	bool flat = t->open[t->depth].flat, any = t->open[t->depth].any;

	if (any && !flat)
		fputc(',', t->out);
	if (t->depth)
		t->depth--;
	if (any && flat)
		fputc(' ', t->out);
	else if (any)
		indent(t);
	fputc('}', t->out);
}

static void text_scalar(struct sink *s, const char *text, struct json_object *json)
{
	struct text_sink *t = self(s);

	json_object_put(json);
	fputs(text, t->out);
	t->open[t->depth].column += strlen(text) + 2;
}

static void text_pointer(struct sink *s, const char *text, struct json_object *json)
{
	json_object_put(json);
	fprintf(self(s)->out, "%s -> ", text);
}

static void text_note(struct sink *s, const char *text)
{
	fprintf(self(s)->out, " /* %s */", text);
}

static void text_failure(struct sink *s, const char *text)
{
	fprintf(self(s)->out, "<%s>", text);
}

static void text_text(struct sink *s, const char *address, const char *bytes, size_t n, bool more)
{
	struct text_sink *t = self(s);
	size_t size = sink_quote(bytes, n, NULL, 0) + 1;
	char *quoted = malloc(size);

	if (!quoted)
		return;
	sink_quote(bytes, n, quoted, size);
	fprintf(t->out, "%s%s%s%s", address, address[0] ? " " : "", quoted, more ? "..." : "");
	t->open[t->depth].column += size;
	free(quoted);
}

static const struct sink_ops ops = {
	.open = text_open,
	.key = text_key,
	.entry = text_entry,
	.close = text_close,
	.scalar = text_scalar,
	.pointer = text_pointer,
	.note = text_note,
	.failure = text_failure,
	.text = text_text,
};

struct sink *sink_text_create(FILE *out)
{
	struct text_sink *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->sink.ops = &ops;
	t->out = out;
	return &t->sink;
}

/* The bytes of a UTF-8 character at s, 0 if it is none (or one of ASCII). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t want = s[0] >= 0xf0 && s[0] < 0xf5   ? 4
	              : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
	              : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
	                                            : 0;

	if (want > n)
		return 0;
	for (size_t i = 1; i < want; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, C1 controls: shown as bytes. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90) ||
	    (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	return want;
}

static size_t quote_one(const unsigned char *s, size_t n, char out[8], bool digit_follows)
{
	static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
	const char *p = s[0] ? strchr(from, s[0]) : NULL;
	size_t length = utf8_length(s, n);

	if (p)
		return (size_t)snprintf(out, 8, "\\%c", to[p - from]);
	if (length) {
		memcpy(out, s, length);
		return length;
	}
	if (s[0] >= ' ' && s[0] < 0x7f) {
		out[0] = (char)s[0];
		return 1;
	}
	return (size_t)snprintf(out, 8, digit_follows ? "\\%03o" : "\\%o", s[0]);
}

size_t sink_quote(const char *bytes, size_t n, char *buf, size_t size)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t at = 0, step;
	char one[8];

#define PUT(c) (at + 1 < size ? (void)(buf[at++] = (c)) : (void)at++)
	PUT('"');
	for (size_t i = 0; i < n; i += step) {
		bool digit = i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9';
		size_t length = quote_one(s + i, n - i, one, digit);

		step = utf8_length(s + i, n - i) ?: 1;
		for (size_t j = 0; j < length; j++)
			PUT(one[j]);
	}
	PUT('"');
#undef PUT
	if (size)
		buf[at < size ? at : size - 1] = 0;
	return at;
}

void sink_destroy(struct sink *s)
{
	if (s && s->is_json) {
		json_object_put(sink_json_take(s));
		json_object_put(sink_json_notes(s));
	}
	free(s);
}
