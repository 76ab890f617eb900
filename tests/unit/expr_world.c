/* SPDX-License-Identifier: MIT */
#include "expr_world.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "types/builder.h"

signed char v_schar = -100;
unsigned char v_uchar = 200;
short v_short = -30000;
unsigned short v_ushort = 60000;
int v_int = -7;
unsigned v_uint = 4000000000u;
long v_long = -5000000000;
unsigned long v_ulong = 18000000000000000000ul;
float v_float = 1.5f;
double v_double = -2.25;
long double v_ldouble = 0.1L;
enum world_high v_high = WORLD_HIGH;
int v_array[6] = { 10, 11, 12, 13, 14, 15 };
struct world_node v_nodes[4] = {
	{ 1,
	  &v_nodes[1],
	  { 5, -3, 0xabcdef0123 },
	  { 0x04030201 },
	  "first",
	  WORLD_A | WORLD_C,
	  WORLD_GREEN },
	{ 2, &v_nodes[2], { 0 }, { 0 }, "second", 0, WORLD_RED },
	{ 3, &v_nodes[0], { 0 }, { 0 }, "", (enum world_flags)9, (enum world_colour)7 },
	{ 4, (struct world_node *)16, { 0 }, { 0 }, "12345678", 0, WORLD_RED },
};
struct world_node *v_pointer = v_nodes;

/* Type ids of the BTF, in the order in which they are added. */
enum {
	ID_CHAR = 1,
	ID_SCHAR,
	ID_UCHAR,
	ID_SHORT,
	ID_USHORT,
	ID_INT,
	ID_UINT,
	ID_LONG,
	ID_ULONG,
	ID_FLOAT,
	ID_DOUBLE,
	ID_BITS,
	ID_FLAGS,
	ID_COLOUR,
	ID_NODE_PTR,
	ID_BYTES,
	ID_UNION,
	ID_NAME,
	ID_NODE,
	ID_NODES,
	ID_INTS,
	ID_SIZE_T,
	ID_CONST_INT,
	ID_OTHER,
	ID_TWIN,
	ID_TWIN2,
	ID_PROTO,
	ID_LOOP,
	ID_HIGH,
	ID_LDOUBLE,
};

static void add_records(struct btf *b)
{
	btf__add_struct(b, "world_bits", sizeof(struct world_bits));
	btf__add_field(b, "a", ID_UINT, 0, 3);
	btf__add_field(b, "b", ID_INT, 3, 4);
	btf__add_field(b, "c", ID_ULONG, 7, 40);
	btf__add_enum(b, "world_flags", 4);
	btf__add_enum_value(b, "WORLD_A", 1);
	btf__add_enum_value(b, "WORLD_B", 2);
	btf__add_enum_value(b, "WORLD_C", 4);
	btf__add_enum(b, "world_colour", 4);
	btf__add_enum_value(b, "WORLD_RED", 0);
	btf__add_enum_value(b, "WORLD_GREEN", 5);
	btf__add_ptr(b, ID_NODE);
	btf__add_array(b, ID_INT, ID_UCHAR, 4);
	btf__add_union(b, "", 4);
	btf__add_field(b, "left", ID_INT, 0, 0);
	btf__add_field(b, "bytes", ID_BYTES, 0, 0);
	btf__add_array(b, ID_INT, ID_CHAR, 8);
	btf__add_struct(b, "world_node", sizeof(struct world_node));
	btf__add_field(b, "value", ID_INT, 8 * offsetof(struct world_node, value), 0);
	btf__add_field(b, "next", ID_NODE_PTR, 8 * offsetof(struct world_node, next), 0);
	btf__add_field(b, "bits", ID_BITS, 8 * offsetof(struct world_node, bits), 0);
	btf__add_field(b, "", ID_UNION, 8 * offsetof(struct world_node, left), 0);
	btf__add_field(b, "name", ID_NAME, 8 * offsetof(struct world_node, name), 0);
	btf__add_field(b, "flags", ID_FLAGS, 8 * offsetof(struct world_node, flags), 0);
	btf__add_field(b, "colour", ID_COLOUR, 8 * offsetof(struct world_node, colour), 0);
}

static struct btf *make_btf(void)
{
	struct btf *b = btf__new_empty();

	btf__add_int(b, "char", 1, BTF_INT_SIGNED);
	btf__add_int(b, "signed char", 1, BTF_INT_SIGNED);
	btf__add_int(b, "unsigned char", 1, 0);
	btf__add_int(b, "short", 2, BTF_INT_SIGNED);
	btf__add_int(b, "unsigned short", 2, 0);
	btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	btf__add_int(b, "unsigned int", 4, 0);
	btf__add_int(b, "long", 8, BTF_INT_SIGNED);
	btf__add_int(b, "unsigned long", 8, 0);
	btf__add_float(b, "float", 4);
	btf__add_float(b, "double", 8);
	add_records(b);
	btf__add_array(b, ID_INT, ID_NODE, 4);
	btf__add_array(b, ID_INT, ID_INT, 6);
	btf__add_typedef(b, "number_t", ID_INT);
	btf__add_const(b, ID_INT);
	btf__add_fwd(b, "other", BTF_FWD_STRUCT);
	btf__add_struct(b, "twin", 4);
	btf__add_field(b, "x", ID_INT, 0, 0);
	btf__add_struct(b, "twin", 8);
	btf__add_field(b, "y", ID_LONG, 0, 0);
	btf__add_func_proto(b, ID_INT);
	btf__add_func_param(b, "x", ID_LONG);
	btf__add_typedef(b, "loop", ID_LOOP); /* hostile: a typedef of itself */
	btf__add_enum(b, "world_high", 4);
	btf__add_enum_value(b, "WORLD_LOW", 2);
	btf__add_enum_value(b, "WORLD_HIGH", 0x80000000);
	btf__add_float(b, "long double", sizeof(long double));
	return b;
}

static int find_symbol(void *ctx, const char *name, struct expr_symbol *ret, int max)
{
	const struct {
		const char *name, *unit;
		uint32_t type;
		void *at;
		const char *scope;
	} symbols[] = {
		{ "v_schar", "a.c", ID_SCHAR, &v_schar },
		{ "v_uchar", "a.c", ID_UCHAR, &v_uchar },
		{ "v_short", "a.c", ID_SHORT, &v_short },
		{ "v_ushort", "a.c", ID_USHORT, &v_ushort },
		{ "v_int", "a.c", ID_INT, &v_int },
		{ "v_uint", "a.c", ID_UINT, &v_uint },
		{ "v_long", "a.c", ID_LONG, &v_long },
		{ "v_ulong", "a.c", ID_ULONG, &v_ulong },
		{ "v_float", "a.c", ID_FLOAT, &v_float },
		{ "v_double", "a.c", ID_DOUBLE, &v_double },
		{ "v_ldouble", "a.c", ID_LDOUBLE, &v_ldouble },
		{ "v_high", "a.c", ID_HIGH, &v_high },
		{ "v_nodes", "a.c", ID_NODES, v_nodes },
		{ "v_array", "a.c", ID_INTS, v_array },
		{ "v_pointer", "a.c", ID_NODE_PTR, &v_pointer },
		{ "untyped", "a.c", 0, &v_int },
		{ "twice", "a.c", ID_INT, &v_int },
		{ "twice", "b.c", ID_LONG, &v_long },
		{ "b.c::twice", "b.c", ID_LONG, &v_long },
		{ "loop", "a.c", ID_LOOP, &v_int },
		{ "a.c::twins", "a.c", ID_INT, &v_array[0], "run" },
		{ "a.c::twins", "a.c", ID_INT, &v_array[1], "run" },
	};
	struct world *w = ctx;
	int n = 0;

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (strcmp(symbols[i].name, name))
			continue;
		if (n < max) {
			ret[n] = (struct expr_symbol){ .kind = EXPR_SYM_MEMORY,
				                       .unit = symbols[i].unit,
				                       .scope = symbols[i].scope };
			ret[n].address = (uintptr_t)symbols[i].at;
			if (symbols[i].type)
				ret[n].type = ctype_of(w->types, w->view, symbols[i].type);
		}
		n++;
	}
	if (!strcmp(name, "WORLD_GREEN") || !strcmp(name, "WORLD_HIGH")) {
		bool high = name[6] == 'H';

		ret[0] = (struct expr_symbol){ .kind = EXPR_SYM_CONSTANT };
		ret[0].address = high ? WORLD_HIGH : WORLD_GREEN;
		ret[0].type = ctype_of(w->types, w->view, high ? ID_HIGH : ID_COLOUR);
		n = 1;
	}
	if (!strcmp(name, "lost")) {
		ret[0] = (struct expr_symbol){ .missing = "it was optimised out" };
		n = 1;
	}
	return n;
}

static int find_type(void *ctx, const char *tag, const char *name, struct expr_candidate *ret,
                     int max)
{
	struct world *w = ctx;
	int n = 0;

	for (uint32_t id = 1; id < btf__type_cnt(w->btf); id++) {
		const struct btf_type *t = btf__type_by_id(w->btf, id);
		bool tagged =
		    btf_is_struct(t) || btf_is_union(t) || btf_is_enum(t) || btf_is_fwd(t);

		if (strcmp(btf__name_by_offset(w->btf, t->name_off), name) || tagged != !!tag[0])
			continue;
		if (n < max)
			ret[n] = (struct expr_candidate){ ctype_of(w->types, w->view, id), "a.c" };
		n++;
	}
	return n;
}

static void find_near(void *ctx, const char *name, bool symbol, char *buf, size_t size)
{
	(void)ctx;
	(void)name;
	snprintf(buf, size, "%s", symbol ? "v_int" : "world_node");
}

/* This process's own memory, as any process's: what is not mapped is -EFAULT. */
static int read_self(void *ctx, uint64_t address, void *buf, size_t size)
{
	struct iovec local = { buf, size }, remote = { (void *)(uintptr_t)address, size };

	(void)ctx;
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -EFAULT;
}

static struct btf_view *make_view(const struct btf *btf)
{
	uint32_t size, count = btf__type_cnt(btf);
	const struct btf_header *h = btf__raw_data(btf, &size);
	struct btf_view *v = calloc(1, sizeof(*v));
	uint32_t *offsets = calloc(count, sizeof(*offsets));

	if (!h || !v || !offsets)
		abort();
	v->types = (const uint8_t *)h + h->hdr_len + h->type_off;
	v->names = (const char *)h + h->hdr_len + h->str_off;
	v->names_size = h->str_len;
	v->offsets = offsets;
	v->count = count;
	v->pointer_size = sizeof(void *);
	for (uint32_t id = 2; id < count; id++)
		offsets[id] =
		    offsets[id - 1] + btf_record_size((const void *)(v->types + offsets[id - 1]));
	return v;
}

void world_init(struct world *w)
{
	*w = (struct world){ .btf = make_btf() };
	if (!w->btf || ctypes_create(&w->types))
		abort();
	w->view = make_view(w->btf);
	w->names = (struct expr_names){ .ctx = w,
		                        .types = w->types,
		                        .symbol = find_symbol,
		                        .type = find_type,
		                        .near = find_near };
	w->memory = (struct expr_memory){ .ctx = w, .read = read_self };
}

void world_deinit(struct world *w)
{
	ctypes_destroy(w->types);
	free((void *)w->view->offsets);
	free(w->view);
	btf__free(w->btf);
}
