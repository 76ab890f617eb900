/* SPDX-License-Identifier: MIT */
/* Structs and unions, as c_write_layout.c plans them. */
#include "types/c_write_private.h"
#include "types/util.h"

/* --- padding --- */

static void print_padding(struct c_writer *w, uint64_t at, uint64_t bytes, uint32_t scope,
                          const char *name)
{
	char numbered[32], unique[C_NAME_MAX];

	if (!name) {
		snprintf(numbered, sizeof(numbered), "__pad_%llu", (unsigned long long)at / 8);
		name = numbered;
	}
	c_print_indent(w);
	c_print(w, "char %s[%llu];\n", c_unique(w, scope, name, unique), (unsigned long long)bytes);
}

static void print_bits(struct c_writer *w, uint64_t bits)
{
	c_print_indent(w);
	c_print(w, "unsigned char : %llu;\n", (unsigned long long)bits);
}

/* From bit to bit: up to a byte, bytes, the rest. */
static void pad(struct c_writer *w, uint64_t from, uint64_t to, uint32_t scope)
{
	uint64_t first = (8 - from % 8) % 8;

	if (first > to - from)
		first = to - from;
	if (first)
		print_bits(w, first);
	from += first;
	if (to - from >= 8)
		print_padding(w, from, (to - from) / 8, scope, NULL);
	if (to > from && to % 8)
		print_bits(w, to % 8);
}

/* --- members --- */

/* C++ has bit-fields of it that are wider than C's one bit. */
static bool is_bool(const struct c_writer *w, uint32_t real)
{
	char text[C_BASE_MAX];

	if (!btf_is_int(c_type(w, real)))
		return false;
	c_base_text(w, c_type(w, real), text);
	return !strcmp(text, "_Bool");
}

static void print_member(struct c_writer *w, uint32_t id, const struct c_item *item, uint32_t scope)
{
	const struct btf_type *t = c_type(w, id);
	const struct btf_member *m = &btf_members(t)[item->member];
	char wanted[MANGLED_MAX], name[C_NAME_MAX];
	uint32_t real = c_real(w, m->type);
	bool has_name = *btf__name_by_offset(w->btf, m->name_off);

	c_print_indent(w);
	if (!has_name && c_is_record(c_type(w, real))) {
		c_write_record(w, real, false, scope);
		c_print(w, ";\n");
		return;
	}
	snprintf(wanted, sizeof(wanted), "__unnamed_%llu", (unsigned long long)item->at / 8);
	c_unique(w, scope, has_name ? c_name(w, m->name_off, wanted) : wanted, name);
	if (item->bits > 1 && is_bool(w, real))
		c_print(w, "unsigned char %s", name);
	else
		c_declare(w, m->type, name);
	if (item->bits)
		c_print(w, ": %u", item->bits);
	c_print(w, ";\n");
}

/* Items from `i` on that are in its layer; returns where the next layer begins. */
static size_t print_layer(struct c_writer *w, uint32_t id, const struct c_plan *p, size_t i,
                          uint32_t scope)
{
	uint64_t end = 0;
	uint32_t layer = p->items[i].layer;

	for (; i < p->count && p->items[i].layer == layer; i++) {
		const struct c_item *item = &p->items[i];

		if (c_natural(end, item, p->packed) != item->at)
			pad(w, end, item->at, scope);
		print_member(w, id, item, scope);
		end = item->end;
	}
	return i;
}

static const char *packed(const struct c_plan *p)
{
	return p->packed ? " __attribute__((packed))" : "";
}

static void print_layers(struct c_writer *w, uint32_t id, const struct c_plan *p, uint32_t scope)
{
	for (size_t i = 0; i < p->count;) {
		if (c_is_bare(p, i)) {
			print_member(w, id, &p->items[i++], scope);
			continue;
		}
		c_print_indent(w);
		c_print(w, "struct {\n");
		w->indent++;
		i = print_layer(w, id, p, i, scope);
		w->indent--;
		c_print_indent(w);
		c_print(w, "}%s;\n", packed(p));
	}
}

static void print_union_of_layers(struct c_writer *w, uint32_t id, const struct c_plan *p,
                                  uint32_t scope)
{
	c_print_indent(w);
	c_print(w, "union {\n");
	w->indent++;
	print_layers(w, id, p, scope);
	w->indent--;
	c_print_indent(w);
	c_print(w, "}%s;\n", packed(p));
}

static void print_end(struct c_writer *w, bool is_union, const struct c_plan *p, uint32_t scope)
{
	uint64_t unit = p->align * 8ull, end = (p->end + unit - 1) / unit * unit;

	if (p->aligned || end == p->size)
		return;
	if (!p->count)
		print_padding(w, 0, p->size / 8, scope, "__opaque");
	else if (is_union)
		print_padding(w, 0, p->size / 8, scope, NULL);
	else
		pad(w, p->layered ? end : p->end, p->size, scope);
}

static void print_attributes(struct c_writer *w, const struct c_plan *p)
{
	if (p->packed && p->aligned)
		c_print(w, " __attribute__((packed, aligned(%u)))", p->aligned);
	else if (p->aligned)
		c_print(w, " __attribute__((aligned(%u)))", p->aligned);
	else
		c_print(w, "%s", packed(p));
}

static void print_body(struct c_writer *w, uint32_t id, const struct c_plan *p, uint32_t scope)
{
	bool is_union = btf_is_union(c_type(w, id));

	w->indent++;
	if (is_union)
		print_layers(w, id, p, scope);
	else if (p->layered)
		print_union_of_layers(w, id, p, scope);
	else if (p->count)
		print_layer(w, id, p, 0, scope);
	print_end(w, is_union, p, scope);
	w->indent--;
}

void c_write_record(struct c_writer *w, uint32_t id, bool named, uint32_t scope)
{
	struct c_plan p;

	if (!named)
		c_spend(w);
	if (w->error || c_plan(w, id, true, &p))
		return;
	if (w->records < sizeof(w->inside) / sizeof(*w->inside))
		w->inside[w->records] = id;
	w->records++;
	c_print(w, btf_is_union(c_type(w, id)) ? "union " : "struct ");
	if (named) {
		c_print_name(w, id);
		c_print(w, " ");
	}
	c_print(w, "{\n");
	print_body(w, id, &p, scope ? scope : C_SCOPE_MEMBERS + w->scopes++);
	c_print_indent(w);
	c_print(w, "}");
	print_attributes(w, &p);
	w->records--;
	free(p.items);
}
