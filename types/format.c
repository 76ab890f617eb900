/* SPDX-License-Identifier: MIT */
/*
 * An object's bytes are read once, whole, and its members are taken from that copy:
 * one system call for a struct of any number of members, and members that belong
 * together. Only when the whole cannot be read is it tried member by member.
 */
#include "types/format_private.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define NEST_MAX   48
#define WHOLE_MAX  (1u << 20) /* bytes of an object that is read at once */
#define REPEAT_MIN 4          /* equal elements that become one line */

int format_create(const struct format_options *opts, const struct expr_names *names,
                  const struct expr_memory *memory, struct format **ret)
{
	struct format *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->opts = *opts;
	f->names = names;
	f->memory = memory;
	*ret = f;
	return 0;
}

void format_destroy(struct format *f)
{
	if (!f)
		return;
	format_compiled_free(f);
	printer_choices_free(f);
	free(f->seen);
	free(f);
}

int format_read(struct format *f, uint64_t address, void *buf, size_t size)
{
	return f->memory->read(f->memory->ctx, address, buf, size);
}

/* ---- what was shown ---- */

static struct seen_object *seen_slot(struct seen_object *slots, size_t size, uint64_t address,
                                     const struct ctype *type)
{
	size_t i = (size_t)((address ^ (uintptr_t)type) * 0x9e3779b97f4a7c15 >> 20) & (size - 1);

	while (slots[i].type && (slots[i].address != address || slots[i].type != type))
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static bool seen_grow(struct format *f)
{
	size_t size = f->seen_size ? f->seen_size * 2 : 64;
	struct seen_object *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < f->seen_size; i++)
		if (f->seen[i].type)
			*seen_slot(slots, size, f->seen[i].address, f->seen[i].type) = f->seen[i];
	free(f->seen);
	f->seen = slots;
	f->seen_size = size;
	return true;
}

bool format_seen(struct format *f, uint64_t address, const struct ctype *type)
{
	struct seen_object *slot;

	if (f->seen_used * 2 >= f->seen_size && !seen_grow(f))
		return true;
	slot = seen_slot(f->seen, f->seen_size, address, type);
	if (slot->type)
		return true;
	*slot = (struct seen_object){ address, type };
	f->seen_used++;
	return false;
}

/* ---- scalars ---- */

static void scalar(struct format *f, const char *text, struct json_object *json)
{
	f->sink->ops->scalar(f->sink, text, json);
}

static void unreadable(struct format *f, const struct expr_value *v, int rc)
{
	char text[96];

	if (rc == -EFAULT)
		snprintf(text, sizeof(text), "0x%" PRIx64 " is not mapped", v->address);
	else
		snprintf(text, sizeof(text), "reading 0x%" PRIx64 ": %s", v->address,
		         strerror(-rc));
	f->sink->ops->failure(f->sink, text);
}

static void format_integer(struct format *f, const struct expr_value *v)
{
	char text[64], c[8];
	int64_t s = (int64_t)v->integer;

	if (v->type->is_signed)
		snprintf(text, sizeof(text), "%" PRId64, s);
	else
		snprintf(text, sizeof(text), "%" PRIu64, v->integer);
	if (v->type->is_char && !v->bit_size) {
		char byte = (char)v->integer;

		sink_quote(&byte, 1, c, sizeof(c));
		c[0] = c[strlen(c) - 1] = '\'';
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s", c);
	}
	scalar(f, text,
	       v->type->is_signed ? json_object_new_int64(s) : json_object_new_uint64(v->integer));
}

static void format_bool(struct format *f, const struct expr_value *v)
{
	char text[32];

	if (v->integer <= 1) {
		scalar(f, v->integer ? "true" : "false", json_object_new_boolean(v->integer != 0));
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, v->integer);
	scalar(f, text, json_object_new_uint64(v->integer));
}

static void format_real(struct format *f, double real, bool single)
{
	char text[48];

	for (int precision = single ? 6 : 15; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*g", precision, real);
		if (single ? (float)strtod(text, NULL) == (float)real : strtod(text, NULL) == real)
			break;
	}
	if (real != real || real - real != 0) /* JSON has no NaN and no infinity */
		scalar(f, text, json_object_new_string(text));
	else
		scalar(f, text, json_object_new_double_s(real, text));
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

/* 16 bytes: long double, __int128. */
static void format_wide(struct format *f, const struct expr_value *v)
{
	union {
		long double real;
		unsigned __int128 integer;
	} u = { .integer = 0 };
	char text[64];
	int rc = 0;

	if (v->type->size > sizeof(u)) {
		f->sink->ops->failure(f->sink, "too wide");
		return;
	}
	if (v->bytes)
		memcpy(&u, v->bytes, v->type->size);
	else
		rc = format_read(f, v->address, &u, v->type->size);
	if (rc) {
		unreadable(f, v, rc);
		return;
	}
	if (v->type->kind == CTYPE_FLOAT)
		snprintf(text, sizeof(text), "%.21Lg", u.real);
	else
		integer_text(u.integer, v->type->is_signed, text);
	scalar(f, text, json_object_new_string(text));
}

/* Every enumerator one bit, or none, or made of others' bits: `A|B` is meant. */
static bool enum_is_flags(const struct ctype *type)
{
	uint64_t bits = 0;
	uint32_t single = 0;
	int64_t value;

	for (uint32_t i = 0; i < ctype_enumerators(type); i++) {
		ctype_enumerator(type, i, &value);
		if (value < 0)
			return false;
		if (__builtin_popcountll((uint64_t)value) == 1) {
			bits |= (uint64_t)value;
			single++;
		}
	}
	for (uint32_t i = 0; i < ctype_enumerators(type); i++) {
		ctype_enumerator(type, i, &value);
		if ((uint64_t)value & ~bits)
			return false;
	}
	/* 0, 1, 2 alone is an ordinary enum. */
	return single >= 2 && bits > 2;
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
			scalar(f, enumerator, json_object_new_string(enumerator));
			return;
		}
	}
	if (enum_flags_text(v->type, v->integer, text, sizeof(text))) {
		scalar(f, text, json_object_new_string(text));
		return;
	}
	ctype_declare(f->names->types, v->type, NULL, name, sizeof(name));
	snprintf(text, sizeof(text), "(%s)%" PRId64, name, (int64_t)v->integer);
	scalar(f, text, json_object_new_int64((int64_t)v->integer));
}

static void format_scalar(struct format *f, const struct expr_value *object)
{
	struct expr_value v;
	int rc;

	if (object->type->size > 8 && object->lvalue && !object->bit_size) {
		format_wide(f, object);
		return;
	}
	rc = expr_load(f->memory, object, &v);
	if (rc) {
		unreadable(f, object, rc);
		return;
	}
	v.bit_size = object->bit_size;
	if (v.type->kind == CTYPE_FLOAT)
		format_real(f, v.real, v.type->size == 4);
	else if (v.type->kind == CTYPE_ENUM)
		format_enum(f, &v);
	else if (v.type->kind == CTYPE_BOOL)
		format_bool(f, &v);
	else
		format_integer(f, &v);
}

/* ---- pointers ---- */

static void address_text(struct format *f, uint64_t address, char *buf, size_t size)
{
	char symbol[160];

	snprintf(buf, size, "0x%" PRIx64, address);
	if (f->names->at && !f->names->at(f->names->ctx, address, symbol, sizeof(symbol)))
		snprintf(buf + strlen(buf), size - strlen(buf), " <%s>", symbol);
}

static struct json_object *address_json(struct format *f, uint64_t address)
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

static void format_address(struct format *f, uint64_t address)
{
	char text[200];

	address_text(f, address, text, sizeof(text));
	scalar(f, text, address_json(f, address));
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
		f->sink->ops->failure(f->sink, why);
	} else {
		f->sink->ops->text(f->sink, text, buf, n, rc > 0);
	}
	free(buf);
}

void format_bytes(struct format *f, uint64_t pointer, uint64_t address, uint64_t n)
{
	size_t max = n < f->opts.string_max ? (size_t)n : f->opts.string_max;
	struct expr_value at = { .address = address };
	char text[32] = "", *buf = malloc(max + 1);
	int rc;

	if (!buf)
		return;
	if (pointer)
		snprintf(text, sizeof(text), "0x%" PRIx64, pointer);
	rc = max ? format_read(f, address, buf, max) : 0;
	if (rc)
		unreadable(f, &at, rc);
	else
		f->sink->ops->text(f->sink, text, buf, max, n > max);
	free(buf);
}

/* Unsigned chars are as often numbers as a text: they have to look like one, to the NUL, and hold
   nothing behind it. */
static bool looks_like_text(const char *bytes, size_t n)
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
	       looks_like_text(start, strnlen(start, sizeof(start)));
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
	f->sink->ops->pointer(f->sink, text, address_json(f, address));
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
		unreadable(f, object, rc);
	else if (!v.integer)
		scalar(f, "NULL", NULL);
	else if (is_text_pointer(f, to, v.integer))
		format_cstring(f, v.integer);
	else if (can_follow(to) && (wanted || f->depth < f->opts.depth || is_whole(f, to)))
		follow(f, v.integer, to);
	else
		format_address(f, v.integer);
}

/* ---- arrays and records ---- */

/* A copy of the object's bytes in v->bytes; the caller frees it. NULL: none, or it had one. */
static void *take_bytes(struct format *f, struct expr_value *v, uint64_t size)
{
	void *bytes;

	if (v->bytes || !v->lvalue || !size || size > WHOLE_MAX)
		return NULL;
	bytes = malloc(size);
	if (bytes && format_read(f, v->address, bytes, size)) {
		free(bytes);
		bytes = NULL;
	}
	v->bytes = bytes;
	return bytes;
}

/* Not even its first byte is there: one message for the whole. */
static bool is_missing(struct format *f, const struct expr_value *v)
{
	char byte;
	int rc;

	if (v->bytes || !v->lvalue || !v->type->size)
		return false;
	rc = format_read(f, v->address, &byte, 1);
	if (rc)
		unreadable(f, v, rc);
	return rc != 0;
}

static void format_text_array(struct format *f, const struct expr_value *v)
{
	uint64_t count = v->type->count;
	size_t n = count < f->opts.string_max ? (size_t)count : f->opts.string_max, length,
	       rest = 0;
	const char *bytes = v->bytes;

	length = strnlen(bytes, n);
	f->sink->ops->text(f->sink, "", bytes, length, length == n && n < count);
	for (uint64_t i = length; length < n && i < count; i++)
		rest += bytes[i] != 0;
	if (rest) {
		char note[64];

		snprintf(note, sizeof(note), "%zu bytes behind the NUL are not 0", rest);
		f->sink->ops->note(f->sink, note);
	}
}

static struct expr_value element_at(const struct expr_value *array, const struct ctype *type,
                                    uint64_t i)
{
	struct expr_value v = { .type = type, .lvalue = true };

	v.address = array->address + i * type->size;
	if (array->bytes)
		v.bytes = (const char *)array->bytes + i * type->size;
	return v;
}

/* The last of a run of equal elements from `i` on. */
static uint64_t run_end(const struct expr_value *array, const struct ctype *type, uint64_t i,
                        uint64_t shown)
{
	const char *first = (const char *)array->bytes + i * type->size;
	uint64_t end = i;

	if (!array->bytes || !type->size)
		return i;
	while (end + 1 < shown &&
	       !memcmp(first, (const char *)array->bytes + (end + 1) * type->size, type->size))
		end++;
	return end - i + 1 >= REPEAT_MIN ? end : i;
}

/* Unsigned chars that are no text are numbers. */
static const struct ctype *as_number(const struct ctype *type)
{
	static const struct ctype number = { .kind = CTYPE_INT, .size = 1 };

	return type->kind == CTYPE_INT && type->is_char && !type->is_signed ? &number : type;
}

static void format_elements(struct format *f, const struct expr_value *v, const struct ctype *type,
                            uint64_t shown)
{
	bool flat = ctype_is_arithmetic(type) || (type->kind == CTYPE_POINTER && !f->opts.depth &&
	                                          !ctype_to(f->names->types, type)->is_char);
	char note[64];

	f->sink->ops->open(f->sink, SINK_ARRAY, NULL, flat && !printer_find(f, type));
	f->nest++;
	for (uint64_t i = 0, end; i < shown && f->values < f->opts.values_max; i = end + 1) {
		struct expr_value element = element_at(v, type, i);

		end = run_end(v, type, i, shown);
		f->sink->ops->entry(f->sink, i, end);
		format_any(f, &element);
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (shown < v->type->count) {
		snprintf(note, sizeof(note), "%" PRIu64 " of %" PRIu64 " elements", shown,
		         v->type->count);
		f->sink->ops->note(f->sink, note);
	}
}

static void format_array(struct format *f, const struct expr_value *object)
{
	const struct ctype *type = ctype_to(f->names->types, object->type);
	struct expr_value v = *object;
	uint64_t shown =
	    v.type->count < f->opts.elements_max ? v.type->count : f->opts.elements_max;
	bool text = type->kind == CTYPE_INT && type->is_char;
	uint64_t wanted = text ? v.type->count : shown * type->size;
	void *bytes;

	if (text && v.type->count > WHOLE_MAX) {
		format_bytes(f, 0, v.address, v.type->count);
		return;
	}
	bytes = take_bytes(f, &v, wanted);
	if (is_missing(f, &v))
		return;
	if (text && v.bytes && (type->is_signed || looks_like_text(v.bytes, (size_t)v.type->count)))
		format_text_array(f, &v);
	else
		format_elements(f, &v, as_number(type), shown);
	free(bytes);
}

static void format_fields(struct format *f, const struct expr_value *record);

static void format_field(struct format *f, const struct expr_value *record,
                         const struct ctype_field *field)
{
	uint64_t offset = field->bit_offset / 8, end = offset + field->type->size;
	struct expr_value v = *record;

	v.type = field->type;
	v.address = record->address + offset;
	v.bit_offset = (uint32_t)(field->bit_offset % 8);
	v.bit_size = field->bit_size;
	if (field->bit_size)
		end = offset + (v.bit_offset + v.bit_size + 7) / 8;
	/* A hostile member may lie outside of its struct. */
	v.bytes = record->bytes && end <= record->type->size ? (const char *)record->bytes + offset
	                                                     : NULL;
	/* JSON has no members without a name: an anonymous struct's are its parent's, as in C. */
	if (f->sink->is_json && !field->name[0] && ctype_is_record(v.type) && f->nest < NEST_MAX) {
		f->nest++;
		format_fields(f, &v);
		f->nest--;
		return;
	}
	f->sink->ops->key(f->sink, field->name);
	format_any(f, &v);
}

static void format_fields(struct format *f, const struct expr_value *record)
{
	struct ctype_field field;

	for (uint32_t i = 0; i < ctype_fields(record->type) && f->values < f->opts.values_max;
	     i++) {
		if (!ctype_field(f->names->types, record->type, i, &field)) {
			format_field(f, record, &field);
			continue;
		}
		f->sink->ops->key(f->sink, "?");
		f->sink->ops->failure(f->sink, "bad member");
	}
}

static void format_record(struct format *f, const struct expr_value *object)
{
	struct expr_value v = *object;
	void *bytes = take_bytes(f, &v, v.type->size);
	bool labelled = f->nest == 0 || f->followed;
	char label[160] = "(";

	if (is_missing(f, &v))
		return;
	if (f->nest == 0)
		format_seen(f, v.address, v.type);
	f->followed = false;
	ctype_declare(f->names->types, v.type, NULL, label + 1, sizeof(label) - 2);
	strcat(label, ")");
	f->sink->ops->open(f->sink, SINK_RECORD, labelled && !strstr(label, "{...}") ? label : NULL,
	                   false);
	f->nest++;
	format_fields(f, &v);
	f->nest--;
	f->sink->ops->close(f->sink);
	free(bytes);
}

void format_plain(struct format *f, const struct expr_value *v)
{
	switch (v->type->kind) {
	case CTYPE_INT:
	case CTYPE_BOOL:
	case CTYPE_ENUM:
	case CTYPE_FLOAT:
		format_scalar(f, v);
		break;
	case CTYPE_POINTER:
		format_pointer(f, v, false);
		break;
	case CTYPE_ARRAY:
		format_array(f, v);
		break;
	case CTYPE_STRUCT:
	case CTYPE_UNION:
		format_record(f, v);
		break;
	case CTYPE_FUNCTION:
		format_address(f, v->address);
		break;
	case CTYPE_VOID:
		f->sink->ops->failure(f->sink, "void");
		break;
	case CTYPE_INCOMPLETE:
		f->sink->ops->failure(f->sink, "only declared, its members are not known");
		break;
	default:
		f->sink->ops->failure(f->sink, "bad type");
	}
}

void format_any(struct format *f, const struct expr_value *v)
{
	const struct printer *printer;

	if (++f->values > f->opts.values_max || f->nest > NEST_MAX || f->depth > NEST_MAX) {
		f->sink->ops->failure(f->sink, f->values > f->opts.values_max
		                                   ? "too many values"
		                                   : "nested too deeply");
		return;
	}
	printer = f->opts.raw ? NULL : printer_find(f, v->type);
	if (printer && !v->bit_size && !printer->print(f, v))
		return;
	format_plain(f, v);
}

void format_begin(struct format *f, struct sink *to)
{
	f->sink = to;
	f->depth = f->nest = f->values = 0;
	free(f->seen);
	f->seen = NULL;
	f->seen_size = f->seen_used = 0;
}

void format_value(struct format *f, struct sink *to, const struct expr_value *value)
{
	format_begin(f, to);
	format_any(f, value);
}
