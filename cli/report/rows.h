/* SPDX-License-Identifier: MIT */
/*
 * What a report counts, one row for each key. Keys are bytes as they were recorded. Their number is
 * bounded: events of keys beyond ROWS_MAX are summed up in one row without a key.
 */
#ifndef WEIR_CLI_REPORT_ROWS_H
#define WEIR_CLI_REPORT_ROWS_H

#include "cli/report/histogram.h"
#include "cli/report/sum.h"

#include <stddef.h>

#define ROWS_MAX (1u << 17)

struct number {
	double value;
	bool integer;
	__int128 exact; /* if it is one */
};

struct row {
	uint64_t hash;
	uint32_t size; /* of the key */
	int32_t slot;  /* of the picture (timeline.h) */
	uint64_t count;
	struct sum sum;
	double min, max;
	__int128 least, greatest; /* the same, exact, unless there are ... */
	bool fractions;           /* ... values that are no integers */
	int64_t first, last;      /* ns since the epoch */
	struct histogram values;
	char key[]; /* NUL behind it */
};

struct rows {
	struct row **table; /* open addressing */
	struct row **list;  /* in the order of appearance, until sorted */
	size_t room, count;
	struct row *beyond; /* NULL: there were never too many keys */
	bool no_memory;
};

/* The key's row, made if there is none. NULL: no memory, which rows->no_memory remembers. */
struct row *rows_find(struct rows *rows, const char *key, size_t size);

/* A row of its own, not in the table; free() it after histogram_deinit(). */
struct row *row_create(const char *key, size_t size);

static inline void row_add_time(struct row *row, int64_t time)
{
	row->count++;
	row->first = time < row->first ? time : row->first;
	row->last = time > row->last ? time : row->last;
}

static inline void row_add_range(struct row *row, double min, double max, __int128 least,
                                 __int128 greatest)
{
	if (min <= row->min) {
		row->least = min < row->min || least < row->least ? least : row->least;
		row->min = min;
	}
	if (max >= row->max) {
		row->greatest =
		    max > row->max || greatest > row->greatest ? greatest : row->greatest;
		row->max = max;
	}
}

static inline bool row_add_value(struct row *row, const struct number *n)
{
	sum_add(&row->sum, n->value);
	row->fractions |= !n->integer;
	row_add_range(row, n->value, n->value, n->exact, n->exact);
	return histogram_add_step(&row->values, histogram_step(n->value), 1);
}

bool row_merge(struct row *into, const struct row *from);

/* Both within the row's least and greatest value. */
double row_mean(const struct row *row);
double row_percentile(const struct row *row, double p);

/* Most events first. */
void rows_sort(struct rows *rows);
void rows_deinit(struct rows *rows);

#endif
