/* SPDX-License-Identifier: MIT */
/*
 * The names of a whole program: its ELF images, each with types and symbols, at the
 * addresses where they are loaded. This is the struct expr_names of a live process
 * and of a core file alike.
 *
 * Images are opened when a name asks for them, in the order given, and a
 * name is the first image's that has it: looking at the program's own variables
 * never converts the types of its libraries. `'libx.so.1'::name` asks one image only.
 */
#ifndef WEIR_TYPES_SPACE_H
#define WEIR_TYPES_SPACE_H

#include "types/expr.h"
#include "types/types.h"

struct space;

struct space_image {
	const char *name;    /* its path as the program knows it; copied */
	uint64_t start, end; /* the addresses it takes */
};

struct space_opened {
	struct types *types;
	uint64_t bias; /* address in the program - address in the file */
	uint64_t end;  /* with .bss, which no mapped file has; 0: as given */
};

/*
 * Open image number `image`; called at most once for each. On failure it has no names. With `table`
 * its symbol table alone: what was compiled without debug information is named there, and
 * only there. Asked for when nothing else has a name, once too.
 */
typedef int (*space_open_fn)(void *ctx, uint32_t image, bool table, struct space_opened *ret);

int space_create(space_open_fn open, void *ctx, struct space **ret);
/* Closes the types that were opened. */
void space_destroy(struct space *space);

/* The program itself first. Returns its number, or -ENOMEM. */
int space_add(struct space *space, const struct space_image *image);
/* Types alone, without symbols, for what the images lack (a header's): taken over. */
int space_add_types(struct space *space, struct types *types);

const struct expr_names *space_names(struct space *space);
bool space_is_type(void *space, const char *name); /* an expr_is_type_fn */

/* The first image that has an address of the file for `name`; the symbol itself. -ENOENT. */
int space_find_symbol(struct space *space, const char *name, struct expr_symbol *ret);

/* Images that were asked and have no types, for the message when a name was not found: "" if all
   have. */
void space_untyped(struct space *space, char *buf, size_t size);

/* The same of images whose types could not all be expressed in BTF, for a member that was not found. */
void space_lost(struct space *space, char *buf, size_t size);

#endif
