/* SPDX-License-Identifier: MIT */
/*
 * The DWARF of one file: sections, units, abbreviations.
 *
 * elfutils finds, decompresses and relocates the sections. The entries themselves are walked
 * here, because a conversion looks at every one of them once, and most of its time is in that
 * walk: libdw's calls parse the abbreviation again for each attribute, for the child, and for the
 * sibling. Here each abbreviation is compiled once into steps ("read this attribute", "skip 13
 * bytes"), so that an entry nobody wants costs little.
 *
 * A *position* is a place in the concatenation of .debug_info and .debug_types of the file and of
 * its dwz alternate file; it names an entry with 32 bits. Larger files are refused.
 */
#ifndef WEIR_TYPES_DWARF_FILE_H
#define WEIR_TYPES_DWARF_FILE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weir/weir.h>

#include "types/inflate.h"

struct dw_section {
	const uint8_t *data;
	size_t size;
	bool unpacked; /* data is from unpack() */
	bool joined;   /* of several sections; data is from malloc() */
};

enum dw_step_form { DW_SKIP = 0 }; /* a step with this form skips `skip` bytes */

/* One step through an entry: an attribute, or bytes nobody wants. */
struct dw_step {
	uint16_t attr;
	uint16_t form; /* DW_SKIP, or DW_FORM_* */
	uint32_t skip;
	int64_t implicit; /* DW_FORM_implicit_const */
};

/* What an entry is for, derived from its tag. */
enum dw_class {
	DW_CLASS_NONE,
	DW_CLASS_TYPE,
	DW_CLASS_MEMBER, /* member, inheritance */
	DW_CLASS_ENUMERATOR,
	DW_CLASS_SUBRANGE,
	DW_CLASS_PARAM, /* formal and unspecified */
	DW_CLASS_VARIABLE,
	DW_CLASS_FUNCTION,
	DW_CLASS_SCOPE, /* namespace, module */
	DW_CLASS_BLOCK,
	DW_CLASS_VARIANT, /* variant_part, variant */
};

struct dw_abbrev {
	uint32_t code;
	uint16_t tag;
	uint8_t class; /* enum dw_class */
	bool has_children;
	bool placed; /* has a DW_AT_location that is an expression, or a DW_AT_const_value */
	uint32_t step, steps;
	int32_t fixed; /* bytes of the entry after its code, -1: they vary */
};

struct dw_abbrevs {
	uint64_t offset;
	struct dw_abbrev *list; /* sorted by code */
	size_t count, room;
	struct dw_step *steps;
	size_t steps_count, steps_room;
	bool dense;    /* codes are 1..count */
	bool tagged;   /* clang's btf_decl_tag and btf_type_tag occur */
	bool version2; /* with the sizes, what the forms' lengths depend on */
	uint8_t address_size, offset_size;
};

struct dw_file;

struct dw_unit {
	struct dw_file *file;
	const uint8_t *begin, *die, *end; /* header, first entry, end */
	uint32_t base;                    /* position of `begin` */
	uint16_t version;
	uint8_t address_size, offset_size;
	uint8_t type; /* DW_UT_* */
	bool in_types;
	uint64_t abbrev;            /* offset of its abbreviations */
	bool has_far;               /* a form that refers to another unit */
	const uint8_t *home;        /* `begin`, while the unit is in a buffer */
	struct dw_abbrevs *abbrevs; /* between dw_unit_load() and dw_unit_release() */
	uint64_t signature;         /* type units; dwo id of skeletons and split units */
	uint64_t type_offset;       /* type units */
	uint64_t str_offsets_base, addr_base, loclists_base, rnglists_base;
	uint64_t low_pc;
	uint64_t str_offsets_shift; /* .dwp: contribution of this unit */
	uint64_t loc_shift;
	uint16_t tag;
	uint16_t language;
	const char *name, *comp_dir, *dwo_name;
	struct dw_unit *skeleton; /* of a split unit */
	uint32_t index;           /* number of the unit in the output */
};

struct dw_file {
	Elf *elf;
	struct dw_section info, types, abbrev, str, line_str, str_offsets, addr, loc, loclists,
	    ranges, rnglists, cu_index, tu_index;
	struct packed packed_info;        /* .debug_info is not unpacked yet, and has no data */
	size_t str_limit, line_str_limit; /* strings end before these */
	uint32_t base;                    /* position of info[0] */
	struct dw_unit *units;
	size_t units_count, units_room;
	struct dw_abbrevs *abbrevs; /* of the unit that was loaded last */
	struct dw_signature {
		uint64_t signature;
		uint32_t position;
	} * signatures; /* of type units, sorted */
	size_t signatures_count;
	struct dw_file *alt;
	int fd;              /* where units are read from; -1: they are where the section is */
	uint64_t info_start; /* of .debug_info in the file */
	uint8_t *buffer;
	size_t buffer_size;
	bool split; /* .dwo sections */
	bool is_alt;
};

/*
 * elf stays the caller's and has to live longer. A compressed .debug_info is left as it is until
 * dw_file_unpack(), which does nothing if there is nothing to do. `map` may be NULL; else elf is
 * read from this mapping of the whole file `fd`: units are read and not mapped, and pages of
 * compressed sections are given back. Compressed sections are unpacked by up to `threads` threads.
 */
struct dw_mapping {
	int fd;
	const void *data;
	size_t size;
};
int dw_file_init(struct dw_file *file, Elf *elf, const struct dw_mapping *map, size_t threads,
                 struct weir_error *err);
/* Of dw_file_init(), which knows the file. */
int dw_sections_load(struct dw_file *file, const struct dw_mapping *map, size_t threads,
                     struct weir_error *err);
void dw_sections_free(struct dw_file *file);
bool dw_mapping_has(const struct dw_mapping *map, const void *data, size_t size);
int dw_file_unpack(struct dw_file *file, struct weir_error *err);
void dw_file_deinit(struct dw_file *file);
/* Read all unit headers, their abbreviations and their first entries. `base` is the position of
 * the file's first byte; *ret is the position after its last. */
int dw_file_units(struct dw_file *file, uint32_t base, struct weir_error *err, uint32_t *ret);
/* The unit with this position; NULL if there is none. */
struct dw_unit *dw_file_unit_at(struct dw_file *file, uint32_t position);

/*
 * Make a unit's entries and abbreviations readable; one unit at a time. A unit of a plain file is
 * read into a buffer and not mapped: page by page, mapping costs more than copying, and what was
 * mapped stays in memory. dw_in_buffer(): will this address have other content later?
 */
int dw_unit_load(struct dw_unit *unit);
void dw_unit_release(struct dw_unit *unit);
static inline bool dw_in_buffer(const struct dw_file *file, const void *p)
{
	return (uintptr_t)p - (uintptr_t)file->buffer < file->buffer_size;
}

const struct dw_abbrev *dw_abbrev_find(const struct dw_abbrevs *abbrevs, uint64_t code);

/*
 * The units of a compressed .debug_info, one after the other, none of them longer in memory than
 * until the next one. Only for files whose units stand for themselves.
 */
struct dw_stream {
	struct dw_file *file;
	struct unpack_stream *unpack;
	size_t at; /* in .debug_info */
};
bool dw_stream_possible(const struct dw_file *file);
int dw_stream_open(struct dw_stream *stream, struct dw_file *file);
void dw_stream_close(struct dw_stream *stream);
/* The next unit into the buffer of `view`, a copy of the file of the caller's own. 1: a unit, 0:
 * there is none left. Like all units it has to be loaded before it is scanned. */
int dw_stream_next(struct dw_stream *stream, struct dw_file *view, struct dw_unit *ret);
/* A file for one thread: the same sections, but buffers of its own. */
void dw_view_init(struct dw_file *view, const struct dw_file *file);
void dw_view_deinit(struct dw_file *view);

/* A bounded place in a section. After a read beyond the end, `bad` is set and 0 was read. */
struct dw_cursor {
	const uint8_t *p, *end;
	bool bad;
};
/* Over all of a section; an absent one has no address to add to. */
static inline struct dw_cursor dw_cursor_of(const struct dw_section *s)
{
	return (struct dw_cursor){ s->data, s->size ? s->data + s->size : s->data, false };
}
uint64_t dw_uleb_slow(struct dw_cursor *c);
int64_t dw_sleb(struct dw_cursor *c);
static inline uint64_t dw_uleb(struct dw_cursor *c)
{
	if (c->p < c->end && *c->p < 0x80)
		return *c->p++;
	return dw_uleb_slow(c);
}
uint64_t dw_fixed_slow(struct dw_cursor *c, unsigned int size);
/* A number of 1 to 8 bytes in this machine's order. */
static inline uint64_t dw_fixed(struct dw_cursor *c, unsigned int size)
{
	uint64_t word = 0;

	if ((size_t)(c->end - c->p) < 8 || size > 8)
		return dw_fixed_slow(c, size);
	memcpy(&word, c->p, 8);
	c->p += size;
	return size == 8 ? word : word & ((1ULL << size * 8) - 1);
}
static inline void dw_advance(struct dw_cursor *c, uint64_t n)
{
	if (!n)
		return;
	if (n > (uint64_t)(c->end - c->p)) {
		c->bad = true;
		c->p = c->end;
	} else {
		c->p += n;
	}
}

/* The value of one attribute, decoded as far as its form says. */
enum dw_value_kind {
	DW_VALUE_NONE,
	DW_VALUE_CONST,  /* u: unsigned, fixed size */
	DW_VALUE_SIGNED, /* u: signed */
	DW_VALUE_ADDRESS,
	DW_VALUE_STRING,
	DW_VALUE_REF, /* u: position; 0 if it points outside */
	DW_VALUE_BLOCK,
	DW_VALUE_OFFSET, /* u: offset in another section (lists) */
	DW_VALUE_INDEX,  /* u: loclistx, rnglistx */
	DW_VALUE_FLAG,
};
struct dw_value {
	uint8_t kind; /* enum dw_value_kind */
	uint8_t size; /* of a constant */
	uint64_t u;
	const char *string;
	const uint8_t *block; /* u: its length */
};
/* Read an attribute's value and move on. */
void dw_value_read(struct dw_cursor *c, const struct dw_unit *unit, uint32_t form, int64_t implicit,
                   struct dw_value *ret);
void dw_form_skip(struct dw_cursor *c, const struct dw_unit *unit, uint32_t form);
/* .debug_addr[index] of the unit; false if it is not there. */
bool dw_address_at(const struct dw_unit *unit, uint64_t index, uint64_t *ret);
/* The expression that is valid at `pc` in a location list (DW_VALUE_OFFSET or _INDEX). */
bool dw_location_at(const struct dw_unit *unit, const struct dw_value *list, uint64_t pc,
                    const uint8_t **ret, size_t *ret_size);
/* The first range of a range list. */
bool dw_first_range(const struct dw_unit *unit, const struct dw_value *list, uint64_t *low,
                    uint64_t *high);

#endif
