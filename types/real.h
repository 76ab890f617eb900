/* SPDX-License-Identifier: MIT */
/*
 * Floating-point numbers of other programs. BTF says their size only: which of the formats of that
 * size it is, the type's name says.
 */
#ifndef WEIR_TYPES_REAL_H
#define WEIR_TYPES_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The widest there is: holds every number of the others. */
#if defined(__x86_64__) || defined(__i386__)
typedef __float128 real_t;
#else
typedef long double real_t;
#endif

enum real_format {
	REAL_NONE, /* of a size that none has */
	REAL_BFLOAT16,
	REAL_HALF,
	REAL_SINGLE,
	REAL_DOUBLE,
	REAL_X87,
	REAL_QUAD,
};

/* This machine's. */
#if defined(__x86_64__) || defined(__i386__)
#define REAL_LONG_DOUBLE REAL_X87
#else
#define REAL_LONG_DOUBLE REAL_QUAD
#endif

/* `name` may be NULL. */
enum real_format real_format_of(const char *name, uint64_t size);

/* `bytes` as they lie in memory, as many as the type has. */
real_t real_load(enum real_format format, const void *bytes);

/* To the nearest number of the format. */
real_t real_round(enum real_format format, real_t real);

/* a OP b, '+', '-', '*' or '/', rounded once. */
real_t real_compute(enum real_format format, char op, real_t a, real_t b);

/* As few digits as give the same number again. */
#define REAL_TEXT_MAX 64
void real_text(enum real_format format, real_t real, char text[REAL_TEXT_MAX]);

#endif
