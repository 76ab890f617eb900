/* SPDX-License-Identifier: MIT */
/*
 * Types as C writes them. A declarator is read from the inside out, so the text
 * is built around a centre: each pointer, array and function adds to its left or
 * to its right, and the base type's name goes in front of all at the end.
 */
#include "types/c_type.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>

#include "types/btf_view.h"

#define DECLARE_MAX 512
#define NEST_MAX    8

/* Text that grows at both ends; what does not fit is dropped, never overrun. */
struct centre {
	char left[DECLARE_MAX]; /* filled from its end */
	size_t start;
	char right[DECLARE_MAX];
	size_t length;
};

static size_t declare(struct ctypes *types, const struct ctype *type, const char *name, char *buf,
                      size_t size, int nest);

static void add_left(struct centre *c, const char *text)
{
	size_t n = strlen(text);

	if (n > c->start)
		return;
	c->start -= n;
	memcpy(c->left + c->start, text, n);
}

static void add_right(struct centre *c, const char *text)
{
	size_t n = strlen(text);

	if (c->length + n >= sizeof(c->right))
		return;
	memcpy(c->right + c->length, text, n + 1);
	c->length += n;
}

static void add_parameters(struct ctypes *types, const struct ctype *type, struct centre *c,
                           int nest)
{
	const struct btf_type *bt = type->btf ? btf_view_type(type->btf, type->base) : NULL;
	const struct btf_param *p;
	char text[DECLARE_MAX];

	if (bt && btf_is_func(bt))
		bt = btf_view_type(type->btf, bt->type);
	if (!bt || !btf_is_func_proto(bt) || nest >= NEST_MAX) {
		add_right(c, "()");
		return;
	}
	p = btf_params(bt);
	add_right(c, "(");
	for (int i = 0; i < btf_vlen(bt); i++) {
		if (i)
			add_right(c, ", ");
		if (!p[i].type) {
			add_right(c, "...");
			continue;
		}
		declare(types, ctype_of(types, type->btf, p[i].type), NULL, text, sizeof(text),
		        nest + 1);
		add_right(c, text);
	}
	add_right(c, btf_vlen(bt) ? ")" : "void)");
}

static const struct ctype *returns(struct ctypes *types, const struct ctype *type)
{
	const struct btf_type *bt = type->btf ? btf_view_type(type->btf, type->base) : NULL;

	if (type->to)
		return type->to;
	if (bt && btf_is_func(bt))
		bt = btf_view_type(type->btf, bt->type);
	return bt ? ctype_of(types, type->btf, bt->type) : ctype_builtin(CTYPE_B_VOID);
}

enum { CONST = 1, VOLATILE = 2, RESTRICT = 4 };

/* The type without its qualifiers, which are said in *ret. */
static uint32_t unqualified(const struct btf_view *btf, uint32_t id, unsigned *ret)
{
	*ret = 0;
	for (int i = 0; i < 8; i++) {
		const struct btf_type *bt = btf_view_type(btf, id);

		if (!bt || !btf_is_mod(bt) || btf_is_typedef(bt))
			break;
		*ret |= btf_is_const(bt)      ? CONST
		        : btf_is_volatile(bt) ? VOLATILE
		        : btf_is_restrict(bt) ? RESTRICT
		                              : 0;
		id = bt->type;
	}
	return id;
}

static const char *qualifier_text(unsigned qualifiers)
{
	static const char *const texts[] = {
		"",         "const",          "volatile",          "const volatile",
		"restrict", "const restrict", "volatile restrict", "const volatile restrict"
	};

	return texts[qualifiers & (CONST | VOLATILE | RESTRICT)];
}

/* The name in front: "const struct foo", "size_t". Says whether the type ends here. */
static bool base_name(const struct ctype *type, char *buf, size_t size)
{
	const char *name, *tag = NULL;
	const struct btf_type *bt;
	unsigned qualifiers;

	if (!type->btf) {
		snprintf(buf, size, "%s", type->name ?: "<bad type>");
		return !type->to;
	}
	bt = btf_view_type(type->btf, unqualified(type->btf, type->id, &qualifiers));
	name = bt ? btf_view_name(type->btf, bt->name_off) : "";
	switch (bt ? btf_kind(bt) : BTF_KIND_UNKN) {
	case BTF_KIND_UNKN:
		tag = "void";
		name = "";
		break;
	case BTF_KIND_STRUCT:
		tag = "struct ";
		break;
	case BTF_KIND_UNION:
		tag = "union ";
		break;
	case BTF_KIND_FWD:
		tag = btf_kflag(bt) ? "union " : "struct ";
		break;
	case BTF_KIND_ENUM:
	case 19:
		tag = "enum ";
		break;
	case BTF_KIND_PTR:
	case BTF_KIND_ARRAY:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_FUNC:
		return false;
	}
	snprintf(buf, size, "%s%s%s%s", qualifier_text(qualifiers), qualifiers ? " " : "",
	         tag ?: "", name[0] || !tag || !strcmp(tag, "void") ? name : "{...}");
	return true;
}

static void add_pointer(struct centre *c, const struct ctype *type)
{
	unsigned qualifiers = 0;

	if (type->btf)
		unqualified(type->btf, type->id, &qualifiers);
	if (qualifiers && c->start < DECLARE_MAX)
		add_left(c, " ");
	add_left(c, qualifier_text(qualifiers));
	add_left(c, qualifiers ? "* " : "*");
}

static size_t declare(struct ctypes *types, const struct ctype *type, const char *name, char *buf,
                      size_t size, int nest)
{
	struct centre c = { .start = DECLARE_MAX };
	char base[DECLARE_MAX], text[32];
	bool pointer = false;

	c.right[0] = 0;
	add_left(&c, name ?: "");
	for (int i = 0; !base_name(type, base, sizeof(base)) && i < 32; i++) {
		/* `(*x)[3]`: an array or function beside a pointer binds tighter, so it needs them.
		 */
		if (pointer && type->kind != CTYPE_POINTER) {
			add_left(&c, "(");
			add_right(&c, ")");
		}
		pointer = type->kind == CTYPE_POINTER;
		if (type->kind == CTYPE_POINTER) {
			add_pointer(&c, type);
			type = ctype_to(types, type);
		} else if (type->kind == CTYPE_ARRAY) {
			snprintf(text, sizeof(text), "[%llu]", (unsigned long long)type->count);
			add_right(&c, text);
			type = ctype_to(types, type);
		} else if (type->kind == CTYPE_FUNCTION) {
			add_parameters(types, type, &c, nest);
			type = returns(types, type);
		} else {
			snprintf(base, sizeof(base), "<bad type>");
			break;
		}
	}
	return (size_t)snprintf(buf, size, "%s%s%.*s%s", base, c.start < DECLARE_MAX ? " " : "",
	                        (int)(DECLARE_MAX - c.start), c.left + c.start, c.right);
}

size_t ctype_declare(struct ctypes *types, const struct ctype *type, const char *name, char *buf,
                     size_t size)
{
	return declare(types, type, name, buf, size, 0);
}
