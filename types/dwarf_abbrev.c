/* SPDX-License-Identifier: MIT */
/*
 * Abbreviations, compiled: neighbouring attributes of fixed size that no conversion reads become
 * one "skip n bytes". The table of one unit is kept: units that share one (dwz, LTO) are
 * neighbours.
 */
#include "types/dwarf_file.h"
#include "types/dwarf_unit.h"

#include <dwarf.h>

#include "types/error.h"
#include "types/util.h"

#define TAG_LLVM_ANNOTATION 0x6000

static enum dw_class class_of(unsigned int tag)
{
	switch (tag) {
	case DW_TAG_base_type:
	case DW_TAG_unspecified_type:
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
	case DW_TAG_ptr_to_member_type:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
	case DW_TAG_immutable_type:
	case DW_TAG_packed_type:
	case DW_TAG_shared_type:
	case DW_TAG_array_type:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_interface_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
	case DW_TAG_template_alias:
	case DW_TAG_subroutine_type:
	case DW_TAG_string_type:
	case DW_TAG_set_type:
	case DW_TAG_file_type:
	case DW_TAG_dynamic_type:
	case DW_TAG_coarray_type:
		return DW_CLASS_TYPE;
	case DW_TAG_subrange_type: /* a type of its own where it is not in an array */
	case DW_TAG_generic_subrange:
		return DW_CLASS_SUBRANGE;
	case DW_TAG_member:
	case DW_TAG_inheritance:
		return DW_CLASS_MEMBER;
	case DW_TAG_enumerator:
		return DW_CLASS_ENUMERATOR;
	case DW_TAG_formal_parameter:
	case DW_TAG_unspecified_parameters:
		return DW_CLASS_PARAM;
	case DW_TAG_variable:
		return DW_CLASS_VARIABLE;
	case DW_TAG_subprogram:
		return DW_CLASS_FUNCTION;
	case DW_TAG_namespace:
	case DW_TAG_module:
		return DW_CLASS_SCOPE;
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return DW_CLASS_BLOCK;
	case DW_TAG_variant_part:
	case DW_TAG_variant:
		return DW_CLASS_VARIANT;
	}
	return DW_CLASS_NONE;
}

/* Attributes that a conversion reads; everything else is skipped. */
static bool wanted(unsigned int attr)
{
	switch (attr) {
	case DW_AT_sibling:
	case DW_AT_name:
	case DW_AT_type:
	case DW_AT_byte_size:
	case DW_AT_bit_size:
	case DW_AT_bit_offset:
	case DW_AT_data_bit_offset:
	case DW_AT_data_member_location:
	case DW_AT_encoding:
	case DW_AT_const_value:
	case DW_AT_upper_bound:
	case DW_AT_lower_bound:
	case DW_AT_count:
	case DW_AT_declaration:
	case DW_AT_external:
	case DW_AT_location:
	case DW_AT_low_pc:
	case DW_AT_high_pc:
	case DW_AT_ranges:
	case DW_AT_entry_pc:
	case DW_AT_inline:
	case DW_AT_abstract_origin:
	case DW_AT_specification:
	case DW_AT_signature:
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
	case DW_AT_virtuality:
	case DW_AT_discr:
	case DW_AT_discr_value:
	case DW_AT_language:
	case DW_AT_comp_dir:
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
	case DW_AT_GNU_dwo_id:
	case DW_AT_str_offsets_base:
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
	case DW_AT_loclists_base:
	case DW_AT_rnglists_base:
	case DW_AT_GNU_vector:
	case DW_AT_byte_stride:
	case DW_AT_bit_stride:
	case DW_AT_endianity:
	case DW_AT_artificial:
		return true;
	}
	return false;
}

/* Bytes of a form that always has the same length in this unit; -1: it varies. */
static int form_size(const struct dw_unit *u, unsigned int form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return u->address_size;
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_sec_offset:
		return u->offset_size;
	case DW_FORM_ref_addr:
		return u->version == 2 ? u->address_size : u->offset_size;
	}
	return -1;
}

static bool is_expression(unsigned int form, unsigned int version)
{
	(void)version;
	return form == DW_FORM_exprloc || form == DW_FORM_block1 || form == DW_FORM_block2 ||
	       form == DW_FORM_block4 || form == DW_FORM_block;
}

static int add_step(struct dw_abbrevs *t, struct dw_abbrev *a, const struct dw_unit *u,
                    unsigned int attr, unsigned int form, int64_t implicit)
{
	int size = form_size(u, form);
	bool want = wanted(attr);
	struct dw_step *last = a->steps ? &t->steps[t->steps_count - 1] : NULL;
	int err;

	a->fixed = size < 0 || a->fixed < 0 ? -1 : a->fixed + size;
	if (!want && size >= 0) {
		if (!size)
			return 0;
		if (last && last->form == DW_SKIP) {
			last->skip += size;
			return 0;
		}
	}
	err = array_reserve(&t->steps, t->steps_count, &t->steps_room, sizeof(*t->steps));
	if (err)
		return err;
	t->steps[t->steps_count++] = (struct dw_step){
		.attr = want ? attr : 0,
		.form = !want && size >= 0 ? DW_SKIP : form,
		.skip = size >= 0 ? size : 0,
		.implicit = implicit,
	};
	a->steps++;
	return 0;
}

static int parse_one(struct dw_abbrevs *t, struct dw_cursor *c, const struct dw_unit *u,
                     uint64_t code)
{
	struct dw_abbrev *a;
	int err = array_reserve(&t->list, t->count, &t->room, sizeof(*t->list));

	if (err)
		return err;
	if (code > UINT32_MAX)
		return -EBADMSG;
	a = &t->list[t->count++];
	memset(a, 0, sizeof(*a));
	a->code = code;
	a->tag = dw_uleb(c);
	a->class = class_of(a->tag);
	t->tagged |= a->tag == TAG_LLVM_ANNOTATION;
	a->has_children = dw_fixed(c, 1);
	a->step = t->steps_count;
	while (!c->bad) {
		uint64_t attr = dw_uleb(c), form = dw_uleb(c);
		int64_t implicit = form == DW_FORM_implicit_const ? dw_sleb(c) : 0;

		if (!attr && !form)
			break;
		if (attr > UINT16_MAX || form > UINT16_MAX || !form)
			return -EBADMSG;
		if ((attr == DW_AT_location && is_expression(form, u->version)) ||
		    attr == DW_AT_const_value)
			a->placed = true;
		err = add_step(t, a, u, attr, form, implicit);
		if (err)
			return err;
	}
	return c->bad ? -EBADMSG : 0;
}

static int by_code(const void *a, const void *b)
{
	const struct dw_abbrev *x = a, *y = b;

	return (x->code > y->code) - (x->code < y->code);
}

static void sort_codes(struct dw_abbrevs *t)
{
	bool sorted = true;

	t->dense = true;
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].code != i + 1)
			t->dense = false;
		if (i && t->list[i].code <= t->list[i - 1].code)
			sorted = false;
	}
	if (!sorted)
		qsort(t->list, t->count, sizeof(*t->list), by_code);
}

void dw_abbrevs_free(struct dw_abbrevs *t)
{
	if (!t)
		return;
	free(t->list);
	free(t->steps);
	free(t);
}

/* The last table, emptied: its memory is used again. */
static struct dw_abbrevs *abbrevs_new(struct dw_file *f)
{
	struct dw_abbrevs *t = f->abbrevs;

	f->abbrevs = NULL;
	if (!t)
		return calloc(1, sizeof(*t));
	t->count = t->steps_count = 0;
	t->dense = false;
	return t;
}

int dw_abbrevs_get(struct dw_file *f, const struct dw_unit *u, uint64_t offset,
                   struct dw_abbrevs **ret)
{
	struct dw_cursor c = dw_cursor_of(&f->abbrev);
	struct dw_abbrevs *t;
	uint64_t code;
	int err = 0;

	/* forms have other sizes in another kind of unit */
	t = f->abbrevs;
	if (t && t->offset == offset && t->version2 == (u->version == 2) &&
	    t->address_size == u->address_size && t->offset_size == u->offset_size) {
		*ret = t;
		return 0;
	}
	t = abbrevs_new(f);
	if (!t)
		return -ENOMEM;
	t->offset = offset;
	t->version2 = u->version == 2;
	t->address_size = u->address_size;
	t->offset_size = u->offset_size;
	dw_advance(&c, offset);
	while (!err && !c.bad && (code = dw_uleb(&c)))
		err = parse_one(t, &c, u, code);
	if (err || c.bad) {
		dw_abbrevs_free(t);
		return err ? err : -EBADMSG;
	}
	sort_codes(t);
	f->abbrevs = t;
	*ret = t;
	return 0;
}

int dw_abbrevs_survey(const struct dw_file *f, uint64_t offset, uint64_t code,
                      struct dw_cursor *ret, uint16_t *ret_tag, bool *ret_far)
{
	struct dw_cursor c = dw_cursor_of(&f->abbrev);
	uint64_t own;
	bool found = false;

	dw_advance(&c, offset);
	*ret_far = false;
	while (!c.bad && (own = dw_uleb(&c))) {
		uint64_t tag = dw_uleb(&c), attr, form;

		dw_advance(&c, 1);
		if (own == code && !found) {
			found = true;
			*ret = c;
			*ret_tag = tag;
		}
		do {
			attr = dw_uleb(&c);
			form = dw_uleb(&c);
			if (form == DW_FORM_implicit_const)
				dw_sleb(&c);
			else if (form == DW_FORM_ref_addr || form == DW_FORM_ref_sig8)
				*ret_far = true;
		} while (!c.bad && (attr || form));
	}
	return c.bad || (code && !found) ? -EBADMSG : 0;
}

const struct dw_abbrev *dw_abbrev_find(const struct dw_abbrevs *t, uint64_t code)
{
	size_t low = 0, high = t->count;

	if (t->dense)
		return code && code <= t->count ? &t->list[code - 1] : NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (t->list[middle].code == code)
			return &t->list[middle];
		if (t->list[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
