/* SPDX-License-Identifier: MIT */
/*
 * Workers. Each takes the next unit, in the order of the file, and converts it into records and
 * symbols of its own; a worker shares nothing with another one but sections, which nobody writes,
 * and the lock under which the next unit is taken (and unpacked, where .debug_info is compressed:
 * one worker unpacks while the others convert). merge.c makes one BTF of what they have. It needs
 * to know which record was first, whoever made it: that is its *origin*, the unit's number and
 * the index of its node in the unit's graph.
 *
 * Memory is that of one unit and of what came out, for each worker.
 */
#include "types/dwarf_work.h"

#include <dwarf.h>

#include "types/error.h"
#include "types/util.h"

/* --- units --- */

bool is_shared_unit(const struct dw_unit *u)
{
	return u->file->is_alt || u->type == DW_UT_type || u->type == DW_UT_split_type ||
	       u->tag == DW_TAG_partial_unit;
}

bool is_skeleton(const struct dw_unit *u)
{
	return !u->file->split && (u->type == DW_UT_skeleton || u->dwo_name);
}

int number_unit(struct run *r, struct dw_unit *u)
{
	int err;

	u->index = 0;
	if (!u->name || u->tag == DW_TAG_partial_unit || u->file->is_alt)
		return 0;
	err = array_reserve(&r->units, r->units_count, &r->units_room, sizeof(*r->units));
	if (!err)
		err = builder_string(&r->unit_names, u->name, &r->units[r->units_count]);
	if (!err)
		u->index = ++r->units_count;
	return err;
}

void begin_origin(struct run *r, struct convert *cv)
{
	cv->origin = cv->losses.now = (uint64_t)++r->sequence << 32;
}

void report_progress(struct run *r, size_t bytes)
{
	r->done += bytes;
	if (r->in->progress)
		r->in->progress(r->in->progress_arg, r->done, r->total);
}

int unit_failed(struct weir_error *err, int code, const struct dw_unit *u)
{
	if (code == -ENOMEM)
		return types_err(err, code, "out of memory");
	if (code == -EXDEV)
		return code;
	if (code == -EOVERFLOW)
		return types_err(err, -EFBIG, "more types than BTF can number");
	return types_err(err, -EBADMSG,
	                 "the unit at .debug_info+0x%x (%s) is malformed or cut short",
	                 u->base - u->file->base, u->name ? u->name : "no name");
}

/* --- a worker --- */

int convert_graph(struct convert *cv)
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

static int convert_unit(struct worker *w, struct dw_unit *u)
{
	struct convert *cv = &w->cv;
	int err;

	graph_clear(&cv->g);
	err = dw_unit_load(u);
	if (!err) {
		cv->b.moving = (const char *)w->view.buffer;
		cv->b.moving_size = w->view.buffer_size;
		if (u->abbrevs->tagged)
			loss_add(&cv->losses, NOTE_TAGGED, u->name);
		err = graph_scan(&cv->g, u);
		if (!err)
			err = convert_graph(cv);
		dw_unit_release(u);
	}
	return err ? unit_failed(&w->err, err, u) : 0;
}

/* 1: *ret is the next unit; 0: there is none. */
static int next_in_list(struct run *r, struct worker *w, struct dw_unit *ret)
{
	while (r->next < r->from->units_count) {
		const struct dw_unit *u = &r->from->units[r->next++];

		if (is_shared_unit(u) || is_skeleton(u))
			continue;
		*ret = *u;
		ret->file = &w->view;
		return 1;
	}
	return 0;
}

static int next_in_stream(struct run *r, struct worker *w, struct dw_unit *ret)
{
	size_t at = r->stream.at;
	int got = dw_stream_next(&r->stream, &w->view, ret);

	if (got == -ENOMEM)
		return types_err(&w->err, got, "out of memory");
	if (got == -ENOTSUP)
		return types_err(&w->err, got,
		                 "the unit at .debug_info+0x%zx cannot be read: its DWARF version "
		                 "is not 2 to 5",
		                 at);
	if (got < 0)
		return types_err(&w->err, -EBADMSG,
		                 "the unit at .debug_info+0x%zx cannot be read: it is malformed or "
		                 "cut short, or the section is damaged",
		                 at);
	if (got && (is_shared_unit(ret) || is_skeleton(ret) || ret->has_far))
		return -EXDEV;
	return got;
}

static int take_unit(struct worker *w, struct dw_unit *ret)
{
	struct run *r = w->run;
	int got = 0, err;

	pthread_mutex_lock(&r->lock);
	if (!r->stop)
		got = r->stream.unpack ? next_in_stream(r, w, ret) : next_in_list(r, w, ret);
	if (got > 0) {
		begin_origin(r, &w->cv);
		err = number_unit(r, ret);
		if (err)
			got = types_err(&w->err, err, "out of memory");
		report_progress(r, ret->end - ret->begin);
	}
	if (got <= 0)
		r->stop = true;
	pthread_mutex_unlock(&r->lock);
	return got;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct dw_unit unit;

	while ((w->result = take_unit(w, &unit)) > 0) {
		w->result = convert_unit(w, &unit);
		if (w->result) {
			pthread_mutex_lock(&w->run->lock);
			w->run->stop = true;
			pthread_mutex_unlock(&w->run->lock);
			break;
		}
	}
	return NULL;
}

/* Those that cannot be started are missed by nobody: the first one is this thread. */
static size_t start(struct run *r, size_t count)
{
	size_t started = 1;

	while (started < count &&
	       !pthread_create(&r->workers[started].thread, NULL, work, &r->workers[started]))
		started++;
	work(&r->workers[0]);
	for (size_t i = 1; i < started; i++)
		pthread_join(r->workers[i].thread, NULL);
	return started;
}

int convert_each(struct run *r, struct dw_file *f, size_t count)
{
	int err = 0;

	r->from = f;
	r->next = 0;
	r->stop = false;
	for (size_t i = 0; i < count; i++) {
		dw_view_init(&r->workers[i].view, f);
		r->workers[i].cv.file = &r->workers[i].view;
		r->workers[i].result = 0;
	}
	count = start(r, count);
	for (size_t i = 0; i < r->workers_count; i++) {
		struct worker *w = &r->workers[i];

		if (i < count && w->result && (!err || err == -EXDEV)) {
			err = w->result;
			if (r->err && err != -EXDEV)
				*r->err = w->err;
		}
		dw_view_deinit(&w->view);
		memset(&w->view, 0, sizeof(w->view));
		w->cv.b.moving_size = 0;
		w->cv.file = f;
	}
	return err;
}

/* --- making them --- */

static int worker_init(struct run *r, struct worker *w)
{
	struct convert *cv = &w->cv;
	/* address space for what is likely to come out of so much DWARF: growing costs copies */
	size_t info = r->file.info.size / r->workers_count;
	int err = builder_init(&cv->b, r->file.info.size);

	w->run = r;
	cv->ranges = r->ranges;
	cv->ranges_count = r->ranges_count;
	cv->address_ok_all = r->in->relocatable;
	cv->declarations = r->in->declarations;
	if (!err)
		err = graph_init(&cv->g);
	if (!err)
		err = names_init(cv);
	if (!err)
		err = intern_init(cv);
	if (err)
		return err;
	builder_reserve(&cv->b, info / 12, info / 400, info / 40);
	array_reserve(&cv->id_unit, info / 400, &cv->id_unit_room, sizeof(*cv->id_unit));
	array_reserve(&cv->symbols.list, info / 1500, &cv->symbols.room, sizeof(*cv->symbols.list));
	array_reserve(&cv->symbols.params, info / 600, &cv->symbols.params_room,
	              sizeof(*cv->symbols.params));
	return 0;
}

static void worker_deinit(struct worker *w)
{
	struct convert *cv = &w->cv;

	builder_deinit(&cv->b);
	graph_deinit(&cv->g);
	intern_deinit(cv);
	symbols_deinit(&cv->symbols);
	losses_deinit(&cv->losses);
	free(cv->memo);
	free(cv->id_unit);
	free(cv->type_losses);
	memset(w, 0, sizeof(*w));
}

int workers_init(struct run *r)
{
	workers_deinit(r);
	r->units_count = 0;
	r->sequence = 0;
	r->done = 0;
	for (size_t i = 0; i < r->workers_count; i++) {
		int err = worker_init(r, &r->workers[i]);

		if (err)
			return err;
	}
	return 0;
}

void workers_deinit(struct run *r)
{
	for (size_t i = 0; i < r->workers_count; i++)
		worker_deinit(&r->workers[i]);
}
