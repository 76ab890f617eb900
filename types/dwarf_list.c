/* SPDX-License-Identifier: MIT */
/* Location and range lists, as far as a function's entry needs them. */
#include "types/dwarf_file.h"

#include <dwarf.h>

/* DWARF 5: a list's number or offset -> its offset. */
static bool list_offset(const struct dw_section *s, const struct dw_unit *u, uint64_t base,
                        const struct dw_value *v, uint64_t *ret)
{
	struct dw_cursor c = dw_cursor_of(s);

	*ret = v->u;
	if (v->kind != DW_VALUE_INDEX)
		return true;
	if (v->u > UINT32_MAX)
		return false;
	dw_advance(&c, base + v->u * u->offset_size);
	*ret = base + dw_fixed(&c, u->offset_size);
	return !c.bad;
}

/* One entry of a .debug_loclists or .debug_rnglists list (their numbers are the same). */
struct entry {
	uint64_t low, high;
	bool end, range;
};

static void list_entry(struct dw_cursor *c, const struct dw_unit *u, bool locations, uint64_t *base,
                       struct entry *e)
{
	unsigned int kind = dw_fixed(c, 1);

	*e = (struct entry){ 0 };
	if (locations && kind == DW_LLE_GNU_view_pair) {
		dw_uleb(c);
		dw_uleb(c);
		return;
	}
	if (locations && kind >= DW_LLE_default_location) {
		/* one more kind than ranges have, in the middle */
		if (kind == DW_LLE_default_location) {
			*e = (struct entry){ .low = 0, .high = UINT64_MAX, .range = true };
			return;
		}
		kind--;
	}
	switch (kind) {
	case DW_RLE_end_of_list:
		e->end = true;
		break;
	case DW_RLE_base_addressx:
		if (!dw_address_at(u, dw_uleb(c), base))
			c->bad = true;
		break;
	case DW_RLE_startx_endx:
		if (!dw_address_at(u, dw_uleb(c), &e->low) ||
		    !dw_address_at(u, dw_uleb(c), &e->high))
			c->bad = true;
		e->range = true;
		break;
	case DW_RLE_startx_length:
		if (!dw_address_at(u, dw_uleb(c), &e->low))
			c->bad = true;
		e->high = e->low + dw_uleb(c);
		e->range = true;
		break;
	case DW_RLE_offset_pair:
		e->low = *base + dw_uleb(c);
		e->high = *base + dw_uleb(c);
		e->range = true;
		break;
	case DW_RLE_base_address:
		*base = dw_fixed(c, u->address_size);
		break;
	case DW_RLE_start_end:
		e->low = dw_fixed(c, u->address_size);
		e->high = dw_fixed(c, u->address_size);
		e->range = true;
		break;
	case DW_RLE_start_length:
		e->low = dw_fixed(c, u->address_size);
		e->high = e->low + dw_uleb(c);
		e->range = true;
		break;
	default:
		c->bad = true;
	}
}

/* DWARF 2-4: pairs of addresses; (0, 0) ends, (~0, a) sets the base. */
static void old_entry(struct dw_cursor *c, const struct dw_unit *u, uint64_t *base, struct entry *e)
{
	uint64_t low = dw_fixed(c, u->address_size), high = dw_fixed(c, u->address_size);
	uint64_t all = u->address_size == 4 ? UINT32_MAX : UINT64_MAX;

	*e = (struct entry){ 0 };
	if (!low && !high)
		e->end = true;
	else if (low == all)
		*base = high;
	else
		*e = (struct entry){ .low = *base + low, .high = *base + high, .range = true };
}

/* GNU's pre-standard split lists of DWARF 4. */
static void gnu_split_entry(struct dw_cursor *c, const struct dw_unit *u, uint64_t *base,
                            struct entry *e)
{
	unsigned int kind = dw_fixed(c, 1);

	*e = (struct entry){ 0 };
	switch (kind) {
	case DW_LLE_GNU_end_of_list_entry:
		e->end = true;
		break;
	case DW_LLE_GNU_base_address_selection_entry:
		if (!dw_address_at(u, dw_uleb(c), base))
			c->bad = true;
		break;
	case DW_LLE_GNU_start_end_entry:
		if (!dw_address_at(u, dw_uleb(c), &e->low) ||
		    !dw_address_at(u, dw_uleb(c), &e->high))
			c->bad = true;
		e->range = true;
		break;
	case DW_LLE_GNU_start_length_entry:
		if (!dw_address_at(u, dw_uleb(c), &e->low))
			c->bad = true;
		e->high = e->low + dw_fixed(c, 4);
		e->range = true;
		break;
	default:
		c->bad = true;
	}
}

#define ENTRIES_MAX \
	64 /* the entry's range is the first or the second; no list is walked to its end */

bool dw_location_at(const struct dw_unit *u, const struct dw_value *list, uint64_t pc,
                    const uint8_t **ret, size_t *ret_size)
{
	bool five = u->version == 5;
	const struct dw_section *s = five ? &u->file->loclists : &u->file->loc;
	struct dw_cursor c = dw_cursor_of(s);
	uint64_t base = u->skeleton ? u->skeleton->low_pc : u->low_pc, offset;

	if (!list_offset(s, u, u->loclists_base + u->loc_shift, list, &offset))
		return false;
	dw_advance(&c, offset + (list->kind == DW_VALUE_INDEX ? 0 : u->loc_shift));
	for (int i = 0; i < ENTRIES_MAX && !c.bad; i++) {
		struct entry e;
		uint64_t size;

		if (five)
			list_entry(&c, u, true, &base, &e);
		else if (u->file->split)
			gnu_split_entry(&c, u, &base, &e);
		else
			old_entry(&c, u, &base, &e);
		if (e.end)
			return false;
		if (!e.range)
			continue;
		size = five ? dw_uleb(&c) : dw_fixed(&c, 2);
		*ret = c.p;
		*ret_size = size;
		dw_advance(&c, size);
		if (!c.bad && e.low <= pc && pc < e.high)
			return true;
	}
	return false;
}

bool dw_first_range(const struct dw_unit *u, const struct dw_value *list, uint64_t *low,
                    uint64_t *high)
{
	/* A split unit of DWARF 4 has its ranges in the file of its skeleton. */
	const struct dw_unit *holder = u->version < 5 && u->skeleton ? u->skeleton : u;
	bool five = u->version == 5;
	const struct dw_section *s = five ? &holder->file->rnglists : &holder->file->ranges;
	struct dw_cursor c = dw_cursor_of(s);
	uint64_t base = u->skeleton ? u->skeleton->low_pc : u->low_pc, offset;

	if (!list_offset(s, u, u->rnglists_base, list, &offset))
		return false;
	dw_advance(&c, offset);
	for (int i = 0; i < ENTRIES_MAX && !c.bad; i++) {
		struct entry e;

		if (five)
			list_entry(&c, u, false, &base, &e);
		else
			old_entry(&c, u, &base, &e);
		if (e.end)
			return false;
		if (!e.range || c.bad || e.low == e.high)
			continue;
		*low = e.low;
		*high = e.high;
		return true;
	}
	return false;
}
