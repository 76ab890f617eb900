/* SPDX-License-Identifier: MIT */
/*
 * The page: a template (template.h) and, in it, the numbers as JSON. The size of those is bounded by
 * timeline.h's limits whatever the recording's. Names and keys are strangers' bytes: they come as
 * valid UTF-8 without `<` into a block of JSON, and the page's script gives them to the browser as
 * text, never as markup.
 */
#include "cli/report/output.h"
#include "cli/replace.h"
#include "cli/report/template.h"
#include "reader/error.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIELD_PROBES_MAX 50

/* --- JSON */

static void put_string(FILE *to, const char *bytes, size_t size)
{
	char *text = report_text(bytes, size);

	fputc('"', to);
	for (const char *p = text ? text : ""; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(to, "\\%c", *p);
		else if (*p == '<' || *p == '>' || *p == '&')
			fprintf(to, "\\u%04x", *p);
		else
			fputc(*p, to);
	}
	fputc('"', to);
	free(text);
}

static void put_name(FILE *to, const char *name, const char *text)
{
	fprintf(to, ",\"%s\":", name);
	if (text)
		put_string(to, text, strlen(text));
	else
		fputs("null", to);
}

static void put_ms(FILE *to, const char *name, int64_t ns)
{
	fprintf(to, ",\"%s\":%.6f", name, (double)ns / 1e6);
}

static void put_counts(FILE *to, const char *name, const uint64_t *counts, uint32_t n)
{
	fprintf(to, ",\"%s\":[", name);
	for (uint32_t i = 0; i < n; i++)
		fprintf(to, "%s%" PRIu64, i ? "," : "", counts[i]);
	fputc(']', to);
}

static void put_doubles(FILE *to, const char *name, const double *values, uint32_t n)
{
	fprintf(to, ",\"%s\":[", name);
	for (uint32_t i = 0; i < n; i++)
		fprintf(to, "%s%.7g", i ? "," : "", isfinite(values[i]) ? values[i] : 0);
	fputc(']', to);
}

static void put_means(FILE *to, const struct series *s, uint32_t n)
{
	double means[TIMELINE_COLUMNS];

	for (uint32_t i = 0; i < n; i++)
		means[i] = sum_mean(&s->sums[i], s->counts[i]);
	put_doubles(to, "means", means, n);
}

/* --- parts */

static void put_about(FILE *to, const struct aggregate *a, const char *recording)
{
	const struct ctf_reading *r = &a->reading;

	fprintf(to, "{\"format\":1,\"made\":%lld", (long long)time(NULL) * 1000);
	put_name(to, "recording", recording);
	put_name(to, "by", a->query->by);
	put_name(to, "hist", a->query->hist);
	fprintf(to,
	        ",\"traces\":%u,\"events\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"unknown\":%" PRIu64
	        ",\"cut\":%" PRIu64,
	        r->traces, r->events, r->lost_events, r->unknown, r->cut);
	fprintf(to,
	        ",\"matched\":%" PRIu64 ",\"without\":%" PRIu64 ",\"hidden\":%" PRIu64
	        ",\"odd\":%" PRIu64,
	        a->matched, a->without, a->hidden, a->odd);
	fprintf(to, ",\"dropped\":%" PRIu64, a->dropped.events);
	put_name(to, "droppedBy",
	         a->dropped.rotated ? "weir record --size" : "The flight recorder");
	put_ms(to, "wholeFrom", a->dropped.slots ? a->dropped.until : 0);
	put_ms(to, "first", a->matched ? a->first : 0);
	put_ms(to, "last", a->matched ? a->last : 0);
	fprintf(to, ",\"seconds\":%.17g", aggregate_seconds(a));
	fputs(",\"processes\":[", to);
	for (uint32_t i = 0; i < a->process_count; i++) {
		const struct process *p = &a->processes[i];

		fprintf(to, "%s{\"pid\":%d", i ? "," : "", p->pid);
		put_name(to, "name", p->name);
		put_name(to, "command", p->command);
		fputc('}', to);
	}
	fputc(']', to);
}

static void put_fields(FILE *to, const struct aggregate *a)
{
	const char *by, *hist;

	fputs(",\"fields\":[", to);
	for (size_t i = 0; i < a->field_probes && i < FIELD_PROBES_MAX; i++) {
		const struct probe_fields *f = a->fields[i];

		fprintf(to, "%s{\"count\":%u", i ? "," : "", f->count);
		put_name(to, "probe", f->name);
		fputs(",\"fields\":[", to);
		for (uint32_t k = 0; k < f->count; k++) {
			fputs(k ? ",[" : "[", to);
			put_string(to, f->fields[k].name, strlen(f->fields[k].name));
			fprintf(to, ",\"%s\"]", schema_type_name(f->fields[k].type));
		}
		fputs("]}", to);
	}
	aggregate_suggest(a, &by, &hist);
	fputs("],\"suggest\":{\"of\":1", to);
	put_name(to, "by", by);
	put_name(to, "hist", hist);
	fputc('}', to);
}

static void put_probes(FILE *to, const struct timeline *t)
{
	uint64_t others = 0;

	fputs(",\"probes\":[", to);
	for (uint32_t i = 0; i < t->probe_count; i++) {
		fprintf(to, "%s{\"count\":%" PRIu64, i ? "," : "", t->probes[i]->count);
		put_name(to, "name", t->probes[i]->key);
		put_counts(to, "counts", t->probe_counts[i], t->columns);
		fputc('}', to);
	}
	for (uint32_t i = 0; i < t->columns; i++)
		others += t->probe_counts[TIMELINE_PROBES][i];
	if (others) {
		fprintf(to, ",{\"count\":%" PRIu64 ",\"name\":null", others);
		put_counts(to, "counts", t->probe_counts[TIMELINE_PROBES], t->columns);
		fputc('}', to);
	}
	fputc(']', to);
}

/* For each column 0, or the first place that has events and the counts from there on. */
static void put_cells(FILE *to, const struct timeline *t, const struct series *s)
{
	fputs(",\"cells\":[", to);
	for (uint32_t i = 0; i < t->columns; i++) {
		const uint32_t *cells = s->cells + (size_t)i * t->scale.count;
		uint32_t first = 0, end = t->scale.count;

		while (first < end && !cells[first])
			first++;
		while (end > first && !cells[end - 1])
			end--;
		fputs(i ? "," : "", to);
		if (first == end) {
			fputc('0', to);
			continue;
		}
		fprintf(to, "[%u", first);
		for (; first < end; first++)
			fprintf(to, ",%u", cells[first]);
		fputc(']', to);
	}
	fputc(']', to);
}

static void put_totals(FILE *to, const struct row *row)
{
	static const struct {
		const char *name;
		double p;
	} percentiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 } };

	fprintf(to, ",\"mean\":%.17g,\"min\":%.17g,\"max\":%.17g", row_mean(row), row->min,
	        row->max);
	for (int i = 0; i < 3; i++)
		fprintf(to, ",\"%s\":%.17g", percentiles[i].name,
		        row_percentile(row, percentiles[i].p));
}

static void put_row(FILE *to, const struct timeline *t, const struct series *s)
{
	fprintf(to, "{\"count\":%" PRIu64 ",\"key\":", s->row->count);
	if (s->row == t->others)
		fputs("null", to);
	else
		put_string(to, s->row->key, s->row->size);
	put_counts(to, "counts", s->counts, t->columns);
	if (t->hist) {
		put_totals(to, s->row);
		put_means(to, s, t->columns);
		put_doubles(to, "maxima", s->maxima, t->columns);
		put_cells(to, t, s);
	}
	fputc('}', to);
}

static void put_rows(FILE *to, const struct aggregate *a, const struct timeline *t)
{
	bool first = true;

	fprintf(to, ",\"keys\":%zu,\"beyond\":%s,\"othersKeys\":%" PRIu64 ",\"rows\":[",
	        a->rows.count, a->rows.beyond ? "true" : "false", t->others_keys);
	for (uint32_t i = 0; i < t->key_count; i++) {
		if (!t->keys[i]->row->count)
			continue;
		fputs(first ? "\n" : ",\n", to);
		put_row(to, t, t->keys[i]);
		first = false;
	}
	fputc(']', to);
}

static void put_scale(FILE *to, const struct timeline *t)
{
	double low, high;

	/* A place is so much of a power of two: half of it is the error of a percentile. */
	fprintf(to, ",\"error\":%.4g,\"scale\":[", (double)t->scale.join / (2 * HISTOGRAM_STEPS));
	for (uint32_t i = 0; i < t->scale.count; i++) {
		scale_bounds(&t->scale, i, &low, &high);
		fprintf(to, "%s[%.9g,%.9g]", i ? "," : "", low, high);
	}
	fputc(']', to);
}

static void put_data(FILE *to, const struct aggregate *a, const struct timeline *t,
                     const char *recording)
{
	put_about(to, a, recording);
	put_ms(to, "start", t->start);
	put_ms(to, "width", t->width);
	fprintf(to, ",\"columns\":%u,\"lostUntimed\":%" PRIu64, t->columns, t->lost_untimed);
	put_doubles(to, "lostAt", t->lost, t->columns);
	put_scale(to, t);
	put_fields(to, a);
	put_probes(to, t);
	put_rows(to, a, t);
	fputc('}', to);
}

static void put_title(FILE *to, const struct aggregate *a, const char *recording)
{
	const char *name = a->process_count ? a->processes[0].name : recording;
	char *text = report_text(name, strlen(name));

	for (const char *p = text ? text : ""; *p; p++) {
		if (*p == '<' || *p == '>' || *p == '&' || *p == '"')
			fprintf(to, "&#%d;", *p);
		else
			fputc(*p, to);
	}
	fputs(" – weir report", to);
	free(text);
}

int report_write_page(const struct aggregate *a, const struct timeline *t, const char *recording,
                      const char *path, struct weir_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int code = -ENOMEM;

	if (out) {
		fputs(page_head, out);
		put_title(out, a, recording);
		fputs(page_middle, out);
		put_data(out, a, t, recording);
		fputs(page_tail, out);
		code = ferror(out) ? -ENOMEM : 0;
		code = fclose(out) ? -ENOMEM : code;
	}
	code = code ? weir_err(err, code, "no memory for the page")
	            : replace_file(path, text, size, err);
	free(text);
	return code;
}
