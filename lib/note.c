/* SPDX-License-Identifier: MIT */
/* A probe's description: checked once, here, and then the bytes that everybody reads. */
#include "lib/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

static bool is_identifier(const char *name)
{
	if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", *name))
		return false;
	return name[strspn(name,
	                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")] ==
	       '\0';
}

int name_check(const char *what, const char *name, struct weir_error *err)
{
	char shown[WEIR_NAME_MAX + 1];

	if (!name || !*name)
		return error_set(err, -EINVAL, "a %s needs a name", what);
	if (strlen(name) > WEIR_NAME_MAX)
		return error_set(err, -EINVAL,
		                 "the %s name `%.40s...` has %zu characters; perf reads %d at most",
		                 what, error_text(name, shown, sizeof(shown)), strlen(name),
		                 WEIR_NAME_MAX);
	if (!is_identifier(name))
		return error_set(
		    err, -EINVAL,
		    "the %s name `%s` is not an identifier ([A-Za-z_][A-Za-z0-9_]*): tracers "
		    "could not name it",
		    what, error_text(name, shown, sizeof(shown)));
	return 0;
}

static int fields_check(const char *probe, const struct weir_field *fields, size_t count,
                        struct weir_error *err)
{
	if (count > WEIR_FIELDS_MAX)
		return error_set(err, -E2BIG, "probe `%s` has %zu fields; %d is the most", probe,
		                 count, WEIR_FIELDS_MAX);
	if (count && !fields)
		return error_set(err, -EINVAL, "probe `%s`: fields is NULL, count is %zu", probe,
		                 count);
	for (size_t i = 0; i < count; i++) {
		int r = name_check("field", fields[i].name, err);

		if (r)
			return r;
		if (fields[i].type < WEIR_I8 || fields[i].type > WEIR_POINTER)
			return error_set(err, -EINVAL, "field `%s` of probe `%s` has no type: %d",
			                 fields[i].name, probe, (int)fields[i].type);
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(fields[i].name, fields[j].name))
				return error_set(err, -EINVAL,
				                 "probe `%s` has two fields named `%s`", probe,
				                 fields[i].name);
		}
	}
	return 0;
}

static size_t note_size(const char *provider, const char *name, const struct weir_field *fields,
                        size_t count)
{
	size_t size = sizeof(struct weir_note) + strlen(provider) + 1 + strlen(name) + 1;

	for (size_t i = 0; i < count; i++)
		size += sizeof(struct weir_note_field) + strlen(fields[i].name) + 1;
	return size;
}

int note_create(const char *provider, const char *name, const struct weir_field *fields,
                size_t count, uint32_t string_limit, struct weir_note **ret, struct weir_error *err)
{
	struct weir_note *note;
	size_t size;
	uint8_t arg = 0;
	char *p;
	int r = name_check("probe", name, err);

	if (!r)
		r = fields_check(name, fields, count, err);
	if (r)
		return r;
	if (string_limit > WEIR_STRING_LIMIT_MAX)
		return error_set(err, -EINVAL,
		                 "probe `%s`: a string limit of %u bytes; %d is the most", name,
		                 string_limit, WEIR_STRING_LIMIT_MAX);
	size = note_size(provider, name, fields, count);
	note = calloc(1, size);
	if (!note)
		return error_set(err, -ENOMEM, "probe `%s`: no memory", name);
	p = stpcpy((char *)(note + 1), provider) + 1;
	p = stpcpy(p, name) + 1;
	for (size_t i = 0; i < count; i++) {
		struct weir_note_field field = { .type = (uint8_t)fields[i].type, .arg = arg };

		memcpy(p, &field, sizeof(field));
		p = stpcpy(p + sizeof(field), fields[i].name) + 1;
		arg += fields[i].type == WEIR_BYTES ? 2 : 1;
	}
	note->version = WEIR_NOTE_VERSION;
	note->fixed = sizeof(*note);
	note->size = (uint32_t)size;
	note->string_limit = string_limit ? string_limit : WEIR_STRING_LIMIT;
	note->fields = (uint16_t)count;
	note->args = arg;
	*ret = note;
	return 0;
}
