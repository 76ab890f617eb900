/* SPDX-License-Identifier: MIT */
#include "types/dwarf_file.h"

#include <dwarf.h>
#include <gelf.h>

#include "types/dwarf_unit.h"
#include "types/error.h"
#include "types/util.h"

uint64_t dw_uleb_slow(struct dw_cursor *c)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; c->p < c->end; shift += 7) {
		uint8_t byte = *c->p++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	c->bad = true;
	return 0;
}

int64_t dw_sleb(struct dw_cursor *c)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; c->p < c->end; shift += 7) {
		uint8_t byte = *c->p++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			if (shift < 57 && (byte & 0x40))
				value |= ~0ULL << (shift + 7);
			return value;
		}
	}
	c->bad = true;
	return 0;
}

uint64_t dw_fixed_slow(struct dw_cursor *c, unsigned int size)
{
	uint64_t value = 0;

	if (size > 8 || size > (size_t)(c->end - c->p)) {
		c->bad = true;
		c->p = c->end;
		return 0;
	}
	memcpy(&value, c->p, size);
	c->p += size;
	return value;
}

/* --- the file --- */

int dw_file_init(struct dw_file *f, Elf *elf, const struct dw_mapping *map, size_t threads,
                 struct weir_error *err)
{
	const char *ident = elf_getident(elf, NULL);
	int ret;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->elf = elf;
	if (!ident || elf_kind(elf) != ELF_K_ELF)
		return types_err(err, -ENOEXEC, "not an ELF file");
	if (ident[EI_DATA] !=
	    (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB))
		return types_err(err, -ENOTSUP,
		                 "the file's byte order is not this machine's; its types "
		                 "cannot be converted here");
	ret = dw_sections_load(f, map, threads, err);
	if (ret)
		return ret;
	/* else it is inflated, relocated, or nowhere */
	if (map && f->info.data && dw_mapping_has(map, f->info.data, f->info.size)) {
		f->fd = map->fd;
		f->info_start = f->info.data - (const uint8_t *)map->data;
	}
	return 0;
}

void dw_file_deinit(struct dw_file *f)
{
	dw_sections_free(f);
	dw_abbrevs_free(f->abbrevs);
	free(f->buffer);
	free(f->units);
	free(f->signatures);
	memset(f, 0, sizeof(*f));
}

/* --- units in a buffer --- */

void dw_view_init(struct dw_file *view, const struct dw_file *f)
{
	*view = *f;
	view->abbrevs = NULL;
	view->buffer = NULL;
	view->buffer_size = 0;
}

void dw_view_deinit(struct dw_file *view)
{
	dw_abbrevs_free(view->abbrevs);
	free(view->buffer);
}

int dw_buffer_reserve(struct dw_file *f, size_t size)
{
	uint8_t *bigger;

	if (size <= f->buffer_size)
		return 0;
	bigger = realloc(f->buffer, size + size / 4);
	if (!bigger)
		return -ENOMEM;
	f->buffer = bigger;
	f->buffer_size = size + size / 4;
	return 0;
}

static int load_entries(struct dw_unit *u)
{
	struct dw_file *f = u->file;
	size_t size = u->end - u->begin;

	if (f->fd < 0 || u->in_types)
		return 0;
	if (dw_buffer_reserve(f, size))
		return -ENOMEM;
	if (read_fully(f->fd, f->buffer, size, f->info_start + (u->begin - f->info.data)))
		return -EBADMSG;
	u->home = u->begin;
	u->die = f->buffer + (u->die - u->begin);
	u->end = f->buffer + size;
	u->begin = f->buffer;
	return 0;
}

int dw_unit_load(struct dw_unit *u)
{
	int err = dw_abbrevs_get(u->file, u, u->abbrev, &u->abbrevs);

	return err ? err : load_entries(u);
}

void dw_unit_release(struct dw_unit *u)
{
	if (!u->home)
		return;
	u->die = u->home + (u->die - u->begin);
	u->end = u->home + (u->end - u->begin);
	u->begin = u->home;
	u->home = NULL;
}

/* --- values --- */

static const char *section_string(const struct dw_section *s, size_t limit, uint64_t offset)
{
	return offset < limit ? (const char *)s->data + offset : NULL;
}

static uint64_t section_word(const struct dw_section *s, uint64_t offset, unsigned int size,
                             bool *ret_ok)
{
	uint64_t value = 0;

	*ret_ok = offset <= s->size && size <= s->size - offset;
	if (*ret_ok)
		memcpy(&value, s->data + offset, size);
	return value;
}

static const char *indexed_string(const struct dw_unit *u, uint64_t index)
{
	uint64_t base = u->str_offsets_base + u->str_offsets_shift, offset;
	bool ok;

	if (index > UINT32_MAX)
		return NULL;
	offset =
	    section_word(&u->file->str_offsets, base + index * u->offset_size, u->offset_size, &ok);
	return ok ? section_string(&u->file->str, u->file->str_limit, offset) : NULL;
}

bool dw_address_at(const struct dw_unit *u, uint64_t index, uint64_t *ret)
{
	const struct dw_unit *holder = u->skeleton ? u->skeleton : u;
	bool ok;

	if (index > UINT32_MAX)
		return false;
	*ret = section_word(&holder->file->addr, holder->addr_base + index * u->address_size,
	                    u->address_size, &ok);
	return ok;
}

static void read_string(struct dw_cursor *c, struct dw_value *v)
{
	const uint8_t *nul = memchr(c->p, 0, c->end - c->p);

	if (!nul) {
		c->bad = true;
		c->p = c->end;
		return;
	}
	v->kind = DW_VALUE_STRING;
	v->string = (const char *)c->p;
	c->p = nul + 1;
}

static void read_block(struct dw_cursor *c, uint64_t length, struct dw_value *v)
{
	v->kind = DW_VALUE_BLOCK;
	v->block = c->p;
	v->u = length;
	dw_advance(c, length);
	if (c->bad)
		v->u = 0;
}

static void read_const(struct dw_cursor *c, unsigned int size, struct dw_value *v)
{
	v->kind = DW_VALUE_CONST;
	v->size = size;
	v->u = dw_fixed(c, size);
}

static void set_string(struct dw_value *v, const char *string)
{
	v->kind = DW_VALUE_STRING;
	v->string = string;
}

/* A reference: to `offset` in this unit, in this file's .debug_info, or in the alternate file. */
static void set_near(const struct dw_unit *u, uint64_t offset, struct dw_value *v)
{
	v->kind = DW_VALUE_REF;
	v->u = offset < (uint64_t)(u->end - u->begin) ? u->base + offset : 0;
}

static void set_far(const struct dw_file *f, uint64_t offset, struct dw_value *v)
{
	v->kind = DW_VALUE_REF;
	v->u = f && offset < f->info.size ? f->base + offset : 0;
}

static void set_indexed_address(const struct dw_unit *u, uint64_t index, struct dw_value *v)
{
	v->kind = dw_address_at(u, index, &v->u) ? DW_VALUE_ADDRESS : DW_VALUE_NONE;
}

static uint32_t signature_position(const struct dw_file *f, uint64_t signature)
{
	size_t low = 0, high = f->signatures_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (f->signatures[middle].signature == signature)
			return f->signatures[middle].position;
		if (f->signatures[middle].signature < signature)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

void dw_value_read(struct dw_cursor *c, const struct dw_unit *u, uint32_t form, int64_t implicit,
                   struct dw_value *v)
{
	const struct dw_file *f = u->file;

	v->kind = DW_VALUE_NONE;
	v->size = 0;
	switch (form) {
	case DW_FORM_addr:
		v->u = dw_fixed(c, u->address_size);
		v->kind = DW_VALUE_ADDRESS;
		break;
	case DW_FORM_addrx:
	case DW_FORM_GNU_addr_index:
		set_indexed_address(u, dw_uleb(c), v);
		break;
	case DW_FORM_addrx1:
	case DW_FORM_addrx2:
	case DW_FORM_addrx3:
	case DW_FORM_addrx4:
		set_indexed_address(u, dw_fixed(c, form - DW_FORM_addrx1 + 1), v);
		break;
	case DW_FORM_data1:
		read_const(c, 1, v);
		break;
	case DW_FORM_data2:
		read_const(c, 2, v);
		break;
	case DW_FORM_data4:
		read_const(c, 4, v);
		break;
	case DW_FORM_data8:
		read_const(c, 8, v);
		break;
	case DW_FORM_data16:
		read_block(c, 16, v);
		break;
	case DW_FORM_sdata:
		v->u = dw_sleb(c);
		v->kind = DW_VALUE_SIGNED;
		break;
	case DW_FORM_implicit_const:
		v->u = implicit;
		v->kind = DW_VALUE_SIGNED;
		break;
	case DW_FORM_udata:
		read_const(c, 0, v);
		v->u = dw_uleb(c);
		break;
	case DW_FORM_string:
		read_string(c, v);
		break;
	case DW_FORM_strp:
		set_string(v, section_string(&f->str, f->str_limit, dw_fixed(c, u->offset_size)));
		break;
	case DW_FORM_line_strp:
		set_string(v, section_string(&f->line_str, f->line_str_limit,
		                             dw_fixed(c, u->offset_size)));
		break;
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt: {
		uint64_t offset = dw_fixed(c, u->offset_size);

		set_string(v,
		           f->alt ? section_string(&f->alt->str, f->alt->str_limit, offset) : NULL);
		break;
	}
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		set_string(v, indexed_string(u, dw_uleb(c)));
		break;
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
		set_string(v, indexed_string(u, dw_fixed(c, form - DW_FORM_strx1 + 1)));
		break;
	case DW_FORM_ref1:
		set_near(u, dw_fixed(c, 1), v);
		break;
	case DW_FORM_ref2:
		set_near(u, dw_fixed(c, 2), v);
		break;
	case DW_FORM_ref4:
		set_near(u, dw_fixed(c, 4), v);
		break;
	case DW_FORM_ref8:
		set_near(u, dw_fixed(c, 8), v);
		break;
	case DW_FORM_ref_udata:
		set_near(u, dw_uleb(c), v);
		break;
	case DW_FORM_ref_addr:
		set_far(f, dw_fixed(c, u->version == 2 ? u->address_size : u->offset_size), v);
		break;
	case DW_FORM_GNU_ref_alt:
		set_far(f->alt, dw_fixed(c, u->offset_size), v);
		break;
	case DW_FORM_ref_sup4:
		set_far(f->alt, dw_fixed(c, 4), v);
		break;
	case DW_FORM_ref_sup8:
		set_far(f->alt, dw_fixed(c, 8), v);
		break;
	case DW_FORM_ref_sig8:
		v->u = signature_position(f, dw_fixed(c, 8));
		v->kind = DW_VALUE_REF;
		break;
	case DW_FORM_block1:
		read_block(c, dw_fixed(c, 1), v);
		break;
	case DW_FORM_block2:
		read_block(c, dw_fixed(c, 2), v);
		break;
	case DW_FORM_block4:
		read_block(c, dw_fixed(c, 4), v);
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		read_block(c, dw_uleb(c), v);
		break;
	case DW_FORM_sec_offset:
		v->u = dw_fixed(c, u->offset_size);
		v->kind = DW_VALUE_OFFSET;
		break;
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
		v->u = dw_uleb(c);
		v->kind = DW_VALUE_INDEX;
		break;
	case DW_FORM_flag:
		v->u = dw_fixed(c, 1);
		v->kind = DW_VALUE_FLAG;
		break;
	case DW_FORM_flag_present:
		v->u = 1;
		v->kind = DW_VALUE_FLAG;
		break;
	case DW_FORM_indirect: {
		uint64_t real = dw_uleb(c);

		if (real == DW_FORM_indirect || real == DW_FORM_implicit_const || real > UINT16_MAX)
			c->bad = true;
		else
			dw_value_read(c, u, real, 0, v);
		break;
	}
	default:
		c->bad = true; /* a form nobody knows has no known length: the unit ends here */
	}
}

void dw_form_skip(struct dw_cursor *c, const struct dw_unit *u, uint32_t form)
{
	switch (form) {
	case DW_FORM_block1:
		dw_advance(c, dw_fixed(c, 1));
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		dw_advance(c, dw_uleb(c));
		break;
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_GNU_str_index:
	case DW_FORM_GNU_addr_index:
		dw_uleb(c);
		break;
	default: {
		struct dw_value ignored;

		dw_value_read(c, u, form, 0, &ignored);
	}
	}
}
