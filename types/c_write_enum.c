/* SPDX-License-Identifier: MIT */
/*
 * Enums. gcc and clang give them four bytes, or eight if a value needs it; another size is a machine
 * mode. C has no enum without enumerators, C++ has: it gets one.
 */
#include "types/c_write_private.h"
#include "types/util.h"

struct enumerator {
	uint32_t name_off;
	int64_t value; /* uint64_t if the enum is unsigned */
};

static struct enumerator enumerator(const struct btf_type *t, uint32_t i)
{
	struct enumerator e;

	if (btf_is_enum64(t)) {
		e.name_off = btf_enum64(t)[i].name_off;
		e.value = (int64_t)btf_enum64_value(&btf_enum64(t)[i]);
	} else {
		e.name_off = btf_enum(t)[i].name_off;
		e.value = btf_kflag(t) ? btf_enum(t)[i].val : (int64_t)(uint32_t)btf_enum(t)[i].val;
	}
	return e;
}

static bool fits(int64_t value, uint32_t size, bool is_signed)
{
	if (size >= 8)
		return true;
	if (!is_signed)
		return (uint64_t)value >> (size * 8) == 0;
	return value >= -(1ll << (size * 8 - 1)) && value < 1ll << (size * 8 - 1);
}

static void print_enumerator(struct c_writer *w, const struct btf_type *t,
                             const struct enumerator *e)
{
	char wanted[MANGLED_MAX], name[C_NAME_MAX];

	c_unique(w, C_SCOPE_IDENTIFIERS, c_name(w, e->name_off, wanted), name);
	c_print_indent(w);
	if (btf_kflag(t) && e->value == INT64_MIN)
		c_print(w, "\t%s = -9223372036854775807LL - 1,\n", name);
	else if (btf_kflag(t))
		c_print(w, "\t%s = %lld%s,\n", name, (long long)e->value,
		        fits(e->value, 4, true) ? "" : "LL");
	else
		c_print(w, "\t%s = %llu%s,\n", name, (unsigned long long)e->value,
		        fits(e->value, 4, false) ? (e->value > INT32_MAX ? "U" : "") : "ULL");
}

static const char *mode(uint32_t size, uint32_t natural)
{
	if (size == natural)
		return "";
	switch (size) {
	case 1:
		return " __attribute__((mode(QI)))";
	case 2:
		return " __attribute__((mode(HI)))";
	case 8:
		return " __attribute__((mode(DI)))";
	}
	return "";
}

static void print_one_enumerator(struct c_writer *w)
{
	char name[C_NAME_MAX];

	c_unique(w, C_SCOPE_IDENTIFIERS, "__no_enumerator", name);
	c_print_indent(w);
	c_print(w, "\t%s,\n", name);
}

void c_write_enum(struct c_writer *w, uint32_t id, bool named)
{
	const struct btf_type *t = c_type(w, id);
	bool is_int = btf_kflag(t), is_unsigned = true, any = false;

	c_print(w, "enum ");
	if (named) {
		c_print_name(w, id);
		c_print(w, " ");
	}
	c_print(w, "{\n");
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		struct enumerator e = enumerator(t, i);

		if (!fits(e.value, t->size, btf_kflag(t))) {
			c_lose(w, C_LOSS_ENUMERATOR, id, e.name_off);
			continue;
		}
		print_enumerator(w, t, &e);
		any = true;
		is_int &= fits(e.value, 4, true);
		is_unsigned &= fits(e.value, 4, false);
	}
	if (!any)
		print_one_enumerator(w);
	c_print_indent(w);
	c_print(w, "}%s", mode(t->size, is_int || is_unsigned ? 4 : 8));
}
