/* SPDX-License-Identifier: MIT */
/* What the workers have -> one image. */
#include "types/btf_check.h"
#include "types/btf_sizeless.h"
#include "types/dwarf_work.h"
#include "types/error.h"
#include "types/merge.h"
#include "types/types.h"
#include "types/util.h"

/* Symbols of all workers, with ids of the merged types and strings in one builder. */
struct gathered {
	struct symbols s;
	struct builder strings; /* of all, where there are several workers */
	struct losses losses;
};

static int gather_string(struct gathered *g, const struct convert *cv, uint32_t *offset)
{
	return builder_string(&g->strings, cv->b.strings + *offset, offset);
}

static int gather_symbols(struct gathered *g, const struct convert *cv, const uint32_t *map)
{
	struct symbols *s = &g->s;
	uint32_t base = s->params_count;
	int err = 0;

	for (size_t i = 0; i < cv->symbols.count && !err; i++) {
		struct symbol sym = cv->symbols.list[i];

		sym.type = map[sym.type];
		sym.param += base;
		err = array_reserve(&s->list, s->count, &s->room, sizeof(*s->list));
		if (!err)
			err = gather_string(g, cv, &sym.name);
		if (!err)
			err = gather_string(g, cv, &sym.linkage);
		if (!err)
			err = gather_string(g, cv, &sym.scope);
		if (!err)
			s->list[s->count++] = sym;
	}
	for (size_t i = 0; i < cv->symbols.params_count && !err; i++) {
		struct symbol_param p = cv->symbols.params[i];

		p.type = map[p.type];
		err =
		    array_reserve(&s->params, s->params_count, &s->params_room, sizeof(*s->params));
		if (!err)
			err = gather_string(g, cv, &p.name);
		if (!err)
			s->params[s->params_count++] = p;
	}
	return err;
}

/* One worker's strings are used as they are. */
static int take_symbols(struct gathered *g, struct convert *cv, const uint32_t *map)
{
	g->s = cv->symbols;
	memset(&cv->symbols, 0, sizeof(cv->symbols));
	for (size_t i = 0; i < g->s.count; i++)
		g->s.list[i].type = map[g->s.list[i].type];
	for (size_t i = 0; i < g->s.params_count; i++)
		g->s.params[i].type = map[g->s.params[i].type];
	g->strings.strings = take_ptr(cv->b.strings);
	g->strings.strings_size = cv->b.strings_size;
	return 0;
}

/* A loss counts where its record stands for a type. */
static void gather_losses(struct gathered *g, struct convert *cv, const uint8_t *chosen)
{
	for (size_t i = 0; i < cv->type_losses_count; i++) {
		const struct convert_loss *l = &cv->type_losses[i];

		cv->losses.now = cv->b.origin[l->id - 1];
		if (chosen[l->id])
			loss_add(&cv->losses, l->loss, cv->b.strings + l->name);
	}
	losses_add(&g->losses, &cv->losses);
}

static int gather(struct run *r, const struct merge_part *parts, const struct merged *m,
                  struct gathered *g)
{
	int err = 0;

	for (size_t i = 0; i < r->workers_count; i++)
		gather_losses(g, &r->workers[i].cv, m->chosen + parts[i].base);
	if (m->given_up)
		loss_add(&g->losses, NOTE_UNMERGED, NULL);
	if (r->workers_count == 1)
		return take_symbols(g, &r->workers->cv, m->map);
	err = builder_init(&g->strings, 0);
	for (size_t i = 0; i < r->workers_count && !err; i++) {
		err = gather_symbols(g, &r->workers[i].cv, m->map + parts[i].base);
		builder_deinit(&r->workers[i].cv.b);
	}
	return err;
}

static void gathered_deinit(struct gathered *g)
{
	symbols_deinit(&g->s);
	builder_deinit(&g->strings);
	losses_deinit(&g->losses);
}

static int merge(struct run *r, struct merge_part *parts, struct merged *ret)
{
	for (size_t i = 0; i < r->workers_count; i++) {
		struct convert *cv = &r->workers[i].cv;
		int err = complete_units(cv);

		if (err)
			return err;
		graph_deinit(&cv->g);
		intern_deinit(cv);
		parts[i] = (struct merge_part){ .b = &cv->b, .id_unit = cv->id_unit };
	}
	return merge_types(parts, r->workers_count, r->threads, ret);
}

static int make_image(struct run *r, struct merged *m, struct gathered *g, struct image *ret)
{
	struct image_parts p = {
		.btf = m->btf,
		.btf_size = m->btf_size,
		.block = m->block,
		.type_units = m->units,
		.symbols = g->s.list,
		.symbols_count = g->s.count,
		.params = g->s.params,
		.params_count = g->s.params_count,
		.units = r->units,
		.units_count = r->units_count,
		.unit_strings = r->unit_names.strings,
		.losses = &g->losses,
		.strings = g->strings.strings,
		.strings_size = g->strings.strings_size,
		.debug_path = r->in->path,
		.source = r->in->source,
		.key = r->in->key,
		.threads = r->threads,
	};

	m->block = NULL;
	image_describe(&p, r->in->loaded);
	return image_make(&p, r->err, ret);
}

int dwarf_finish(struct run *r, struct image *ret)
{
	struct merge_part parts[WORKERS_MAX];
	struct gathered g = { 0 };
	struct merged m;
	int err = merge(r, parts, &m);

	if (err)
		return types_err(r->err, err == -EOVERFLOW ? -EFBIG : err,
		                 err == -ENOMEM ? "out of memory"
		                                : "more types than BTF can number");
	err = gather(r, parts, &m, &g);
	if (!err && g.losses.list[LOSS_DANGLING].count)
		err = btf_leave_out_sizeless(m.btf, &m.btf_size, &g.losses);
	if (err)
		types_err(r->err, err, "out of memory");
	else if (r->circles)
		btf_open_circles(m.btf, m.btf_size, &g.losses);
	err = err ?: make_image(r, &m, &g, ret);
	gathered_deinit(&g);
	merged_deinit(&m);
	return err;
}
