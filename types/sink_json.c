/* SPDX-License-Identifier: MIT */
/*
 * JSON of a value: records and maps are objects (a map with two keys of one text is an array of
 * {"key", "value"}), arrays are arrays, integers are
 * numbers (all 64 bits), enumerators and texts are strings, a pointer is its address as
 * a string, or {"pointer", "value"} where it was followed. What could not be read
 * is {"error"}; a text that is cut, {"text", "truncated": true}. Notes are kept apart.
 */
#include "types/sink.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_MAX_DEPTH 64

struct json_sink {
	struct sink sink;
	struct json_object *root;
	unsigned depth;
	struct {
		struct json_object *object;  /* borrowed: its parent has it (a map's does not) */
		struct json_object *pairs;   /* of a map */
		struct json_object *pointer; /* a map's: it waits for it */
		bool twice;                  /* a map's key came before */
		char *key;
		uint64_t at, repeat; /* of an array: the element, how often it comes */
	} open[OPEN_MAX_DEPTH];
	struct json_object *notes;
	struct json_object *pointer; /* waits for its value; borrowed: it is in its place already */
};

static struct json_sink *self(struct sink *s)
{
	return (struct json_sink *)s;
}

static void put_place(const struct json_sink *j, FILE *to)
{
	for (unsigned i = 1; i <= j->depth; i++) {
		if (json_object_is_type(j->open[i].object, json_type_array))
			fprintf(to, "[%llu]", (unsigned long long)j->open[i].at);
		else
			fprintf(to, "%s%s", i > 1 ? "." : "", j->open[i].key ?: "");
	}
	if (j->depth)
		fputs(": ", to);
}

static void json_note(struct sink *s, const char *text)
{
	struct json_sink *j = self(s);
	char *line = NULL;
	size_t size;
	FILE *to = open_memstream(&line, &size);

	if (!to)
		return;
	put_place(j, to);
	fputs(text, to);
	fclose(to);
	if (!j->notes)
		j->notes = json_object_new_array();
	json_object_array_add(j->notes, json_object_new_string(line));
	free(line);
}

static void put_member(struct json_sink *j, struct json_object *parent, struct json_object *value)
{
	const char *key = j->open[j->depth].key ?: "";
	struct json_object *pair;

	if (j->open[j->depth].pairs) {
		pair = json_object_new_object();
		json_object_object_add(pair, "key", json_object_new_string(key));
		json_object_object_add(pair, "value", json_object_get(value));
		json_object_array_add(j->open[j->depth].pairs, pair);
		j->open[j->depth].twice |= json_object_object_get_ex(parent, key, NULL);
	}
	json_object_object_add(parent, key, value);
}

/* Put a finished value where it belongs. */
static void put(struct json_sink *j, struct json_object *value)
{
	struct json_object *parent = j->depth ? j->open[j->depth].object : NULL;

	if (j->pointer) {
		json_object_object_add(j->pointer, "value", value);
		j->pointer = NULL;
		return;
	}
	if (!parent) {
		json_object_put(j->root);
		j->root = value;
	} else if (json_object_is_type(parent, json_type_array)) {
		for (uint64_t i = 1; i < j->open[j->depth].repeat; i++)
			json_object_array_add(parent, json_object_get(value));
		json_object_array_add(parent, value);
	} else {
		put_member(j, parent, value);
	}
}

static void json_open(struct sink *s, enum sink_shape shape, const char *label, bool flat)
{
	struct json_sink *j = self(s);
	struct json_object *object =
	    shape == SINK_ARRAY ? json_object_new_array() : json_object_new_object();

	(void)label;
	(void)flat;
	if (shape != SINK_MAP)
		put(j, object);
	if (j->depth + 1 < OPEN_MAX_DEPTH)
		j->depth++;
	j->open[j->depth].object = object;
	j->open[j->depth].repeat = 1;
	j->open[j->depth].twice = false;
	j->open[j->depth].pairs = NULL;
	if (shape == SINK_MAP) { /* what it is put as is known when it is closed */
		j->open[j->depth].pairs = json_object_new_array();
		j->open[j->depth].pointer = j->pointer;
		j->pointer = NULL;
	}
}

/* An object would have only the last of the values whose keys have one text. */
static void put_map(struct json_sink *j, struct json_object *object, struct json_object *pairs,
                    bool twice)
{
	json_object_put(twice ? object : pairs);
	put(j, twice ? pairs : object);
	if (twice)
		json_note(&j->sink, "keys that have one text: an array of keys and values");
}

static bool is_utf8(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t more = s[i] < 0x80                   ? 0
		              : s[i] >= 0xf0 && s[i] < 0xf5 ? 3
		              : s[i] >= 0xe0 && s[i] < 0xf0 ? 2
		              : s[i] >= 0xc2 && s[i] < 0xe0 ? 1
		                                            : 9;

		if (more == 9 || i + more >= n)
			return false;
		for (size_t k = 1; k <= more; k++)
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
		i += more + 1;
	}
	return true;
}

/* Other bytes than UTF-8 as C writes them. */
static char *key_of(const char *name)
{
	size_t n = strlen(name), size = sink_quote(name, n, NULL, 0);
	char *key;

	if (is_utf8((const unsigned char *)name, n))
		return strdup(name);
	key = malloc(size + 1);
	if (!key)
		return NULL;
	sink_quote(name, n, key, size + 1);
	memmove(key, key + 1, size - 2); /* without the quotes */
	key[size - 2] = 0;
	return key;
}

static void json_key(struct sink *s, const char *name)
{
	struct json_sink *j = self(s);

	free(j->open[j->depth].key);
	j->open[j->depth].key = key_of(name);
}

static void json_entry(struct sink *s, uint64_t from, uint64_t to)
{
	struct json_sink *j = self(s);

	j->open[j->depth].at = from;
	j->open[j->depth].repeat = to - from + 1;
}

static void json_close(struct sink *s)
{
	struct json_sink *j = self(s);
	struct json_object *object = j->open[j->depth].object, *pairs = j->open[j->depth].pairs;
	bool twice = j->open[j->depth].twice;

	free(j->open[j->depth].key);
	j->open[j->depth].key = NULL;
	j->open[j->depth].pairs = NULL;
	if (pairs)
		j->pointer = j->open[j->depth].pointer;
	if (j->depth)
		j->depth--;
	if (pairs)
		put_map(j, object, pairs, twice);
}

/* JSON has no other texts than UTF-8; `json` is taken over. */
static struct json_object *valid(struct json_object *json)
{
	struct json_object *ret;
	const char *text;
	char *escaped;

	if (!json_object_is_type(json, json_type_string))
		return json;
	text = json_object_get_string(json);
	if (is_utf8((const unsigned char *)text, strlen(text)))
		return json;
	escaped = key_of(text);
	ret = json_object_new_string(escaped ?: "");
	free(escaped);
	json_object_put(json);
	return ret;
}

static void json_scalar(struct sink *s, const char *text, struct json_object *json)
{
	(void)text;
	put(self(s), valid(json));
}

static void json_pointer(struct sink *s, const char *text, struct json_object *json)
{
	struct json_sink *j = self(s);
	struct json_object *object = json;

	(void)text;
	/* An address with its symbol is an object already. */
	if (!json_object_is_type(json, json_type_object)) {
		object = json_object_new_object();
		json_object_object_add(object, "pointer", json);
	}
	put(j, object);
	j->pointer = object;
}

static void json_failure(struct sink *s, const char *text)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "error", json_object_new_string(text));
	put(self(s), object);
}

/* Each byte becomes the character of its number, so that nothing is lost. */
static struct json_object *json_latin(const char *bytes, size_t n)
{
	char *latin = malloc(2 * n + 1);
	struct json_object *ret;
	size_t at = 0;

	if (!latin)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x80)
			latin[at++] = (char)(0xc0 | c >> 6);
		latin[at++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	ret = json_object_new_string_len(latin, (int)at);
	free(latin);
	return ret;
}

/* A text that is cut may be cut within a character: how much of it is whole characters. */
static size_t whole_length(const char *bytes, size_t n)
{
	for (size_t back = 1; back <= 3 && back <= n; back++)
		if (((unsigned char)bytes[n - back] & 0xc0) == 0xc0)
			return is_utf8((const unsigned char *)bytes + n - back, back) ? n
			                                                              : n - back;
	return n;
}

static void json_text(struct sink *s, const char *address, const char *bytes, size_t n, bool more)
{
	size_t whole = more ? whole_length(bytes, n) : n;
	bool utf8 = is_utf8((const unsigned char *)bytes, whole);
	struct json_object *text =
	    utf8 ? json_object_new_string_len(bytes, (int)whole) : json_latin(bytes, n);
	struct json_object *object = text;

	(void)address;
	if (more) {
		object = json_object_new_object();
		json_object_object_add(object, "text", text);
		json_object_object_add(object, "truncated", json_object_new_boolean(1));
	}
	put(self(s), object);
	if (!utf8)
		json_note(s, "not UTF-8: each byte is the character of its number");
}

static const struct sink_ops ops = {
	.open = json_open,
	.key = json_key,
	.entry = json_entry,
	.close = json_close,
	.scalar = json_scalar,
	.pointer = json_pointer,
	.note = json_note,
	.failure = json_failure,
	.text = json_text,
};

struct sink *sink_json_create(void)
{
	struct json_sink *j = calloc(1, sizeof(*j));

	if (j) {
		j->sink.ops = &ops;
		j->sink.is_json = true;
	}
	return j ? &j->sink : NULL;
}

struct json_object *sink_json_take(struct sink *s)
{
	struct json_sink *j = self(s);
	struct json_object *root = j->root;

	for (unsigned i = 0; i < OPEN_MAX_DEPTH; i++) {
		free(j->open[i].key);
		j->open[i].key = NULL;
	}
	j->pointer = NULL;
	j->root = NULL;
	j->depth = 0;
	return root;
}

struct json_object *sink_json_notes(struct sink *s)
{
	struct json_sink *j = self(s);
	struct json_object *notes = j->notes;

	j->notes = NULL;
	return notes;
}
