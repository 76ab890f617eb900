/* SPDX-License-Identifier: MIT */
/* One conversion and its workers (dwarf_work.c). */
#ifndef WEIR_TYPES_DWARF_WORK_H
#define WEIR_TYPES_DWARF_WORK_H

#include <pthread.h>

#include "types/convert.h"
#include "types/dwarf_convert.h"
#include "types/dwarf_split.h"

#define WORKERS_MAX 64

struct run;

struct worker {
	struct run *run;
	struct convert cv;
	struct dw_file view; /* of the file that is being converted */
	pthread_t thread;
	int result;
	struct weir_error err;
};

struct run {
	const struct dwarf_input *in;
	bool circles; /* types were met that lead to themselves: open them */
	struct dw_file file, alt;
	struct dwarf_split split;
	struct worker *workers; /* the first one does alone what cannot be shared out */
	size_t workers_count;
	size_t threads; /* that may be used: more than workers, where there is little DWARF */
	struct convert_range *ranges;
	size_t ranges_count, ranges_room;
	struct builder unit_names;
	uint32_t *units; /* names of units, in unit_names */
	size_t units_count, units_room;
	uint32_t sequence; /* of units, in the order of the file */
	size_t done, total;
	struct weir_error *err;
	/* while units are shared out */
	pthread_mutex_t lock;
	struct dw_file *from;
	struct dw_stream stream; /* or, if it is not open: */
	size_t next;             /* in from->units */
	bool stop;
};

/* Make the workers anew: nothing was converted. */
int workers_init(struct run *r);
void workers_deinit(struct run *r);

/* Give the unit its number in the list of names; under the lock. */
int number_unit(struct run *r, struct dw_unit *unit);
/* What is converted from now on comes behind all that was converted before. */
void begin_origin(struct run *r, struct convert *cv);
/* scanned graph -> records and symbols */
int convert_graph(struct convert *cv);
/* All units of a file that stand for themselves, by `workers` workers. -EXDEV: one does not. */
int convert_each(struct run *r, struct dw_file *file, size_t workers);

/* What all workers have -> an image (dwarf_finish.c). */
int dwarf_finish(struct run *r, struct image *ret);

bool is_shared_unit(const struct dw_unit *unit);
bool is_skeleton(const struct dw_unit *unit);
void report_progress(struct run *r, size_t bytes);
int unit_failed(struct weir_error *err, int code, const struct dw_unit *unit);

#endif
