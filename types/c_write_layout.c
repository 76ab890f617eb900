/* SPDX-License-Identifier: MIT */
/*
 * How a struct is written so that a compiler lays it out as the BTF says.
 *
 * Members that overlap (bases of C++ whose tail padding is used again, empty bases, Rust's variants)
 * are put into layers, which become the members of a union; each layer is a struct of its own with
 * what pads it. A union has a layer for each member. If every member lies where a compiler would
 * align it, and the end fits, that is all. Else the struct is packed, its layers are, and
 * its alignment is 1 from then on: what contains it is planned with that, so whether the source
 * packed it, or a member's type had less alignment there than it has here, need not be known.
 *
 * Padding at the end is an attribute where an alignment explains it, here and at all places where
 * the struct is a member of another one.
 */
#include <string.h>

#include "types/c_write_private.h"
#include "types/util.h"

#define LAYERS_MAX  256 /* of a struct; the kernel's and libstdc++'s have 2 or 3 */
#define ALIGNED_MAX 4096
#define PASSES_MAX  16

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* --- sizes and alignments --- */

static bool enum_is_sized(const struct btf_type *t)
{
	return t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8;
}

uint64_t c_size(const struct c_writer *w, uint32_t id)
{
	uint64_t count = 1;

	while (id) {
		const struct btf_type *t = c_type(w, id);

		if (c_is_name_or_modifier(t)) {
			id = t->type;
		} else if (btf_is_array(t)) {
			count *= btf_array(t)->nelems;
			id = btf_array(t)->type;
		} else if (btf_is_ptr(t)) {
			return count * w->pointer_size;
		} else if (c_is_record(t) || btf_is_int(t) || btf_is_float(t) ||
		           (btf_is_any_enum(t) && enum_is_sized(t))) {
			return count * t->size;
		} else {
			break;
		}
		if (count > UINT32_MAX)
			break;
	}
	return NO_SIZE;
}

static uint32_t record_align(struct c_writer *w, uint32_t id)
{
	struct c_plan plan;

	if (!w->types[id].align && !c_plan(w, id, false, &plan))
		free(plan.items);
	return w->types[id].align ? w->types[id].align : 1;
}

/* Of what is written for the type. A record without a name is planned for it; records nest no deeper
   than btf_check() allows. */
static uint32_t align_of(struct c_writer *w, uint32_t id)
{
	while (id) {
		const struct btf_type *t = c_type(w, id);

		if (c_is_name_or_modifier(t))
			id = t->type;
		else if (btf_is_array(t))
			id = btf_array(t)->type;
		else if (btf_is_ptr(t))
			return w->pointer_size;
		else if (c_is_record(t))
			return record_align(w, id);
		else if (btf_is_any_enum(t))
			return w->pointer_size == 4 && t->size > 4 ? 4 : t->size;
		else
			return btf_is_int(t) || btf_is_float(t) ? c_base_align(w, t) : 1;
	}
	return 1;
}

bool c_is_complete(const struct c_writer *w, uint32_t id)
{
	while (id) {
		const struct btf_type *t = c_type(w, id);

		switch (btf_kind(t)) {
		case BTF_KIND_PTR:
			return true;
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
			return w->types[id].is_defined || !c_base_has_alias(w, t);
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return w->types[id].is_defined || !c_has_name(w, t);
		case BTF_KIND_TYPEDEF:
			if (!w->types[id].is_defined || w->types[id].is_opaque)
				return false;
			break;
		case BTF_KIND_ARRAY:
			id = btf_array(t)->type;
			continue;
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			break;
		default:
			return false;
		}
		id = t->type;
	}
	return false;
}

/* --- members --- */

static bool is_bit_field(const struct c_writer *w, const struct btf_type *real, uint64_t size,
                         uint32_t bits)
{
	char text[C_BASE_MAX];

	if (bits > size * 8)
		return false;
	if (btf_is_any_enum(real))
		return true;
	if (!btf_is_int(real))
		return false;
	c_base_text(w, real, text);
	return strncmp(text, "struct", 6);
}

/* Why the member cannot be written; C_LOSS_COUNT: it can. */
static enum c_loss look_at(struct c_writer *w, const struct btf_type *t, uint32_t i,
                           struct c_item *ret)
{
	uint32_t type = btf_members(t)[i].type, bits = btf_member_bitfield_size(t, i);
	uint64_t size = c_size(w, type);

	if (size == NO_SIZE)
		return C_LOSS_DECLARED;
	*ret = (struct c_item){ .member = i, .bits = bits, .at = btf_member_bit_offset(t, i) };
	ret->unit = size * 8;
	ret->end = ret->at + (bits ? bits : ret->unit);
	if (ret->end > t->size * 8ull)
		return C_LOSS_BEYOND;
	if (bits ? !is_bit_field(w, c_type(w, c_real(w, type)), size, bits) : ret->at % 8 != 0)
		return C_LOSS_PLACE;
	if (!c_is_complete(w, type))
		return C_LOSS_CIRCLE;
	ret->align = align_of(w, type);
	return C_LOSS_COUNT;
}

static int by_place(const void *a, const void *b)
{
	const struct c_item *x = a, *y = b;
	bool empty_x = x->at == x->end, empty_y = y->at == y->end;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (empty_x != empty_y)
		return empty_x ? -1 : 1;
	return x->member < y->member ? -1 : x->member > y->member;
}

static void sort_items(struct c_plan *p)
{
	size_t i = 1;

	while (i < p->count && by_place(&p->items[i - 1], &p->items[i]) < 0)
		i++;
	if (i < p->count)
		qsort(p->items, p->count, sizeof(*p->items), by_place);
}

/* A type without a name whose member cannot be there is opaque from then on, wherever it is. */
static void lose_member(struct c_writer *w, uint32_t id, uint32_t i, enum c_loss loss, bool report)
{
	const struct btf_type *t = c_type(w, id);

	if (loss == C_LOSS_CIRCLE && !c_has_name(w, t))
		w->types[id].is_opaque = true;
	if (report)
		c_lose(w, loss, id, btf_members(t)[i].name_off);
}

static int find_items(struct c_writer *w, uint32_t id, bool report, struct c_plan *p)
{
	const struct btf_type *t = c_type(w, id);

	p->items = malloc((btf_vlen(t) + 1) * sizeof(*p->items));
	if (!p->items)
		return -ENOMEM;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		enum c_loss loss = look_at(w, t, i, &p->items[p->count]);

		if (loss != C_LOSS_COUNT)
			lose_member(w, id, i, loss, report);
		else
			p->count++;
	}
	if (w->types[id].is_opaque)
		p->count = 0;
	return 0;
}

/* --- layers --- */

/* The fullest one that is free at that place. */
static uint32_t find_layer(const uint64_t *ends, uint32_t count, uint64_t at)
{
	uint32_t best = count;

	for (uint32_t i = 0; i < count; i++) {
		if (ends[i] == at)
			return i;
		if (ends[i] < at && (best == count || ends[best] < ends[i]))
			best = i;
	}
	return best;
}

static void share_out(struct c_writer *w, uint32_t id, bool report, struct c_plan *p)
{
	uint64_t ends[LAYERS_MAX];
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct c_item *item = &p->items[i];
		uint32_t layer = find_layer(ends, p->layers, item->at);

		if (layer == LAYERS_MAX) {
			lose_member(w, id, item->member, C_LOSS_PLACE, report);
			continue;
		}
		if (layer == p->layers)
			p->layers++;
		ends[layer] = item->end;
		item->layer = layer;
		p->items[kept++] = *item;
	}
	p->count = kept;
	p->layered = p->layers > 1;
}

/* A union's members each have theirs. */
static void number_layers(struct c_plan *p)
{
	p->layered = true;
	for (size_t i = 0; i < p->count; i++)
		p->items[i].layer = i;
	p->layers = p->count;
}

/* --- the place of each --- */

uint64_t c_natural(uint64_t end, const struct c_item *item, bool packed)
{
	if (!item->bits)
		return round_up(end, packed ? 8 : item->align * 8ull);
	if (!packed && item->unit && end % item->unit + item->bits > item->unit)
		return round_up(end, item->unit);
	return end;
}

bool c_is_bare(const struct c_plan *p, size_t i)
{
	const struct c_item *item = &p->items[i];

	return !item->at && (!i || item[-1].layer != item->layer) &&
	       (i + 1 == p->count || item[1].layer != item->layer);
}

/* Padding can lead to an item's place if a compiler puts it there when it comes to it. */
static bool fits(const struct c_item *item)
{
	return c_natural(item->at, item, false) == item->at;
}

static bool measure(struct c_plan *p, bool packed)
{
	uint64_t end = 0, align = 1;
	bool ok = true;

	p->end = 0;
	p->align = 1;
	for (size_t i = 0; i < p->count; i++) {
		const struct c_item *item = &p->items[i];
		bool last = i + 1 == p->count || item[1].layer != item->layer;

		ok &= packed || fits(item);
		align = !packed && item->align > align ? item->align : align;
		end = item->end > end ? item->end : end;
		if (!last)
			continue;
		end = round_up(end, 8);
		if (p->layered && !c_is_bare(p, i))
			end = round_up(end, align * 8);
		p->end = end > p->end ? end : p->end;
		p->align = align > p->align ? align : p->align;
		end = 0;
		align = 1;
	}
	return ok && p->size % (p->align * 8ull) == 0 &&
	       round_up(p->end, p->align * 8ull) <= p->size;
}

static void find_attribute(const struct c_type_state *s, struct c_plan *p)
{
	if (!p->end || round_up(p->end, p->align * 8ull) == p->size)
		return;
	for (uint32_t n = p->align * 2; n <= ALIGNED_MAX && !(s->offsets & (n - 1)); n *= 2) {
		if (round_up(p->end, n * 8ull) != p->size)
			continue;
		p->aligned = p->align = n;
		return;
	}
}

int c_plan(struct c_writer *w, uint32_t id, bool report, struct c_plan *ret)
{
	const struct btf_type *t = c_type(w, id);
	struct c_plan p = { .size = t->size * 8ull };
	int err = find_items(w, id, report, &p);

	if (err)
		return w->error = err;
	if (btf_is_struct(t)) {
		sort_items(&p);
		share_out(w, id, report, &p);
		sort_items(&p);
	} else {
		number_layers(&p);
	}
	p.packed = !measure(&p, false);
	if (p.packed)
		measure(&p, true);
	find_attribute(&w->types[id], &p);
	w->types[id].align = p.align;
	*ret = p;
	return 0;
}

/* --- where a struct lies in others --- */

static uint32_t record_in(const struct c_writer *w, uint32_t id)
{
	id = c_real(w, id);
	while (id && btf_is_array(c_type(w, id)))
		id = c_real(w, btf_array(c_type(w, id))->type);
	return id && c_is_record(c_type(w, id)) ? id : 0;
}

static bool pass_down(struct c_writer *w, uint32_t id)
{
	const struct btf_type *t = c_type(w, id);
	uint32_t from = w->types[id].offsets | t->size;
	bool changed = false;

	for (uint32_t i = 0; c_is_record(t) && i < btf_vlen(t); i++) {
		uint32_t in = record_in(w, btf_members(t)[i].type), before;

		if (!in)
			continue;
		before = w->types[in].offsets;
		w->types[in].offsets |= from | btf_member_bit_offset(t, i) / 8;
		changed |= w->types[in].offsets != before;
	}
	return changed;
}

/* Passes that are missing make an alignment too large: it costs what contains the struct to be packed. */
void c_find_offsets(struct c_writer *w)
{
	bool changed = true;

	for (int i = 0; i < PASSES_MAX && changed; i++) {
		changed = false;
		for (uint32_t id = 1; id < w->count; id++)
			changed |= pass_down(w, id);
	}
}
