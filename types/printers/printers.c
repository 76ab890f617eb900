/* SPDX-License-Identifier: MIT */
/* The registry: add a printer's name to the two lists, see docs/printers.md. */
#include "types/printers/printers.h"

#include <errno.h>
#include <fnmatch.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct printer *const printers[] = {
	&printer_redis_sds,         &printer_redis_dict,
	&printer_postgres_list,     &printer_postgres_node,
	&printer_cxx_string,        &printer_cxx_string_view,
	&printer_cxx_vector,        &printer_cxx_map,
	&printer_cxx_set,           &printer_cxx_unordered_map,
	&printer_cxx_unordered_set, &printer_cxx_unique_ptr,
	&printer_cxx_shared_ptr,    &printer_cxx_optional,
	&printer_ruby_value,        NULL,
};

#define CHOICES 1024 /* types that are remembered; a power of two */

struct printer_choice {
	const struct ctype *type;
	const struct printer *printer;
};

/* Does the name of `type`, or of a typedef on the way to it, fit? */
static bool fits_name(const struct ctype *type, const char *pattern)
{
	if (strpbrk(pattern, "*?["))
		return !fnmatch(pattern, ctype_base_tag(type), 0);
	if (ctype_has_typedef(type, pattern))
		return true;
	return ctype_is_record(type) && !strcmp(ctype_base_tag(type), pattern);
}

static bool fits(struct format *f, const struct ctype *type, const char *pattern)
{
	size_t n = strlen(pattern);
	char inner[128];

	if (n > 2 && n < sizeof(inner) && !strcmp(pattern + n - 2, " *")) {
		if (type->kind != CTYPE_POINTER)
			return false;
		memcpy(inner, pattern, n - 2);
		inner[n - 2] = 0;
		return fits_name(ctype_to(f->names->types, type), inner);
	}
	return fits_name(type, pattern);
}

static const struct printer *search(struct format *f, const struct ctype *type)
{
	for (const struct printer *const *p = printers; *p; p++)
		for (const char *const *pattern = (*p)->types; *pattern; pattern++)
			if (fits(f, type, *pattern))
				return *p;
	return NULL;
}

const struct printer *printer_find(struct format *f, const struct ctype *type)
{
	size_t i = ((uintptr_t)type >> 4) % CHOICES;

	if (f->opts.raw)
		return NULL;
	if (!f->choices)
		f->choices = calloc(CHOICES, sizeof(*f->choices));
	if (!f->choices)
		return search(f, type);
	if (f->choices[i].type != type)
		f->choices[i] = (struct printer_choice){ type, search(f, type) };
	return f->choices[i].printer;
}

void printer_choices_free(struct format *f)
{
	free(f->choices);
	f->choices = NULL;
}

void printer_integer(struct format *f, int64_t value)
{
	struct expr_value v = { .type = ctype_builtin(CTYPE_B_LONG), .integer = (uint64_t)value };

	format_plain(f, &v);
}

int printer_value(struct format *f, uint64_t i, const char *expr, struct expr_value *ret)
{
	struct expr_value it = { .type = ctype_builtin(CTYPE_B_ULONG), .integer = i };

	return format_eval(f, &it, i, expr, ret);
}

int printer_number(struct format *f, uint64_t i, const char *expr, uint64_t *ret)
{
	struct expr_value it = { .type = ctype_builtin(CTYPE_B_ULONG), .integer = i };

	return format_number(f, &it, i, expr, ret);
}

/* It goes to another sink meanwhile. */
static void format_into(struct format *f, const struct expr_value *v, struct sink *to)
{
	struct sink *outer = f->sink;

	f->sink = to;
	format_any(f, v);
	f->sink = outer;
}

/* A text that is whole and UTF-8 is its own key in JSON. */
static bool plain_key(struct format *f, const struct expr_value *key, char *buf, size_t size)
{
	struct sink *sink = sink_json_create();
	struct json_object *value, *notes;
	const char *text;
	bool plain;

	if (!sink)
		return false;
	format_into(f, key, sink);
	value = sink_json_take(sink);
	notes = sink_json_notes(sink);
	text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
	plain = text && !notes && strlen(text) < size &&
	        strlen(text) == (size_t)json_object_get_string_len(value);
	if (plain)
		strcpy(buf, text);
	json_object_put(value);
	json_object_put(notes);
	sink_destroy(sink);
	return plain;
}

void printer_key(struct format *f, const struct expr_value *key, char *buf, size_t size)
{
	struct sink *sink;
	char *text = NULL;
	size_t n = 0;
	FILE *to;

	buf[0] = 0;
	if (f->sink->is_json && plain_key(f, key, buf, size))
		return;
	to = open_memstream(&text, &n);
	sink = to ? sink_text_create(to) : NULL;
	if (sink)
		format_into(f, key, sink);
	sink_destroy(sink);
	if (to && !fclose(to))
		snprintf(buf, size, "%s", text);
	if (n >= size)
		strcpy(buf + size - 4, "...");
	free(text);
}
