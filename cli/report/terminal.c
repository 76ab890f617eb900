/* SPDX-License-Identifier: MIT */
#include "cli/report/output.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BARS 24

static double rate(const struct aggregate *a, uint64_t count)
{
	double seconds = aggregate_seconds(a);

	return seconds > 0 ? (double)count / seconds : 0;
}

/* --- the table */

struct bars {
	const struct scale *scale;
	uint64_t sums[BARS];
};

static bool add_step(void *arg, int step, uint64_t count)
{
	struct bars *bars = arg;

	bars->sums[(uint64_t)scale_place(bars->scale, step) * BARS / bars->scale->count] += count;
	return true;
}

/* From the report's least to its greatest value, in even steps of the logarithm. */
static void draw_bars(const struct scale *scale, const struct row *row, char *ret)
{
	static const char *const levels[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	struct bars bars = { .scale = scale };
	const uint64_t *sums = bars.sums;
	uint64_t most = 0;

	histogram_each(&row->values, add_step, &bars);
	for (int i = 0; i < BARS; i++)
		most = sums[i] > most ? sums[i] : most;
	*ret = '\0';
	for (int i = 0; i < BARS; i++)
		strcat(ret, levels[sums[i] ? 1 + sums[i] * 7 / most : 0]);
}

static void set(struct libscols_line *line, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set(struct libscols_line *line, size_t column, const char *format, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	scols_line_set_data(line, column, text);
}

static void add_columns(struct libscols_table *table, const struct query *query)
{
	scols_table_new_column(table, query->by ? query->by : "PROBE", 0.2, 0);
	scols_table_new_column(table, "COUNT", 0.08, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "RATE/S", 0.08, SCOLS_FL_RIGHT);
	if (query->hist) {
		static const char *const names[] = { "MEAN", "P50", "P90", "P99", "MAX" };

		for (int i = 0; i < 5; i++)
			scols_table_new_column(table, names[i], 0.08, SCOLS_FL_RIGHT);
		scols_table_new_column(table, query->hist, BARS, 0);
	}
}

static void add_line(struct libscols_table *table, const struct aggregate *a,
                     const struct scale *scale, const struct row *row, const char *key)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[4 * BARS + 1];

	scols_line_set_data(line, 0, key);
	set(line, 1, "%" PRIu64, row->count);
	set(line, 2, "%.0f", rate(a, row->count));
	if (!a->query->hist)
		return;
	set(line, 3, "%.4g", row_mean(row));
	set(line, 4, "%.4g", row_percentile(row, 0.5));
	set(line, 5, "%.4g", row_percentile(row, 0.9));
	set(line, 6, "%.4g", row_percentile(row, 0.99));
	set(line, 7, "%.4g", row->max);
	draw_bars(scale, row, text);
	scols_line_set_data(line, 8, text);
}

static void fit_scale(const struct aggregate *a, struct scale *scale)
{
	struct scale_range range = { 0 };

	for (size_t i = 0; i < a->rows.count; i++)
		scale_range_add(&range, &a->rows.list[i]->values);
	if (a->rows.beyond)
		scale_range_add(&range, &a->rows.beyond->values);
	scale_fit(scale, &range, UINT32_MAX);
}

int report_print_table(const struct aggregate *a)
{
	struct libscols_table *table = scols_new_table();
	struct scale scale;
	int code;

	if (!table)
		return -ENOMEM;
	fit_scale(a, &scale);
	scols_table_set_termforce(table, isatty(STDOUT_FILENO) ? SCOLS_TERMFORCE_AUTO
	                                                       : SCOLS_TERMFORCE_NEVER);
	add_columns(table, a->query);
	for (size_t i = 0; i < a->rows.count; i++) {
		char *key = report_text(a->rows.list[i]->key, a->rows.list[i]->size);

		if (!a->rows.list[i]->count) {
			free(key);
			continue;
		}
		add_line(table, a, &scale, a->rows.list[i], key ? key : "?");
		free(key);
	}
	if (a->rows.beyond)
		add_line(table, a, &scale, a->rows.beyond, "(others)");
	code = scols_print_table(table);
	scols_unref_table(table);
	return code ? code : fflush(stdout) ? -errno : 0;
}

/* --- JSON */

static void add_number(json_object *o, const char *name, double v)
{
	json_object_object_add(o, name, json_object_new_double(v));
}

/* Of integers, all digits. */
static void add_bound(json_object *o, const char *name, const struct row *row, double v,
                      __int128 exact)
{
	json_object_object_add(o, name,
	                       row->fractions ? json_object_new_double(v)
	                       : exact < 0    ? json_object_new_int64((int64_t)exact)
	                                      : json_object_new_uint64((uint64_t)exact));
}

static void print_row(const struct aggregate *a, const struct row *row, bool others)
{
	json_object *o = json_object_new_object();
	char *key = report_text(row->key, row->size);

	json_object_object_add(o, "key", others ? NULL : json_object_new_string(key ? key : "?"));
	free(key);
	json_object_object_add(o, "count", json_object_new_uint64(row->count));
	add_number(o, "rate", rate(a, row->count));
	json_object_object_add(o, "first", json_object_new_int64(row->first));
	json_object_object_add(o, "last", json_object_new_int64(row->last));
	if (a->query->hist) {
		add_number(o, "mean", row_mean(row));
		add_bound(o, "min", row, row->min, row->least);
		add_number(o, "p50", row_percentile(row, 0.5));
		add_number(o, "p90", row_percentile(row, 0.9));
		add_number(o, "p99", row_percentile(row, 0.99));
		add_bound(o, "max", row, row->max, row->greatest);
	}
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int report_print_json(const struct aggregate *a)
{
	for (size_t i = 0; i < a->rows.count; i++) {
		if (a->rows.list[i]->count)
			print_row(a, a->rows.list[i], false);
	}
	if (a->rows.beyond)
		print_row(a, a->rows.beyond, true);
	return fflush(stdout) ? -errno : 0;
}
