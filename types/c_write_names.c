/* SPDX-License-Identifier: MIT */
/* Names that are taken, by scope. A name that is taken, or a word of C, gets ___2, ___3. */
#include <string.h>

#include "types/c_write_private.h"
#include "types/util.h"

struct c_name {
	uint64_t hash; /* two names of one hash would cost the second a number */
	uint32_t count;
};

/* Of -std=gnu11, of gcc and clang; and what they define as macros. */
static const char *const words[] = {
	"auto",
	"break",
	"case",
	"char",
	"const",
	"continue",
	"default",
	"do",
	"double",
	"else",
	"enum",
	"extern",
	"float",
	"for",
	"goto",
	"if",
	"inline",
	"int",
	"long",
	"register",
	"restrict",
	"return",
	"short",
	"signed",
	"sizeof",
	"static",
	"struct",
	"switch",
	"typedef",
	"union",
	"unsigned",
	"void",
	"volatile",
	"while",
	"asm",
	"typeof",
	"linux",
	"unix",
	"_Accum",
	"_Alignas",
	"_Alignof",
	"_Atomic",
	"_BitInt",
	"_Bool",
	"_Complex",
	"_Decimal128",
	"_Decimal32",
	"_Decimal64",
	"_ExtInt",
	"_Float128",
	"_Float128x",
	"_Float16",
	"_Float32",
	"_Float32x",
	"_Float64",
	"_Float64x",
	"_Fract",
	"_Generic",
	"_Imaginary",
	"_Noreturn",
	"_Sat",
	"_Static_assert",
	"_Thread_local",
	"__FUNCTION__",
	"__PRETTY_FUNCTION__",
	"__alignof",
	"__alignof__",
	"__asm",
	"__asm__",
	"__attribute",
	"__attribute__",
	"__auto_type",
	"__bf16",
	"__complex",
	"__complex__",
	"__const",
	"__const__",
	"__extension__",
	"__float128",
	"__float80",
	"__fp16",
	"__func__",
	"__ibm128",
	"__imag",
	"__imag__",
	"__inline",
	"__inline__",
	"__int128",
	"__label__",
	"__null",
	"__real",
	"__real__",
	"__restrict",
	"__restrict__",
	"__seg_fs",
	"__seg_gs",
	"__signed",
	"__signed__",
	"__thread",
	"__typeof",
	"__typeof__",
	"__volatile",
	"__volatile__",
	"__builtin_va_list",
};

static size_t place(const struct c_names *n, uint64_t hash)
{
	size_t at = hash & (n->size - 1);

	while (n->table[at].count && n->table[at].hash != hash)
		at = (at + 1) & (n->size - 1);
	return at;
}

static int grow(struct c_names *n)
{
	struct c_names bigger = { .size = n->size ? n->size * 2 : 1 << 12, .used = n->used };

	bigger.table = calloc(bigger.size, sizeof(*bigger.table));
	if (!bigger.table)
		return -ENOMEM;
	for (size_t i = 0; i < n->size; i++) {
		if (n->table[i].count)
			bigger.table[place(&bigger, n->table[i].hash)] = n->table[i];
	}
	free(n->table);
	*n = bigger;
	return 0;
}

static uint64_t hash_of(uint32_t scope, const char *name)
{
	return hash_bytes(name, strlen(name), hash_mix(scope + 1ull));
}

static int take(struct c_names *n, uint64_t hash, uint32_t count)
{
	size_t at;

	if (n->used * 2 >= n->size && grow(n))
		return -ENOMEM;
	at = place(n, hash);
	n->table[at] = (struct c_name){ hash, count };
	n->used++;
	return 0;
}

bool c_name_is_reserved(const struct c_names *n, const char *name)
{
	return n->table[place(n, hash_of(C_SCOPE_WORDS, name))].count;
}

int c_names_init(struct c_names *n)
{
	int err = 0;

	*n = (struct c_names){ 0 };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words) && !err; i++)
		err = take(n, hash_of(C_SCOPE_WORDS, words[i]), 1);
	return err;
}

void c_names_deinit(struct c_names *n)
{
	free(n->table);
}

int c_name_unique(struct c_names *n, uint32_t scope, const char *name, uint32_t *ret)
{
	uint64_t hash = hash_of(scope, name), other;
	size_t at = place(n, hash);
	char numbered[C_NAME_MAX];

	if (!n->table[at].count) {
		bool reserved = c_name_is_reserved(n, name);

		if (take(n, hash, 1))
			return -ENOMEM;
		*ret = 0;
		if (!reserved)
			return 0;
		at = place(n, hash);
	}
	do {
		snprintf(numbered, sizeof(numbered), "%s___%u", name, ++n->table[at].count);
		other = hash_of(scope, numbered);
	} while (n->table[place(n, other)].count);
	*ret = n->table[at].count;
	return take(n, other, 1);
}
