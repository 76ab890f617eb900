/* SPDX-License-Identifier: MIT */
/*
 * BTF as C, in three steps: which definitions are written and in which order (c_write_order.c), what
 * they are called (c_write_names.c), and the text, in which each struct is laid out by what a compiler
 * makes of the types written so far (c_write_layout.c).
 *
 * The text says what it can: what is not defined where it would be needed, because BTF has circles
 * that C cannot have, is left out or void, and counted. Recursion is bounded by the chains that
 * btf_check() allows and by c_write_declare.c; the text's length by c_spend().
 */
#include "types/c_write.h"

#include <string.h>

#include "types/c_write_private.h"
#include "types/util.h"

const char *c_loss_text(enum c_loss loss)
{
	switch (loss) {
	case C_LOSS_DECLARED:
		return "members of types that are only declared are left out";
	case C_LOSS_BEYOND:
		return "members that reach beyond the end of their struct are left out";
	case C_LOSS_PLACE:
		return "members at places that C has none at are left out";
	case C_LOSS_CIRCLE:
		return "types that would have to be defined before themselves are left out or void";
	case C_LOSS_ENUMERATOR:
		return "enumerators that do not fit into their enum are left out";
	case C_LOSS_COUNT:
		break;
	}
	return "";
}

/* --- what the files share --- */

const char *c_name(const struct c_writer *w, uint32_t name_off, char buf[MANGLED_MAX])
{
	const char *name = btf__name_by_offset(w->btf, name_off);

	if (!*name || is_identifier(name))
		return name;
	mangle(name, buf);
	return buf;
}

const char *c_unique(struct c_writer *w, uint32_t scope, const char *name, char buf[C_NAME_MAX])
{
	uint32_t suffix = 0;

	if (c_name_unique(&w->names, scope, name, &suffix))
		w->error = -ENOMEM;
	if (suffix)
		snprintf(buf, C_NAME_MAX, "%s___%u", name, suffix);
	else
		snprintf(buf, C_NAME_MAX, "%s", name);
	return buf;
}

void c_lose(struct c_writer *w, enum c_loss loss, uint32_t id, uint32_t member_name_off)
{
	char of[MANGLED_MAX], member[MANGLED_MAX];
	const char *names[2] = { c_name(w, c_type(w, id)->name_off, of),
		                 c_name(w, member_name_off, member) };

	if (w->losses->list[loss].count++)
		return;
	for (int i = 0; i < 2; i++)
		names[i] = *names[i] ? names[i] : "(no name)";
	snprintf(w->losses->list[loss].example, sizeof(w->losses->list[loss].example), "%s%s%s",
	         id ? names[0] : "", id ? "." : "", names[1]);
}

void c_spend(struct c_writer *w)
{
	if (++w->spent > 65536 + 16ull * w->count)
		w->error = -E2BIG;
}

uint32_t c_real(const struct c_writer *w, uint32_t id)
{
	while (id && c_is_name_or_modifier(c_type(w, id)))
		id = c_type(w, id)->type;
	return id;
}

/* --- names --- */

static void name_type(struct c_writer *w, uint32_t id)
{
	const struct btf_type *t = c_type(w, id);
	bool tag = btf_is_composite(t) || btf_is_any_enum(t) || btf_is_fwd(t);
	char buf[MANGLED_MAX];

	if (w->types[id].has_name || !c_has_name(w, t) ||
	    !strcmp(btf__name_by_offset(w->btf, t->name_off), "__builtin_va_list"))
		return;
	w->types[id].has_name = true;
	if (c_name_unique(&w->names, tag ? C_SCOPE_TAGS : C_SCOPE_IDENTIFIERS,
	                  c_name(w, t->name_off, buf), &w->types[id].suffix))
		w->error = -ENOMEM;
}

/* A definition has its name rather than what is only declared. */
static void name_types(struct c_writer *w)
{
	for (int forward = 0; forward < 2; forward++) {
		for (size_t i = 0; i < w->units_count; i++) {
			if (w->units[i].forward == forward)
				name_type(w, w->units[i].id);
		}
	}
}

/* --- text --- */

static void write_forward(struct c_writer *w, uint32_t id)
{
	const struct btf_type *t = c_type(w, id);
	bool is_union = btf_is_union(t) || (btf_is_fwd(t) && btf_kflag(t));

	c_print(w, is_union ? "union " : "struct ");
	c_print_name(w, id);
	c_print(w, ";\n\n");
	w->types[id].is_forwarded = true;
}

static void write_alias(struct c_writer *w, uint32_t id)
{
	char base[C_BASE_MAX];

	c_base_text(w, c_type(w, id), base);
	c_print(w, "typedef %s ", base);
	c_print_name(w, id);
}

static void write_typedef(struct c_writer *w, uint32_t id)
{
	const struct btf_type *t = c_type(w, id);
	char buf[MANGLED_MAX], name[C_NAME_MAX];
	uint32_t suffix = w->types[id].suffix;

	snprintf(name, sizeof(name), "%s", c_name(w, t->name_off, buf));
	if (suffix)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "___%u", suffix);
	w->types[id].is_opaque = !c_can_declare(w, t->type);
	c_print(w, "typedef ");
	c_declare(w, t->type, name);
}

/* `enum x;`: four bytes without enumerators. C++ has such enums, too; there they are members. */
static bool is_declared_enum(const struct c_writer *w, uint32_t id)
{
	const struct btf_type *t = c_type(w, id);

	return btf_is_enum(t) && !btf_vlen(t) && t->size == 4 && !w->types[id].by_value;
}

static void write_declared_enum(struct c_writer *w, uint32_t id)
{
	c_print(w, "enum ");
	c_print_name(w, id);
}

static void write_definition(struct c_writer *w, uint32_t id)
{
	const struct btf_type *t = c_type(w, id);

	w->types[id].is_forwarded = true; /* by its first line */
	if (c_is_record(t))
		c_write_record(w, id, true, 0);
	else if (is_declared_enum(w, id))
		write_declared_enum(w, id);
	else if (btf_is_any_enum(t))
		c_write_enum(w, id, c_has_name(w, t));
	else if (!btf_is_typedef(t))
		write_alias(w, id);
	else if (strcmp(btf__name_by_offset(w->btf, t->name_off), "__builtin_va_list"))
		write_typedef(w, id);
	c_print(w, ";\n\n");
	w->types[id].is_defined = true;
}

/* clang 14 has no _Float16 for x86. */
static void write_all(struct c_writer *w)
{
	if (w->has_float16)
		c_print(w, "#ifndef __FLT16_MAX__\n#define _Float16 unsigned short\n#endif\n\n");
	for (size_t i = 0; i < w->units_count && !w->error; i++) {
		if (w->units[i].forward)
			write_forward(w, w->units[i].id);
		else
			write_definition(w, w->units[i].id);
	}
}

int c_write(const struct btf *btf, const uint32_t *ids, size_t count, FILE *out,
            struct c_losses *ret)
{
	struct c_writer w = { .btf = btf, .count = btf__type_cnt(btf), .out = out, .losses = ret };
	int err = c_names_init(&w.names);

	memset(ret, 0, sizeof(*ret));
	w.pointer_size = btf__pointer_size(btf) == 4 ? 4 : 8;
	w.types = calloc(w.count, sizeof(*w.types));
	if (!w.types)
		err = -ENOMEM;
	if (!err)
		err = c_order(&w, ids, count);
	if (!err) {
		c_find_offsets(&w);
		name_types(&w);
		write_all(&w);
		err = w.error;
	}
	c_names_deinit(&w.names);
	free(w.types);
	free(w.units);
	return err;
}
