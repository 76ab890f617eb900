/* SPDX-License-Identifier: MIT */
#include "types/c_type.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "types/btf_view.h"

/* Longest chain of typedefs and qualifiers, and of nested anonymous structs, that is believed. */
#define CHAIN_MAX 64

#define ENUM64_KIND 19 /* not in every linux/btf.h */

struct ctypes {
	struct ctype **slots; /* open addressing; `size` is a power of two */
	size_t size, used;
};

#define INTEGER(n, bytes, sign)                                                       \
	{                                                                             \
		.kind = CTYPE_INT, .is_signed = (sign), .size = (bytes), .name = (n), \
		.is_char = (bytes) == 1                                               \
	}

static const struct ctype builtins[CTYPE_BUILTINS] = {
	[CTYPE_B_VOID] = { .kind = CTYPE_VOID, .name = "void" },
	[CTYPE_B_BOOL] = { .kind = CTYPE_BOOL, .size = 1, .name = "_Bool" },
	[CTYPE_B_CHAR] = INTEGER("char", 1, (char)-1 < 0),
	[CTYPE_B_SCHAR] = INTEGER("signed char", 1, true),
	[CTYPE_B_UCHAR] = INTEGER("unsigned char", 1, false),
	[CTYPE_B_SHORT] = INTEGER("short", 2, true),
	[CTYPE_B_USHORT] = INTEGER("unsigned short", 2, false),
	[CTYPE_B_INT] = INTEGER("int", 4, true),
	[CTYPE_B_UINT] = INTEGER("unsigned int", 4, false),
	[CTYPE_B_LONG] = INTEGER("long", 8, true),
	[CTYPE_B_ULONG] = INTEGER("unsigned long", 8, false),
	[CTYPE_B_LLONG] = INTEGER("long long", 8, true),
	[CTYPE_B_ULLONG] = INTEGER("unsigned long long", 8, false),
	[CTYPE_B_INT128] = INTEGER("__int128", 16, true),
	[CTYPE_B_UINT128] = INTEGER("unsigned __int128", 16, false),
	[CTYPE_B_FLOAT] = { .kind = CTYPE_FLOAT, .real = REAL_SINGLE, .size = 4, .name = "float" },
	[CTYPE_B_DOUBLE] = { .kind = CTYPE_FLOAT,
	                     .real = REAL_DOUBLE,
	                     .size = 8,
	                     .name = "double" },
	[CTYPE_B_LDOUBLE] = { .kind = CTYPE_FLOAT,
	                      .real = REAL_LONG_DOUBLE,
	                      .size = sizeof(long double),
	                      .name = "long double" },
	[CTYPE_B_FUNCTION] = { .kind = CTYPE_FUNCTION, .name = "function of unknown type" },
};

static const struct ctype bad = { .kind = CTYPE_BAD, .name = "<bad type>" };

int ctypes_create(struct ctypes **ret)
{
	struct ctypes *types = calloc(1, sizeof(*types));

	if (!types)
		return -ENOMEM;
	types->size = 256;
	types->slots = calloc(types->size, sizeof(*types->slots));
	if (!types->slots) {
		free(types);
		return -ENOMEM;
	}
	*ret = types;
	return 0;
}

void ctypes_destroy(struct ctypes *types)
{
	if (!types)
		return;
	for (size_t i = 0; i < types->size; i++)
		free(types->slots[i]);
	free(types->slots);
	free(types);
}

static size_t hash(const struct ctype *t)
{
	uint64_t h = (uintptr_t)t->btf ^ (uint64_t)t->id << 32;

	if (!t->btf)
		h = (uintptr_t)t->to ^ t->count << 8 ^ t->kind;
	h *= 0x9e3779b97f4a7c15;
	return h >> 17;
}

static bool same_key(const struct ctype *a, const struct ctype *b)
{
	if (a->btf || b->btf)
		return a->btf == b->btf && a->id == b->id;
	return a->kind == b->kind && a->to == b->to && a->count == b->count;
}

static struct ctype **slot(struct ctypes *types, const struct ctype *key)
{
	size_t i = hash(key) & (types->size - 1);

	while (types->slots[i] && !same_key(types->slots[i], key))
		i = (i + 1) & (types->size - 1);
	return &types->slots[i];
}

static int grow(struct ctypes *types)
{
	struct ctypes bigger = { .size = types->size * 2 };

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < types->size; i++)
		if (types->slots[i])
			*slot(&bigger, types->slots[i]) = types->slots[i];
	free(types->slots);
	types->slots = bigger.slots;
	types->size = bigger.size;
	return 0;
}

static const struct ctype *intern(struct ctypes *types, const struct ctype *key)
{
	struct ctype **at;
	struct ctype *t;

	if (types->used * 2 >= types->size && grow(types))
		return &bad;
	at = slot(types, key);
	if (*at)
		return *at;
	t = malloc(sizeof(*t));
	if (!t)
		return &bad;
	*t = *key;
	types->used++;
	return *at = t;
}

/* BTF of C++ may name an int anything; one byte that is not called a number is text. */
static bool names_text(const char *name)
{
	static const char *const text[] = { "char", "signed char", "unsigned char", "char8_t",
		                            NULL };

	for (int i = 0; text[i]; i++)
		if (!strcmp(name, text[i]))
			return true;
	return false;
}

static bool names_number(const char *name)
{
	static const char *const number[] = { "int8_t", "uint8_t", "__int8_t", "__uint8_t",
		                              "u8",     "s8",      "__u8",     "__s8",
		                              "int8",   "uint8",   NULL };

	for (int i = 0; number[i]; i++)
		if (!strcmp(name, number[i]))
			return true;
	return false;
}

static bool is_bool_name(const char *name)
{
	return !strcmp(name, "_Bool") || !strcmp(name, "bool");
}

static void fill_int(struct ctype *t, const struct btf_type *bt, const char *name, bool number)
{
	uint8_t encoding = btf_int_encoding(bt);

	t->kind = CTYPE_INT;
	t->size = bt->size;
	t->is_signed = encoding & BTF_INT_SIGNED;
	if (encoding & BTF_INT_BOOL || is_bool_name(name))
		t->kind = CTYPE_BOOL;
	t->is_char = bt->size == 1 && !number && (encoding & BTF_INT_CHAR || names_text(name));
	if (t->size != 1 && t->size != 2 && t->size != 4 && t->size != 8 && t->size != 16)
		*t = (struct ctype){ .kind = CTYPE_BAD, .btf = t->btf, .id = t->id };
}

static int64_t array_size(const struct btf_view *btf, const struct btf_array *array)
{
	int64_t element = btf_view_size(btf, array->type);
	uint64_t size;

	if (element < 0 || __builtin_mul_overflow((uint64_t)element, array->nelems, &size) ||
	    size > INT64_MAX)
		return -1;
	return (int64_t)size;
}

static void fill(struct ctype *t, const struct btf_type *bt, const char *name, bool number)
{
	int64_t size;

	switch (btf_kind(bt)) {
	case BTF_KIND_UNKN:
		t->kind = CTYPE_VOID;
		break;
	case BTF_KIND_INT:
		fill_int(t, bt, name, number);
		break;
	case BTF_KIND_FLOAT:
		t->kind = CTYPE_FLOAT;
		t->real = real_format_of(name, bt->size);
		t->size = bt->size;
		break;
	case BTF_KIND_ENUM:
	case ENUM64_KIND:
		/* Without enumerators it is a declaration only. */
		t->kind = btf_vlen(bt) ? CTYPE_ENUM : CTYPE_INCOMPLETE;
		t->size = bt->size;
		t->is_signed = btf_kflag(bt);
		if (bt->size != 1 && bt->size != 2 && bt->size != 4 && bt->size != 8)
			t->kind = CTYPE_BAD;
		break;
	case BTF_KIND_PTR:
		t->kind = CTYPE_POINTER;
		t->size = sizeof(uint64_t);
		break;
	case BTF_KIND_ARRAY:
		size = array_size(t->btf, btf_array(bt));
		t->kind = size < 0 ? CTYPE_BAD : CTYPE_ARRAY;
		t->size = size < 0 ? 0 : (uint64_t)size;
		t->count = btf_array(bt)->nelems;
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		t->kind = btf_is_struct(bt) ? CTYPE_STRUCT : CTYPE_UNION;
		t->size = bt->size;
		break;
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_FUNC:
		t->kind = CTYPE_FUNCTION;
		break;
	case BTF_KIND_FWD:
		t->kind = CTYPE_INCOMPLETE;
		break;
	default:
		t->kind = CTYPE_BAD;
	}
}

const struct ctype *ctype_of(struct ctypes *types, const struct btf_view *btf, uint32_t id)
{
	struct ctype key = { .btf = btf, .id = id, .base = id };
	struct ctype **found = slot(types, &key);
	const struct btf_type *bt = NULL;
	const char *name = "";
	bool number = false;

	if (*found)
		return *found;
	for (int i = 0; i < CHAIN_MAX; i++) {
		bt = btf_view_type(btf, key.base);
		if (!bt)
			return &bad;
		name = btf_view_name(btf, bt->name_off);
		if (!btf_is_mod(bt) && !btf_is_typedef(bt) && !btf_is_type_tag(bt))
			break;
		number = number || names_number(name);
		key.base = bt->type;
		bt = NULL;
	}
	if (!bt)
		return &bad;
	fill(&key, bt, name, number);
	return intern(types, &key);
}

const struct ctype *ctype_pointer(struct ctypes *types, const struct ctype *to)
{
	return intern(types, &(struct ctype){ .kind = CTYPE_POINTER, .size = 8, .to = to });
}

const struct ctype *ctype_array(struct ctypes *types, const struct ctype *of, uint64_t count)
{
	struct ctype key = { .kind = CTYPE_ARRAY, .to = of, .count = count };

	if (__builtin_mul_overflow(of->size, count, &key.size) || key.size > INT64_MAX)
		return &bad;
	return intern(types, &key);
}

const struct ctype *ctype_function(struct ctypes *types, const struct ctype *result)
{
	return intern(types, &(struct ctype){ .kind = CTYPE_FUNCTION, .to = result });
}

const struct ctype *ctype_builtin(enum ctype_builtin which)
{
	return &builtins[which];
}

const struct ctype *ctype_to(struct ctypes *types, const struct ctype *type)
{
	const struct btf_type *bt;

	if (type->to)
		return type->to;
	if (!type->btf)
		return &bad;
	bt = btf_view_type(type->btf, type->base);
	switch (type->kind) {
	case CTYPE_POINTER:
		return ctype_of(types, type->btf, bt->type);
	case CTYPE_ARRAY:
		return ctype_of(types, type->btf, btf_array(bt)->type);
	default:
		return &bad;
	}
}

uint32_t ctype_fields(const struct ctype *type)
{
	return ctype_is_record(type) ? btf_vlen(btf_view_type(type->btf, type->base)) : 0;
}

int ctype_field(struct ctypes *types, const struct ctype *type, uint32_t i, struct ctype_field *ret)
{
	const struct btf_type *bt, *mt;
	const struct btf_member *member;
	uint32_t bits;

	if (i >= ctype_fields(type))
		return -ENOENT;
	bt = btf_view_type(type->btf, type->base);
	member = &btf_members(bt)[i];
	bits = btf_member_bitfield_size(bt, i);
	ret->name = btf_view_name(type->btf, member->name_off);
	ret->type = ctype_of(types, type->btf, member->type);
	ret->bit_offset = btf_member_bit_offset(bt, i);
	/* The older encoding: an INT of fewer bits than its bytes have. */
	mt = ret->type->btf ? btf_view_type(ret->type->btf, ret->type->base) : NULL;
	if (!bits && mt && btf_is_int(mt) &&
	    (btf_int_bits(mt) != 8 * ret->type->size || btf_int_offset(mt)) &&
	    btf_int_bits(mt) <= 64) {
		bits = btf_int_bits(mt);
		ret->bit_offset += btf_int_offset(mt);
	}
	if (bits > 64 || (bits && !ctype_is_integer(ret->type)) ||
	    (!bits && ret->bit_offset % 8 != 0))
		return -EBADMSG;
	ret->bit_size = bits;
	return 0;
}

/* Anonymous members, and the base classes of C++ (named so in our BTF). */
static bool is_transparent(const char *name)
{
	return !name[0] || !strncmp(name, "__base_", strlen("__base_"));
}

bool ctype_is_virtual_base(const struct ctype_field *field, uint64_t *slot, const char **name)
{
	static const char prefix[] = "__virtual_";
	char *end;

	if (strncmp(field->name, prefix, strlen(prefix)) || field->type->kind != CTYPE_ARRAY ||
	    field->type->count || field->bit_offset)
		return false;
	*slot = strtoull(field->name + strlen(prefix), &end, 10);
	*name = end + 1;
	return *end == '_' && *slot;
}

static int find_field(struct ctypes *types, const struct ctype *type, const char *name, int depth,
                      struct ctype_field *ret)
{
	struct ctype_field field;
	uint32_t n = ctype_fields(type);

	for (uint32_t i = 0; i < n; i++) {
		if (ctype_field(types, type, i, &field))
			continue;
		if (!strcmp(field.name, name)) {
			*ret = field;
			return 0;
		}
	}
	for (uint32_t i = 0; i < n && depth < CHAIN_MAX; i++) {
		if (ctype_field(types, type, i, &field) || !is_transparent(field.name) ||
		    !ctype_is_record(field.type))
			continue;
		if (!find_field(types, field.type, name, depth + 1, ret)) {
			ret->bit_offset += field.bit_offset;
			return 0;
		}
	}
	return -ENOENT;
}

int ctype_find_field(struct ctypes *types, const struct ctype *type, const char *name,
                     struct ctype_field *ret)
{
	return name[0] ? find_field(types, type, name, 0, ret) : -ENOENT;
}

uint32_t ctype_enumerators(const struct ctype *type)
{
	return type->kind == CTYPE_ENUM ? btf_vlen(btf_view_type(type->btf, type->base)) : 0;
}

const char *ctype_enumerator(const struct ctype *type, uint32_t i, int64_t *value)
{
	const struct btf_type *bt = btf_view_type(type->btf, type->base);
	uint32_t name;

	if (btf_kind(bt) == ENUM64_KIND) {
		const uint32_t *e = (const uint32_t *)(bt + 1) + 3 * (size_t)i;

		name = e[0];
		*value = (int64_t)(e[1] | (uint64_t)e[2] << 32);
	} else {
		const struct btf_enum *e = &btf_enum(bt)[i];

		name = e->name_off;
		*value = type->is_signed ? (int64_t)e->val : (int64_t)(uint32_t)e->val;
	}
	return btf_view_name(type->btf, name);
}

const char *ctype_tag(const struct ctype *type)
{
	const struct btf_type *bt;
	const char *name = "";

	if (!type->btf)
		return type->name ?: "";
	bt = btf_view_type(type->btf, type->id);
	for (int i = 0; bt && i < CHAIN_MAX; i++) {
		name = btf_view_name(type->btf, bt->name_off);
		if (name[0] || !btf_is_mod(bt))
			break;
		bt = btf_view_type(type->btf, bt->type);
	}
	return name;
}

const char *ctype_base_tag(const struct ctype *type)
{
	const struct btf_type *bt = type->btf ? btf_view_type(type->btf, type->base) : NULL;

	return bt ? btf_view_name(type->btf, bt->name_off) : type->name ?: "";
}

bool ctype_has_typedef(const struct ctype *type, const char *name)
{
	uint32_t id = type->id;

	for (int i = 0; type->btf && i < CHAIN_MAX; i++) {
		const struct btf_type *bt = btf_view_type(type->btf, id);

		if (!bt || (!btf_is_mod(bt) && !btf_is_typedef(bt) && !btf_is_type_tag(bt)))
			return false;
		if (btf_is_typedef(bt) && !strcmp(btf_view_name(type->btf, bt->name_off), name))
			return true;
		id = bt->type;
	}
	return false;
}

bool ctype_is_integer(const struct ctype *type)
{
	return type->kind == CTYPE_INT || type->kind == CTYPE_BOOL || type->kind == CTYPE_ENUM;
}

bool ctype_is_arithmetic(const struct ctype *type)
{
	return ctype_is_integer(type) || type->kind == CTYPE_FLOAT;
}

bool ctype_is_scalar(const struct ctype *type)
{
	return ctype_is_arithmetic(type) || type->kind == CTYPE_POINTER;
}

bool ctype_is_record(const struct ctype *type)
{
	return type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION;
}

bool ctype_is_reference(const struct ctype *type)
{
	const struct btf_type *bt;

	if (type->kind != CTYPE_POINTER || !type->btf)
		return false;
	bt = btf_view_type(type->btf, type->base);
	bt = btf_view_type(type->btf, bt->type);
	return bt && btf_is_type_tag(bt) && btf_view_name(type->btf, bt->name_off)[0] == '&';
}

static bool same_fields(struct ctypes *types, const struct ctype *a, const struct ctype *b)
{
	struct ctype_field fa, fb;

	if (ctype_fields(a) != ctype_fields(b))
		return false;
	for (uint32_t i = 0; i < ctype_fields(a); i++) {
		if (ctype_field(types, a, i, &fa) || ctype_field(types, b, i, &fb))
			return false;
		if (strcmp(fa.name, fb.name) || fa.bit_offset != fb.bit_offset ||
		    fa.bit_size != fb.bit_size || fa.type->kind != fb.type->kind ||
		    fa.type->size != fb.type->size)
			return false;
	}
	return true;
}

bool ctype_same(struct ctypes *types, const struct ctype *a, const struct ctype *b)
{
	for (int depth = 0; depth < CHAIN_MAX; depth++) {
		if (a == b)
			return true;
		if (a->kind != b->kind || a->size != b->size || a->is_signed != b->is_signed)
			return false;
		if (a->kind == CTYPE_POINTER || a->kind == CTYPE_ARRAY) {
			a = ctype_to(types, a);
			b = ctype_to(types, b);
			continue;
		}
		if (strcmp(ctype_tag(a), ctype_tag(b)) && ctype_is_record(a))
			return false;
		return same_fields(types, a, b);
	}
	return false;
}
