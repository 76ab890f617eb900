/* SPDX-License-Identifier: MIT */
/*
 * Names of types. In C a name is its own; in C++ and Rust it is qualified by its scopes, and the
 * same pair of scope and name comes again in every unit, so that pairs are remembered.
 */
#include "types/convert.h"

#include <dwarf.h>

#include "types/mangle.h"
#include "types/util.h"

#define MEMO_MIN  (1u << 13)
#define MEMO_MAX  (1u << 19)
#define SCOPE_MAX 64 /* levels; more is hostile */

struct name_memo {
	const char *name;
	uint32_t scope;
	uint32_t result;
	uint32_t mangled; /* 0: a scope's name as the source has it, 1: a type's */
};

bool language_has_scopes(uint16_t language)
{
	switch (language) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case 0x2a: /* C++17 */
	case 0x2b: /* C++20 */
	case DW_LANG_ObjC_plus_plus:
	case DW_LANG_Rust:
	case DW_LANG_D:
	case DW_LANG_Swift:
		return true;
	}
	return false;
}

static struct name_memo *memo_at(struct convert *cv, uint32_t scope, const char *name, bool mangled)
{
	uint64_t h = hash_mix((uintptr_t)name * 31 + scope * 2 + mangled);

	return &cv->memo[h & (cv->memo_size - 1)];
}

static int join(struct convert *cv, uint32_t scope, const char *name, bool mangled, uint32_t *ret)
{
	const char *outer = cv->b.strings + scope;
	char stack[1024], *joined = stack;
	_cleanup_free_ char *heap = NULL;
	size_t need = strlen(outer) + 2 + strlen(name) + 1;

	if (need > sizeof(stack)) {
		joined = heap = malloc(need);
		if (!heap)
			return -ENOMEM;
	}
	strcpy(stpcpy(stpcpy(joined, outer), scope ? "::" : ""), name);
	return mangled ? builder_name(&cv->b, joined, ret) : builder_string(&cv->b, joined, ret);
}

static int qualified(struct convert *cv, uint32_t scope, const char *name, bool mangled,
                     uint32_t *ret)
{
	struct name_memo *m = memo_at(cv, scope, name, mangled);
	int err;

	if (dw_in_buffer(cv->file, name))
		return join(cv, scope, name, mangled, ret);
	if (m->name == name && m->scope == scope && m->mangled == mangled) {
		*ret = m->result;
		return 0;
	}
	err = join(cv, scope, name, mangled, ret);
	if (!err)
		*m = (struct name_memo){ name, scope, *ret, mangled };
	return err;
}

static const char *scope_name(const struct node *n)
{
	if (n->name)
		return n->name;
	return n->tag == DW_TAG_namespace ? "(anonymous namespace)" : NULL;
}

/* The name of `n` as a scope, its own scopes in front. */
static int scope_of(struct convert *cv, uint32_t i, int depth, uint32_t *ret)
{
	const struct node *n = &cv->g.nodes[i];
	uint32_t outer = 0;
	const char *name;
	int err;

	*ret = 0;
	if (!i || depth > SCOPE_MAX)
		return 0;
	err = scope_of(cv, n->parent, depth + 1, &outer);
	if (err)
		return err;
	name = scope_name(n);
	if (!name) {
		*ret = outer;
		return 0;
	}
	return qualified(cv, outer, name, false, ret);
}

int node_scope(struct convert *cv, uint32_t i, uint32_t *ret)
{
	return scope_of(cv, cv->g.nodes[i].parent, 0, ret);
}

int node_name(struct convert *cv, uint32_t i, uint32_t *ret)
{
	struct node *n = &cv->g.nodes[i];
	uint32_t scope = 0;
	int err;

	if (n->text) {
		*ret = n->text - 1;
		return 0;
	}
	if (!n->name || !*n->name) {
		*ret = 0;
		return 0;
	}
	if (n->parent && cv->g.units_count && language_has_scopes(cv->g.units[n->unit]->language)) {
		err = node_scope(cv, i, &scope);
		if (err)
			return err;
	}
	if (scope)
		err = qualified(cv, scope, n->name, true, ret);
	else
		err = builder_name_at(&cv->b, n->name, ret);
	if (!err)
		n->text = *ret + 1;
	return err;
}

/* Large C++ programs have some hundred thousand names, and each of them in most units. */
int names_init(struct convert *cv, size_t info)
{
	cv->memo_size = MEMO_MIN;
	while (cv->memo_size < MEMO_MAX && cv->memo_size < info / 512)
		cv->memo_size *= 2;
	cv->memo = calloc(cv->memo_size, sizeof(*cv->memo));
	return cv->memo ? 0 : -ENOMEM;
}

void names_forget(struct convert *cv)
{
	memset(cv->memo, 0, cv->memo_size * sizeof(*cv->memo));
	builder_forget(&cv->b);
}
