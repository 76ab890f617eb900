/* SPDX-License-Identifier: MIT */
/* Between the files of the expression compiler; nobody else includes it. */
#ifndef WEIR_TYPES_EXPR_PRIVATE_H
#define WEIR_TYPES_EXPR_PRIVATE_H

#include "types/expr.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_INTEGER,
	TOKEN_REAL,
	TOKEN_PUNCT,
};

/* Operators of two characters have their two bytes in `punct`. */
#define PUNCT2(a, b) ((unsigned)(a) << 8 | (unsigned)(b))

struct token {
	enum token_kind kind;
	uint32_t column, length;
	unsigned punct;
	const char *name; /* NAME, in the tree's arena */
	bool quoted;      /* NAME in quotes: never a keyword */
	uint64_t integer;
	real_t real;
	const struct ctype *type; /* of a constant */
};

struct expr_chunk;

struct expr_tree {
	struct expr_chunk *chunks;
	size_t used; /* of the newest chunk */
	char *text;
	struct expr *root;
};

/* Zeroed memory that lives as long as the tree; NULL: out of memory. */
void *expr_alloc(struct expr_tree *tree, size_t size);
const char *expr_strndup(struct expr_tree *tree, const char *s, size_t n);

/* Fill err (may be NULL) and return code. */
int expr_fail(struct expr_error *err, int code, uint32_t column, uint32_t length,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same where a name or its type is what nothing knows. */
#define expr_fail_unknown(err, ...) expr_unknown(err, expr_fail(err, __VA_ARGS__))
int expr_unknown(struct expr_error *err, int code);

/* The token at *at, which is moved behind it. */
int expr_lex(struct expr_tree *tree, size_t *at, struct token *ret, struct expr_error *err);

#endif
