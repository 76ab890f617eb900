/* SPDX-License-Identifier: MIT */
/* Unit headers, first entries, and the contributions of a .dwp. */
#include "types/dwarf_unit.h"

#include <dwarf.h>

#include "types/error.h"
#include "types/util.h"

/* --- .dwp: which part of each section is a unit's --- */

enum { SECT_INFO = 1, SECT_TYPES = 2, SECT_ABBREV = 3, SECT_LOC = 5, SECT_STR_OFFSETS = 6 };

struct dwp_row {
	uint64_t info, abbrev, str_offsets, loc;
};

static uint32_t word_at(const struct dw_section *s, uint64_t index)
{
	uint32_t value = 0;

	if (index < s->size / 4)
		memcpy(&value, s->data + index * 4, 4);
	return value;
}

/*
 * The row whose .debug_info (or .debug_types) contribution begins at `offset`. The hash table in
 * front of the rows is not needed: units are found by walking, not by signature.
 */
static bool dwp_find(const struct dw_section *s, bool types, uint64_t offset, struct dwp_row *ret)
{
	uint32_t version = word_at(s, 0) & 0xffff, columns = word_at(s, 1), rows = word_at(s, 2);
	uint64_t slots = word_at(s, 3), head, key = version == 2 && types ? SECT_TYPES : SECT_INFO;

	if (s->size < 16 || columns > 16 || rows > s->size / 4 || slots > s->size / 4)
		return false;
	head = 4 + slots * 2 + slots; /* after the signatures and the row numbers */
	for (uint64_t r = 1; r <= rows; r++) {
		bool found = false;

		memset(ret, 0, sizeof(*ret));
		for (uint32_t c = 0; c < columns; c++) {
			uint32_t id = word_at(s, head + c),
			         value = word_at(s, head + r * columns + c);

			if (id == key && value == offset)
				found = true;
			else if (id == SECT_ABBREV)
				ret->abbrev = value;
			else if (id == SECT_STR_OFFSETS)
				ret->str_offsets = value;
			else if (id == SECT_LOC)
				ret->loc = value;
		}
		if (found)
			return true;
	}
	return false;
}

/* --- headers --- */

/* `c` reads from u->begin on, perhaps a copy that is shorter than the `size` bytes there are. */
static int header_length(struct dw_cursor *c, struct dw_unit *u, size_t size)
{
	const uint8_t *copy = c->p;
	uint64_t length = dw_fixed(c, 4);

	u->offset_size = 4;
	if (length == 0xffffffff) {
		u->offset_size = 8;
		length = dw_fixed(c, 8);
	} else if (length >= 0xfffffff0) {
		return -EBADMSG;
	}
	if (c->bad || length > size - (c->p - copy))
		return -EBADMSG;
	u->end = u->begin + (c->p - copy) + length;
	if (length < (uint64_t)(c->end - c->p))
		c->end = c->p + length;
	return 0;
}

static int read_header(struct dw_cursor *c, struct dw_unit *u, size_t size, uint64_t *ret_abbrev)
{
	const uint8_t *copy = c->p;
	int err = header_length(c, u, size);

	if (err)
		return err;
	u->version = dw_fixed(c, 2);
	if (u->version < 2 || u->version > 5)
		return -ENOTSUP;
	if (u->version == 5) {
		u->type = dw_fixed(c, 1);
		u->address_size = dw_fixed(c, 1);
		*ret_abbrev = dw_fixed(c, u->offset_size);
	} else {
		u->type = u->in_types ? DW_UT_type : DW_UT_compile;
		*ret_abbrev = dw_fixed(c, u->offset_size);
		u->address_size = dw_fixed(c, 1);
	}
	if (u->type == DW_UT_type || u->type == DW_UT_split_type) {
		u->signature = dw_fixed(c, 8);
		u->type_offset = dw_fixed(c, u->offset_size);
	} else if (u->type == DW_UT_skeleton || u->type == DW_UT_split_compile) {
		u->signature = dw_fixed(c, 8);
	}
	if (c->bad || (u->address_size != 4 && u->address_size != 8))
		return -EBADMSG;
	u->die = u->begin + (c->p - copy);
	return 0;
}

static void first_attribute(struct dw_unit *u, unsigned int attr, const struct dw_value *v)
{
	switch (attr) {
	case DW_AT_name:
		u->name = v->string;
		break;
	case DW_AT_comp_dir:
		u->comp_dir = v->string;
		break;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		u->dwo_name = v->string;
		break;
	case DW_AT_GNU_dwo_id:
		u->signature = v->u;
		break;
	case DW_AT_language:
		u->language = v->u;
		break;
	case DW_AT_low_pc:
		u->low_pc = v->u;
		break;
	}
}

static bool first_base(struct dw_unit *u, unsigned int attr, const struct dw_value *v)
{
	switch (attr) {
	case DW_AT_str_offsets_base:
		u->str_offsets_base = v->u;
		return true;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		u->addr_base = v->u;
		return true;
	case DW_AT_loclists_base:
		u->loclists_base = v->u;
		return true;
	case DW_AT_rnglists_base:
		u->rnglists_base = v->u;
		return true;
	}
	return false;
}

/* The attributes of the first entry; the bases first: its strings may need them. */
static int read_attributes(struct dw_unit *u, struct dw_cursor c, struct dw_cursor abbrev)
{
	const uint8_t *entry = c.p, *attributes = abbrev.p;

	for (int pass = 0; pass < 2; pass++) {
		c.p = entry;
		abbrev.p = attributes;
		while (!c.bad && !abbrev.bad) {
			uint64_t attr = dw_uleb(&abbrev), form = dw_uleb(&abbrev);
			int64_t implicit = form == DW_FORM_implicit_const ? dw_sleb(&abbrev) : 0;
			struct dw_value v = { 0 };

			if (!attr && !form)
				break;
			dw_value_read(&c, u, form, implicit, &v);
			if (v.kind != DW_VALUE_STRING)
				v.string = NULL;
			if (!first_base(u, attr, &v) && pass)
				first_attribute(u, attr, &v);
		}
	}
	return c.bad || abbrev.bad ? -EBADMSG : 0;
}

static int read_first_entry(struct dw_unit *u, struct dw_cursor c)
{
	struct dw_cursor abbrev = { 0 };
	uint64_t code = dw_uleb(&c);
	int err = dw_abbrevs_survey(u->file, u->abbrev, code, &abbrev, &u->tag, &u->has_far);

	return err || !code ? err : read_attributes(u, c, abbrev);
}

/* Without DW_AT_str_offsets_base a split unit's offsets follow the table's header. */
static void default_bases(struct dw_unit *u)
{
	if (u->version == 5 && u->file->split) {
		u->str_offsets_base = u->offset_size == 8 ? 16 : 8;
		u->loclists_base = u->offset_size == 8 ? 20 : 12;
		u->rnglists_base = u->loclists_base;
	}
}

static int read_unit(struct dw_file *f, struct dw_cursor c, size_t size, struct dw_unit *u)
{
	const struct dw_section *section = u->in_types ? &f->types : &f->info;
	struct dwp_row row;
	int err = read_header(&c, u, size, &u->abbrev);

	if (err)
		return err;
	if (f->cu_index.size || f->tu_index.size) {
		bool type = u->type == DW_UT_type || u->type == DW_UT_split_type;

		if (!dwp_find(type ? &f->tu_index : &f->cu_index, u->in_types,
		              u->begin - section->data, &row))
			return -EBADMSG;
		u->abbrev += row.abbrev;
		u->str_offsets_shift = row.str_offsets;
		u->loc_shift = row.loc;
	}
	default_bases(u);
	return read_first_entry(u, c);
}

/*
 * Headers and first entries of a plain file are read through a small window, too. What points
 * into the window is moved to where the section is mapped.
 */
#define WINDOW 2048

static void rebase(const char **string, const uint8_t *window, const uint8_t *home)
{
	const uint8_t *p = (const uint8_t *)*string;

	if (p >= window && p < window + WINDOW)
		*string = (const char *)(home + (p - window));
}

static int read_unit_in_window(struct dw_file *f, const uint8_t *p, size_t size, struct dw_unit *u)
{
	uint8_t window[WINDOW];
	struct dw_unit saved = *u;

	if (f->fd < 0 || u->in_types || size <= WINDOW ||
	    pread(f->fd, window, WINDOW, f->info_start + (p - f->info.data)) != WINDOW)
		return read_unit(f, (struct dw_cursor){ p, p + size, false }, size, u);
	if (read_unit(f, (struct dw_cursor){ window, window + WINDOW, false }, size, u)) {
		*u = saved; /* perhaps its first entry is longer than the window */
		return read_unit(f, (struct dw_cursor){ p, p + size, false }, size, u);
	}
	rebase(&u->name, window, p);
	rebase(&u->comp_dir, window, p);
	rebase(&u->dwo_name, window, p);
	return 0;
}

static const char *unit_problem(int err)
{
	return err == -ENOTSUP ? "its DWARF version is not 2 to 5" : "it is malformed or cut short";
}

static int read_section(struct dw_file *f, struct dw_section *section, uint32_t base, bool types,
                        struct weir_error *err)
{
	const uint8_t *p = section->data, *end = section->size ? p + section->size : p;

	while (p < end) {
		struct dw_unit *u;
		int ret;

		if (array_reserve(&f->units, f->units_count, &f->units_room, sizeof(*f->units)))
			return types_err(err, -ENOMEM, "out of memory");
		u = &f->units[f->units_count];
		memset(u, 0, sizeof(*u));
		u->file = f;
		u->begin = p;
		u->base = base + (p - section->data);
		u->in_types = types;
		ret = read_unit_in_window(f, p, end - p, u);
		if (ret == -ENOMEM)
			return types_err(err, ret, "out of memory");
		if (ret)
			return types_err(err, ret == -ENOTSUP ? ret : -EBADMSG,
			                 "the unit at .debug_%s+0x%zx cannot be read: %s",
			                 types ? "types" : "info", (size_t)(p - section->data),
			                 unit_problem(ret));
		f->units_count++;
		p = u->end;
	}
	return 0;
}

/* --- units of a stream --- */

bool dw_stream_possible(const struct dw_file *f)
{
	return f->packed_info.kind && !f->split && !f->types.size && !f->cu_index.size &&
	       !f->tu_index.size && f->info.size < UINT32_MAX - 64;
}

int dw_stream_open(struct dw_stream *s, struct dw_file *f)
{
	*s = (struct dw_stream){ .file = f };
	return unpack_stream_open(&f->packed_info, &s->unpack);
}

void dw_stream_close(struct dw_stream *s)
{
	unpack_stream_close(s->unpack);
	s->unpack = NULL;
}

static int stream_append(struct dw_stream *s, struct dw_file *view, size_t have, size_t size)
{
	if (size > s->file->info.size - s->at)
		return -EBADMSG;
	if (dw_buffer_reserve(view, have + size))
		return -ENOMEM;
	if (unpack_stream_read(s->unpack, view->buffer + have, size))
		return -EBADMSG;
	s->at += size;
	return 0;
}

int dw_stream_next(struct dw_stream *s, struct dw_file *view, struct dw_unit *u)
{
	uint32_t base = s->at;
	uint64_t length = 0;
	size_t head = 4;
	int err;

	if (s->at == s->file->info.size)
		return unpack_stream_end(s->unpack);
	err = stream_append(s, view, 0, 4);
	if (err)
		return err;
	memcpy(&length, view->buffer, 4);
	if (length == 0xffffffff) {
		err = stream_append(s, view, 4, 8);
		if (err)
			return err;
		memcpy(&length, view->buffer + 4, 8);
		head = 12;
	}
	if (length > s->file->info.size)
		return -EBADMSG;
	err = stream_append(s, view, head, length);
	if (err)
		return err;
	*u = (struct dw_unit){ .file = view, .begin = view->buffer, .base = base };
	err = read_unit(view, (struct dw_cursor){ u->begin, u->begin + head + length, false },
	                head + length, u);
	return err ? err : 1;
}

/* --- signatures --- */

static int by_signature(const void *a, const void *b)
{
	const struct dw_signature *x = a, *y = b;

	if (x->signature != y->signature)
		return x->signature < y->signature ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

static int index_signatures(struct dw_file *f)
{
	size_t n = 0;

	f->signatures = calloc(f->units_count + 1, sizeof(*f->signatures));
	if (!f->signatures)
		return -ENOMEM;
	for (size_t i = 0; i < f->units_count; i++) {
		const struct dw_unit *u = &f->units[i];

		if ((u->type != DW_UT_type && u->type != DW_UT_split_type) ||
		    u->type_offset >= (uint64_t)(u->end - u->begin))
			continue;
		f->signatures[n++] =
		    (struct dw_signature){ u->signature, u->base + u->type_offset };
	}
	f->signatures_count = n;
	qsort(f->signatures, n, sizeof(*f->signatures), by_signature);
	return 0;
}

int dw_file_units(struct dw_file *f, uint32_t base, struct weir_error *err, uint32_t *ret)
{
	uint64_t end = (uint64_t)base + f->info.size + f->types.size;
	int code;

	if (end > UINT32_MAX - 64)
		return types_err(err, -EFBIG, "more than 4 GiB of DWARF");
	f->base = base;
	code = dw_file_unpack(f, err);
	if (!code)
		code = read_section(f, &f->info, base, false, err);
	if (!code)
		code = read_section(f, &f->types, base + f->info.size, true, err);
	if (!code && index_signatures(f))
		code = types_err(err, -ENOMEM, "out of memory");
	if (!code)
		*ret = end;
	return code;
}

struct dw_unit *dw_file_unit_at(struct dw_file *f, uint32_t position)
{
	size_t low = 0, high = f->units_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		struct dw_unit *u = &f->units[middle];

		if (position < u->base)
			high = middle;
		else if (position - u->base >= (size_t)(u->end - u->begin))
			low = middle + 1;
		else
			return u;
	}
	return NULL;
}
