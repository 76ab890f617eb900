/* SPDX-License-Identifier: MIT */
/*
 * The store that a conversion fills: BTF type records and strings, each kept once.
 *
 * A record is written in BTF's own form at the end of the store, and only then looked up: if the
 * same bytes are there already, the new ones are given up. That is exact as long as all ids in
 * the record are final. Types that refer to each other in a circle cannot be looked up one by
 * one; they are written as one *set*, in which an id with BUILDER_LOCAL stands for a place in the
 * set. builder_finish() replaces those.
 */
#ifndef WEIR_TYPES_BUILDER_H
#define WEIR_TYPES_BUILDER_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILDER_LOCAL 0x80000000u
/* BTF_MAX_TYPE of the kernel is a million; user space BTF of large C++ programs has more. */
#define BUILDER_TYPES_MAX 0x3fffffffu

struct builder {
	uint8_t *data; /* type records; 4 bytes each word */
	size_t size, room;
	uint32_t *offset; /* of type id - 1 in data */
	uint32_t *first;  /* id of the first type of its set */
	uint64_t *origin; /* of a type: what next_origin was when it was written first */
	size_t count, room_offset, room_first, room_origin;
	struct builder_slot *table; /* hash of sets */
	size_t table_size, table_used;
	struct builder_modifier *modifiers; /* by id */
	size_t modifiers_room;
	uint64_t next_origin;

	char *strings;
	size_t strings_size, strings_room;
	struct builder_name *names;    /* hash of strings */
	size_t names_size, names_used; /* used: how many strings there are but the empty one */
	const char *moving; /* addresses that are used again: strings there are not remembered */
	size_t moving_size;
	struct builder_pointer *pointers; /* strings that were seen by address */
	size_t pointers_size;

	/* the set being written */
	size_t set_size;  /* data's size when it began */
	size_t set_count; /* types in it */
};

/* `input`: bytes that names will come from, for the size of what remembers them; 0: none */
int builder_init(struct builder *b, size_t input);
/* Room for so many bytes of records, types, and bytes of strings; best effort. */
void builder_reserve(struct builder *b, size_t size, size_t types, size_t strings);
void builder_deinit(struct builder *b);

/* Offset of a string, added if it is new. 0 for NULL and "". -ENOMEM. */
int builder_string(struct builder *b, const char *string, uint32_t *ret);
int builder_string_n(struct builder *b, const char *string, size_t length, uint32_t *ret);
/* A name: mangled if it is not an identifier. */
int builder_name(struct builder *b, const char *name, uint32_t *ret);
/* The same for a name that does not move (in a mapped section): remembers its address until
 * builder_forget(). */
int builder_name_at(struct builder *b, const char *name, uint32_t *ret);
/* builder_name_at() will be called for this name soon. */
void builder_prefetch_name(const struct builder *b, const char *name);
void builder_forget(struct builder *b);

/* Begin a set, write its types in order, end it: *ret is the id of its first type, which is an
 * old one if the same set was there. */
void builder_begin(struct builder *b);
int builder_end(struct builder *b, uint32_t *ret);
/* Give up what was written since builder_begin(). */
void builder_abort(struct builder *b);

/* A pointer, const, volatile, restrict or type tag: a set of one whose id is found by `type`. Half
 * of all types that a C++ program has are of these kinds. */
int builder_modifier(struct builder *b, uint32_t name, uint32_t kind, uint32_t type, uint32_t *ret);

int builder_type(struct builder *b, uint32_t name, uint32_t kind, uint32_t vlen, bool kflag,
                 uint32_t size_or_type);
/* Append words to the record begun with builder_type(). */
int builder_words(struct builder *b, const uint32_t *words, size_t count);

/* Replace local ids by final ones. Afterwards nothing can be added. */
void builder_finish(struct builder *b);

/* Calls fn for every type id in a record (in native order). */
void btf_record_ids(struct btf_type *t, void (*fn)(uint32_t *id, void *arg), void *arg);
/* Bytes that a record has in all; 0 if its kind is unknown. */
size_t btf_record_size(const struct btf_type *t);

#endif
