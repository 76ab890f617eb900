/* SPDX-License-Identifier: MIT */
#include "reader/ctf_names.h"

#include <stdio.h>
#include <string.h>

/* Is one of them the other one, or that with an underscore in front? "" is no name yet. */
static bool is_near(const char *a, const char *b)
{
	if (!*a || !*b)
		return false;
	return !strcmp(a, b) || (*a == '_' && !strcmp(a + 1, b)) ||
	       (*b == '_' && !strcmp(b + 1, a));
}

static bool is_near_any(const struct ctf_names *names, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++) {
		if (is_near(names->fields[i], name) || is_near(names->lengths[i], name) ||
		    is_near(names->originals[i], name))
			return true;
	}
	return false;
}

/* With as many underscores at the end as it takes. */
static void lengthen(const struct ctf_names *names, uint32_t count, char name[CTF_NAME_ROOM])
{
	size_t n = strlen(name);

	while (is_near_any(names, count, name) && n + 1 < CTF_NAME_ROOM) {
		name[n++] = '_';
		name[n] = '\0';
	}
}

/* Is field i behind field k? Strings and bytes are behind all others. */
static bool is_behind(const struct schema_probe *p, uint32_t i, uint32_t k)
{
	bool bytes = schema_type_is_bytes(p->fields[i].type);

	return bytes == schema_type_is_bytes(p->fields[k].type) ? i > k : bytes;
}

static void name_field(struct ctf_names *names, const struct schema_probe *p, uint32_t i)
{
	char name[CTF_NAME_ROOM];

	for (uint32_t k = 0; k < p->count; k++) {
		const char *other = names->fields[k];

		if (!is_behind(p, i, k) || *other != '_' || strcmp(other + 1, p->fields[i].name))
			continue;
		snprintf(name, sizeof(name), "%s_", p->fields[i].name);
		lengthen(names, p->count, name);
		strcpy(names->fields[i], name);
		return;
	}
}

static void name_beside(const struct ctf_names *names, const struct schema_probe *p,
                        const char *field, const char *what, char ret[CTF_NAME_ROOM])
{
	char name[CTF_NAME_ROOM];

	snprintf(name, sizeof(name), "_%s%s", field, what);
	lengthen(names, p->count, name);
	strcpy(ret, name);
}

void ctf_names_init(struct ctf_names *names, const struct schema_probe *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		snprintf(names->fields[i], CTF_NAME_ROOM, "%s", p->fields[i].name);
		*names->lengths[i] = *names->originals[i] = '\0';
	}
	for (int bytes = 0; bytes < 2; bytes++) {
		for (uint32_t i = 0; i < p->count; i++) {
			if (schema_type_is_bytes(p->fields[i].type) == bytes)
				name_field(names, p, i);
		}
	}
	for (uint32_t i = 0; i < p->count; i++) {
		const char *name = p->fields[i].name;

		if (!schema_type_is_bytes(p->fields[i].type))
			continue;
		name_beside(names, p, name, "_length", names->lengths[i]);
		name_beside(names, p, name, "_original", names->originals[i]);
	}
	name_beside(names, p, "", "", names->padding);
}
