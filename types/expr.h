/* SPDX-License-Identifier: MIT */
/*
 * C expressions over the typed memory of a program, in three steps that know
 * nothing of each other's ends:
 *
 *     text --expr_parse()--> tree --expr_bind()--> typed tree --expr_eval()--> value
 *
 * Parsing knows C's grammar; binding asks a struct expr_names what names mean and
 * gives every node its type, offset and conversions; evaluating reads through a
 * struct expr_memory. A live process, a core file or a compiler to eBPF are all
 * the same to the first two: a back end walks the typed tree.
 *
 * What is read: constants, names (`var`, `func::static_var`, `file.c::name`,
 * `ns::name`, and 'anything in quotes'), . -> [] * & casts sizeof arithmetic
 * comparison logic ?: , slices `a[0..10]` (ten elements), container_of(p, type,
 * member), offsetof(type, member). Arithmetic is C's, of a target with 64-bit
 * longs and pointers. No assignment, no calls.
 *
 * Every depth and size is bounded: a hostile text gives an error.
 */
#ifndef WEIR_TYPES_EXPR_H
#define WEIR_TYPES_EXPR_H

#include "types/c_type.h"

#define EXPR_TEXT_MAX  16384 /* bytes of an expression */
#define EXPR_DEPTH_MAX 200   /* nested operators, links of a chain */
#define EXPR_SLICE_MAX (1u << 20)

/* `column` counts from 0, in bytes; [column, column + length) is what the message is about. */
struct expr_error {
	int code; /* -errno */
	uint32_t column, length;
	bool unknown; /* nothing knows a name or its type: debug information may be missing */
	char message[480];
};

/* The line (of a long one what is around the error) and a caret under it, three lines ended by \n;
 * returns the length wanted. */
size_t expr_error_render(const struct expr_error *err, const char *text, char *buf, size_t size);

/* ---- names ---- */

enum expr_symbol_kind {
	EXPR_SYM_MEMORY,   /* at `address` */
	EXPR_SYM_THREAD,   /* thread-local: `address` is an offset in `module`'s block */
	EXPR_SYM_FUNCTION, /* code at `address` */
	EXPR_SYM_CONSTANT, /* `address` is its value: an enumerator */
	EXPR_SYM_VALUE,    /* a struct value that the caller gives: `value` */
};

struct expr_value;

struct expr_symbol {
	enum expr_symbol_kind kind;
	const struct ctype *type; /* NULL: not known, can be cast or its address taken */
	uint64_t address;         /* as the program sees it: load bias added */
	uint32_t module;          /* the names' own number of the ELF image */
	const char *unit;         /* where it is from, for a list of candidates; borrowed */
	const char *image;        /* the name of `module`; NULL: there is one alone; borrowed */
	const char *scope;        /* of a local static its function; "" or NULL: none; borrowed */
	const char *missing;      /* it exists but cannot be read: why (borrowed); else NULL */
	const struct expr_value *value;
};

struct expr_candidate {
	const struct ctype *type;
	const char *unit, *image;
};

/*
 * What names mean. `name` is as written, qualifiers and all ("file.c::name").
 * Each fills at most `max` and returns how many there are, or -errno; 0: none.
 * near() writes a name close to an unknown one, or leaves buf[0] 0.
 */
struct expr_names {
	void *ctx;
	struct ctypes *types;
	int (*symbol)(void *ctx, const char *name, struct expr_symbol *ret, int max);
	/* `tag` is "struct", "union", "enum", or "" for a typedef, class or base type. */
	int (*type)(void *ctx, const char *tag, const char *name, struct expr_candidate *ret,
	            int max);
	void (*near)(void *ctx, const char *name, bool symbol, char *buf, size_t size);
	/* The function or variable at an address, as "main" or "server+16". -ENOENT. May be NULL.
	 */
	int (*at)(void *ctx, uint64_t address, char *buf, size_t size);
};

/* ---- trees ---- */

enum expr_op {
	EXPR_INTEGER,
	EXPR_REAL,
	EXPR_NAME,
	EXPR_MEMBER,  /* a.name */
	EXPR_DEREF,   /* *a; a->b is MEMBER of DEREF; a[i] is DEREF of ADD */
	EXPR_ADDRESS, /* &a */
	EXPR_SLICE,   /* a[b..c] */
	EXPR_CAST,    /* (type)a; binding adds those that C does by itself */
	EXPR_SIZEOF,  /* of a, or of a type: becomes INTEGER */
	EXPR_OFFSETOF,
	EXPR_CONTAINER, /* container_of(a, type, member) */
	EXPR_NEGATE,
	EXPR_PLUS,
	EXPR_INVERT, /* ~ */
	EXPR_NOT,    /* ! */
	EXPR_MUL,
	EXPR_DIV,
	EXPR_REM,
	EXPR_ADD, /* pointer + integer too */
	EXPR_SUB, /* pointer - integer, pointer - pointer too */
	EXPR_SHL,
	EXPR_SHR,
	EXPR_LT,
	EXPR_GT,
	EXPR_LE,
	EXPR_GE,
	EXPR_EQ,
	EXPR_NE,
	EXPR_AND,
	EXPR_XOR,
	EXPR_OR,
	EXPR_LAND,
	EXPR_LOR,
	EXPR_COND,         /* a ? b : c */
	EXPR_VIRTUAL_BASE, /* binding's: the virtual base class of object a; see ctype_is_virtual_base() */
};

/* What a declarator makes of the type before it. */
struct expr_derived {
	enum { EXPR_POINTER_TO, EXPR_ARRAY_OF, EXPR_FUNCTION_OF } what;
	uint64_t count; /* ARRAY_OF */
};

#define EXPR_DERIVED_MAX 16

/* A type as written: a name, and what is made of it, in the order in which it is. */
struct expr_type {
	const char *tag; /* "struct", "union", "enum", "" */
	const char *name;
	int builtin; /* enum ctype_builtin, or -1 */
	struct expr_derived derived[EXPR_DERIVED_MAX];
	uint32_t derived_count;
	uint32_t column, length;
};

struct expr {
	enum expr_op op;
	uint32_t column, length, depth;
	struct expr *a, *b, *c;
	const char *name;              /* NAME, MEMBER, member path of OFFSETOF and CONTAINER */
	const struct expr_type *named; /* CAST, SIZEOF, OFFSETOF, CONTAINER as written */
	uint64_t integer;              /* INTEGER */
	real_t real;

	/* What binding says. */
	const struct ctype
	    *type;   /* of the result; a SLICE's count may be known at evaluation only */
	bool lvalue; /* it is an object in memory (or in a given value) */
	struct expr_symbol symbol; /* NAME */
	uint64_t
	    offset; /* MEMBER: bytes; ADD, SUB: size of what is pointed to; CONTAINER; VIRTUAL_BASE: slot */
	uint32_t bit_offset, bit_size; /* MEMBER: bit-field, bit_offset < 8 from `offset` on */
};

struct expr_tree; /* owns nodes and strings */

/* Is `name` a type and not an object? Decides "(name)*x"; may be NULL: only keywords are types. */
typedef bool (*expr_is_type_fn)(void *ctx, const char *name);

/* 0, -EINVAL (syntax), -E2BIG, -ENOMEM; err is filled (may be NULL). */
int expr_parse(const char *text, expr_is_type_fn is_type, void *ctx, struct expr_error *err,
               struct expr_tree **ret);
void expr_free(struct expr_tree *tree);
struct expr *expr_root(struct expr_tree *tree);
const char *expr_text(const struct expr_tree *tree);

/* -ENOENT (no such name), -ENOTUNIQ (ambiguous), -EINVAL (types), -ENOMEM. Once per tree. */
int expr_bind(struct expr_tree *tree, const struct expr_names *names, struct expr_error *err);

/* ---- evaluation ---- */

/*
 * read() copies all of [address, address + size) or returns -errno (-EFAULT: not
 * mapped; -ENODATA: a dump that is cut short lacks it). thread() says where the thread's copy of a thread-local variable is.
 * `why` gets a sentence when more is known than errno says; may stay empty.
 */
struct expr_memory {
	void *ctx;
	int (*read)(void *ctx, uint64_t address, void *buf, size_t size);
	int (*thread)(void *ctx, uint32_t module, uint64_t offset, uint64_t *ret, char *why,
	              size_t size);
};

/* Either a number (not lvalue), or an object at `address`, or an object whose bytes the caller has.
 */
struct expr_value {
	const struct ctype *type;
	bool lvalue;
	uint64_t address;
	uint32_t bit_offset, bit_size;
	const void *bytes; /* the object's own bytes, already read; NULL: in memory */
	union {
		uint64_t integer; /* sign- or zero-extended as `type` says */
		real_t real;      /* has the precision of `type` */
	};
};

/* 0, -EFAULT (memory that is not there), -EDOM (division by zero), -ERANGE, -ESRCH, -ENOTSUP. */
int expr_eval(struct expr_tree *tree, const struct expr_names *names,
              const struct expr_memory *memory, struct expr_error *err, struct expr_value *ret);

/* Make a scalar object a number: read it. Others are left as they are. */
int expr_load(const struct expr_memory *memory, const struct expr_value *object,
              struct expr_value *ret);

/* The number that an integer type of `size` bytes holds after C's conversion. */
uint64_t expr_truncate(uint64_t value, uint64_t size, bool is_signed);

/* size_t and the like, for programs whose types do not have them; NULL: not one. */
const struct ctype *expr_standard_type(const char *name);

#endif
