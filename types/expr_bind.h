/* SPDX-License-Identifier: MIT */
/* Between the files of binding only: expr_bind.c (nodes), _names.c, _operators.c, _virtual.c. */
#ifndef WEIR_TYPES_EXPR_BIND_H
#define WEIR_TYPES_EXPR_BIND_H

#include "types/expr_private.h"

struct binder {
	struct expr_tree *tree;
	const struct expr_names *names;
	struct ctypes *types;
	struct expr_error *err;
};

/* ---- expr_bind.c ---- */

/* Bind what is at *at; it may become another node. */
int bind_expr(struct binder *b, struct expr **at);

/* ---- expr_bind_names.c ---- */

int bind_name(struct binder *b, struct expr *e);
/* The type that was written. */
int bind_type(struct binder *b, const struct expr_type *named, const struct ctype **ret);
/* The definition of a type that its own unit only declares, if any unit has it. */
const struct ctype *bind_complete(struct binder *b, const struct ctype *type);
/* For messages: a type as C has it, and what the user wrote for a node. */
void bind_declared(struct binder *b, const struct ctype *type, char *buf, size_t size);
const char *bind_source(struct binder *b, const struct expr *e, char *buf, size_t size);
/* Errors: `record` has no such member; what e->a is has no members at all. */
int bind_no_field(struct binder *b, const struct expr *e, const struct ctype *record);
int bind_not_a_record(struct binder *b, const struct expr *e);

/* ---- expr_bind_virtual.c ---- */

/* The member may be one of a virtual base class: *object becomes the base in which it is. -ENOENT. */
/* A cast of C++ from a pointer `from`, whose type is bound: between a class and its base it moves. */
int bind_base_cast(struct binder *b, struct expr *e, const struct ctype *from);
int bind_virtual_base(struct binder *b, struct expr **object, const char *member);

/* ---- expr_bind_operators.c ---- */

int bind_unary(struct binder *b, struct expr *e);
int bind_binary(struct binder *b, struct expr *e);
int bind_cond(struct binder *b, struct expr *e);
/* Bind and convert to long. */
int bind_integer(struct binder *b, struct expr **at);
/* Is it a name whose type nobody knows? */
bool bind_untyped(const struct expr *e);
/* Errors unless it has a type; unless `ok`; unless it can be computed with. */
int bind_need_type(struct binder *b, const struct expr *e);
int bind_need(struct binder *b, const struct expr *e, bool ok, const char *wanted);
int bind_need_arithmetic(struct binder *b, const struct expr *e, bool integer);
/* The type an operand has once it is a value: arrays and functions are addresses. */
const struct ctype *bind_decayed(struct binder *b, const struct ctype *type);

#endif
