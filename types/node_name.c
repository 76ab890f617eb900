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
#define SCOPE_MAX 64 /* levels; more is hostile */

/* In the scope: the result is a type's name. Else it is a scope's, as the source has it. */
#define MANGLED 0x80000000u

struct name_memo {
	const char *name; /* NULL: free */
	uint32_t scope;
	uint32_t result;
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

bool language_is_fortran(uint16_t language)
{
	switch (language) {
	case DW_LANG_Fortran77:
	case DW_LANG_Fortran90:
	case DW_LANG_Fortran95:
	case DW_LANG_Fortran03:
	case DW_LANG_Fortran08:
	case 0x2d: /* Fortran 2018 */
		return true;
	}
	return false;
}

uint64_t language_first_index(uint16_t language)
{
	switch (language) {
	case DW_LANG_Ada83:
	case DW_LANG_Ada95:
	case DW_LANG_Cobol74:
	case DW_LANG_Cobol85:
	case DW_LANG_Modula2:
	case DW_LANG_Modula3:
	case DW_LANG_Pascal83:
	case DW_LANG_PLI:
	case DW_LANG_Julia:
		return 1;
	}
	return language_is_fortran(language);
}

static size_t memo_place(size_t size, uint32_t scope, const char *name)
{
	return hash_mix((uintptr_t)name * 31 + scope) & (size - 1);
}

/* The place of a pair: where it is, or where it would go. */
static struct name_memo *memo_at(struct name_memo *memo, size_t size, uint32_t scope,
                                 const char *name)
{
	size_t at = memo_place(size, scope, name);

	while (memo[at].name && (memo[at].name != name || memo[at].scope != scope))
		at = (at + 1) & (size - 1);
	return &memo[at];
}

static int memo_grow(struct convert *cv)
{
	size_t size = cv->memo_size * 2;
	struct name_memo *memo = calloc(size, sizeof(*memo));

	if (!memo)
		return -ENOMEM;
	for (size_t i = 0; i < cv->memo_size; i++) {
		const struct name_memo *m = &cv->memo[i];

		if (m->name)
			*memo_at(memo, size, m->scope, m->name) = *m;
	}
	free(cv->memo);
	cv->memo = memo;
	cv->memo_size = size;
	return 0;
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
	uint32_t key = scope | (mangled ? MANGLED : 0);
	struct name_memo *m;
	int err;

	if (dw_in_buffer(cv->file, name))
		return join(cv, scope, name, mangled, ret);
	m = memo_at(cv->memo, cv->memo_size, key, name);
	if (m->name) {
		*ret = m->result;
		return 0;
	}
	err = join(cv, scope, name, mangled, ret);
	if (err)
		return err;
	*m = (struct name_memo){ name, key, *ret };
	return ++cv->memo_used * 2 > cv->memo_size ? memo_grow(cv) : 0;
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
	struct node *n = &cv->g.nodes[i];
	uint32_t outer = 0;
	const char *name;
	int err;

	*ret = 0;
	if (!i || depth > SCOPE_MAX)
		return 0;
	if (n->scope) {
		*ret = n->scope - 1;
		return 0;
	}
	err = scope_of(cv, n->parent, depth + 1, &outer);
	if (err)
		return err;
	name = scope_name(n);
	if (name)
		err = qualified(cv, outer, name, false, ret);
	else
		*ret = outer;
	if (!err)
		n->scope = *ret + 1;
	return err;
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

/* --- all names of a graph --- */

/* So many nodes ahead is looked up what will be needed. */
#define AHEAD 12

/* Is this one whose name has no scope in front? */
static bool is_plain(const struct node *n)
{
	return n->tag == DW_TAG_enumerator ||
	       (n->tag == DW_TAG_member && !(n->flags & NODE_STATIC_MEMBER));
}

static bool is_scoped(const struct node *n)
{
	switch (n->tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
		return true;
	}
	return false;
}

/* The place in the table of pairs is most often in no cache, and takes longer than all the rest. */
static void prefetch_name(const struct convert *cv, uint32_t i)
{
	const struct node *n = &cv->g.nodes[i], *parent = &cv->g.nodes[n->parent];

	if (!n->name)
		return;
	if (is_plain(n))
		builder_prefetch_name(&cv->b, n->name);
	else if (is_scoped(n) && n->parent && parent->scope)
		__builtin_prefetch(
		    &cv->memo[memo_place(cv->memo_size, (parent->scope - 1) | MANGLED, n->name)]);
}

int graph_names(struct convert *cv)
{
	int err = 0;

	for (uint32_t i = 1; i < cv->g.scanned && !err; i++) {
		struct node *n = &cv->g.nodes[i];
		uint32_t name;

		if (i + AHEAD < cv->g.scanned)
			prefetch_name(cv, i + AHEAD);
		if (is_plain(n)) {
			err = builder_name_at(&cv->b, n->name, &name);
			n->text = name + 1;
		} else if (is_scoped(n)) {
			err = node_name(cv, i, &name);
		}
	}
	return err;
}

int names_init(struct convert *cv)
{
	cv->memo_size = MEMO_MIN;
	cv->memo_used = 0;
	cv->memo = calloc(cv->memo_size, sizeof(*cv->memo));
	return cv->memo ? 0 : -ENOMEM;
}

void names_forget(struct convert *cv)
{
	memset(cv->memo, 0, cv->memo_size * sizeof(*cv->memo));
	cv->memo_used = 0;
	builder_forget(&cv->b);
}
