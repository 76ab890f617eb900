/* SPDX-License-Identifier: MIT */
/*
 * Base classes of C++. Where a virtual one is in an object is a number in the object's vtable, so a member
 * of one gets an EXPR_VIRTUAL_BASE between object and member. Base classes that are not virtual may have
 * virtual ones; those get an EXPR_MEMBER. Casts between pointers to a class and to its base move the
 * pointer, as in C++.
 */
#include "types/expr_bind.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX   16
#define VISITED_MAX 4096 /* classes that are looked into */

static struct expr *base_of(struct binder *b, enum expr_op op, struct expr *object,
                            const struct ctype *type, uint64_t offset)
{
	struct expr *e = expr_alloc(b->tree, sizeof(*e));

	if (!e)
		return NULL;
	e->op = op;
	e->type = type;
	e->column = object->column;
	e->length = object->length;
	e->a = object;
	e->offset = offset;
	e->lvalue = true;
	return e;
}

/* clang leaves the members of many classes out: where such a base lies is known. */
static bool is_class(const struct ctype *type)
{
	return ctype_is_record(type) || type->kind == CTYPE_INCOMPLETE;
}

/* The i-th member of the object's class as an object, if it is a base class. -ENOENT: it is none. */
static int nth_base(struct binder *b, struct expr *object, uint32_t i, struct expr **ret)
{
	struct ctype_field field;
	const char *name;
	uint64_t slot;

	if (ctype_field(b->types, object->type, i, &field))
		return -ENOENT;
	if (ctype_is_virtual_base(&field, &slot, &name))
		*ret = base_of(b, EXPR_VIRTUAL_BASE, object, ctype_to(b->types, field.type), slot);
	else if (is_class(field.type) && !strncmp(field.name, "__base_", 7))
		*ret = base_of(b, EXPR_MEMBER, object, field.type, field.bit_offset / 8);
	else
		return -ENOENT;
	return *ret ? 0 : -ENOMEM;
}

static int search(struct binder *b, struct expr **object, const char *member, int depth,
                  unsigned *visited)
{
	const struct ctype *record = (*object)->type;
	struct ctype_field found;
	struct expr *e;
	int rc = -ENOENT;

	for (uint32_t i = 0; i < ctype_fields(record) && rc == -ENOENT; i++) {
		if (depth > DEPTH_MAX || ++*visited > VISITED_MAX)
			break;
		rc = nth_base(b, *object, i, &e);
		if (rc == -ENOENT)
			continue;
		if (rc)
			return rc;
		rc = ctype_find_field(b->types, e->type, member, &found)
		         ? search(b, &e, member, depth + 1, visited)
		         : 0;
		if (!rc)
			*object = e;
	}
	return rc;
}

int bind_virtual_base(struct binder *b, struct expr **object, const char *member)
{
	unsigned visited = 0;

	return (*object)->lvalue ? search(b, object, member, 0, &visited) : -ENOENT;
}

/* ---- casts ---- */

struct base_search {
	struct binder *b;
	const struct ctype *base;
	struct expr *found; /* of the whole object */
	unsigned times, visited;
	bool is_virtual;              /* the way to it leads over a virtual base */
	const struct ctype *declared; /* a base of which it is not known what is in it */
};

static bool same_class(const struct base_search *s, const struct ctype *a, const struct ctype *b)
{
	return !strcmp(ctype_base_tag(a), ctype_base_tag(b)) && ctype_same(s->b->types, a, b);
}

static int search_base(struct base_search *s, struct expr *object, bool is_virtual, int depth)
{
	struct expr *e;
	int rc = 0;

	for (uint32_t i = 0; i < ctype_fields(object->type) && !rc; i++) {
		if (depth > DEPTH_MAX || ++s->visited > VISITED_MAX)
			break;
		rc = nth_base(s->b, object, i, &e);
		if (rc) {
			rc = rc == -ENOENT ? 0 : rc;
			continue;
		}
		is_virtual |= e->op == EXPR_VIRTUAL_BASE;
		if (!same_class(s, e->type, s->base)) {
			if (e->type->kind == CTYPE_INCOMPLETE)
				s->declared = e->type;
			rc = search_base(s, e, is_virtual, depth + 1);
			continue;
		}
		/* A virtual base is one object, however many ways lead to it. */
		s->times += !(s->found && is_virtual && s->is_virtual);
		s->found = e;
		s->is_virtual = is_virtual;
	}
	return rc;
}

static struct expr *node(struct binder *b, const struct expr *at, enum expr_op op,
                         const struct ctype *type, struct expr *a)
{
	struct expr *e = expr_alloc(b->tree, sizeof(*e));

	if (e)
		*e = (struct expr){ .op = op, .type = type, .a = a };
	if (e)
		e->column = at->column, e->length = at->length;
	return e;
}

static uint64_t distance(const struct expr *base)
{
	return base->op == EXPR_MEMBER ? base->offset + distance(base->a) : 0;
}

/* The cast `e` becomes `pointer ? moved : NULL`. */
static int move_pointer(struct binder *b, struct expr *e, struct expr *moved)
{
	struct expr *null = node(b, e, EXPR_INTEGER, e->type, NULL);

	if (!null || !moved)
		return -ENOMEM;
	e->op = EXPR_COND;
	e->b = moved;
	e->c = null;
	return 0;
}

/* Looks for `base` in what a pointer to `derived` points to. */
static int find_base(struct base_search *s, const struct expr *e, const struct ctype *derived)
{
	struct expr *object = node(s->b, e, EXPR_DEREF, derived, e->a);

	if (!object)
		return -ENOMEM;
	object->lvalue = true;
	return search_base(s, object, false, 0);
}

static int fail_bases(const struct base_search *s, const struct expr *e)
{
	if (s->times > 1)
		return expr_fail(
		    s->b->err, -ENOTUNIQ, e->column, e->length,
		    "it has several base classes of that type: cast to the one between "
		    "first");
	return expr_fail(
	    s->b->err, -EINVAL, e->column, e->length,
	    "C++ does not cast from a virtual base class; `(TYPE *)(long)POINTER` takes "
	    "the address as it is");
}

static int fail_declared(const struct base_search *s, const struct expr *e,
                         const struct ctype *declared)
{
	return expr_fail(s->b->err, -EINVAL, e->column, e->length,
	                 "`%s` is only declared in the debug information (clang: "
	                 "-fstandalone-debug), so how far the pointer moves is not known; "
	                 "`(TYPE *)(long)POINTER` takes the address as it is",
	                 ctype_base_tag(declared));
}

int bind_base_cast(struct binder *b, struct expr *e, const struct ctype *from)
{
	const struct ctype *to_class = bind_complete(b, ctype_to(b->types, e->type));
	const struct ctype *from_class = bind_complete(b, ctype_to(b->types, from));
	struct base_search up = { .b = b, .base = to_class }, down = { .b = b, .base = from_class };
	struct expr *moved;
	int rc;

	if (!is_class(to_class) || !is_class(from_class) || same_class(&up, to_class, from_class))
		return 0;
	rc = find_base(&up, e, from_class) ?: find_base(&down, e, to_class);
	if (!rc && !up.times && !down.times && (up.declared || down.declared))
		return fail_declared(&up, e, up.declared ?: down.declared);
	if (rc || (!up.times && !down.times))
		return rc;
	if (up.times + down.times > 1 || (down.times && down.is_virtual))
		return fail_bases(up.times ? &up : &down, e);
	if (up.times)
		return move_pointer(b, e, node(b, e, EXPR_ADDRESS, e->type, up.found));
	moved = node(b, e, EXPR_SUB, e->type, e->a);
	if (moved) {
		moved->b = node(b, e, EXPR_INTEGER, ctype_builtin(CTYPE_B_ULONG), NULL);
		moved->offset = 1;
	}
	if (!moved || !moved->b)
		return -ENOMEM;
	moved->b->integer = distance(down.found);
	return move_pointer(b, e, moved);
}
