/* SPDX-License-Identifier: MIT */
#include "types/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Precision, with the leading one; least exponent of a number that has all of it. */
static const struct {
	int bits, least, digits_least, digits_most;
} formats[] = {
	[REAL_BFLOAT16] = { 8, -126, 2, 4 }, [REAL_HALF] = { 11, -14, 3, 5 },
	[REAL_SINGLE] = { 24, -126, 6, 9 },  [REAL_DOUBLE] = { 53, -1022, 15, 17 },
	[REAL_X87] = { 64, -16382, 18, 21 }, [REAL_QUAD] = { 113, -16382, 33, 36 },
};

enum real_format real_format_of(const char *name, uint64_t size)
{
	name = name ?: "";
	switch (size) {
	case 2:
		return strstr(name, "bf") ? REAL_BFLOAT16 : REAL_HALF;
	case 4:
		return REAL_SINGLE;
	case 8:
		return REAL_DOUBLE;
	case 12:
	case 16:
#if defined(__x86_64__) || defined(__i386__)
		/* _Float128, __float128, f128; Fortran's real(kind=16) */
		return size == 16 && (strstr(name, "128") || strstr(name, "kind=16")) ? REAL_QUAD
		                                                                      : REAL_X87;
#else
		return size == 16 ? REAL_QUAD : REAL_NONE;
#endif
	default:
		return REAL_NONE;
	}
}

/* Sign, exponent, fraction; all ones in the exponent are no number. */
static real_t load_16(enum real_format format, const void *bytes)
{
	int least = formats[format].least, fraction_bits = formats[format].bits - 1;
	int fraction, exponent;
	uint16_t raw;
	double real;

	memcpy(&raw, bytes, sizeof(raw));
	fraction = raw & ((1 << fraction_bits) - 1);
	exponent = (raw & 0x7fff) >> fraction_bits;
	if (exponent == 3 - 2 * least)
		real = fraction ? NAN : INFINITY;
	else if (exponent == 0)
		real = ldexp(fraction, least - fraction_bits);
	else
		real = ldexp(fraction + (1 << fraction_bits), exponent - 1 + least - fraction_bits);
	return raw & 0x8000 ? -real : real;
}

real_t real_load(enum real_format format, const void *bytes)
{
	union {
		float f;
		double d;
		long double l;
		real_t q;
	} u = { .q = 0 };

	switch (format) {
	case REAL_BFLOAT16:
	case REAL_HALF:
		return load_16(format, bytes);
	case REAL_SINGLE:
		memcpy(&u, bytes, 4);
		return u.f;
	case REAL_DOUBLE:
		memcpy(&u, bytes, 8);
		return u.d;
	case REAL_X87:
		memcpy(&u, bytes, 10);
		return u.l;
	case REAL_QUAD:
		memcpy(&u, bytes, 16);
		return u.q;
	default:
		return 0;
	}
}

/* To the nearest multiple of the last bit's value, the even one of two. */
static real_t round_16(enum real_format format, real_t real)
{
	int bits = formats[format].bits, least = formats[format].least, exponent;
	real_t units, rest;
	int32_t whole;

	if (real != real || real - real != 0 || real == 0)
		return real;
	frexp((double)real, &exponent);
	exponent--; /* of 1.x, not of 0.1x */
	if (exponent > -least + 1)
		return real < 0 ? -INFINITY : INFINITY;
	if (exponent < least)
		exponent = least;
	units = real / (real_t)ldexp(1, exponent - bits + 1);
	whole = (int32_t)units;
	rest = units - whole;
	if (rest < 0)
		whole -= rest < -0.5 || (rest == -0.5 && whole % 2);
	else
		whole += rest > 0.5 || (rest == 0.5 && whole % 2);
	if (abs(whole) >> bits && exponent == 1 - least)
		return real < 0 ? -INFINITY : INFINITY;
	return whole ? (real_t)ldexp(whole, exponent - bits + 1) : real < 0 ? -0.0 : 0.0;
}

real_t real_round(enum real_format format, real_t real)
{
	switch (format) {
	case REAL_BFLOAT16:
	case REAL_HALF:
		return round_16(format, real);
	case REAL_SINGLE:
		return (float)real;
	case REAL_DOUBLE:
		return (double)real;
	case REAL_X87:
		return (long double)real;
	default:
		return real;
	}
}

#define COMPUTE(type, op, a, b)                \
	((op) == '+'   ? (type)(a) + (type)(b) \
	 : (op) == '-' ? (type)(a) - (type)(b) \
	 : (op) == '*' ? (type)(a) * (type)(b) \
	               : (type)(a) / (type)(b))

/* What double computes may be rounded again to a format of less than half its bits. */
real_t real_compute(enum real_format format, char op, real_t a, real_t b)
{
	if (format == REAL_QUAD)
		return COMPUTE(real_t, op, a, b);
	if (format == REAL_X87)
		return COMPUTE(long double, op, a, b);
	return real_round(format, COMPUTE(double, op, a, b));
}

#if defined(__HAVE_FLOAT128) && __HAVE_FLOAT128
static void print(real_t real, int digits, char text[REAL_TEXT_MAX])
{
	char how[16];

	snprintf(how, sizeof(how), "%%.%dg", digits);
	strfromf128(text, REAL_TEXT_MAX, how, real);
}

static real_t parse(const char *text)
{
	return strtof128(text, NULL);
}
#else /* a C library without: the digits of long double */
static void print(real_t real, int digits, char text[REAL_TEXT_MAX])
{
	snprintf(text, REAL_TEXT_MAX, "%.*Lg", digits, (long double)real);
}

static real_t parse(const char *text)
{
	return strtold(text, NULL);
}
#endif

static bool says(enum real_format format, const char *text, real_t real)
{
	switch (format) {
	case REAL_SINGLE:
		return strtof(text, NULL) == (float)real;
	case REAL_DOUBLE:
		return strtod(text, NULL) == (double)real;
	case REAL_X87:
		return strtold(text, NULL) == (long double)real;
	case REAL_QUAD:
		return parse(text) == real;
	default:
		return real_round(format, strtod(text, NULL)) == real;
	}
}

void real_text(enum real_format format, real_t real, char text[REAL_TEXT_MAX])
{
	int digits = formats[format].digits_least;

	do
		print(real, digits, text);
	while (!says(format, text, real) && ++digits <= formats[format].digits_most);
}
