/* SPDX-License-Identifier: MIT */
/* Numbers, enumerators by name, flags as their sum. */
#include "types/format_private.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

void format_word(struct format *f, const char *text, struct json_object *json)
{
	f->sink->ops->scalar(f->sink, text, json);
}

void format_unreadable(struct format *f, const struct expr_value *v, int rc)
{
	char text[96];

	if (rc == -EFAULT)
		snprintf(text, sizeof(text), "0x%" PRIx64 " is not mapped", v->address);
	else if (rc == -ENODATA)
		snprintf(text, sizeof(text),
		         "0x%" PRIx64 " is in the missing part of the core file", v->address);
	else
		snprintf(text, sizeof(text), "reading 0x%" PRIx64 ": %s", v->address,
		         strerror(-rc));
	format_failure(f, text);
}

static void number_text(const struct expr_value *v, char *buf, size_t size)
{
	if (v->type->is_signed)
		snprintf(buf, size, "%" PRId64, (int64_t)v->integer);
	else
		snprintf(buf, size, "%" PRIu64, v->integer);
}

static struct json_object *number_json(const struct expr_value *v)
{
	return v->type->is_signed ? json_object_new_int64((int64_t)v->integer)
	                          : json_object_new_uint64(v->integer);
}

static void format_integer(struct format *f, const struct expr_value *v)
{
	char text[64], c[8];

	number_text(v, text, sizeof(text));
	if (v->type->is_char && !v->bit_size) {
		char byte = (char)v->integer;

		sink_quote(&byte, 1, c, sizeof(c));
		c[strlen(c) - 1] = 0;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " '%s'",
		         byte == '\''  ? "\\'"
		         : byte == '"' ? "\""
		                       : c + 1);
	}
	format_word(f, text, number_json(v));
}

static void format_bool(struct format *f, const struct expr_value *v)
{
	char text[32];

	if (v->integer <= 1) {
		format_word(f, v->integer ? "true" : "false",
		            json_object_new_boolean(v->integer != 0));
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, v->integer);
	format_word(f, text, json_object_new_uint64(v->integer));
}

static void format_real(struct format *f, real_t real, const struct ctype *type)
{
	char text[REAL_TEXT_MAX];

	real_text(type->real, real, text);
	/* JSON has no NaN and no infinity, and its readers no more than double. */
	if (real != real || real - real != 0 || type->size > 8)
		format_word(f, text, json_object_new_string(text));
	else
		format_word(f, text, json_object_new_double_s((double)real, text));
}

static void integer_text(unsigned __int128 value, bool is_signed, char text[64])
{
	bool minus = is_signed && (__int128)value < 0;
	char *to = text + 63;

	if (minus)
		value = -value;
	*to = 0;
	do
		*--to = (char)('0' + (int)(value % 10));
	while (value /= 10);
	if (minus)
		*--to = '-';
	memmove(text, to, strlen(to) + 1);
}

/* 16 bytes */
static void format_wide(struct format *f, const struct expr_value *v)
{
	unsigned __int128 integer = 0;
	char text[64];
	int rc = 0;

	if (v->type->size > sizeof(integer)) {
		format_failure(f, "too wide");
		return;
	}
	if (v->bytes)
		memcpy(&integer, v->bytes, v->type->size);
	else
		rc = format_read(f, v->address, &integer, v->type->size);
	if (rc) {
		format_unreadable(f, v, rc);
		return;
	}
	integer_text(integer, v->type->is_signed, text);
	format_word(f, text, json_object_new_string(text));
}

/*
 * Every enumerator one bit, or none, or made of others' bits: `A|B` is meant. But 0, 1, 2, 3 count
 * something, and so does what has more of the last kind than of the first.
 */
static bool enum_is_flags(const struct ctype *type)
{
	uint32_t single = 0, made = 0;
	uint64_t bits = 0, largest = 0;
	int64_t value;

	for (uint32_t i = 0; i < ctype_enumerators(type); i++) {
		ctype_enumerator(type, i, &value);
		if (type->is_signed && value < 0)
			return false;
		if (__builtin_popcountll((uint64_t)value) == 1) {
			bits |= (uint64_t)value;
			single++;
		}
		made += __builtin_popcountll((uint64_t)value) > 1;
		largest = (uint64_t)value > largest ? (uint64_t)value : largest;
	}
	for (uint32_t i = 0; i < ctype_enumerators(type); i++) {
		ctype_enumerator(type, i, &value);
		if ((uint64_t)value & ~bits)
			return false;
	}
	return single >= 2 && bits > 2 && made <= single && largest > single + made;
}

static bool enum_flags_text(const struct ctype *type, uint64_t value, char *buf, size_t size)
{
	uint64_t left = value;
	int64_t flag;
	size_t at = 0;

	if (!value || !enum_is_flags(type))
		return false;
	for (uint32_t i = 0; i < ctype_enumerators(type) && at < size; i++) {
		const char *name = ctype_enumerator(type, i, &flag);

		if (__builtin_popcountll((uint64_t)flag) != 1 || !(left & (uint64_t)flag))
			continue;
		left &= ~(uint64_t)flag;
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? "|" : "", name);
	}
	if (left && at && at < size)
		snprintf(buf + at, size - at, "|0x%" PRIx64, left);
	return at > 0;
}

static void format_enum(struct format *f, const struct expr_value *v)
{
	char text[512], name[128];
	int64_t value;

	for (uint32_t i = 0; i < ctype_enumerators(v->type); i++) {
		const char *enumerator = ctype_enumerator(v->type, i, &value);

		if ((uint64_t)value == v->integer) {
			format_word(f, enumerator, json_object_new_string(enumerator));
			return;
		}
	}
	if (enum_flags_text(v->type, v->integer, text, sizeof(text))) {
		format_word(f, text, json_object_new_string(text));
		return;
	}
	ctype_declare(f->names->types, v->type, NULL, name, sizeof(name));
	snprintf(text, sizeof(text), "(%s)", name);
	number_text(v, text + strlen(text), sizeof(text) - strlen(text));
	format_word(f, text, number_json(v));
}

void format_scalar(struct format *f, const struct expr_value *object)
{
	struct expr_value v;
	int rc;

	if (object->type->kind != CTYPE_FLOAT && object->type->size > 8 && object->lvalue &&
	    !object->bit_size) {
		format_wide(f, object);
		return;
	}
	rc = expr_load(f->memory, object, &v);
	if (rc) {
		format_unreadable(f, object, rc);
		return;
	}
	v.bit_size = object->bit_size;
	if (v.type->kind == CTYPE_FLOAT)
		format_real(f, v.real, v.type);
	else if (v.type->kind == CTYPE_ENUM)
		format_enum(f, &v);
	else if (v.type->kind == CTYPE_BOOL)
		format_bool(f, &v);
	else
		format_integer(f, &v);
}
