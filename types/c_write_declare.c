/* SPDX-License-Identifier: MIT */
/*
 * Declarators: what stands before the name, the name, what stands behind it, by a descent of the type
 * for each half. Both ask stand_in() what cannot be said, and so agree on where it ends.
 */
#include <stdarg.h>
#include <string.h>

#include "types/c_write_private.h"

#define DEPTH_MAX  4096 /* calls; the chains between structs are bounded by btf_check() */
#define NEST_MAX   32   /* structs without a name behind pointers, one in another */
#define INDENT_MAX 16

static void before(struct c_writer *w, uint32_t id, bool by_value);
static void behind(struct c_writer *w, uint32_t id, bool by_value);

/* --- text --- */

void c_print(struct c_writer *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(w->out, format, ap);
	va_end(ap);
	w->last = 0;
}

static void text(struct c_writer *w, const char *s)
{
	fputs(s, w->out);
	w->last = s[strlen(s) - 1];
}

/* A word, apart from what is before it unless that is a star. */
static void word(struct c_writer *w, const char *s)
{
	if (w->last != '*' && w->last != '(')
		fputc(' ', w->out);
	text(w, s);
}

void c_print_indent(struct c_writer *w)
{
	for (int i = 0; i < w->indent && i < INDENT_MAX; i++)
		fputc('\t', w->out);
}

void c_print_name(struct c_writer *w, uint32_t id)
{
	char buf[MANGLED_MAX];
	uint32_t suffix = w->types[id].suffix;

	text(w, c_name(w, c_type(w, id)->name_off, buf));
	if (suffix)
		c_print(w, "___%u", suffix);
	w->last = 'x';
}

/* --- what cannot be said --- */

static bool may_be_inline(const struct c_writer *w, uint32_t id, bool by_value)
{
	if (by_value)
		return true;
	if (w->records >= NEST_MAX || w->depth >= DEPTH_MAX)
		return false;
	for (uint32_t i = 0; i < w->records; i++) {
		if (w->inside[i] == id)
			return false;
	}
	return true;
}

/* What its elements are is needed for a pointer to an array, too. */
static const char *stand_in_for_array(const struct c_writer *w, const struct btf_type *t)
{
	return c_size(w, btf_array(t)->type) != NO_SIZE && c_is_complete(w, btf_array(t)->type)
	           ? NULL
	           : "void";
}

/* What is written instead of a type that cannot be named here; NULL: it can. */
static const char *stand_in(const struct c_writer *w, uint32_t id, bool by_value)
{
	const struct btf_type *t = c_type(w, id);
	const struct c_type_state *s = &w->types[id];

	switch (btf_kind(t)) {
	case BTF_KIND_UNKN:
		return "void";
	case BTF_KIND_ARRAY:
		return stand_in_for_array(w, t);
	case BTF_KIND_TYPEDEF:
		return s->is_defined ? NULL : "void";
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (!c_has_name(w, t))
			return may_be_inline(w, id, by_value) ? NULL : "void";
		return s->is_defined || s->is_forwarded ? NULL : "void";
	case BTF_KIND_FWD:
		return s->is_forwarded ? NULL : "void";
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return s->is_defined || !c_has_name(w, t) ? NULL : "void";
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		return s->is_defined || !c_base_has_alias(w, t) ? NULL : "void";
	case BTF_KIND_PTR:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_FUNC_PROTO:
		return NULL;
	}
	return "void";
}

static void lose_type(struct c_writer *w, uint32_t id)
{
	uint32_t in = w->records && w->records <= NEST_MAX ? w->inside[w->records - 1] : 0;

	c_lose(w, C_LOSS_CIRCLE, in, c_type(w, id)->name_off);
}

static uint32_t behind_modifiers(const struct c_writer *w, uint32_t id)
{
	while (btf_is_mod(c_type(w, id)))
		id = c_type(w, id)->type;
	return id;
}

bool c_can_declare(const struct c_writer *w, uint32_t id)
{
	return !stand_in(w, behind_modifiers(w, id), true);
}

/* --- the halves --- */

static bool binds_tighter(const struct c_writer *w, uint32_t id)
{
	id = behind_modifiers(w, id);
	return (btf_is_array(c_type(w, id)) || btf_is_func_proto(c_type(w, id))) &&
	       !stand_in(w, id, false);
}

static void print_tag(struct c_writer *w, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(w->btf, t->name_off);
	char buf[MANGLED_MAX + 64];

	if (strpbrk(name, "\"\\\n") || strlen(name) >= MANGLED_MAX)
		return;
	snprintf(buf, sizeof(buf), "__attribute__((btf_type_tag(\"%s\")))", name);
	word(w, buf);
}

/* What a modifier modifies: of an array, its elements. `kind`: that they have it already is found out. */
static uint32_t modified(const struct c_writer *w, uint32_t id, uint32_t kind, bool *has)
{
	const struct btf_type *t = c_type(w, id);

	*has = false;
	for (; btf_is_mod(t) || btf_is_array(t); t = c_type(w, id)) {
		*has |= btf_kind(t) == kind;
		id = btf_is_array(t) ? btf_array(t)->type : t->type;
	}
	return id;
}

static void before_modified(struct c_writer *w, const struct btf_type *t, bool by_value)
{
	static const char *const words[] = { [BTF_KIND_CONST] = "const",
		                             [BTF_KIND_VOLATILE] = "volatile",
		                             [BTF_KIND_RESTRICT] = "restrict" };
	bool has;
	uint32_t id = modified(w, t->type, btf_kind(t), &has);
	const struct btf_type *of = c_type(w, id);
	bool restrictable = btf_is_ptr(of) || btf_is_ptr(c_type(w, c_real(w, id)));

	has |= btf_is_func_proto(of) || (btf_is_restrict(t) && !restrictable);
	if (!has && !btf_is_ptr(of)) {
		text(w, words[btf_kind(t)]);
		fputc(' ', w->out);
	}
	before(w, t->type, by_value);
	if (!has && btf_is_ptr(of))
		word(w, words[btf_kind(t)]);
}

static void before_tagged(struct c_writer *w, const struct btf_type *t, bool by_value)
{
	const struct btf_type *of = c_type(w, behind_modifiers(w, t->type));

	before(w, t->type, by_value);
	if (!btf_is_composite(of) && !btf_is_array(of) && !btf_is_func_proto(of))
		print_tag(w, t);
}

static void before_pointer(struct c_writer *w, const struct btf_type *t)
{
	before(w, t->type, false);
	word(w, binds_tighter(w, t->type) ? "(*" : "*");
}

static void before_tag(struct c_writer *w, uint32_t id, const char *tag)
{
	text(w, tag);
	fputc(' ', w->out);
	c_print_name(w, id);
}

/* C has no functions that return arrays or functions. */
static bool has_result(const struct c_writer *w, const struct btf_type *t)
{
	const struct btf_type *real = c_type(w, c_real(w, t->type));

	return !btf_is_array(real) && !btf_is_func_proto(real);
}

static void before_known(struct c_writer *w, uint32_t id, const struct btf_type *t, bool by_value)
{
	char base[C_BASE_MAX];

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		c_base_text(w, t, base);
		if (c_base_has_alias(w, t))
			c_print_name(w, id);
		else
			text(w, base);
		break;
	case BTF_KIND_PTR:
		before_pointer(w, t);
		break;
	case BTF_KIND_ARRAY:
		before(w, btf_array(t)->type, true);
		break;
	case BTF_KIND_FUNC_PROTO:
		if (has_result(w, t))
			before(w, t->type, false);
		else
			text(w, "void");
		break;
	case BTF_KIND_TYPEDEF:
		c_print_name(w, id);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (c_has_name(w, t))
			before_tag(w, id, btf_is_union(t) ? "union" : "struct");
		else
			c_write_record(w, id, false, 0);
		break;
	case BTF_KIND_FWD:
		before_tag(w, id, btf_kflag(t) ? "union" : "struct");
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (c_has_name(w, t))
			before_tag(w, id, "enum");
		else
			c_write_enum(w, id, false);
		break;
	case BTF_KIND_TYPE_TAG:
		before_tagged(w, t, by_value);
		break;
	default:
		before_modified(w, t, by_value);
	}
}

static void before(struct c_writer *w, uint32_t id, bool by_value)
{
	const char *instead = stand_in(w, id, by_value);

	w->depth++;
	if (instead) {
		text(w, instead);
		if (id)
			lose_type(w, id);
	} else {
		before_known(w, id, c_type(w, id), by_value);
	}
	w->depth--;
}

static void print_parameters(struct c_writer *w, const struct btf_type *t)
{
	uint32_t n = btf_vlen(t);

	c_spend(w);
	if (w->error)
		return;
	text(w, "(");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t type = btf_params(t)[i].type;

		if (i)
			text(w, ", ");
		w->last = 0;
		if (type && c_can_declare(w, type) && !btf_is_void(c_type(w, c_real(w, type))))
			c_declare(w, type, NULL);
		else if (type || i + 1 < n)
			text(w, "void *");
		else if (i)
			text(w, "...");
	}
	text(w, n ? ")" : "void)");
}

static void behind_known(struct c_writer *w, const struct btf_type *t, bool by_value)
{
	switch (btf_kind(t)) {
	case BTF_KIND_PTR:
		if (binds_tighter(w, t->type))
			text(w, ")");
		behind(w, t->type, false);
		break;
	case BTF_KIND_ARRAY:
		c_print(w, "[%u]", btf_array(t)->nelems);
		behind(w, btf_array(t)->type, true);
		break;
	case BTF_KIND_FUNC_PROTO:
		print_parameters(w, t);
		if (has_result(w, t))
			behind(w, t->type, false);
		break;
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		behind(w, t->type, by_value);
		break;
	}
}

static void behind(struct c_writer *w, uint32_t id, bool by_value)
{
	w->depth++;
	if (!stand_in(w, id, by_value))
		behind_known(w, c_type(w, id), by_value);
	w->depth--;
}

void c_declare(struct c_writer *w, uint32_t id, const char *name)
{
	before(w, id, name != NULL);
	if (name && *name)
		word(w, name);
	behind(w, id, name != NULL);
}
