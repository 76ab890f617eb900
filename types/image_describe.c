/* SPDX-License-Identifier: MIT */
#include "types/image.h"

#include <bpf/btf.h>
#include <gelf.h>

#include "types/builder.h"
#include "types/types.h"
#include "types/util.h"

struct sizes {
	const uint8_t *types;
	uint32_t *offsets;
	size_t count;
	uint32_t pointer_size;
};

/* Sound BTF (btf_check()): chains end. */
static uint64_t type_size(const struct sizes *s, uint32_t id)
{
	uint64_t elements = 1;

	while (id && id < s->count) {
		const struct btf_type *t = (const void *)(s->types + s->offsets[id]);
		const struct btf_array *a = (const void *)(t + 1);

		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return elements * t->size;
		case BTF_KIND_PTR:
			return elements * s->pointer_size;
		case BTF_KIND_ARRAY:
			elements *= a->nelems;
			id = a->type;
			break;
		default:
			if (!btf_is_typedef(t) && !btf_is_mod(t))
				return 0;
			id = t->type;
		}
	}
	return 0;
}

static int sizes_init(struct sizes *s, const struct image_parts *p)
{
	const struct btf_header *h = p->btf;
	size_t room = 0;

	s->types = (const uint8_t *)p->btf + h->hdr_len + h->type_off;
	s->pointer_size = p->pointer_size;
	s->count = 1;
	for (size_t at = 0; at < h->type_len; s->count++) {
		if (array_reserve(&s->offsets, s->count, &room, sizeof(*s->offsets)))
			return -ENOMEM;
		s->offsets[s->count] = at;
		at += btf_record_size((const void *)(s->types + at));
	}
	return 0;
}

void image_describe(struct image_parts *p, Elf *elf)
{
	struct sizes s = { 0 };
	GElf_Ehdr ehdr;

	p->pointer_size = sizeof(void *);
	if (elf && gelf_getehdr(elf, &ehdr)) {
		p->machine = ehdr.e_machine;
		p->pointer_size = ehdr.e_ident[EI_CLASS] == ELFCLASS32 ? 4 : 8;
	}
	if (!sizes_init(&s, p)) {
		p->types_count = s.count - 1;
		for (size_t i = 0; i < p->symbols_count; i++) {
			struct symbol *sym = &p->symbols[i];

			if (sym->kind != TYPES_FUNCTION && !sym->size)
				sym->size = type_size(&s, sym->type);
		}
	}
	free(s.offsets);
}
