/* SPDX-License-Identifier: MIT */
/* What the files c_write*.c share. Their design is in c_write.c. */
#ifndef WEIR_TYPES_C_WRITE_PRIVATE_H
#define WEIR_TYPES_C_WRITE_PRIVATE_H

#include <bpf/btf.h>
#include <stdbool.h>

#include "types/c_write.h"
#include "types/mangle.h"

#define NO_SIZE UINT64_MAX

/* --- names (c_write_names.c) --- */

enum c_scope {
	C_SCOPE_WORDS, /* that C reserves */
	C_SCOPE_TAGS,
	C_SCOPE_IDENTIFIERS, /* typedefs and enumerators */
	C_SCOPE_MEMBERS,     /* the first of as many as there are structs */
};

struct c_names {
	struct c_name *table;
	size_t size, used;
};

int c_names_init(struct c_names *names);
void c_names_deinit(struct c_names *names);
/* What tells this name from those that are taken in its scope: 0, or n for NAME___n. -ENOMEM. */
int c_name_unique(struct c_names *names, uint32_t scope, const char *name, uint32_t *ret);
bool c_name_is_reserved(const struct c_names *names, const char *name);

#define C_NAME_MAX (MANGLED_MAX + 16)

/* --- the writer --- */

struct c_type_state {
	uint32_t suffix;  /* of its name */
	uint32_t align;   /* of a struct or union as it is written; 0: not known yet */
	uint32_t offsets; /* of it in others, or'ed: a power of two that divides all divides this */
	uint32_t by_value, by_any; /* the unit whose needs were being collected when it was met */
	bool is_open, is_ordered, is_forward_ordered;
	bool has_name;
	bool is_defined, is_forwarded; /* in what is written so far */
	bool is_opaque;                /* its members cannot be written */
	bool is_met;                   /* anonymous: somewhere in something that is written */
};

/* A definition, or a declaration that goes before one. */
struct c_unit {
	uint32_t id;
	bool forward;
};

struct c_writer {
	const struct btf *btf;
	uint32_t count, pointer_size;
	FILE *out;
	struct c_losses *losses;
	int error;
	struct c_type_state *types;
	struct c_names names;
	struct c_unit *units;
	size_t units_count, units_room;
	bool has_float16;

	/* where the text is */
	char last; /* written character of a declaration */
	int indent;
	uint32_t scopes;  /* of members, that were given out */
	uint32_t depth;   /* of calls */
	uint32_t records; /* that are being written, one in another: */
	uint32_t inside[32];
	uint64_t spent;
};

static inline const struct btf_type *c_type(const struct c_writer *w, uint32_t id)
{
	return btf__type_by_id(w->btf, id);
}

static inline bool c_has_name(const struct c_writer *w, const struct btf_type *t)
{
	return *btf__name_by_offset(w->btf, t->name_off);
}

static inline bool c_is_record(const struct btf_type *t)
{
	return btf_is_struct(t) || btf_is_union(t);
}

static inline bool c_is_name_or_modifier(const struct btf_type *t)
{
	return btf_is_mod(t) || btf_is_typedef(t);
}

/* An identifier: BTF that others made may have anything for names. */
const char *c_name(const struct c_writer *w, uint32_t name_off, char buf[MANGLED_MAX]);
/* The same with ___n if it is taken; it is taken from now on. */
const char *c_unique(struct c_writer *w, uint32_t scope, const char *name, char buf[C_NAME_MAX]);
/* `id`: of a struct or an enum; 0: no such. */
void c_lose(struct c_writer *w, enum c_loss loss, uint32_t id, uint32_t member_name_off);
/* What is written wherever it is used could double in size with each type: that ends with an error. */
void c_spend(struct c_writer *w);
/* Behind typedefs and modifiers. */
uint32_t c_real(const struct c_writer *w, uint32_t id);

/* --- which definition comes when (c_write_order.c) --- */

/* Fills w->units. 0 or -ENOMEM. */
int c_order(struct c_writer *w, const uint32_t *ids, size_t count);

/* --- base types (c_write_base.c) --- */

#define C_BASE_MAX 48

/* As C calls it, by its size: "unsigned long". */
void c_base_text(const struct c_writer *w, const struct btf_type *t, char text[C_BASE_MAX]);
/* Has it a name that C does not know, but can give? */
bool c_base_has_alias(const struct c_writer *w, const struct btf_type *t);
uint32_t c_base_align(const struct c_writer *w, const struct btf_type *t);
bool c_base_is_float16(const struct c_writer *w, const struct btf_type *t);

/* --- layouts (c_write_layout.c) --- */

/* A member where it lies; in bits. */
struct c_item {
	uint32_t member;
	uint32_t layer;
	uint32_t bits; /* of a bit-field */
	uint32_t align;
	uint64_t at, end;
	uint64_t unit; /* of its type */
};

struct c_plan {
	struct c_item *items; /* by layer, offset */
	size_t count;
	uint32_t layers;
	uint32_t align;   /* bytes, of what is written */
	uint32_t aligned; /* by attribute; 0: none is needed */
	bool packed;
	bool layered; /* the layers are members of a union */
	uint64_t end; /* of what the members take, without padding at the end */
	uint64_t size;
};

/* How a struct or union is written; `report`: members that cannot be are counted. */
int c_plan(struct c_writer *w, uint32_t id, bool report, struct c_plan *ret);
/* Where a compiler puts the item behind what ends at `end`. */
uint64_t c_natural(uint64_t end, const struct c_item *item, bool packed);
/* Is item i alone in its layer, and at its beginning? Then it needs no struct around it. */
bool c_is_bare(const struct c_plan *p, size_t i);
void c_find_offsets(struct c_writer *w);
uint64_t c_size(const struct c_writer *w, uint32_t id);
/* Can it be a member where the text is? */
bool c_is_complete(const struct c_writer *w, uint32_t id);

/* --- declarations (c_write_declare.c), and what is between braces (c_write_record.c, _enum.c) --- */

void c_print(struct c_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void c_print_indent(struct c_writer *w);
void c_print_name(struct c_writer *w, uint32_t id);
/* `name`: a member's or a typedef's; NULL: a parameter. */
void c_declare(struct c_writer *w, uint32_t id, const char *name);
/* Is it void for want of a better word? */
bool c_can_declare(const struct c_writer *w, uint32_t id);
/* With or without its name; `scope` of its members, 0: its own. */
void c_write_record(struct c_writer *w, uint32_t id, bool named, uint32_t scope);
void c_write_enum(struct c_writer *w, uint32_t id, bool named);

#endif
