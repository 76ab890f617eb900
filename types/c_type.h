/* SPDX-License-Identifier: MIT */
/*
 * A C type as expressions see it: one of BTF's, or one that an expression made
 * ("pointer to that", "three of those"), which BTF need not have.
 *
 * Types live in an arena (struct ctypes) and are interned: a BTF type or a
 * derived type is built once, so pointers may be compared, and evaluating an
 * expression again allocates nothing. An arena belongs to one thread at a time.
 * The BTF must outlive it.
 *
 * BTF is not trusted: ids out of range, typedef cycles and sizes that overflow
 * give CTYPE_BAD, which prints as `<bad type>` and cannot be computed with.
 */
#ifndef WEIR_TYPES_C_TYPE_H
#define WEIR_TYPES_C_TYPE_H

#include "types/real.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf_view;
struct btf_member;

enum ctype_kind {
	CTYPE_BAD,
	CTYPE_VOID,
	CTYPE_INT,
	CTYPE_BOOL,
	CTYPE_FLOAT,
	CTYPE_ENUM,
	CTYPE_POINTER,
	CTYPE_ARRAY,
	CTYPE_STRUCT,
	CTYPE_UNION,
	CTYPE_FUNCTION,
	CTYPE_INCOMPLETE, /* a struct, union or enum that is only declared */
};

/* Types that need no BTF: what constants and arithmetic have. */
enum ctype_builtin {
	CTYPE_B_VOID,
	CTYPE_B_BOOL,
	CTYPE_B_CHAR,
	CTYPE_B_SCHAR,
	CTYPE_B_UCHAR,
	CTYPE_B_SHORT,
	CTYPE_B_USHORT,
	CTYPE_B_INT,
	CTYPE_B_UINT,
	CTYPE_B_LONG,
	CTYPE_B_ULONG,
	CTYPE_B_LLONG,
	CTYPE_B_ULLONG,
	CTYPE_B_INT128,
	CTYPE_B_UINT128,
	CTYPE_B_FLOAT,
	CTYPE_B_DOUBLE,
	CTYPE_B_LDOUBLE,
	CTYPE_B_FUNCTION, /* a function whose type nobody knows */
	CTYPE_BUILTINS,
};

struct ctype {
	enum ctype_kind kind;
	bool is_signed;             /* INT, ENUM */
	bool is_char;               /* an INT of one byte whose name or encoding says text */
	enum real_format real;      /* FLOAT */
	uint64_t size;              /* bytes; 0 where incomplete */
	uint64_t count;             /* ARRAY: elements */
	const struct btf_view *btf; /* NULL: derived or built in */
	uint32_t id;                /* in btf, with its typedefs and qualifiers */
	uint32_t base;              /* in btf, without them */
	const char *name;           /* a builtin's */
	const struct ctype *to;     /* derived: pointed to, element, or result; use ctype_to() */
};

/* One member found by name; through anonymous structs, the offset is the sum. */
struct ctype_field {
	const char *name;
	const struct ctype *type;
	uint64_t bit_offset; /* from the start of the struct that was asked */
	uint32_t bit_size;   /* 0: not a bit-field */
};

struct ctypes;

/* 0 or -ENOMEM. destroy(NULL) is allowed; it invalidates every type of the arena. */
int ctypes_create(struct ctypes **ret);
void ctypes_destroy(struct ctypes *types);

/* Never NULL: out of memory gives CTYPE_BAD too. */
const struct ctype *ctype_of(struct ctypes *types, const struct btf_view *btf, uint32_t id);
const struct ctype *ctype_pointer(struct ctypes *types, const struct ctype *to);
const struct ctype *ctype_array(struct ctypes *types, const struct ctype *of, uint64_t count);
/* Of parameters that nobody knows. */
const struct ctype *ctype_function(struct ctypes *types, const struct ctype *result);
const struct ctype *ctype_builtin(enum ctype_builtin which);

/* Of a pointer or array: what it points to, its element. CTYPE_BAD for others. */
const struct ctype *ctype_to(struct ctypes *types, const struct ctype *type);

/* STRUCT, UNION: the number of members, and the i-th as it is declared (name "" if anonymous). */
uint32_t ctype_fields(const struct ctype *type);
int ctype_field(struct ctypes *types, const struct ctype *type, uint32_t i,
                struct ctype_field *ret);
/* By name, looking into anonymous members. -ENOENT. */
int ctype_find_field(struct ctypes *types, const struct ctype *type, const char *name,
                     struct ctype_field *ret);

/* ENUM: the i-th enumerator. */
uint32_t ctype_enumerators(const struct ctype *type);
const char *ctype_enumerator(const struct ctype *type, uint32_t i, int64_t *value);

/* The tag or typedef name alone ("" if anonymous); and whether a typedef of that name is passed on
   the way to the type itself. */
const char *ctype_tag(const struct ctype *type);
const char *ctype_base_tag(const struct ctype *type); /* behind all typedefs */
bool ctype_has_typedef(const struct ctype *type, const char *name);

bool ctype_is_integer(const struct ctype *type); /* INT, BOOL, ENUM */
bool ctype_is_arithmetic(const struct ctype *type);
bool ctype_is_scalar(const struct ctype *type);
bool ctype_is_record(const struct ctype *type); /* STRUCT, UNION */
/* C++: a member that stands for a virtual base class, an array of none of it. The base's offset in the
   object is the long that lies *slot bytes before where the object's first pointer points. */
bool ctype_is_virtual_base(const struct ctype_field *field, uint64_t *slot, const char **name);
bool ctype_is_reference(const struct ctype *type); /* C++: a POINTER whose target is tagged "&" */

/* Do two types print the same and lay out the same to `depth` levels? For candidates from two
 * units. */
bool ctype_same(struct ctypes *types, const struct ctype *a, const struct ctype *b);

/* As C writes it, "unsigned int", "struct foo *", with `name` (may be NULL) where a declarator has
   it: "int (*f)(void)", "char name[16]". Always ended by a NUL; returns the length it wanted. */
size_t ctype_declare(struct ctypes *types, const struct ctype *type, const char *name, char *buf,
                     size_t size);

#endif
