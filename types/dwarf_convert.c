/* SPDX-License-Identifier: MIT */
/*
 * Which units are converted together. Most stand for themselves and are shared out to workers
 * (dwarf_work.c). Units that others refer to (dwz's partial units, type units) are one graph,
 * which is kept while the others are converted. Where compile units refer to each other (LTO),
 * all are one graph.
 */
#include "types/dwarf_convert.h"

#include <dwarf.h>
#include <gelf.h>
#include <sched.h>

#include "types/dwarf_work.h"
#include "types/error.h"
#include "types/util.h"

/* Less DWARF than this is converted before a second worker would be of use. */
#define BYTES_PER_WORKER (48u << 20)

/* --- many units at once --- */

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
		err = number_unit(r, u);
		if (!err)
			err = dw_unit_load(u);
		if (!err)
			err = graph_scan(&r->workers->cv.g, u);
		if (err)
			return unit_failed(r->err, err, u);
		report_progress(r, u->end - u->begin);
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
	struct convert *cv = &r->workers->cv;
	int err;

	graph_clear(&cv->g);
	cv->file = f;
	begin_origin(r, cv);
	err = scan_with_alt(r, f, filter);
	if (err)
		return err;
	err = convert_graph(cv);
	return err ? unit_failed(r->err, err, &f->units[0]) : 0;
}

static int convert_with_shared(struct run *r, struct dw_file *f)
{
	struct convert *cv = &r->workers->cv;
	struct graph shared;
	int err = convert_together(r, f, is_shared_unit);

	if (err)
		return err;
	/* the graph that was just converted is kept, and a fresh one takes its place */
	shared = cv->g;
	err = graph_init(&cv->g);
	if (err) {
		cv->g = shared;
		return types_err(r->err, err, "out of memory");
	}
	cv->shared = &shared;
	err = convert_each(r, f, 1);
	cv->shared = NULL;
	graph_deinit(&shared);
	return err;
}

/* --- one file --- */

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

static int convert_file(struct run *r, struct dw_file *f, size_t workers)
{
	struct survey s = survey(f);
	struct symbols *sym = &r->workers->cv.symbols;
	struct mark m = { sym->count, sym->params_count, r->units_count, r->done };
	int err = -EXDEV;

	if (s.shared || s.far)
		f->fd = -1; /* many units are looked at together */
	if (s.shared)
		err = convert_with_shared(r, f);
	else if (!s.far)
		err = convert_each(r, f, workers);
	if (err != -EXDEV)
		return err;
	f->fd = -1;
	if (f == &r->file) {
		err = workers_init(r);
		if (err)
			return types_err(r->err, err, "out of memory");
	} else {
		sym->count = m.symbols;
		sym->params_count = m.params;
		r->units_count = m.units;
		r->done = m.done;
	}
	return convert_together(r, f, is_any_unit);
}

/* The program's own DWARF. Where it is compressed, units are converted as they are unpacked, and
 * only if one of them turns out to need another one it is unpacked as a whole. */
static int convert_main(struct run *r)
{
	uint32_t end = 0;
	int err = -EXDEV;

	if (!r->in->alt && dw_stream_possible(&r->file)) {
		err = dw_stream_open(&r->stream, &r->file);
		if (err)
			return types_err(r->err, err, "out of memory");
		err = convert_each(r, &r->file, r->workers_count);
		dw_stream_close(&r->stream);
		if (err != -EXDEV)
			return err;
		err = workers_init(r);
		if (err)
			return types_err(r->err, err, "out of memory");
	}
	err = dw_file_units(&r->file, 0, r->err, &end);
	if (!err && r->in->alt)
		err = dw_file_units(&r->alt, end, r->err, &end);
	r->total = end;
	return err ? err : convert_file(r, &r->file, r->workers_count);
}

/* --- split DWARF --- */

static int convert_split_unit(struct run *r, struct dw_unit *skeleton)
{
	struct convert *cv = &r->workers->cv;
	struct dw_file *f = NULL;
	int err = dwarf_split_open(&r->split, skeleton, r->err, &f);

	if (err == -ENOENT) {
		loss_add(&cv->losses, LOSS_SPLIT, skeleton->dwo_name);
		return 0;
	}
	if (err)
		return err;
	if (f) { /* else a .dwp, which is converted as a whole, once */
		r->total += f->info.size;
		err = convert_file(r, f, 1);
		dwarf_split_close(&r->split, f);
		names_forget(cv);
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
		err = convert_file(r, r->split.package, 1);
	return err;
}

/* --- the whole --- */

static int collect_ranges(struct run *r, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn))) {
		int err;

		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) || !shdr.sh_addr ||
		    shdr.sh_flags & SHF_TLS)
			continue;
		err =
		    array_reserve(&r->ranges, r->ranges_count, &r->ranges_room, sizeof(*r->ranges));
		if (err)
			return err;
		/* one more: an empty array may lie at the end */
		r->ranges[r->ranges_count++] =
		    (struct convert_range){ shdr.sh_addr, shdr.sh_addr + shdr.sh_size + 1 };
	}
	return 0;
}

/* Threads that may be used. */
static size_t threads_of(const struct dwarf_input *in)
{
	cpu_set_t cpus;
	size_t count;

	if (in->jobs)
		return in->jobs < WORKERS_MAX ? in->jobs : WORKERS_MAX;
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	count = CPU_COUNT(&cpus);
	return count < 8 ? count : 8;
}

static size_t choose_workers(const struct run *r)
{
	size_t wanted = r->file.info.size / BYTES_PER_WORKER + 1;

	return r->in->jobs || r->threads < wanted ? r->threads : wanted;
}

static int run_init(struct run *r)
{
	struct dw_mapping map = { r->in->fd, r->in->mapped, r->in->mapped_size };
	int err;

	pthread_mutex_init(&r->lock, NULL);
	r->threads = threads_of(r->in);
	err = dw_file_init(&r->file, r->in->elf, map.data ? &map : NULL, r->threads, r->err);
	if (err)
		return err;
	if (!r->file.info.size && !r->file.types.size)
		return types_err(r->err, -ENODATA, "no DWARF");
	if (r->in->alt) {
		err = dw_file_init(&r->alt, r->in->alt, NULL, r->threads, r->err);
		if (err)
			return err;
		r->alt.is_alt = true;
		r->file.alt = &r->alt;
	}
	r->total = r->file.info.size + r->file.types.size;
	dwarf_split_init(&r->split, r->in->path, &r->file);
	r->workers_count = choose_workers(r);
	r->workers = calloc(r->workers_count, sizeof(*r->workers));
	err = r->workers ? builder_init(&r->unit_names, 0) : -ENOMEM;
	if (!err)
		err = collect_ranges(r, r->in->loaded);
	if (!err)
		err = workers_init(r);
	return err ? types_err(r->err, err, "out of memory") : 0;
}

/* What was read from; nothing that came out of it points there. */
static void close_files(struct run *r)
{
	dwarf_split_deinit(&r->split);
	dw_file_deinit(&r->file);
	dw_file_deinit(&r->alt);
}

static void run_deinit(struct run *r)
{
	close_files(r);
	if (r->workers)
		workers_deinit(r);
	free(r->workers);
	free(r->ranges);
	free(r->units);
	builder_deinit(&r->unit_names);
	pthread_mutex_destroy(&r->lock);
}
static int convert(const struct dwarf_input *in, bool circles, struct weir_error *err,
                   struct image *ret)
{
	struct run *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return types_err(err, -ENOMEM, "out of memory");
	r->in = in;
	r->circles = circles;
	r->err = err;
	code = run_init(r);
	if (!code)
		code = convert_main(r);
	if (!code)
		code = convert_split(r);
	if (!code) {
		close_files(r);
		code = dwarf_finish(r, ret);
	}
	run_deinit(r);
	free(r);
	return code;
}

/* Types in a circle are rare, and looking for them takes time: only when the result is not sound. */
int dwarf_convert(const struct dwarf_input *in, struct weir_error *err, struct image *ret)
{
	int code = convert(in, false, err, ret);

	if (code == -ELOOP)
		code = convert(in, true, err, ret);
	return code == -ELOOP ? -EBADMSG : code;
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
