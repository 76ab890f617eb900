/* SPDX-License-Identifier: MIT */
/*
 * Units are converted one by one where they stand for themselves, so that memory is that of one
 * unit and of what came out. Units that others refer to (dwz's partial units, type units) are
 * kept as a shared graph. Where compile units refer to each other (LTO), all are one graph.
 */
#include "types/dwarf_convert.h"

#include <dwarf.h>
#include <gelf.h>

#include "types/btf_check.h"
#include "types/btf_sort.h"
#include "types/convert.h"
#include "types/dwarf_split.h"
#include "types/error.h"
#include "types/types.h"
#include "types/util.h"

struct run {
	struct convert cv;
	const struct dwarf_input *in;
	struct dw_file file, alt;
	struct dwarf_split split;
	size_t done, total;
	struct weir_error *err;
};

/* Address space for what is likely to come out of so much DWARF: growing costs copies. */
static void reserve(struct convert *cv, size_t info)
{
	builder_reserve(&cv->b, info / 12, info / 400, info / 40);
	array_reserve(&cv->id_unit, info / 400, &cv->id_unit_room, sizeof(*cv->id_unit));
	array_reserve(&cv->symbols.list, info / 1500, &cv->symbols.room, sizeof(*cv->symbols.list));
	array_reserve(&cv->symbols.params, info / 600, &cv->symbols.params_room,
	              sizeof(*cv->symbols.params));
}

static void progress(struct run *r, size_t bytes)
{
	r->done += bytes;
	if (r->in->progress)
		r->in->progress(r->in->progress_arg, r->done, r->total);
}

static int fail(struct run *r, int code, const struct dw_unit *u)
{
	if (code == -ENOMEM)
		return types_err(r->err, code, "out of memory");
	if (code == -EXDEV)
		return code;
	if (code == -EOVERFLOW)
		return types_err(r->err, -EFBIG, "more types than BTF can number");
	return types_err(r->err, -EBADMSG,
	                 "the unit at .debug_info+0x%x (%s) is malformed or cut "
	                 "short",
	                 u->base - u->file->base, u->name ? u->name : "no name");
}

/* --- one graph --- */

/* The unit's place in the list of names, plus 1; units without a name have none. */
static int number_unit(struct convert *cv, struct dw_unit *u)
{
	struct symbols *s = &cv->symbols;
	int err;

	u->index = 0;
	if (!u->name || u->tag == DW_TAG_partial_unit || u->file->is_alt)
		return 0;
	err = array_reserve(&s->units, s->units_count, &s->units_room, sizeof(*s->units));
	if (!err)
		err = builder_string(&cv->b, u->name, &s->units[s->units_count]);
	if (!err)
		u->index = ++s->units_count;
	return err;
}

static int convert_graph(struct convert *cv)
{
	int err = graph_index(&cv->g);

	if (!err)
		err = graph_lower(cv);
	if (!err)
		err = graph_intern(cv);
	if (!err)
		err = graph_symbols(cv);
	return err;
}

static int convert_unit(struct run *r, struct dw_unit *u)
{
	struct convert *cv = &r->cv;
	int err;

	graph_clear(&cv->g);
	err = number_unit(cv, u);
	if (!err)
		err = dw_unit_load(u);
	if (!err) {
		cv->b.moving = (const char *)u->file->buffer;
		cv->b.moving_size = u->file->buffer_size;
		err = graph_scan(&cv->g, u);
		if (!err)
			err = convert_graph(cv);
		dw_unit_release(u);
	}
	return err ? fail(r, err, u) : 0;
}

/* --- which units go together --- */

static bool is_type_unit(const struct dw_unit *u)
{
	return u->type == DW_UT_type || u->type == DW_UT_split_type;
}

static bool is_shared_unit(const struct dw_unit *u)
{
	return u->file->is_alt || is_type_unit(u) || u->tag == DW_TAG_partial_unit;
}

/* A unit whose content is in a .dwo file. */
static bool is_skeleton(const struct dw_unit *u)
{
	return !u->file->split && (u->type == DW_UT_skeleton || u->dwo_name);
}

typedef bool (*unit_filter)(const struct dw_unit *u);

static bool is_any_unit(const struct dw_unit *u)
{
	return !is_skeleton(u);
}

static int scan_units(struct run *r, struct dw_file *f, unit_filter filter)
{
	for (size_t i = 0; i < f->units_count; i++) {
		struct dw_unit *u = &f->units[i];
		int err;

		if (!filter(u))
			continue;
		err = number_unit(&r->cv, u);
		if (!err)
			err = dw_unit_load(u);
		if (!err)
			err = graph_scan(&r->cv.g, u);
		if (err)
			return fail(r, err, u);
		progress(r, u->end - u->begin);
	}
	return 0;
}

static int scan_with_alt(struct run *r, struct dw_file *f, unit_filter filter)
{
	int err = scan_units(r, f, filter);

	return !err && f->alt ? scan_units(r, f->alt, filter) : err;
}

static int convert_together(struct run *r, struct dw_file *f, unit_filter filter)
{
	int err;

	graph_clear(&r->cv.g);
	err = scan_with_alt(r, f, filter);
	if (err)
		return err;
	err = convert_graph(&r->cv);
	return err ? fail(r, err, &f->units[0]) : 0;
}

static int convert_each(struct run *r, struct dw_file *f)
{
	for (size_t i = 0; i < f->units_count; i++) {
		struct dw_unit *u = &f->units[i];
		int err;

		if (is_shared_unit(u) || is_skeleton(u))
			continue;
		err = convert_unit(r, u);
		if (err)
			return err;
		progress(r, u->end - u->begin);
	}
	return 0;
}

static int convert_with_shared(struct run *r, struct dw_file *f)
{
	struct graph shared;
	int err = convert_together(r, f, is_shared_unit);

	if (err)
		return err;
	/* the graph that was just converted is kept, and a fresh one takes its place */
	shared = r->cv.g;
	err = graph_init(&r->cv.g);
	if (err) {
		r->cv.g = shared;
		return types_err(r->err, err, "out of memory");
	}
	r->cv.shared = &shared;
	err = convert_each(r, f);
	r->cv.shared = NULL;
	graph_deinit(&shared);
	return err;
}

struct survey {
	bool shared, far;
};

static struct survey survey(const struct dw_file *f)
{
	struct survey s = { .shared = f->alt && f->alt->units_count };

	for (size_t i = 0; i < f->units_count; i++) {
		const struct dw_unit *u = &f->units[i];

		if (is_shared_unit(u))
			s.shared = true;
		else if (u->has_far)
			s.far = true;
	}
	return s;
}

/* What was converted before a reference led to another unit is undone. */
struct mark {
	size_t symbols, params, units, done;
};

static int convert_file(struct run *r, struct dw_file *f)
{
	struct survey s = survey(f);
	struct symbols *sym = &r->cv.symbols;
	struct mark m = { sym->count, sym->params_count, sym->units_count, r->done };
	int err = -EXDEV;

	r->cv.file = f;
	if (s.shared || s.far)
		f->fd = -1; /* many units are looked at together */
	if (s.shared)
		err = convert_with_shared(r, f);
	else if (!s.far)
		err = convert_each(r, f);
	if (err != -EXDEV)
		return err;
	sym->count = m.symbols;
	sym->params_count = m.params;
	sym->units_count = m.units;
	r->done = m.done;
	return convert_together(r, f, is_any_unit);
}

/* --- split DWARF --- */

static int convert_split_unit(struct run *r, struct dw_unit *skeleton)
{
	struct dw_file *f = NULL;
	int err = dwarf_split_open(&r->split, skeleton, r->err, &f);

	if (err == -ENOENT) {
		loss_add(&r->cv.losses, LOSS_SPLIT, skeleton->dwo_name);
		return 0;
	}
	if (err)
		return err;
	if (f) { /* else a .dwp, which is converted as a whole, once */
		r->total += f->info.size;
		err = convert_file(r, f);
		dwarf_split_close(&r->split, f);
		r->cv.b.moving_size = 0;
		names_forget(&r->cv);
	}
	return err;
}

static int convert_split(struct run *r)
{
	int err = 0;

	for (size_t i = 0; i < r->file.units_count && !err; i++) {
		if (is_skeleton(&r->file.units[i]))
			err = convert_split_unit(r, &r->file.units[i]);
	}
	if (!err && r->split.package)
		err = convert_file(r, r->split.package);
	return err;
}

/* --- the whole --- */

static int collect_ranges(struct convert *cv, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn))) {
		int err;

		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) || !shdr.sh_addr ||
		    shdr.sh_flags & SHF_TLS)
			continue;
		err = array_reserve(&cv->ranges, cv->ranges_count, &cv->ranges_room,
		                    sizeof(*cv->ranges));
		if (err)
			return err;
		/* one more: an empty array may lie at the end */
		cv->ranges[cv->ranges_count++] =
		    (struct convert_range){ shdr.sh_addr, shdr.sh_addr + shdr.sh_size + 1 };
	}
	return 0;
}

static int run_init(struct run *r)
{
	uint32_t end = 0;
	int err = builder_init(&r->cv.b);

	if (!err)
		err = graph_init(&r->cv.g);
	if (!err)
		err = names_init(&r->cv);
	if (!err)
		err = intern_init(&r->cv);
	if (!err)
		err = collect_ranges(&r->cv, r->in->loaded);
	if (err)
		return types_err(r->err, err, "out of memory");
	r->cv.address_ok_all = r->in->relocatable;
	r->cv.declarations = r->in->declarations;
	err = dw_file_init(&r->file, r->in->elf, r->err);
	if (err)
		return err;
	dw_file_use_fd(&r->file, r->in->fd, r->in->mapped, r->in->mapped_size);
	if (!r->file.info.size && !r->file.types.size)
		return types_err(r->err, -ENODATA, "no DWARF");
	if (r->in->alt) {
		err = dw_file_init(&r->alt, r->in->alt, r->err);
		if (err)
			return err;
		r->alt.is_alt = true;
		r->file.alt = &r->alt;
	}
	err = dw_file_units(&r->file, 0, r->err, &end);
	if (!err && r->in->alt)
		err = dw_file_units(&r->alt, end, r->err, &end);
	r->total = end;
	reserve(&r->cv, r->file.info.size);
	dwarf_split_init(&r->split, r->in->path, &r->file);
	return err;
}

static void run_deinit(struct run *r)
{
	builder_deinit(&r->cv.b);
	graph_deinit(&r->cv.g);
	intern_deinit(&r->cv);
	symbols_deinit(&r->cv.symbols);
	losses_deinit(&r->cv.losses);
	free(r->cv.memo);
	free(r->cv.id_unit);
	free(r->cv.ranges);
	dwarf_split_deinit(&r->split);
	dw_file_deinit(&r->file);
	dw_file_deinit(&r->alt);
}

/* Records and strings as raw BTF; the builder's own copies go as soon as they are copied. */
static int raw_btf(struct builder *b, void **ret, size_t *ret_size)
{
	size_t size = sizeof(struct btf_header) + b->size + b->strings_size;
	uint8_t *raw;

	builder_finish(b);
	if (b->size > UINT32_MAX - b->strings_size)
		return -EOVERFLOW;
	raw = malloc(size);
	if (!raw)
		return -ENOMEM;
	*(struct btf_header *)raw = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(struct btf_header),
		.type_len = b->size,
		.str_off = b->size,
		.str_len = b->strings_size,
	};
	memcpy(raw + sizeof(struct btf_header), b->data, b->size);
	memcpy(raw + sizeof(struct btf_header) + b->size, b->strings, b->strings_size);
	free(b->data);
	free(b->offset);
	free(b->first);
	b->data = NULL;
	b->offset = b->first = NULL;
	*ret = raw;
	*ret_size = size;
	return 0;
}

static void renumber_symbols(struct symbols *s, const uint32_t *dedup, const uint32_t *sort)
{
	for (size_t i = 0; i < s->count; i++)
		s->list[i].type = sort[dedup[s->list[i].type]];
	for (size_t i = 0; i < s->params_count; i++)
		s->params[i].type = sort[dedup[s->params[i].type]];
}

/* The unit of a type is that of the first record that became it. */
static void renumber_units(const struct convert *cv, const uint32_t *dedup, const uint32_t *sort,
                           uint32_t *units)
{
	for (size_t i = cv->id_unit_count; i > 0; i--) {
		if (cv->id_unit[i - 1])
			units[sort[dedup[i]] - 1] = cv->id_unit[i - 1];
	}
}

static int finish(struct run *r, struct image *ret)
{
	struct convert *cv = &r->cv;
	_cleanup_free_ void *deduped = NULL, *sorted = NULL;
	_cleanup_free_ uint32_t *dedup = NULL, *sort = NULL, *units = NULL;
	size_t size, records = cv->b.count;
	struct image_parts p;
	void *raw;
	int err = raw_btf(&cv->b, &raw, &size);

	if (err)
		return types_err(r->err, err,
		                 err == -ENOMEM ? "out of memory"
		                                : "more types than BTF "
		                                  "can number");
	err = btf_check(raw, size, r->err);
	if (err) {
		free(raw);
		return err;
	}
	err = btf_dedup(raw, size, &deduped, &size, &dedup);
	if (!err)
		err = btf_sort(deduped, size, &sorted, &size, &sort);
	free(take_ptr(deduped));
	units = calloc(records + 1, sizeof(*units));
	if (!err && !units)
		err = -ENOMEM;
	if (err)
		return types_err(r->err, err, "deduplication failed: %s", strerror(-err));
	renumber_symbols(&cv->symbols, dedup, sort);
	renumber_units(cv, dedup, sort, units);
	p = (struct image_parts){
		.btf = sorted,
		.btf_size = size,
		.type_units = units,
		.symbols = cv->symbols.list,
		.symbols_count = cv->symbols.count,
		.params = cv->symbols.params,
		.params_count = cv->symbols.params_count,
		.units = cv->symbols.units,
		.units_count = cv->symbols.units_count,
		.losses = &cv->losses,
		.strings = cv->b.strings,
		.strings_size = cv->b.strings_size,
		.debug_path = r->in->path,
		.source = r->in->source,
		.key = r->in->key,
	};
	image_describe(&p, r->in->loaded);
	return image_make(&p, r->err, ret);
}

int dwarf_convert(const struct dwarf_input *in, struct weir_error *err, struct image *ret)
{
	struct run *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return types_err(err, -ENOMEM, "out of memory");
	r->in = in;
	r->err = err;
	code = run_init(r);
	if (!code)
		code = convert_file(r, &r->file);
	if (!code)
		code = convert_split(r);
	if (!code)
		code = finish(r, ret);
	run_deinit(r);
	free(r);
	return code;
}

bool dwarf_present(Elf *elf)
{
	static const char *const names[] = { ".debug_info", ".zdebug_info", ".debug_info.dwo" };
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, strings, shdr.sh_name);
		for (size_t i = 0; name && i < sizeof(names) / sizeof(*names); i++) {
			if (!strcmp(name, names[i]))
				return true;
		}
	}
	return false;
}
