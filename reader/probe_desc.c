/* SPDX-License-Identifier: MIT */
/*
 * In: bytes of one note, of any content. Out: a struct probe_desc in one allocation,
 *
 *     struct probe_desc | fields[count] | copy of the bytes | (USDT) argument names
 *
 * so that there is nothing to free but the block, and nothing points at memory that somebody else
 * can still change. The number of fields is bounded before anything is allocated for them.
 */
#include "reader/probe_desc.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "reader/cleanup.h"

static const char *const type_names[] = {
	[WEIR_NOTE_I8] = "i8",       [WEIR_NOTE_I16] = "i16",         [WEIR_NOTE_I32] = "i32",
	[WEIR_NOTE_I64] = "i64",     [WEIR_NOTE_U8] = "u8",           [WEIR_NOTE_U16] = "u16",
	[WEIR_NOTE_U32] = "u32",     [WEIR_NOTE_U64] = "u64",         [WEIR_NOTE_F32] = "f32",
	[WEIR_NOTE_F64] = "f64",     [WEIR_NOTE_BOOL] = "bool",       [WEIR_NOTE_STRING] = "string",
	[WEIR_NOTE_BYTES] = "bytes", [WEIR_NOTE_POINTER] = "pointer",
};

const char *probe_type_name(unsigned type)
{
	return type < sizeof(type_names) / sizeof(*type_names) ? type_names[type] : NULL;
}

/* A position in the copy. Every read is bounded by `end`. */
struct cursor {
	const char *at, *end;
};

/* The NUL terminated string at the cursor, or NULL if it does not end in time. */
static const char *take_string(struct cursor *c)
{
	const char *string = c->at;
	const char *nul = memchr(c->at, '\0', c->end - c->at);

	if (!nul)
		return NULL;
	c->at = nul + 1;
	return string;
}

static bool is_identifier(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (size_t i = 1; s[i]; i++) {
		if (i >= WEIR_NAME_MAX || (!isalnum((unsigned char)s[i]) && s[i] != '_'))
			return false;
	}
	return true;
}

static struct probe_desc *desc_alloc(enum probe_kind kind, size_t fields, size_t tail)
{
	struct probe_desc *d = calloc(1, sizeof(*d) + fields * sizeof(d->fields[0]) + tail);

	if (d) {
		d->kind = kind;
		d->fields_count = fields;
		d->usdt = "";
	}
	return d;
}

static char *desc_tail(struct probe_desc *d)
{
	return (char *)&d->fields[d->fields_count];
}

static int check_head(const struct weir_note *head, size_t size, struct weir_error *err)
{
	if (head->version > WEIR_NOTE_VERSION)
		return weir_err(err, -EOPNOTSUPP,
		                "a weir note of version %u, and this weir reads up to %u: use a "
		                "newer weir",
		                head->version, WEIR_NOTE_VERSION);
	if (!head->version || head->fixed < sizeof(*head) || head->fixed > head->size ||
	    head->size > size)
		return weir_err(err, -EINVAL,
		                "a weir note whose sizes do not fit (%u of %u in %zu)", head->fixed,
		                head->size, size);
	if (head->fields > PROBE_DESC_FIELDS_MAX)
		return weir_err(err, -EINVAL, "a weir note with %u fields", head->fields);
	return 0;
}

static int take_field(struct cursor *c, const struct probe_desc *d, struct probe_field *f,
                      struct weir_error *err)
{
	struct weir_note_field raw;
	unsigned width;

	if ((size_t)(c->end - c->at) < sizeof(raw))
		return weir_err(err, -EINVAL, "a weir note ends within its fields");
	memcpy(&raw, c->at, sizeof(raw));
	c->at += sizeof(raw);
	f->name = take_string(c);
	if (!f->name || !is_identifier(f->name))
		return weir_err(err, -EINVAL, "a weir note with a field name that is none");
	if (!probe_type_name(raw.type))
		return weir_err(err, -EINVAL, "a weir note with a field of type %u", raw.type);
	width = raw.type == WEIR_NOTE_BYTES ? 2 : 1;
	if (d->args && raw.arg + width > d->args)
		return weir_err(err, -EINVAL, "a weir note whose field `%s` has no argument",
		                f->name);
	f->type = raw.type;
	f->arg = raw.arg;
	for (struct probe_field *other = (struct probe_field *)d->fields; other < f; other++) {
		if (!strcmp(other->name, f->name))
			return weir_err(err, -EINVAL, "a weir note with two fields `%s`", f->name);
	}
	return 0;
}

int probe_desc_parse_weir(const void *bytes, size_t size, struct probe_desc **ret,
                          struct weir_error *err)
{
	_cleanup_free_ struct probe_desc *d = NULL;
	struct weir_note head;
	struct cursor c;
	int code;

	if (size < sizeof(head))
		return weir_err(err, -EINVAL, "a weir note of %zu bytes", size);
	memcpy(&head, bytes, sizeof(head));
	code = check_head(&head, size, err);
	if (code)
		return code;
	d = desc_alloc(PROBE_WEIR, head.fields, head.size);
	if (!d)
		return weir_err(err, -ENOMEM, "no memory for a probe");
	c.at = memcpy(desc_tail(d), bytes, head.size);
	c.end = c.at + head.size;
	c.at += head.fixed;
	d->site = head.site;
	d->semaphore = head.semaphore;
	d->string_limit = head.string_limit;
	d->args = head.args;
	d->provider = take_string(&c);
	d->name = d->provider ? take_string(&c) : NULL;
	if (!d->name || !is_identifier(d->provider) || !is_identifier(d->name))
		return weir_err(err, -EINVAL, "a weir note with a name that is none");
	for (size_t i = 0; i < d->fields_count; i++) {
		code = take_field(&c, d, &d->fields[i], err);
		if (code)
			return code;
	}
	*ret = d;
	d = NULL;
	return 0;
}

/*
 * One argument is `N@operand`: N is the size, negative if signed, with an `f` for a float; an
 * operand may hold blanks within brackets. Notes of old tools lack `N@`. Returns how many bytes
 * `N@` takes, 0 if there is none.
 */
static size_t argument_head(const char *s, uint8_t *type)
{
	size_t n = 0;
	bool is_signed = s[n] == '-', is_float;
	char size;

	n += is_signed;
	size = s[n];
	if (!size || !strchr("1248", size))
		return 0;
	n++;
	is_float = s[n] == 'f';
	n += is_float;
	if (s[n] != '@')
		return 0;
	if (is_float)
		*type = size == '8' ? WEIR_NOTE_F64 : WEIR_NOTE_F32;
	else if (size == '1')
		*type = is_signed ? WEIR_NOTE_I8 : WEIR_NOTE_U8;
	else if (size == '2')
		*type = is_signed ? WEIR_NOTE_I16 : WEIR_NOTE_U16;
	else if (size == '4')
		*type = is_signed ? WEIR_NOTE_I32 : WEIR_NOTE_U32;
	else
		*type = is_signed ? WEIR_NOTE_I64 : WEIR_NOTE_U64;
	return n + 1;
}

/* The end of the argument at `s`: a blank outside of brackets, or the string's end. */
static const char *argument_end(const char *s)
{
	int depth = 0;

	for (; *s; s++) {
		if (*s == '(' || *s == '[')
			depth++;
		else if (*s == ')' || *s == ']')
			depth--;
		else if (*s == ' ' && depth <= 0)
			break;
	}
	return s;
}

static size_t count_arguments(const char *s)
{
	size_t count = 0;

	for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
		s = argument_end(s);
		count++;
	}
	return count;
}

#define ARG_NAME_SIZE 8 /* "arg63" */

/* Cut the arguments out of `s`, which is ours to write to. */
static void split_arguments(struct probe_desc *d, char *s, char *names)
{
	for (size_t i = 0; i < d->fields_count; i++) {
		struct probe_field *f = &d->fields[i];
		char *end;

		s += strspn(s, " ");
		end = (char *)argument_end(s);
		f->type = WEIR_NOTE_U64; /* a word, where the note does not say */
		f->operand = s + argument_head(s, &f->type);
		f->arg = i;
		f->name = names + i * ARG_NAME_SIZE;
		snprintf(names + i * ARG_NAME_SIZE, ARG_NAME_SIZE, "arg%u", (unsigned)i % 100);
		s = end + (*end != '\0');
		*end = '\0';
	}
}

static uint64_t take_word(struct cursor *c, unsigned word)
{
	uint64_t wide;
	uint32_t narrow;

	if (word == 8) {
		memcpy(&wide, c->at, 8);
	} else {
		memcpy(&narrow, c->at, 4);
		wide = narrow;
	}
	c->at += word;
	return wide;
}

static bool is_printable(const char *s, bool blanks)
{
	for (; *s; s++) {
		if (!(isgraph((unsigned char)*s) || (blanks && *s == ' ')))
			return false;
	}
	return true;
}

/* The three strings of a stapsdt note. Other tools allow any name; a terminal does not. */
static int take_usdt_strings(struct cursor *c, const char *strings[3], struct weir_error *err)
{
	static const char *const what[] = { "provider", "name", "arguments" };

	for (int i = 0; i < 3; i++) {
		strings[i] = take_string(c);
		if (!strings[i] && i == 2)
			strings[i] = ""; /* some writers leave them out */
		if (!strings[i] || (i < 2 && !*strings[i]) || !is_printable(strings[i], i == 2))
			return weir_err(err, -EINVAL, "a USDT note with a bad %s", what[i]);
	}
	return 0;
}

int probe_desc_parse_usdt(const void *bytes, size_t size, unsigned word, struct probe_desc **ret,
                          struct weir_error *err)
{
	struct cursor c = { .at = bytes, .end = (const char *)bytes + size };
	_cleanup_free_ char *copy = NULL;
	const char *strings[3];
	size_t count, length[3];
	struct probe_desc *d;
	char *tail;
	int code;

	if (size < 3 * word || size > 65536)
		return weir_err(err, -EINVAL, "a USDT note of %zu bytes", size);
	copy = malloc(size);
	if (!copy)
		return weir_err(err, -ENOMEM, "no memory for a probe");
	c.at = memcpy(copy, bytes, size);
	c.end = copy + size;
	c.at += 3 * word;
	code = take_usdt_strings(&c, strings, err);
	if (code)
		return code;
	count = count_arguments(strings[2]);
	if (count > PROBE_DESC_FIELDS_MAX)
		return weir_err(err, -EINVAL, "a USDT note with %zu arguments", count);
	for (int i = 0; i < 3; i++)
		length[i] = strlen(strings[i]) + 1;
	d = desc_alloc(PROBE_USDT, count,
	               length[0] + length[1] + 2 * length[2] + count * ARG_NAME_SIZE);
	if (!d)
		return weir_err(err, -ENOMEM, "no memory for a probe");
	c.at = copy;
	d->site = take_word(&c, word);
	d->base = take_word(&c, word);
	d->semaphore = take_word(&c, word);
	d->args = count;
	tail = desc_tail(d);
	d->provider = memcpy(tail, strings[0], length[0]);
	tail += length[0];
	d->name = memcpy(tail, strings[1], length[1]);
	tail += length[1];
	d->usdt = memcpy(tail, strings[2], length[2]);
	tail += length[2];
	memcpy(tail, strings[2], length[2]);
	split_arguments(d, tail, tail + length[2]);
	*ret = d;
	return 0;
}
