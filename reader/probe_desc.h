/* SPDX-License-Identifier: MIT */
/*
 * A probe as a note describes it: weir's own (.note.weir, or the same bytes in the schema log of
 * the shared memory) or a plain USDT note (.note.stapsdt). The bytes come from strangers: they are
 * copied once, validated in the copy, and every string below points into that copy.
 */
#ifndef WEIR_READER_PROBE_DESC_H
#define WEIR_READER_PROBE_DESC_H

#include <stddef.h>
#include <stdint.h>

#include <weir/abi/note.h>

#include "reader/error.h"

enum probe_kind {
	PROBE_WEIR = 1,
	PROBE_USDT = 2,
};

/* More than any tool writes; a note that claims more is refused. */
#define PROBE_DESC_FIELDS_MAX 64

struct probe_field {
	const char *name;    /* "arg0", ... for a plain USDT probe */
	const char *operand; /* "-8(%rbp)"; NULL: not known */
	uint8_t type;        /* enum weir_note_type */
	uint8_t arg;         /* index of its USDT argument; WEIR_NOTE_BYTES has two */
};

struct probe_desc {
	enum probe_kind kind;
	const char *provider;
	const char *name;
	uint64_t site;      /* as the note has it; 0: none */
	uint64_t base;      /* plain USDT: where the linker thought .stapsdt.base would be */
	uint64_t semaphore; /* 0: none */
	uint32_t string_limit;
	uint16_t args;    /* USDT arguments */
	const char *usdt; /* the argument string as written; "" if there is none */
	size_t fields_count;
	struct probe_field fields[];
};

/*
 * Parse the description part of a .note.weir note. -EINVAL: not what abi/note.h says;
 * -EOPNOTSUPP: a version from the future; -ENOMEM. The caller frees *ret with free().
 */
int probe_desc_parse_weir(const void *bytes, size_t size, struct probe_desc **ret,
                          struct weir_error *err);

/* The same for the description part of a stapsdt note; addresses are `word` (4 or 8) bytes long. */
int probe_desc_parse_usdt(const void *bytes, size_t size, unsigned word, struct probe_desc **ret,
                          struct weir_error *err);

/* "i8" .. "pointer"; NULL for a number that is no type. */
const char *probe_type_name(unsigned type);

#endif
