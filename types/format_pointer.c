/* SPDX-License-Identifier: MIT */
/* Addresses, texts that are pointed to, and what lies behind a pointer. */
#include "types/format_private.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void address_text(struct format *f, uint64_t address, char *buf, size_t size)
{
	char symbol[160];

	snprintf(buf, size, "0x%" PRIx64, address);
	if (f->names->at && !f->names->at(f->names->ctx, address, symbol, sizeof(symbol)))
		snprintf(buf + strlen(buf), size - strlen(buf), " <%s>", symbol);
}

struct json_object *format_address_json(struct format *f, uint64_t address)
{
	struct json_object *object;
	char text[32], symbol[160];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	if (!f->names->at || f->names->at(f->names->ctx, address, symbol, sizeof(symbol)))
		return json_object_new_string(text);
	object = json_object_new_object();
	json_object_object_add(object, "pointer", json_object_new_string(text));
	json_object_object_add(object, "symbol", json_object_new_string(symbol));
	return object;
}

void format_address(struct format *f, uint64_t address)
{
	char text[200];

	address_text(f, address, text, sizeof(text));
	format_word(f, text, format_address_json(f, address));
}

/* Up to a NUL; the longest readable part where a page is missing. */
static int read_text(struct format *f, uint64_t address, char *buf, size_t max, size_t *ret)
{
	size_t n = 0, chunk;
	const char *nul;
	int rc = 0;

	while (n < max) {
		chunk = 4096 - (address + n) % 4096;
		if (chunk > max - n)
			chunk = max - n;
		rc = format_read(f, address + n, buf + n, chunk);
		if (rc)
			break;
		nul = memchr(buf + n, 0, chunk);
		if (nul) {
			*ret = (size_t)(nul - buf);
			return 0;
		}
		n += chunk;
	}
	*ret = n;
	return n ? 1 : rc;
}

void format_cstring(struct format *f, uint64_t address)
{
	size_t max = f->opts.string_max, n = 0;
	char text[32], *buf;
	int rc;

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	buf = malloc(max + 1);
	if (!buf)
		return;
	rc = read_text(f, address, buf, max, &n);
	if (rc < 0) {
		char why[64];

		snprintf(why, sizeof(why), "%s is not mapped", text);
		format_failure(f, why);
	} else {
		f->sink->ops->text(f->sink, text, buf, n, rc > 0);
	}
	free(buf);
}

#define TEXT_LENGTH_MAX (UINT64_C(1) << 47) /* no address space has more */

void format_bytes(struct format *f, uint64_t pointer, uint64_t address, uint64_t n)
{
	size_t max = n < f->opts.string_max ? (size_t)n : f->opts.string_max;
	struct expr_value at = { .address = address };
	char text[32] = "", *buf = malloc(max + 1);
	int rc;

	if (!buf)
		return;
	if (n > TEXT_LENGTH_MAX) { /* most often a difference that became negative */
		snprintf(text, sizeof(text), "length %" PRId64, (int64_t)n);
		format_failure(f, text);
		free(buf);
		return;
	}
	if (pointer)
		snprintf(text, sizeof(text), "0x%" PRIx64, pointer);
	rc = max ? format_read(f, address, buf, max) : 0;
	if (rc)
		format_unreadable(f, &at, rc);
	else
		f->sink->ops->text(f->sink, text, buf, max, n > max);
	free(buf);
}

/* Unsigned chars are as often numbers as a text: they have to look like one, to the NUL, and hold
   nothing behind it. */
bool format_is_text(const char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n && bytes[i]; i++)
		if ((unsigned char)bytes[i] < ' ' && !strchr("\t\n\r\f\033", bytes[i]))
			return false;
	for (size_t k = i; k < n; k++)
		if (bytes[k])
			return false;
	return i > 0;
}

static bool is_text_pointer(struct format *f, const struct ctype *to, uint64_t address)
{
	char start[16];

	if (!to->is_char || to->kind != CTYPE_INT)
		return false;
	if (to->is_signed)
		return true;
	return !format_read(f, address, start, sizeof(start)) && start[0] &&
	       format_is_text(start, strnlen(start, sizeof(start)));
}

/* Does following it show anything that the address does not? */
static bool can_follow(const struct ctype *to)
{
	return to->kind != CTYPE_VOID && to->kind != CTYPE_FUNCTION && to->kind != CTYPE_BAD &&
	       to->kind != CTYPE_INCOMPLETE;
}

static void follow(struct format *f, uint64_t address, const struct ctype *to)
{
	struct expr_value target = { .type = to, .lvalue = true, .address = address };
	char text[200];

	address_text(f, address, text, sizeof(text));
	if (format_seen(f, address, to)) {
		format_address(f, address);
		f->sink->ops->note(f->sink, "shown above");
		return;
	}
	f->sink->ops->pointer(f->sink, text, format_address_json(f, address));
	f->depth++;
	f->followed = true;
	format_any(f, &target);
	f->followed = false;
	f->depth--;
}

static const struct ctype *completed(struct format *f, const struct ctype *type)
{
	struct expr_candidate found[1];
	const char *const tags[] = { "struct", "union" };

	for (int i = 0; i < 2 && type->kind == CTYPE_INCOMPLETE; i++)
		if (f->names->type(f->names->ctx, tags[i], ctype_tag(type), found, 1) >= 1 &&
		    found[0].type->size)
			return found[0].type;
	return type;
}

/* The expression itself is a pointer to what a pretty printer makes one thing of. */
static bool is_whole(struct format *f, const struct ctype *to)
{
	return f->nest == 0 && f->depth == 0 && printer_find(f, to);
}

void format_pointer(struct format *f, const struct expr_value *object, bool wanted)
{
	const struct ctype *to = completed(f, ctype_to(f->names->types, object->type));
	struct expr_value v;
	int rc = expr_load(f->memory, object, &v);

	if (rc)
		format_unreadable(f, object, rc);
	else if (!v.integer)
		format_word(f, "NULL", NULL);
	else if (is_text_pointer(f, to, v.integer))
		format_cstring(f, v.integer);
	else if (can_follow(to) && (wanted || f->depth < f->opts.depth || is_whole(f, to)))
		follow(f, v.integer, to);
	else
		format_address(f, v.integer);
}
