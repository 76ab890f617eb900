/* SPDX-License-Identifier: MIT */
/*
 * What the members of an event's structure are called in a recording's metadata: the fields that a
 * program declared, and beside them the lengths of strings and bytes, and padding.
 *
 * In the metadata each has an underscore in front, which readers take off, so that none is a keyword of
 * TSDL. babeltrace2 refuses a trace with a member that is called, underscore included, as one before it
 * is without: `a` behind `_a`, or a field `path_length` behind the length `_path_length`. So what would
 * be such gets underscores at its end; of a program's own fields, only the second of two.
 */
#ifndef WEIR_READER_CTF_NAMES_H
#define WEIR_READER_CTF_NAMES_H

#include "reader/schema.h"

/* Names end below WEIR_NAME_MAX; what is added, and room for underscores. */
#define CTF_NAME_ROOM 128

/* As readers say them: the metadata has one more underscore in front. */
struct ctf_names {
	char fields[SCHEMA_FIELDS_MAX][CTF_NAME_ROOM];
	char lengths[SCHEMA_FIELDS_MAX][CTF_NAME_ROOM]; /* "": it is neither string nor bytes */
	char originals[SCHEMA_FIELDS_MAX][CTF_NAME_ROOM];
	char padding[CTF_NAME_ROOM];
};

void ctf_names_init(struct ctf_names *ret, const struct schema_probe *probe);

#endif
