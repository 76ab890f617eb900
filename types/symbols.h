/* SPDX-License-Identifier: MIT */
/* Symbols as a conversion collects them; strings are offsets in the builder, types its ids. */
#ifndef WEIR_TYPES_SYMBOLS_H
#define WEIR_TYPES_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/* How a parameter's place was found; the rest is for the calling convention. */
enum place_kind {
	PLACE_ABI,      /* as the calling convention says */
	PLACE_REGISTER, /* reg, reg2 */
	PLACE_STACK,    /* offset from the stack pointer at entry */
	PLACE_MEMORY,   /* at the address in reg */
	PLACE_NOWHERE,
};

struct symbol_param {
	uint32_t name, type;
	int32_t offset;
	int8_t reg, reg2;
	uint8_t kind; /* enum place_kind */
	uint8_t reserved;
};

/* This is also how the image has it (image.h). */
struct symbol {
	uint32_t name, linkage, scope;
	uint32_t unit; /* index plus 1; 0: unknown */
	uint32_t type;
	uint32_t flags; /* enum types_symbol_flag */
	uint64_t address, size;
	uint32_t param, params;
	uint32_t kind; /* enum types_symbol_kind */
	uint32_t reserved;
};

struct symbols {
	struct symbol *list;
	size_t count, room;
	struct symbol_param *params;
	size_t params_count, params_room;
};

void symbols_deinit(struct symbols *s);

#endif
