/* SPDX-License-Identifier: MIT */
#include "types/enumerators.h"

#include <bpf/btf.h>
#include <string.h>

#include "types/c_type.h"

/* An enum's enumerators belong to it, and, as in C, to where it is. */
static bool is_in_scope(const char *type, const char *scope)
{
	size_t n = strlen(scope);

	return !n || (!strncmp(type, scope, n) && (!type[n] || !strncmp(type + n, "__", 2)));
}

/* Equal values of one name are one constant: headers are included more than once. */
static void add_constant(struct enumerator_search *q, const struct ctype *type, uint64_t value)
{
	for (int i = 0; i < q->n && i < q->max; i++)
		if (q->ret[i].address == value)
			return;
	if (q->n < q->max)
		q->ret[q->n] = (struct expr_symbol){ .kind = EXPR_SYM_CONSTANT,
			                             .type = type,
			                             .address = value,
			                             .module = q->module };
	q->n++;
}

void enumerators_find(struct enumerator_search *q, const struct btf_view *btf)
{
	for (uint32_t id = 1; id < btf->count; id++) {
		const struct btf_type *bt = btf_view_type(btf, id);
		size_t step = btf_kind(bt) == BTF_KIND_ENUM ? 2 : 3;
		const struct ctype *type;
		int64_t value;

		if (!btf_is_any_enum(bt) ||
		    !is_in_scope(btf_view_name(btf, bt->name_off), q->scope))
			continue;
		for (uint32_t k = 0; k < btf_vlen(bt); k++) {
			const uint32_t *name = (const uint32_t *)(bt + 1) + k * step;

			if (strcmp(btf_view_name(btf, *name), q->name))
				continue;
			type = ctype_of(q->types, btf, id);
			ctype_enumerator(type, k, &value);
			add_constant(q, type, (uint64_t)value);
		}
	}
}
