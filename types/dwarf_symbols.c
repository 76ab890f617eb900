/* SPDX-License-Identifier: MIT */
/*
 * Variables and functions of a graph: what BTF has no place for.
 *
 * Only what is certain is taken: a variable whose location is exactly an address or a TLS offset,
 * a parameter whose location is known for the function's first instruction. Addresses that a
 * linker put where it threw a section away are recognised by pointing into no section.
 */
#include "types/convert.h"

#include <dwarf.h>

#include "types/types.h"
#include "types/util.h"

void symbols_deinit(struct symbols *s)
{
	free(s->list);
	free(s->params);
	memset(s, 0, sizeof(*s));
}

static bool is_loaded(const struct convert *cv, uint64_t address)
{
	if (cv->address_ok_all)
		return true;
	for (size_t i = 0; i < cv->ranges_count; i++) {
		if (address >= cv->ranges[i].low && address < cv->ranges[i].high)
			return true;
	}
	return false;
}

/* --- variables --- */

enum where { WHERE_UNKNOWN, WHERE_ADDRESS, WHERE_TLS };

static bool is_tls_op(struct dw_cursor *c)
{
	unsigned int op = dw_fixed(c, 1);

	return !c->bad && c->p == c->end &&
	       (op == DW_OP_form_tls_address || op == DW_OP_GNU_push_tls_address);
}

static enum where locate(const struct dw_unit *u, const struct node_place *p, uint64_t *ret)
{
	struct dw_cursor c = { p->expression, p->expression + p->expression_size, false };
	unsigned int op = dw_fixed(&c, 1);

	switch (op) {
	case DW_OP_addr:
		*ret = dw_fixed(&c, u->address_size);
		break;
	case DW_OP_const4u:
		*ret = dw_fixed(&c, 4);
		break;
	case DW_OP_const8u:
		*ret = dw_fixed(&c, 8);
		break;
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
	case DW_OP_constx:
	case DW_OP_GNU_const_index:
		if (!dw_address_at(u, dw_uleb(&c), ret))
			return WHERE_UNKNOWN;
		break;
	default:
		return WHERE_UNKNOWN;
	}
	if (c.bad)
		return WHERE_UNKNOWN;
	if (c.p < c.end)
		return is_tls_op(&c) ? WHERE_TLS : WHERE_UNKNOWN;
	return op == DW_OP_addr || op == DW_OP_addrx || op == DW_OP_GNU_addr_index ? WHERE_ADDRESS
	                                                                           : WHERE_UNKNOWN;
}

/* `i` says where it is; most often also what it is called. */
static int add_symbol(struct convert *cv, uint32_t i, const char *name, const struct symbol *init,
                      struct symbol **ret)
{
	struct symbols *s = &cv->symbols;
	const struct node *n = &cv->g.nodes[i];
	struct symbol sym = *init;
	int err = array_reserve(&s->list, s->count, &s->room, sizeof(*s->list));

	if (!err)
		err = builder_string(&cv->b, name, &sym.name);
	sym.linkage = sym.name;
	if (!err && n->place && cv->g.places[n->place].linkage_name)
		err = builder_string(&cv->b, cv->g.places[n->place].linkage_name, &sym.linkage);
	if (!err)
		err = node_scope(cv, i, &sym.scope);
	if (err)
		return err;
	sym.unit = cv->g.units[n->unit]->index;
	if (!(n->flags & (NODE_EXTERNAL | NODE_STATIC_MEMBER)))
		sym.flags |= TYPES_SYMBOL_STATIC;
	if (n->flags & NODE_LOCAL)
		sym.flags |= TYPES_SYMBOL_LOCAL;
	s->list[s->count] = sym;
	*ret = &s->list[s->count++];
	return 0;
}

static int add_variable(struct convert *cv, uint32_t i)
{
	const struct node *n = &cv->g.nodes[i];
	const struct node_place *p = &cv->g.places[n->place];
	struct symbol sym = { .type = graph_id(&cv->g, n->type) }, *added;
	bool placed = n->flags & NODE_PLACED;

	if (!n->name || !*n->name)
		return 0;
	if (placed && p->expression) {
		switch (locate(cv->g.units[n->unit], p, &sym.address)) {
		case WHERE_ADDRESS:
			sym.kind = TYPES_VARIABLE;
			if (!is_loaded(cv, sym.address))
				return 0;
			break;
		case WHERE_TLS:
			sym.kind = TYPES_TLS_VARIABLE;
			break;
		case WHERE_UNKNOWN:
			sym.flags |= TYPES_SYMBOL_NO_PLACE;
		}
	} else if (n->flags & NODE_CONST && !(n->flags & NODE_LOCAL)) {
		sym.kind = TYPES_CONSTANT;
		sym.address = n->value;
	} else if (placed) {
		sym.flags |= TYPES_SYMBOL_NO_PLACE; /* a global with a location list */
	} else if (cv->declarations && n->flags & NODE_DECLARATION && sym.type) {
		sym.flags |= TYPES_SYMBOL_NO_PLACE;
	} else if (!(n->flags & (NODE_DECLARATION | NODE_LOCAL | NODE_STATIC_MEMBER)) &&
	           n->tag == DW_TAG_variable && sym.type) {
		sym.flags |= TYPES_SYMBOL_NO_PLACE; /* optimised out: it is no other library's */
	} else {
		return 0;
	}
	return add_symbol(cv, i, n->name, &sym, &added);
}

/* C++: a class or namespace with an enum without a name is the scope of its enumerators. */
static int add_enumerators(struct convert *cv, uint32_t i)
{
	uint32_t scope;
	int err = node_scope(cv, i, &scope);

	if (err || !cv->b.strings[scope])
		return err;
	for (uint32_t c = cv->g.nodes[i].child; c && !err; c = cv->g.nodes[c].next) {
		const struct node *n = &cv->g.nodes[c];
		struct symbol sym = { .kind = TYPES_CONSTANT, .type = cv->g.nodes[i].id }, *added;

		sym.address = n->value;
		if (n->tag == DW_TAG_enumerator && n->name)
			err = add_symbol(cv, i, n->name, &sym, &added);
	}
	return err;
}

/* --- parameters at a function's entry --- */

static bool read_register(struct dw_cursor *c, unsigned int op, int *ret)
{
	if (op >= DW_OP_reg0 && op <= DW_OP_reg31)
		*ret = op - DW_OP_reg0;
	else if (op == DW_OP_regx)
		*ret = dw_uleb(c);
	else
		return false;
	return !c->bad && *ret >= 0 && *ret < 127;
}

static void place_from_pieces(struct dw_cursor *c, int reg, struct symbol_param *p)
{
	int reg2;

	p->reg = reg;
	p->reg2 = -1;
	p->kind = PLACE_REGISTER;
	if (c->p == c->end)
		return;
	p->kind = PLACE_NOWHERE; /* until both halves are there */
	if (dw_fixed(c, 1) != DW_OP_piece || dw_uleb(c) != 8)
		return;
	if (!read_register(c, dw_fixed(c, 1), &reg2) || dw_fixed(c, 1) != DW_OP_piece)
		return;
	dw_uleb(c);
	if (c->bad || c->p != c->end)
		return;
	p->reg2 = reg2;
	p->kind = PLACE_REGISTER;
}

static void place_from_expression(const uint8_t *expression, size_t size, struct symbol_param *p)
{
	struct dw_cursor c = { expression, expression + size, false };
	unsigned int op = dw_fixed(&c, 1);
	int reg;

	p->kind = PLACE_NOWHERE;
	if (c.bad)
		return;
	if (op == DW_OP_fbreg) { /* its home in the frame, which is not there yet */
		p->kind = PLACE_ABI;
	} else if (read_register(&c, op, &reg)) {
		place_from_pieces(&c, reg, p);
	} else if (op == DW_OP_entry_value || op == DW_OP_GNU_entry_value) {
		uint64_t length = dw_uleb(&c);

		if (c.bad || length > (uint64_t)(c.end - c.p))
			return;
		place_from_expression(c.p, length, p);
	} else if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
		if (dw_sleb(&c) == 0 && !c.bad && c.p == c.end) {
			p->kind = PLACE_MEMORY;
			p->reg = op - DW_OP_breg0;
		}
	}
}

static void place_param(struct convert *cv, const struct node *n, uint64_t entry,
                        struct symbol_param *p)
{
	const struct node_place *place = &cv->g.places[n->place];
	const uint8_t *expression;
	size_t size;

	p->reg = p->reg2 = -1;
	if (!n->place || !(place->expression || place->list_kind)) {
		p->kind = PLACE_NOWHERE;
	} else if (place->expression) {
		place_from_expression(place->expression, place->expression_size, p);
	} else {
		struct dw_value list = { .kind = place->list_kind, .u = place->list };

		p->kind = PLACE_NOWHERE;
		if (dw_location_at(cv->g.units[n->unit], &list, entry, &expression, &size))
			place_from_expression(expression, size, p);
	}
}

/* The parameters as the function is declared; places are those of this instance of it. */
static uint32_t instance_of(const struct convert *cv, const struct node *function, uint32_t param)
{
	for (uint32_t c = function->child; c; c = cv->g.nodes[c].next) {
		if (c == param || cv->g.nodes[c].origin == param)
			return c;
	}
	return 0;
}

static uint32_t declared_params(const struct convert *cv, const struct node *n)
{
	const struct node *o = n;

	for (int steps = 0; o->origin && !(n->flags & NODE_SPECIFIES) && steps < 4; steps++) {
		o = &cv->g.nodes[o->origin];
		if (o->child)
			return o->child;
	}
	return n->child;
}

static int add_params(struct convert *cv, const struct node *n, uint64_t entry, uint32_t *count)
{
	struct symbols *s = &cv->symbols;

	for (uint32_t c = declared_params(cv, n); c; c = cv->g.nodes[c].next) {
		const struct node *p = &cv->g.nodes[c];
		struct symbol_param *out;
		uint32_t at;
		int err;

		if (p->tag != DW_TAG_formal_parameter)
			continue;
		err =
		    array_reserve(&s->params, s->params_count, &s->params_room, sizeof(*s->params));
		if (err)
			return err;
		out = &s->params[s->params_count++];
		memset(out, 0, sizeof(*out));
		err = builder_string(&cv->b, p->name, &out->name);
		if (err)
			return err;
		out->type = graph_id(&cv->g, p->type);
		at = instance_of(cv, n, c);
		if (at) {
			place_param(cv, &cv->g.nodes[at], entry, out);
		} else {
			out->kind = PLACE_NOWHERE;
			out->reg = out->reg2 = -1;
		}
		(*count)++;
	}
	return 0;
}

/* --- functions --- */

static bool was_inlined(const struct convert *cv, const struct node *n)
{
	for (int steps = 0; n->origin && steps < 4; steps++) {
		n = &cv->g.nodes[n->origin];
		if (n->flags & NODE_INLINE)
			return true;
	}
	return false;
}

/* C++ and Rust have many functions of one name. An alias of C (__GI_name) is no name of it. */
static const char *func_name(const struct convert *cv, const struct symbol *sym)
{
	const char *linkage = cv->b.strings + sym->linkage, *name = cv->b.strings + sym->name;

	return linkage[0] == '_' && (linkage[1] == 'Z' || linkage[1] == 'R') ? linkage : name;
}

static int add_func_record(struct convert *cv, uint32_t i, const struct symbol *sym)
{
	_cleanup_free_ char *name = strdup(func_name(cv, sym));
	uint32_t offset, id;
	int err = name ? builder_name(&cv->b, name, &offset) : -ENOMEM;

	if (err)
		return err;
	cv->b.next_origin = cv->origin | i;
	builder_begin(&cv->b);
	err = builder_type(&cv->b, offset, BTF_KIND_FUNC,
	                   sym->flags & TYPES_SYMBOL_STATIC ? BTF_FUNC_STATIC : BTF_FUNC_GLOBAL,
	                   false, sym->type);
	return err ? err : builder_end(&cv->b, &id);
}

static int add_function(struct convert *cv, uint32_t i)
{
	const struct node *n = &cv->g.nodes[i];
	const struct node_place *p = &cv->g.places[n->place];
	struct symbol sym = { .kind = TYPES_FUNCTION, .type = n->id, .address = p->low }, *added;
	int err;

	if (!n->name || !*n->name || !n->id || !is_loaded(cv, p->low))
		return 0;
	sym.size = p->high > p->low ? p->high - p->low : 0;
	if (was_inlined(cv, n))
		sym.flags |= TYPES_SYMBOL_INLINED;
	sym.param = cv->symbols.params_count;
	err = add_params(cv, n, p->low, &sym.params);
	if (!err)
		err = add_symbol(cv, i, n->name, &sym, &added);
	if (!err) {
		sym = *added;
		err = add_func_record(cv, i, &sym);
	}
	return err;
}

/* As DWARF 4 and clang have it; DWARF 5 has a variable. */
static bool is_constant_member(const struct node *n)
{
	return n->flags & NODE_STATIC_MEMBER && n->flags & NODE_CONST;
}

int graph_symbols(struct convert *cv)
{
	for (uint32_t i = 1; i < cv->g.scanned; i++) {
		const struct node *n = &cv->g.nodes[i];
		int err = 0;

		if (n->tag == DW_TAG_variable || (n->tag == DW_TAG_member && is_constant_member(n)))
			err = add_variable(cv, i);
		else if (n->tag == DW_TAG_enumeration_type && !n->name && n->parent)
			err = add_enumerators(cv, i);
		else if (n->tag == DW_TAG_subprogram && n->flags & NODE_PLACED)
			err = add_function(cv, i);
		if (err)
			return err;
	}
	return 0;
}
