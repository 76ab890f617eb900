/* SPDX-License-Identifier: MIT */
/*
 * Where a function's parameters are when it is entered.
 *
 * What DWARF says for the first instruction is taken. Otherwise the calling convention decides,
 * from the types: all parameters in order, because each takes registers away from the next, and
 * a structure takes as many as it needs or none. An architecture is a table and a classifier.
 */
#include "types/param.h"

#include <bpf/btf.h>
#include <elf.h>

#include "types/util.h"

enum class { CLASS_NONE, CLASS_INTEGER, CLASS_SSE, CLASS_MEMORY };

struct flat {
	enum class word[2]; /* of each 8 bytes */
	bool unaligned;
};

static const struct btf_type *skip_names(const struct image *i, uint32_t id)
{
	while (id) {
		const struct btf_type *t = image_type(i, id);

		if (!btf_is_typedef(t) && !btf_is_mod(t))
			return t;
		id = t->type;
	}
	return NULL;
}

static uint64_t size_of(const struct image *i, uint32_t id)
{
	const struct btf_type *t = skip_names(i, id);
	const struct btf_array *a;

	if (!t)
		return 0;
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
		return i->header->pointer_size;
	case BTF_KIND_ARRAY:
		a = (const void *)(t + 1);
		return a->nelems * size_of(i, a->type);
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->size;
	}
	return 0;
}

static void merge(struct flat *f, uint64_t offset, uint64_t size, enum class class)
{
	if (!size || offset + size > 16) {
		f->word[0] = CLASS_MEMORY;
		return;
	}
	if (offset % (size > 8 ? 8 : size))
		f->unaligned = true;
	for (uint64_t w = offset / 8; w <= (offset + size - 1) / 8; w++) {
		if (f->word[w] == CLASS_NONE || class == CLASS_INTEGER || class == CLASS_MEMORY)
			f->word[w] = class;
	}
}

#define ELEMENTS_MAX 16 /* an object in registers has at most 16 bytes */

static void flatten(const struct image *i, uint32_t id, uint64_t offset, int depth, struct flat *f)
{
	const struct btf_type *t = skip_names(i, id);
	const struct btf_array *a;
	const struct btf_member *m;
	uint32_t vlen;

	if (!t || depth > 16)
		return;
	vlen = BTF_INFO_VLEN(t->info);
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
		merge(f, offset, i->header->pointer_size, CLASS_INTEGER);
		break;
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		merge(f, offset, t->size, CLASS_INTEGER);
		break;
	case BTF_KIND_FLOAT:
		/* long double is x87: in a structure, memory */
		merge(f, offset, t->size, t->size > 8 ? CLASS_MEMORY : CLASS_SSE);
		break;
	case BTF_KIND_ARRAY:
		a = (const void *)(t + 1);
		for (uint32_t k = 0; k < a->nelems && k < ELEMENTS_MAX; k++)
			flatten(i, a->type, offset + k * size_of(i, a->type), depth + 1, f);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		m = (const void *)(t + 1);
		for (uint32_t k = 0; k < vlen; k++) {
			bool bits = BTF_INFO_KFLAG(t->info);
			uint32_t at = bits ? BTF_MEMBER_BIT_OFFSET(m[k].offset) : m[k].offset;

			if (bits && BTF_MEMBER_BITFIELD_SIZE(m[k].offset))
				merge(f, offset + at / 8, 1, CLASS_INTEGER);
			else
				flatten(i, m[k].type, offset + at / 8, depth + 1, f);
		}
		break;
	}
}

struct convention {
	uint16_t machine;
	const int8_t *integers;
	uint8_t integers_count;
	int8_t first_float; /* DWARF number; consecutive */
	uint8_t floats_count;
	uint8_t stack_base; /* of the first stack argument, from the stack pointer at entry */
	bool by_reference;  /* a large structure is passed as its address (AAPCS64) */
};

static const int8_t x86_64_integers[] = { 5, 4, 1, 2, 8, 9 }; /* rdi rsi rdx rcx r8 r9 */
static const int8_t aarch64_integers[] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static const struct convention conventions[] = {
	{ EM_X86_64, x86_64_integers, 6, 17, 8, 8, false },
	{ EM_AARCH64, aarch64_integers, 8, 64, 8, 0, true },
};

static const struct convention *convention_of(uint16_t machine)
{
	for (size_t k = 0; k < sizeof(conventions) / sizeof(*conventions); k++) {
		if (conventions[k].machine == machine)
			return &conventions[k];
	}
	return NULL;
}

struct state {
	unsigned int integers, floats;
	uint32_t stack;
	bool lost; /* an earlier parameter could not be placed: nothing after it is certain */
};

static void on_stack(const struct convention *c, struct state *st, uint64_t size, uint64_t align,
                     struct symbol_param *p)
{
	st->stack = (st->stack + align - 1) & ~(align - 1);
	p->kind = PLACE_STACK;
	p->offset = c->stack_base + st->stack;
	st->stack += (size + 7) & ~7ULL;
}

static int8_t take(const struct convention *c, struct state *st, enum class class)
{
	return class == CLASS_SSE ? (int8_t)(c->first_float + st->floats++)
	                          : c->integers[st->integers++];
}

/* x86-64 System V; scalars and small structures of other conventions are the same scheme. */
static void place(const struct image *i, const struct convention *c, struct state *st,
                  uint32_t type, struct symbol_param *p)
{
	const struct btf_type *t = skip_names(i, type);
	uint64_t size = size_of(i, type);
	struct flat f = { 0 };
	unsigned int integers = 0, floats = 0;
	bool record = t && (BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT ||
	                    BTF_INFO_KIND(t->info) == BTF_KIND_UNION);
	bool wide = t && BTF_INFO_KIND(t->info) == BTF_KIND_FLOAT && t->size > 8;

	p->reg = p->reg2 = -1;
	p->kind = PLACE_NOWHERE;
	if (!size || st->lost) {
		/* an empty structure takes nothing; anything else of no known size loses us */
		if (!record)
			st->lost = true;
		return;
	}
	if (c->by_reference && (record || wide)) {
		/* AAPCS64's homogeneous aggregates are not modelled: refuse rather than guess */
		st->lost = true;
		return;
	}
	if (size > 16 || wide) {
		on_stack(c, st, size, wide ? 16 : 8, p);
		return;
	}
	flatten(i, type, 0, 0, &f);
	if (f.unaligned || f.word[0] == CLASS_MEMORY || f.word[1] == CLASS_MEMORY ||
	    f.word[0] == CLASS_NONE) {
		on_stack(c, st, size, 8, p);
		return;
	}
	for (int w = 0; w < 2; w++) {
		integers += f.word[w] == CLASS_INTEGER;
		floats += f.word[w] == CLASS_SSE;
	}
	if (st->integers + integers > c->integers_count || st->floats + floats > c->floats_count) {
		on_stack(c, st, size, size == 16 && !record ? 16 : 8, p);
		return;
	}
	p->kind = PLACE_REGISTER;
	p->reg = take(c, st, f.word[0]);
	if (f.word[1] != CLASS_NONE)
		p->reg2 = take(c, st, f.word[1]);
}

/* A large structure is returned through a pointer that is passed as a hidden first argument. */
static bool returns_in_memory(const struct image *i, uint32_t proto)
{
	uint32_t type = image_type(i, proto)->type;
	const struct btf_type *t = skip_names(i, type);
	struct flat f = { 0 };

	if (!t ||
	    (BTF_INFO_KIND(t->info) != BTF_KIND_STRUCT && BTF_INFO_KIND(t->info) != BTF_KIND_UNION))
		return false;
	if (t->size > 16)
		return true;
	flatten(i, type, 0, 0, &f);
	return f.unaligned || f.word[0] == CLASS_MEMORY || f.word[1] == CLASS_MEMORY;
}

int param_classify(const struct image *i, const struct symbol *s, uint32_t n,
                   struct symbol_param *ret)
{
	const struct convention *c = convention_of(i->header->machine);
	struct state st = { 0 };

	ret->kind = PLACE_NOWHERE;
	if (!c)
		return 0;
	if (s->type && BTF_INFO_KIND(image_type(i, s->type)->info) == BTF_KIND_FUNC_PROTO &&
	    returns_in_memory(i, s->type) && !c->by_reference)
		st.integers = 1;
	for (uint32_t k = 0; k <= n; k++)
		place(i, c, &st, i->params[s->param + k].type, ret);
	return 0;
}

static enum types_place place_of(uint8_t kind)
{
	switch (kind) {
	case PLACE_REGISTER:
		return TYPES_IN_REGISTER;
	case PLACE_STACK:
		return TYPES_ON_STACK;
	case PLACE_MEMORY:
		return TYPES_IN_MEMORY;
	}
	return TYPES_NOWHERE;
}

int types_param(struct types *types, const struct types_symbol *symbol, uint32_t n,
                struct types_param *ret)
{
	const struct image *i = &types->image;
	const struct symbol *s;
	struct symbol_param p;
	bool from_dwarf;

	if (symbol->index >= i->symbols_count)
		return -ERANGE;
	s = &i->symbols[symbol->index];
	if (n >= s->params)
		return -ERANGE;
	p = i->params[s->param + n];
	from_dwarf = p.kind != PLACE_ABI;
	if (!from_dwarf)
		param_classify(i, s, n, &p);
	*ret = (struct types_param){
		.name = i->strings + i->params[s->param + n].name,
		.type_id = i->params[s->param + n].type,
		.place = place_of(p.kind),
		.reg = p.reg,
		.reg2 = p.reg2,
		.offset = p.offset,
		.from_dwarf = from_dwarf,
	};
	return 0;
}
