/* SPDX-License-Identifier: MIT */
/*
 * What a conversion makes and the cache keeps: one block of bytes that is mapped, not parsed.
 *
 *   header | BTF | offset of each type | unit of each type | symbols | by linkage name |
 *   by address | parameters | units | losses | strings | path of the debug file
 *
 * All tables begin at multiples of 8. Types are sorted by name (anonymous first), symbols by
 * name, so that a name is found with a binary search in the mapping. An image is believed only
 * after image_init(): every offset is inside, every index exists. That takes longer than a look at
 * one variable, so it is done when an image is made; one that comes back from the cache is
 * the same as long as its checksum is (image_init_kept()).
 */
#ifndef WEIR_TYPES_IMAGE_H
#define WEIR_TYPES_IMAGE_H

#include <libelf.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/weir.h>

#include "types/symbols.h"

#define IMAGE_MAGIC   0x3150595452494557ULL /* "WEIRTYP1" */
#define IMAGE_VERSION 3

enum image_table {
	IMAGE_BTF,            /* bytes */
	IMAGE_OFFSETS,        /* u32 by type id: offset in the BTF's type section */
	IMAGE_UNITS_OF_TYPES, /* u32 by type id: unit index plus 1 */
	IMAGE_SYMBOLS,
	IMAGE_BY_LINKAGE, /* u32: symbols whose linkage name is another, sorted by it */
	IMAGE_BY_ADDRESS, /* u32: variables and functions, sorted by address */
	IMAGE_PARAMS,
	IMAGE_UNITS, /* u32: names */
	IMAGE_LOSSES,
	IMAGE_STRINGS,
	IMAGE_TABLES,
};

struct image_loss {
	uint64_t count;
	uint32_t what, example; /* strings */
	uint32_t note, reserved;
};

struct image_header {
	uint64_t magic;
	uint32_t version, header_size;
	uint64_t size;     /* of the whole image */
	uint64_t checksum; /* of everything behind the header */
	uint64_t key;      /* hash of what it was made from: see cache.h */
	uint32_t source;   /* enum types_source */
	uint32_t pointer_size;
	uint32_t machine;              /* e_machine */
	uint32_t named;                /* first type id that has a name */
	uint32_t debug_path, reserved; /* string */
	uint64_t max_symbol_size;
	struct {
		uint64_t offset, size;
	} table[IMAGE_TABLES];
};

struct image {
	const uint8_t *data;
	size_t size;
	bool mapped; /* else from malloc */
	const struct image_header *header;
	const uint8_t *types; /* the BTF's type section */
	const char *names;    /* the BTF's strings */
	size_t types_size, names_size;
	const uint32_t *offsets, *type_units, *by_linkage, *by_address, *units;
	const struct symbol *symbols;
	const struct symbol_param *params;
	const struct image_loss *losses;
	const char *strings;
	size_t types_count; /* with void */
	size_t symbols_count, linkage_count, address_count, params_count, units_count, losses_count,
	    strings_size;
};

/* Takes `data` over (mapped or from malloc), also on failure. -EBADMSG: it is not a sound image. */
int image_init(struct image *image, void *data, size_t size, bool mapped);
/* The same for a block that image_init() believed when it was written, by us. */
int image_init_kept(struct image *image, void *data, size_t size, bool mapped);
/* Of everything behind the header; it includes IMAGE_VERSION. */
uint64_t image_checksum(const void *data, size_t size);
/* The key is outside the checksum. Only for an image that is not mapped. */
void image_set_key(struct image *image, uint64_t key);
void image_deinit(struct image *image);

static inline const struct btf_type *image_type(const struct image *i, uint32_t id)
{
	return (const void *)(i->types + i->offsets[id]);
}
static inline const char *image_type_name(const struct image *i, uint32_t id)
{
	return i->names + image_type(i, id)->name_off;
}

/* Where an image has its BTF. */
#define IMAGE_BTF_AT sizeof(struct image_header)

/* What an image is made of; everything but `block` stays the caller's. */
struct image_parts {
	const void *btf; /* raw, sorted */
	void *block;     /* from malloc, with the BTF at IMAGE_BTF_AT and nothing behind it: becomes
	                    the image. Or NULL: the BTF is copied */
	size_t btf_size;
	const uint32_t *type_units; /* by id - 1; may be NULL */
	size_t types_count;         /* without void */
	struct symbol *symbols;     /* sorted in place; strings are offsets in `strings` */
	size_t symbols_count;
	const struct symbol_param *params;
	size_t params_count;
	const uint32_t *units;
	size_t units_count;
	const char *unit_strings;    /* where their names are */
	const struct losses *losses; /* may be NULL */
	const char *strings;
	size_t strings_size;
	const char *debug_path;
	uint32_t source, pointer_size, machine;
	uint64_t key;
	size_t threads; /* that may be used */
};
/* Fill in machine, pointer_size and the symbols' sizes from the program and the types. */
void image_describe(struct image_parts *parts, Elf *elf);
/* -ELOOP: the types do not make sense. */
int image_make(struct image_parts *parts, struct weir_error *err, struct image *ret);

#endif
