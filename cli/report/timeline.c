/* SPDX-License-Identifier: MIT */
#include "cli/report/timeline.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* 1, 2 or 5 times a power of ten, ns. */
static int64_t round_width(int64_t least)
{
	for (int64_t ten = 1;; ten *= 10) {
		static const int64_t factors[] = { 1, 2, 5 };

		for (int i = 0; i < 3; i++) {
			if (factors[i] * ten >= least || ten >= INT64_MAX / 50)
				return factors[i] * ten;
		}
	}
}

static void choose_columns(struct timeline *t, int64_t first, int64_t last)
{
	/* Two less: the first and the last column may stick out. */
	t->width = round_width((last - first) / (TIMELINE_COLUMNS - 2) + 1);
	t->start = first - (first % t->width + t->width) % t->width;
	t->columns = (uint32_t)((last - t->start) / t->width) + 1;
}

static int add_series(struct timeline *t, struct row *row)
{
	struct series *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	t->keys[t->key_count] = s;
	s->row = row;
	row->slot = (int32_t)t->key_count++;
	for (uint32_t i = 0; i < t->columns; i++)
		s->maxima[i] = -INFINITY;
	if (!t->hist)
		return 0;
	s->cells = calloc((size_t)t->columns * t->scale.count, sizeof(*s->cells));
	return s->cells ? 0 : -ENOMEM;
}

struct slow {
	double p99;
	struct row *row;
};

static int by_p99(const void *a, const void *b)
{
	const struct slow *x = a, *y = b;

	return x->p99 < y->p99 ? 1 : x->p99 > y->p99 ? -1 : 0;
}

/* The slowest of what is left, if their p99 means anything. */
static int add_slowest(struct timeline *t, struct rows *rows, size_t from)
{
	struct slow *slow = calloc(rows->count - from, sizeof(*slow));
	size_t count = 0;
	int code = 0;

	if (!slow)
		return -ENOMEM;
	for (size_t i = from; i < rows->count && rows->list[i]->count >= 20; i++)
		slow[count++] = (struct slow){ row_percentile(rows->list[i], 0.99), rows->list[i] };
	qsort(slow, count, sizeof(*slow), by_p99);
	for (size_t i = 0; !code && i < count && i < TIMELINE_SLOW; i++)
		code = add_series(t, slow[i].row);
	free(slow);
	return code;
}

static int add_others(struct timeline *t, struct rows *rows)
{
	t->others = row_create("", 0);
	if (!t->others)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		if (rows->list[i]->slot >= 0)
			continue;
		if (!row_merge(t->others, rows->list[i]))
			return -ENOMEM;
		rows->list[i]->slot = (int32_t)t->key_count;
		t->others_keys++;
	}
	if (rows->beyond) {
		if (!row_merge(t->others, rows->beyond))
			return -ENOMEM;
		rows->beyond->slot = (int32_t)t->key_count;
	}
	return t->others->count ? add_series(t, t->others) : 0;
}

static void choose_scale(struct timeline *t, const struct rows *rows)
{
	struct scale_range range = { 0 };

	for (size_t i = 0; i < rows->count; i++)
		scale_range_add(&range, &rows->list[i]->values);
	if (rows->beyond)
		scale_range_add(&range, &rows->beyond->values);
	scale_fit(&t->scale, &range, TIMELINE_PLACES);
}

static int choose_keys(struct timeline *t, struct rows *rows)
{
	size_t most = rows->count < TIMELINE_KEYS ? rows->count : TIMELINE_KEYS;
	int code = 0;

	for (size_t i = 0; !code && i < most; i++)
		code = add_series(t, rows->list[i]);
	if (!code && t->hist && most < rows->count)
		code = add_slowest(t, rows, most);
	return code ? code : add_others(t, rows);
}

int timeline_create(struct rows *rows, struct rows *probes, bool hist, int64_t first, int64_t last,
                    struct timeline **ret)
{
	struct timeline *t = calloc(1, sizeof(*t));
	int code;

	if (!t)
		return -ENOMEM;
	t->hist = hist;
	if (first <= last)
		choose_columns(t, first, last);
	choose_scale(t, rows);
	rows_sort(probes);
	/* Without --by they are the same rows; then this changes nothing. */
	rows_sort(rows);
	for (size_t i = 0; i < probes->count && i < TIMELINE_PROBES; i++)
		t->probes[t->probe_count++] = probes->list[i];
	for (size_t i = 0; i < probes->count; i++)
		probes->list[i]->slot = i < TIMELINE_PROBES ? (int32_t)i : TIMELINE_PROBES;
	code = choose_keys(t, rows);
	if (code) {
		timeline_free(t);
		return code;
	}
	*ret = t;
	return 0;
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < SLOTS_MAX; i++) {
		if (t->keys[i])
			free(t->keys[i]->cells);
		free(t->keys[i]);
	}
	if (t->others)
		histogram_deinit(&t->others->values);
	free(t->others);
	free(t);
}

uint32_t timeline_column(const struct timeline *t, int64_t time)
{
	int64_t column = time < t->start ? 0 : (time - t->start) / t->width;

	return column < t->columns ? (uint32_t)column : t->columns - 1;
}

void timeline_add(struct timeline *t, const struct row *row, int64_t time, double value)
{
	uint32_t column = timeline_column(t, time);
	struct series *s;

	if (row->slot < 0 || (uint32_t)row->slot >= t->key_count)
		return;
	s = t->keys[row->slot];
	s->counts[column]++;
	if (!t->hist)
		return;
	sum_add(&s->sums[column], value);
	s->maxima[column] = value > s->maxima[column] ? value : s->maxima[column];
	/* A recording that still grows may bring values that the scale does not have. */
	uint32_t place = scale_place(&t->scale, histogram_step(value));
	if (place < t->scale.count)
		s->cells[(size_t)column * t->scale.count + place]++;
}

void timeline_add_probe(struct timeline *t, const struct row *probe, int64_t time)
{
	uint32_t slot = probe->slot < 0 ? TIMELINE_PROBES : (uint32_t)probe->slot;

	t->probe_counts[slot][timeline_column(t, time)]++;
}

/* Evenly over the time in which they were lost. */
void timeline_add_lost(struct timeline *t, int64_t from, int64_t to, uint64_t count)
{
	uint32_t first, last;

	if (!t->columns || to < t->start || from > t->start + t->width * (int64_t)t->columns ||
	    from == INT64_MIN) {
		t->lost_untimed += count;
		return;
	}
	first = timeline_column(t, from);
	last = timeline_column(t, to);
	last = last < first ? first : last;
	for (uint32_t i = first; i <= last; i++)
		t->lost[i] += (double)count / (last - first + 1);
}
