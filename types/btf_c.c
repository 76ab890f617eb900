/* SPDX-License-Identifier: MIT */
/*
 * libbpf writes BTF as C, except for three things that are mended here, in a copy:
 *
 *   - A union of some size without members (gcc leaves those of a transparent union out) would
 *     become one of no size. It gets an array of chars for a member.
 *   - An enum without a name is written where it is used, or by itself if nothing refers to it.
 *     If what refers to it is not written either (the type of a variable, of a function's
 *     parameter), it is in neither place. Types that no named type leads to lose their references.
 *   - A member whose type is only declared (clang's limited debug information for C++ has such) is no
 *     C, and makes libbpf divide by its alignment, 0. It is left out; padding takes its place.
 */
#include "types/btf_c.h"

#include <bpf/btf.h>

#include "types/builder.h"
#include "types/util.h"

struct copy {
	const struct btf *from;
	struct btf *to;
	uint32_t count;
	bool *reached;
	uint32_t *stack;
	size_t stack_count;
	uint32_t *hollow; /* sizes of unions that got a member; its type is count + 1 + index */
	size_t hollow_count, hollow_room;
	size_t left_out; /* members */
};

static bool is_written(const struct btf_type *t)
{
	return t->name_off && !btf_is_func(t) && !btf_is_var(t) && !btf_is_datasec(t) &&
	       !btf_is_decl_tag(t);
}

static bool is_hollow(const struct btf_type *t)
{
	return btf_is_union(t) && !btf_vlen(t) && t->size;
}

static void reach(uint32_t *id, void *arg)
{
	struct copy *c = arg;

	if (!*id || *id >= c->count || c->reached[*id])
		return;
	c->reached[*id] = true;
	c->stack[c->stack_count++] = *id;
}

static int find_reached(struct copy *c)
{
	c->reached = calloc(c->count, sizeof(*c->reached));
	c->stack = malloc(c->count * sizeof(*c->stack));
	if (!c->reached || !c->stack)
		return -ENOMEM;
	for (uint32_t id = 1; id < c->count; id++) {
		if (is_written(btf__type_by_id(c->from, id)))
			reach(&id, c);
	}
	while (c->stack_count) {
		uint32_t id = c->stack[--c->stack_count];

		btf_record_ids((struct btf_type *)btf__type_by_id(c->from, id), reach, c);
	}
	return 0;
}

static void forget(uint32_t *id, void *arg)
{
	(void)arg;
	*id = 0;
}

static int add_hollow(struct copy *c, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(c->from, t->name_off);
	size_t i = 0;
	int err;

	while (i < c->hollow_count && c->hollow[i] != t->size)
		i++;
	err = i < c->hollow_count
	          ? 0
	          : array_reserve(&c->hollow, c->hollow_count, &c->hollow_room, sizeof(*c->hollow));
	if (err)
		return err;
	if (i == c->hollow_count)
		c->hollow[c->hollow_count++] = t->size;
	err = btf__add_union(c->to, name, t->size);
	return err < 0 ? err : btf__add_field(c->to, "__opaque", c->count + 1 + i, 0, 0);
}

static bool is_sizeless(const struct copy *c, const struct btf_member *m)
{
	return btf__resolve_size(c->from, m->type) == -EINVAL;
}

static bool has_sizeless(const struct copy *c, const struct btf_type *t)
{
	for (uint32_t i = 0; btf_is_composite(t) && i < btf_vlen(t); i++)
		if (is_sizeless(c, &btf_members(t)[i]))
			return true;
	return false;
}

static int add_without_sizeless(struct copy *c, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(c->from, t->name_off);
	int err = btf_is_union(t) ? btf__add_union(c->to, name, t->size)
	                          : btf__add_struct(c->to, name, t->size);

	for (uint32_t i = 0; i < btf_vlen(t) && err >= 0; i++) {
		const struct btf_member *m = &btf_members(t)[i];

		if (is_sizeless(c, m))
			c->left_out++;
		else
			err = btf__add_field(c->to, btf__name_by_offset(c->from, m->name_off),
			                     m->type, btf_member_bit_offset(t, i),
			                     btf_member_bitfield_size(t, i));
	}
	return err;
}

static int add_type(struct copy *c, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(c->from, id);
	int added = is_hollow(t)         ? add_hollow(c, t)
	            : has_sizeless(c, t) ? add_without_sizeless(c, t)
	                                 : btf__add_type(c->to, c->from, t);

	if (added >= 0 && !c->reached[id])
		btf_record_ids((struct btf_type *)btf__type_by_id(c->to, id), forget, NULL);
	return added < 0 ? added : 0;
}

static int add_opaque_types(struct copy *c)
{
	int err = c->hollow_count ? btf__add_int(c->to, "char", 1, BTF_INT_CHAR) : 0;

	for (size_t i = 0; i < c->hollow_count && err >= 0; i++)
		err = btf__add_array(c->to, c->count, c->count, c->hollow[i]);
	return err < 0 ? err : 0;
}

int btf_for_c(const struct btf *btf, struct btf **ret, size_t *ret_left_out)
{
	struct copy c = { .from = btf, .count = btf__type_cnt(btf), .to = btf__new_empty() };
	int err = c.to ? find_reached(&c) : -ENOMEM;

	for (uint32_t id = 1; id < c.count && !err; id++)
		err = add_type(&c, id);
	if (!err)
		err = add_opaque_types(&c);
	free(c.reached);
	free(c.stack);
	free(c.hollow);
	if (err)
		btf__free(c.to);
	else
		*ret = c.to;
	*ret_left_out = c.left_out;
	return err;
}
