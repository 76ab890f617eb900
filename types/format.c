/* SPDX-License-Identifier: MIT */
/*
 * An object's bytes are read once, whole, and its members are taken from that copy:
 * one system call for a struct of any number of members, and members that belong
 * together. Only when the whole cannot be read is it tried member by member.
 */
#include "types/format_private.h"

#include <errno.h>
#include <inttypes.h>
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

void format_failure(struct format *f, const char *text)
{
	f->failed = f->failed || (!f->nest && !f->depth);
	f->sink->ops->failure(f->sink, text);
}

void format_cut(struct format *f)
{
	char note[64];

	snprintf(note, sizeof(note), "cut: more than %u values in all", f->opts.values_max);
	f->sink->ops->note(f->sink, note);
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
		format_unreadable(f, v, rc);
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
	uint64_t i = 0, end;
	char note[64];

	f->sink->ops->open(f->sink, SINK_ARRAY, NULL, flat && !printer_find(f, type));
	f->nest++;
	for (; i < shown && f->values < f->opts.values_max; i = end + 1) {
		struct expr_value element = element_at(v, type, i);

		end = run_end(v, type, i, shown);
		f->sink->ops->entry(f->sink, i, end);
		format_any(f, &element);
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (i < v->type->count) {
		snprintf(note, sizeof(note), "%" PRIu64 " of %" PRIu64 " elements", i,
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
	if (text && v.bytes && (type->is_signed || format_is_text(v.bytes, (size_t)v.type->count)))
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

/* Where the object's first pointer, to its vtable, says. */
static void format_virtual_base(struct format *f, const struct expr_value *record,
                                const struct ctype_field *field, uint64_t slot, const char *name)
{
	struct expr_value base = { .type = ctype_to(f->names->types, field->type), .lvalue = true };
	struct expr_value table = { .address = record->address };
	int64_t offset = 0;
	char key[160];
	int rc = format_read(f, record->address, &table.address, sizeof(table.address));

	if (!rc) {
		table.address -= slot;
		rc = format_read(f, table.address, &offset, sizeof(offset));
	}
	snprintf(key, sizeof(key), "__base_%s", name);
	f->sink->ops->key(f->sink, key);
	if (rc) {
		format_unreadable(f, &table, rc);
		return;
	}
	base.address = record->address + (uint64_t)offset;
	format_any(f, &base);
}

static void format_fields(struct format *f, const struct expr_value *record)
{
	uint32_t count = ctype_fields(record->type), i;
	struct ctype_field field;
	const char *name;
	uint64_t slot;

	for (i = 0; i < count && f->values < f->opts.values_max; i++) {
		if (!ctype_field(f->names->types, record->type, i, &field)) {
			if (ctype_is_virtual_base(&field, &slot, &name))
				format_virtual_base(f, record, &field, slot, name);
			else
				format_field(f, record, &field);
			continue;
		}
		f->sink->ops->key(f->sink, "?");
		format_failure(f, "bad member");
	}
	if (i < count)
		format_cut(f);
}

/* What stands for a type that BTF has no word for: a struct of a size, without members. */
static void format_opaque(struct format *f, const struct expr_value *v)
{
	char text[160] = "its members are not known; its bytes:";
	uint8_t bytes[16] = { 0 };
	size_t n = v->type->size < sizeof(bytes) ? v->type->size : sizeof(bytes);
	int rc = 0;

	if (v->bytes)
		memcpy(bytes, v->bytes, n);
	else
		rc = format_read(f, v->address, bytes, n);
	if (rc) {
		format_unreadable(f, v, rc);
		return;
	}
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %02x", bytes[i]);
	if (n < v->type->size)
		strcat(text, " ...");
	format_failure(f, text);
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
	if (v.type->size > 1 && !ctype_fields(v.type)) { /* an empty class of C++ has one byte */
		format_opaque(f, &v);
		free(bytes);
		return;
	}
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
		format_failure(f, "void");
		break;
	case CTYPE_INCOMPLETE:
		format_failure(f, "only declared, its members are not known");
		break;
	default:
		format_failure(f, "bad type");
	}
}

void format_any(struct format *f, const struct expr_value *v)
{
	const struct printer *printer;

	if (++f->values > f->opts.values_max || f->nest > NEST_MAX || f->depth > NEST_MAX) {
		format_failure(f, f->values > f->opts.values_max ? "too many values"
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
	f->failed = false;
	f->depth = f->nest = f->values = 0;
	free(f->seen);
	f->seen = NULL;
	f->seen_size = f->seen_used = 0;
}

int format_value(struct format *f, struct sink *to, const struct expr_value *value)
{
	format_begin(f, to);
	format_any(f, value);
	return f->failed ? -EFAULT : 0;
}
