/* SPDX-License-Identifier: MIT */
/*
 * Virtual base classes of C++. Where one is in an object is a number in the object's vtable, so a member
 * of one gets an EXPR_VIRTUAL_BASE between object and member. Base classes that are not virtual may have
 * virtual ones; those get an EXPR_MEMBER.
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

static int search(struct binder *b, struct expr **object, const char *member, int depth,
                  unsigned *visited)
{
	const struct ctype *record = (*object)->type;
	struct ctype_field field, found;
	const char *name;
	struct expr *e;
	uint64_t slot;
	int rc = -ENOENT;

	for (uint32_t i = 0; i < ctype_fields(record) && rc == -ENOENT; i++) {
		if (depth > DEPTH_MAX || ++*visited > VISITED_MAX)
			break;
		if (ctype_field(b->types, record, i, &field))
			continue;
		if (ctype_is_virtual_base(&field, &slot, &name))
			e = base_of(b, EXPR_VIRTUAL_BASE, *object, ctype_to(b->types, field.type),
			            slot);
		else if (ctype_is_record(field.type) && !strncmp(field.name, "__base_", 7))
			e = base_of(b, EXPR_MEMBER, *object, field.type, field.bit_offset / 8);
		else
			continue;
		if (!e)
			return -ENOMEM;
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
