/* SPDX-License-Identifier: MIT */
#include "types/btf_view.h"

#include <errno.h>
#include <stddef.h>

#define CHAIN_MAX 64 /* longest chain of typedefs, qualifiers and arrays that is believed */

const struct btf_type *btf_view_type(const struct btf_view *v, uint32_t id)
{
	static const struct btf_type nothing;

	if (!id)
		return &nothing;
	return id < v->count ? (const void *)(v->types + v->offsets[id]) : NULL;
}

const char *btf_view_name(const struct btf_view *v, uint32_t offset)
{
	return offset < v->names_size ? v->names + offset : "";
}

int64_t btf_view_size(const struct btf_view *v, uint32_t id)
{
	uint64_t count = 1, size = 0;

	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *t = btf_view_type(v, id);

		if (!t)
			return -EINVAL;
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_DATASEC:
			size = t->size;
			break;
		case BTF_KIND_PTR:
			size = v->pointer_size;
			break;
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
		case BTF_KIND_VAR:
			id = t->type;
			continue;
		case BTF_KIND_ARRAY:
			id = ((const struct btf_array *)(t + 1))->type;
			if (__builtin_mul_overflow(
			        count, ((const struct btf_array *)(t + 1))->nelems, &count))
				return -E2BIG;
			continue;
		default:
			return -EINVAL;
		}
		if (__builtin_mul_overflow(count, size, &size) || size > INT64_MAX)
			return -E2BIG;
		return (int64_t)size;
	}
	return -EINVAL;
}
