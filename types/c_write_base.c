/* SPDX-License-Identifier: MIT */
/*
 * Base types. C's own are called as they are. What other languages call otherwise (u64, char16_t,
 * f32) gets a typedef, if C has no other use for the name: Rust's char has four bytes, and is an
 * unsigned int.
 */
#include <string.h>

#include "types/c_write_private.h"

/* _Float128 and __float128; clang knows the second only. */
#ifdef __x86_64__
#define QUAD "__float128"
#else
#define QUAD "long double"
#endif

static const struct {
	const char *name;
	uint32_t size, size32;
} known[] = {
	{ "char", 1, 1 },
	{ "signed char", 1, 1 },
	{ "unsigned char", 1, 1 },
	{ "_Bool", 1, 1 },
	{ "short", 2, 2 },
	{ "short int", 2, 2 },
	{ "short unsigned int", 2, 2 },
	{ "unsigned short", 2, 2 },
	{ "int", 4, 4 },
	{ "unsigned int", 4, 4 },
	{ "long", 8, 4 },
	{ "long int", 8, 4 },
	{ "long unsigned int", 8, 4 },
	{ "unsigned long", 8, 4 },
	{ "long long", 8, 8 },
	{ "long long int", 8, 8 },
	{ "long long unsigned int", 8, 8 },
	{ "unsigned long long", 8, 8 },
	{ "__int128", 16, 0 },
	{ "__int128 unsigned", 16, 0 },
	{ "unsigned __int128", 16, 0 },
};

static bool is_known(const struct c_writer *w, const struct btf_type *t, const char *name)
{
	for (size_t i = 0; btf_is_int(t) && i < sizeof(known) / sizeof(*known); i++) {
		if (!strcmp(name, known[i].name))
			return t->size == (w->pointer_size == 8 ? known[i].size : known[i].size32);
	}
	return false;
}

static const char *integer(const struct c_writer *w, const struct btf_type *t)
{
	bool is_signed = btf_int_encoding(t) & BTF_INT_SIGNED;

	switch (t->size) {
	case 1:
		if (btf_int_encoding(t) & BTF_INT_BOOL)
			return "_Bool";
		return is_signed ? "signed char" : "unsigned char";
	case 2:
		return is_signed ? "short" : "unsigned short";
	case 4:
		return is_signed ? "int" : "unsigned int";
	case 8:
		if (w->pointer_size == 4)
			return is_signed ? "long long" : "unsigned long long";
		return is_signed ? "long" : "unsigned long";
	case 16:
		return is_signed ? "__int128" : "unsigned __int128";
	}
	return NULL;
}

/* BTF says the size, the name which format of that size. */
static const char *real(const struct btf_type *t, const char *name)
{
	switch (t->size) {
	case 2:
		return strcmp(name, "_Float16") ? "unsigned short" : "_Float16";
	case 4:
		return "float";
	case 8:
		return "double";
	case 12:
		return "long double";
	case 16:
		return strstr(name, "128") ? QUAD : "long double";
	}
	return NULL;
}

static const char *plain_text(const struct c_writer *w, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(w->btf, t->name_off);

	if (is_known(w, t, name))
		return name;
	return btf_is_int(t) ? integer(w, t) : real(t, name);
}

void c_base_text(const struct c_writer *w, const struct btf_type *t, char text[C_BASE_MAX])
{
	const char *plain = plain_text(w, t);

	if (plain)
		snprintf(text, C_BASE_MAX, "%s", plain);
	else
		snprintf(text, C_BASE_MAX, "struct { char __opaque[%u]; }", t->size);
}

bool c_base_has_alias(const struct c_writer *w, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(w->btf, t->name_off);

	/* stdbool.h defines bool as a macro */
	return is_identifier(name) && strcmp(name, "bool") && !is_known(w, t, name) &&
	       !c_name_is_reserved(&w->names, name);
}

bool c_base_is_float16(const struct c_writer *w, const struct btf_type *t)
{
	const char *plain = plain_text(w, t);

	return plain && !strcmp(plain, "_Float16");
}

uint32_t c_base_align(const struct c_writer *w, const struct btf_type *t)
{
	if (!plain_text(w, t))
		return 1;
	return w->pointer_size == 4 && t->size > 4 ? 4 : t->size;
}
