/* SPDX-License-Identifier: MIT */
/*
 * weir report: what is in a recording. Without options, its probes; with --by and --hist, one
 * field's distribution for each value of another: which route is slow.
 *
 * A distribution is a log-linear histogram, 16 steps for each power of two: what it says of a
 * percentile is within 3% of the truth, and it takes the same room for ten events and ten billion.
 */
#include "cli/cmd.h"
#include "reader/ctf_reader.h"
#include "reader/pattern.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libsmartcols.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS    16
#define EXPONENT 64 /* from 2^-64 to 2^64 */
#define BUCKETS  (2 * EXPONENT * STEPS + 2)
#define BARS     24

struct row {
	char *key;
	uint64_t count;
	double sum, min, max;
	int64_t first, last;
	uint32_t *buckets; /* NULL: no --hist */
};

struct report {
	const char *by, *hist;
	struct patterns patterns;
	bool json;
	struct row *rows; /* open addressing */
	size_t room, used;
	int64_t first, last;
	uint64_t skipped; /* events without the fields that were asked for */
	bool failed;
};

/* --- distributions */

static unsigned bucket_of(double v)
{
	int exponent;
	double m;

	if (!(v > 0))
		return 0;
	m = frexp(v, &exponent); /* 0.5 <= m < 1 */
	if (exponent <= -EXPONENT)
		return 1;
	if (exponent >= EXPONENT)
		return BUCKETS - 1;
	return 1 + (unsigned)(exponent + EXPONENT) * STEPS + (unsigned)((m - 0.5) * 2 * STEPS);
}

/* The middle of a bucket. */
static double bucket_value(unsigned b)
{
	if (!b)
		return 0;
	b--;
	return ldexp(0.5 + (b % STEPS + 0.5) / (2 * STEPS), (int)(b / STEPS) - EXPONENT);
}

static double percentile(const struct row *row, double p)
{
	uint64_t rank = (uint64_t)ceil(p * (double)row->count), sum = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		double v;

		sum += row->buckets[b];
		if (sum < rank || !row->buckets[b])
			continue;
		v = bucket_value(b);
		return v < row->min ? row->min : v > row->max ? row->max : v;
	}
	return row->max;
}

/* --- rows */

static uint32_t hash(const char *key)
{
	uint32_t h = 2166136261u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h;
}

static struct row *place(struct row *rows, size_t room, const char *key)
{
	size_t i = hash(key) & (room - 1);

	while (rows[i].key && strcmp(rows[i].key, key))
		i = (i + 1) & (room - 1);
	return &rows[i];
}

static bool grow(struct report *report)
{
	size_t room = report->room ? 2 * report->room : 256;
	struct row *rows = calloc(room, sizeof(*rows));

	if (!rows)
		return false;
	for (size_t i = 0; i < report->room; i++) {
		if (report->rows[i].key)
			*place(rows, room, report->rows[i].key) = report->rows[i];
	}
	free(report->rows);
	report->rows = rows;
	report->room = room;
	return true;
}

static struct row *row_of(struct report *report, const char *key)
{
	struct row *row;

	if (2 * (report->used + 1) > report->room && !grow(report))
		return NULL;
	row = place(report->rows, report->room, key);
	if (row->key)
		return row;
	*row = (struct row){ .key = strdup(key),
		             .min = INFINITY,
		             .max = -INFINITY,
		             .first = INT64_MAX,
		             .last = INT64_MIN };
	if (report->hist)
		row->buckets = calloc(BUCKETS, sizeof(*row->buckets));
	if (!row->key || (report->hist && !row->buckets))
		return NULL;
	report->used++;
	return row;
}

/* --- events */

static int field_index(const struct schema_probe *probe, const char *name)
{
	for (uint32_t i = 0; i < probe->count; i++) {
		if (!strcmp(probe->fields[i].name, name))
			return (int)i;
	}
	return -1;
}

static double number_of(uint8_t type, const struct record_value *v)
{
	switch (type) {
	case WEIR_F32:
	case WEIR_F64:
		return v->f64;
	case WEIR_I8:
	case WEIR_I16:
	case WEIR_I32:
	case WEIR_I64:
		return (double)v->i64;
	case WEIR_STRING:
	case WEIR_BYTES:
		return v->size;
	default:
		return (double)v->u64;
	}
}

static void text_of(uint8_t type, const struct record_value *v, char *ret, size_t size)
{
	switch (type) {
	case WEIR_STRING:
	case WEIR_BYTES:
		snprintf(ret, size, "%.*s", (int)v->size, v->data);
		for (char *p = ret; *p; p++) {
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				*p = '?';
		}
		return;
	case WEIR_F32:
	case WEIR_F64:
		snprintf(ret, size, "%g", v->f64);
		return;
	case WEIR_BOOL:
		snprintf(ret, size, "%s", v->u64 ? "true" : "false");
		return;
	case WEIR_I8:
	case WEIR_I16:
	case WEIR_I32:
	case WEIR_I64:
		snprintf(ret, size, "%" PRId64, v->i64);
		return;
	default:
		snprintf(ret, size, type == WEIR_POINTER ? "0x%" PRIx64 : "%" PRIu64, v->u64);
	}
}

static void on_event(void *arg, const struct ctf_event *e)
{
	struct report *report = arg;
	char key[512];
	int by = -1, hist = -1;
	struct row *row;
	double v;

	if (report->patterns.count &&
	    !patterns_match(&report->patterns, e->probe->provider, e->probe->name))
		return;
	if (report->by)
		by = field_index(e->probe, report->by);
	if (report->hist)
		hist = field_index(e->probe, report->hist);
	if ((report->by && by < 0) || (report->hist && hist < 0)) {
		report->skipped++;
		return;
	}
	if (by >= 0)
		text_of(e->probe->fields[by].type, &e->values[by], key, sizeof(key));
	else
		snprintf(key, sizeof(key), "%s:%s", e->probe->provider, e->probe->name);
	row = row_of(report, key);
	if (!row) {
		report->failed = true;
		return;
	}
	row->count++;
	row->first = e->time < row->first ? e->time : row->first;
	row->last = e->time > row->last ? e->time : row->last;
	report->first = e->time < report->first ? e->time : report->first;
	report->last = e->time > report->last ? e->time : report->last;
	if (hist < 0)
		return;
	v = number_of(e->probe->fields[hist].type, &e->values[hist]);
	row->sum += v;
	row->min = v < row->min ? v : row->min;
	row->max = v > row->max ? v : row->max;
	row->buckets[bucket_of(v)]++;
}

/* --- output */

static int by_count(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->key, y->key);
}

/* The table's empty places go; what is left is sorted. */
static void sort(struct report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->room; i++) {
		if (report->rows[i].key)
			report->rows[n++] = report->rows[i];
	}
	memset(report->rows + n, 0, (report->room - n) * sizeof(*report->rows));
	qsort(report->rows, n, sizeof(*report->rows), by_count);
}

/* From the report's least to its greatest value, in even steps of the logarithm. */
static void bars(const struct row *row, unsigned low, unsigned high, char *ret)
{
	static const char *const levels[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	uint64_t sums[BARS] = { 0 }, most = 0;

	for (unsigned b = low; b <= high; b++)
		sums[(uint64_t)(b - low) * BARS / (high - low + 1)] += row->buckets[b];
	for (int i = 0; i < BARS; i++)
		most = sums[i] > most ? sums[i] : most;
	*ret = '\0';
	for (int i = 0; i < BARS; i++)
		strcat(ret, levels[sums[i] ? 1 + sums[i] * 7 / most : 0]);
}

static void range(const struct report *report, unsigned *low, unsigned *high)
{
	*low = BUCKETS - 1;
	*high = 0;
	for (size_t i = 0; i < report->used; i++) {
		for (unsigned b = 0; b < BUCKETS; b++) {
			if (!report->rows[i].buckets[b])
				continue;
			*low = b < *low ? b : *low;
			*high = b > *high ? b : *high;
		}
	}
}

static void set(struct libscols_line *line, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set(struct libscols_line *line, size_t column, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	scols_line_set_data(line, column, text);
}

static double rate(const struct report *report, uint64_t count)
{
	double seconds = (double)(report->last - report->first) / 1e9;

	return seconds > 0 ? (double)count / seconds : 0;
}

static int print_table(const struct report *report)
{
	struct libscols_table *table = scols_new_table();
	unsigned low = 0, high = 0;
	int code;

	if (!table)
		return -ENOMEM;
	if (report->hist)
		range(report, &low, &high);
	scols_table_set_termforce(table, isatty(STDOUT_FILENO) ? SCOLS_TERMFORCE_AUTO
	                                                       : SCOLS_TERMFORCE_NEVER);
	scols_table_new_column(table, report->by ? report->by : "PROBE", 0.2, 0);
	scols_table_new_column(table, "COUNT", 0.08, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "RATE/S", 0.08, SCOLS_FL_RIGHT);
	if (report->hist) {
		static const char *const names[] = { "MEAN", "P50", "P90", "P99", "MAX" };

		for (int i = 0; i < 5; i++)
			scols_table_new_column(table, names[i], 0.08, SCOLS_FL_RIGHT);
		scols_table_new_column(table, report->hist, BARS, 0);
	}
	for (size_t i = 0; i < report->used; i++) {
		const struct row *row = &report->rows[i];
		struct libscols_line *line = scols_table_new_line(table, NULL);
		char text[4 * BARS + 1];

		set(line, 0, "%s", row->key);
		set(line, 1, "%" PRIu64, row->count);
		set(line, 2, "%.0f", rate(report, row->count));
		if (!report->hist)
			continue;
		set(line, 3, "%.4g", row->sum / (double)row->count);
		set(line, 4, "%.4g", percentile(row, 0.5));
		set(line, 5, "%.4g", percentile(row, 0.9));
		set(line, 6, "%.4g", percentile(row, 0.99));
		set(line, 7, "%.4g", row->max);
		bars(row, low, high, text);
		scols_line_set_data(line, 8, text);
	}
	code = scols_print_table(table);
	scols_unref_table(table);
	return code;
}

static void print_json(const struct report *report)
{
	for (size_t i = 0; i < report->used; i++) {
		const struct row *row = &report->rows[i];
		json_object *o = json_object_new_object();

		json_object_object_add(o, "key", json_object_new_string(row->key));
		json_object_object_add(o, "count", json_object_new_uint64(row->count));
		json_object_object_add(o, "rate", json_object_new_double(rate(report, row->count)));
		json_object_object_add(o, "first", json_object_new_int64(row->first));
		json_object_object_add(o, "last", json_object_new_int64(row->last));
		if (report->hist) {
			json_object_object_add(
			    o, "mean", json_object_new_double(row->sum / (double)row->count));
			json_object_object_add(o, "min", json_object_new_double(row->min));
			json_object_object_add(o, "p50",
			                       json_object_new_double(percentile(row, 0.5)));
			json_object_object_add(o, "p90",
			                       json_object_new_double(percentile(row, 0.9)));
			json_object_object_add(o, "p99",
			                       json_object_new_double(percentile(row, 0.99)));
			json_object_object_add(o, "max", json_object_new_double(row->max));
		}
		printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
	}
}

/* --- the command */

static void usage(FILE *to)
{
	fputs("usage: weir report [OPTIONS] DIR [PATTERN...]\n"
	      "\n"
	      "Say what is in a recording of weir record: probes, counts, rates, losses; or the\n"
	      "distribution of a field. A PATTERN is PROVIDER:PROBE with * ? [a-z].\n"
	      "\n"
	      "  -b, --by FIELD    a row for each value of this field\n"
	      "  -H, --hist FIELD  mean, percentiles and a histogram of this field\n"
	      "  -j, --json        one JSON object a line\n"
	      "  -h, --help\n",
	      to);
}

static int run(struct report *report, const char *path)
{
	struct ctf_reading reading = { .event = on_event, .arg = report };
	struct weir_error err = { 0 };
	int traces = ctf_read_all(path, &reading, &err);

	if (traces < 0)
		return cli_fail_error(&err);
	if (!traces)
		return cli_fail("%s: there is no recording of weir's in it", path);
	if (report->failed)
		return cli_fail("no memory for so many values of %s",
		                report->by ? report->by : "a field");
	if (!report->used && report->skipped)
		return cli_fail(
		    "no probe of this recording has %s%s%s; `weir report %s` shows the probes, "
		    "their fields are in the recording's %s",
		    report->by ? report->by : "", report->by && report->hist ? " and " : "",
		    report->hist ? report->hist : "", path, "metadata");
	sort(report);
	if (report->json)
		print_json(report);
	else
		print_table(report);
	fprintf(stderr, "weir: %" PRIu64 " events of %d process%s in %.2f s, lost %" PRIu64 "%s\n",
	        reading.events, traces, traces == 1 ? "" : "es",
	        report->used ? (double)(report->last - report->first) / 1e9 : 0.0, reading.lost,
	        reading.cut ? "; files end within a packet: weir repair" : "");
	return 0;
}

int cmd_report(int argc, char **argv)
{
	static const struct option options[] = {
		{ "by", required_argument, NULL, 'b' },
		{ "hist", required_argument, NULL, 'H' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct report report = { .first = INT64_MAX, .last = INT64_MIN };
	struct weir_error err;
	int c, status;

	while ((c = getopt_long(argc, argv, "b:H:jh", options, NULL)) >= 0) {
		switch (c) {
		case 'b':
			report.by = optarg;
			break;
		case 'H':
			report.hist = optarg;
			break;
		case 'j':
			report.json = true;
			break;
		default:
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (optind == argc) {
		cli_fail("report on what? weir report DIR");
		return 2;
	}
	if (optind + 1 < argc &&
	    patterns_parse((const char *const *)argv + optind + 1, (size_t)(argc - optind - 1),
	                   &report.patterns, &err)) {
		cli_fail_error(&err);
		return 2;
	}
	status = run(&report, argv[optind]);
	for (size_t i = 0; i < report.room; i++) {
		free(report.rows[i].key);
		free(report.rows[i].buckets);
	}
	free(report.rows);
	patterns_deinit(&report.patterns);
	return status;
}
