/* SPDX-License-Identifier: MIT */
/*
 * .note.weir: what a probe is called and what its fields are. One ELF note per
 * probe (owner "weir", type 1) in the stub, and the same bytes in the schema
 * log of the shared memory.
 *
 * After the fixed part come `provider` and `probe`, NUL terminated, then per
 * field {type u8, flags u8, arg u8, reserved u8, name NUL terminated}, back to
 * back without alignment. `arg` is the index of the field's USDT argument; a
 * bytes field takes two, pointer and length.
 *
 * Rules of extension: `fixed` is the size of the fixed part as the writer knew
 * it; a reader skips what it does not know. A higher version is refused.
 */
#ifndef WEIR_ABI_NOTE_H
#define WEIR_ABI_NOTE_H

#include <stddef.h>
#include <stdint.h>

/* The layout is a table, aligned by hand. */
/* clang-format off */

#define WEIR_NOTE_OWNER "weir"
#define WEIR_NOTE_PROBE 1 /* ELF note type */
#define WEIR_NOTE_VERSION 1

/* The numbers of enum weir_type in a file; never reused. */
enum weir_note_type {
	WEIR_NOTE_I8 = 1,
	WEIR_NOTE_I16 = 2,
	WEIR_NOTE_I32 = 3,
	WEIR_NOTE_I64 = 4,
	WEIR_NOTE_U8 = 5,
	WEIR_NOTE_U16 = 6,
	WEIR_NOTE_U32 = 7,
	WEIR_NOTE_U64 = 8,
	WEIR_NOTE_F32 = 9,
	WEIR_NOTE_F64 = 10,
	WEIR_NOTE_BOOL = 11,
	WEIR_NOTE_STRING = 12,
	WEIR_NOTE_BYTES = 13,
	WEIR_NOTE_POINTER = 14,
};

struct weir_note {
	uint16_t version;
	uint16_t fixed;        /* sizeof(struct weir_note) of the writer */
	uint32_t size;         /* of the whole description, with this head */
	uint64_t site;         /* address of the site: of the link in a file, as loaded in memory; 0: none */
	uint64_t semaphore;    /* likewise; 0: none */
	uint32_t string_limit; /* stored bytes of a string or bytes field at most; 0: the default */
	uint16_t fields;
	uint16_t args;         /* USDT arguments */
};
_Static_assert(sizeof(struct weir_note) == 32, "note");

struct weir_note_field {
	uint8_t type; /* enum weir_note_type */
	uint8_t flags;
	uint8_t arg;
	uint8_t reserved;
	/* char name[]; */
};
_Static_assert(sizeof(struct weir_note_field) == 4, "note field");

#endif
