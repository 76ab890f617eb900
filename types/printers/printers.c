/* SPDX-License-Identifier: MIT */
/* The registry: add a printer's name to the two lists, see docs/printers.md. */
#include "types/printers/printers.h"

#include <errno.h>
#include <fnmatch.h>
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

void printer_key(struct format *f, const struct expr_value *key, char *buf, size_t size)
{
	struct sink *outer = f->sink, *inner;
	FILE *to = fmemopen(buf, size, "w");
	size_t n;

	buf[0] = 0;
	inner = to ? sink_text_create(to) : NULL;
	if (inner) {
		f->sink = inner;
		format_any(f, key);
		f->sink = outer;
	}
	sink_destroy(inner);
	if (to)
		fclose(to);
	buf[size - 1] = 0;
	n = strlen(buf);
	if (outer->is_json && n >= 2 && buf[0] == '"' && buf[n - 1] == '"') {
		memmove(buf, buf + 1, n - 2);
		buf[n - 2] = 0;
	}
}
