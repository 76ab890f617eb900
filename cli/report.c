/* SPDX-License-Identifier: MIT */
/*
 * weir report: what is in a recording. Without options, its probes; with --by and --hist, one
 * field's distribution for each value of another: which route is slow; with -o, a page that also
 * says when.
 *
 * The parts: reader/ctf_reader.h brings events, cli/report/aggregate.c counts them (rows.c, histogram.c),
 * timeline.c is what happened when, terminal.c and page.c show it.
 */
#include "cli/cmd.h"
#include "cli/progress.h"
#include "cli/report/output.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct options {
	struct query query;
	const char *path, *output;
	bool json, quiet;
};

struct run {
	struct aggregate aggregate;
	struct progress bar;
	uint64_t size; /* bytes to read, in all passes */
};

static void usage(FILE *to)
{
	fputs(
	    "usage: weir report [OPTIONS] DIR [PATTERN...]\n"
	    "\n"
	    "Say what is in a recording of weir record, or in another CTF trace such as LTTng's:\n"
	    "probes, counts, rates, losses; the distribution of a field; a page that shows when.\n"
	    "A PATTERN is PROVIDER:PROBE with * ? [a-z].\n"
	    "\n"
	    "  -b, --by FIELD     a row for each value of this field\n"
	    "  -H, --hist FIELD   mean, percentiles and a histogram of this field\n"
	    "  -w, --where EXPR   only events whose fields fit, such as 'ms > 10'\n"
	    "  -o, --output FILE  write a page (HTML, one file, needs no network)\n"
	    "  -j, --json         one JSON object a line\n"
	    "  -q, --quiet        no summary\n"
	    "  -h, --help\n",
	    to);
}

/* --- what went wrong */

static int fail_field(const struct aggregate *a, const char *option, const char *name,
                      const char *path)
{
	const char *nearest = aggregate_nearest_field(a, name);
	const char *by, *hist, *likely;

	aggregate_suggest(a, &by, &hist);
	likely = *by && !strcmp(option, "--by") ? by : hist;
	if (nearest)
		return cli_fail("no probe of this recording has a field %s (%s); nearest: %s", name,
		                option, nearest);
	return cli_fail(
	    "no probe of this recording has a field %s (%s)%s%s; `weir report %s` names "
	    "the fields",
	    name, option, *likely ? "; there is, for one: " : "", likely, path);
}

/* 0, or an exit status: what was asked for cannot be answered from these events. */
static int check(const struct aggregate *a, const struct options *o)
{
	const struct query *q = &o->query;

	if (!a->reading.traces)
		return cli_fail("%s: there is no recording in it; `weir record -o DIR` makes one, "
		                "in a folder of its own",
		                o->path);
	if (q->patterns.count && !a->field_probes)
		return cli_fail(
		    "no probe of this recording fits the pattern; `weir report %s` shows "
		    "its probes",
		    o->path);
	if (a->field_probes && q->by && !aggregate_is_pseudo(q->by) &&
	    !aggregate_has_field(a, q->by))
		return fail_field(a, "--by", q->by, o->path);
	if (a->field_probes && q->hist && !aggregate_has_field(a, q->hist))
		return fail_field(a, "--hist", q->hist, o->path);
	if (a->where_code == -EINVAL || (a->where_code && a->without == a->matched && a->matched))
		return cli_fail_error(&a->where_error);
	if (a->matched && a->without == a->matched && q->by && q->hist)
		return cli_fail("no probe of this recording has both %s and %s", q->by, q->hist);
	return 0;
}

/* --- what is said beside the numbers */

static void list_fields(const struct probe_fields *f)
{
	fprintf(stderr, "weir: fields of %s:", f->name);
	for (uint32_t i = 0; i < f->count; i++)
		fprintf(stderr, " %s", f->fields[i].name);
	fputc('\n', stderr);
}

static void suggest(const struct aggregate *a, const struct options *o)
{
	const char *by, *hist;

	aggregate_suggest(a, &by, &hist);
	if (o->query.by || o->query.hist || o->json || !*hist)
		return;
	for (size_t i = 0; i < a->field_probes && i < 10; i++)
		list_fields(a->fields[i]);
	fprintf(stderr, "weir: for a distribution: weir report %s%s%s --hist %s\n", o->path,
	        *by ? " --by " : "", by, hist);
}

/* How many of each CPU, if that is known. */
static void tell_cpus(const struct aggregate *a)
{
	const struct dropped *d = &a->dropped;

	if (a->reading.traces > 1 || d->slots > DROPPED_CPUS)
		return;
	for (uint32_t i = 0; i < d->slots; i++) {
		if (!d->cpus[i].events)
			return;
	}
	for (uint32_t i = 0; i < d->slots; i++)
		fprintf(stderr, "%s%" PRIu64 " of CPU %u", i ? ", " : " (", d->cpus[i].events,
		        d->cpus[i].cpu);
	fputc(')', stderr);
}

/*
 * Before that moment, the recording has the events of some CPUs only: rates there are too low, and what
 * one CPU did may seem to be all that happened.
 */
static void tell_dropped(const struct aggregate *a)
{
	const struct dropped *d = &a->dropped;
	char time[CLI_TIME_ROOM];

	if (!d->slots)
		return;
	fprintf(stderr, "weir: %s dropped ", d->rotated ? "--size" : "the flight recorder");
	if (d->events)
		fprintf(stderr, "%" PRIu64 " events", d->events);
	else
		fputs("events", stderr);
	fprintf(stderr, " that fired before %s", cli_time(d->until, time));
	tell_cpus(a);
	fputs(": from then on the recording is whole\n", stderr);
}

static void summarize(const struct aggregate *a, const struct options *o)
{
	const struct ctf_reading *r = &a->reading;

	fprintf(stderr, "weir: %" PRIu64 " events of %u %s%s in %.2f s, lost %" PRIu64, r->events,
	        r->traces, r->foreign == r->traces ? "trace" : "process",
	        r->traces == 1            ? ""
	        : r->foreign == r->traces ? "s"
	                                  : "es",
	        aggregate_seconds(a), r->lost_events);
	if (r->unknown)
		fprintf(stderr, ", %" PRIu64 " of no known probe", r->unknown);
	if (a->hidden)
		fprintf(stderr, ", %" PRIu64 " that do not fit --where", a->hidden);
	if (a->without)
		fprintf(stderr, ", %" PRIu64 " of probes without the field", a->without);
	if (a->odd)
		fprintf(stderr, ", %" PRIu64 " whose %s is no number", a->odd, o->query.hist);
	fprintf(stderr, "%s\n", r->cut ? "; files end within a packet: weir repair" : "");
	if (a->rows.beyond)
		fprintf(stderr,
		        "weir: more than %u values of %s: those that came later are summed up as "
		        "(others)\n",
		        ROWS_MAX, o->query.by);
	tell_dropped(a);
	suggest(a, o);
}

/* --- the command */

static void on_progress(void *arg)
{
	struct run *run = (struct run *)((char *)arg - offsetof(struct run, aggregate));
	const struct ctf_reading *r = &run->aggregate.reading;

	progress_events(&run->bar, r->bytes, run->size, r->events);
}

static int write_page(struct run *run, const struct options *o)
{
	struct aggregate *a = &run->aggregate;
	struct timeline *timeline;
	struct weir_error err = { 0 };
	int code = timeline_create(&a->rows, &a->probes, o->query.hist != NULL, a->first, a->last,
	                           &timeline);

	if (code)
		return cli_fail("no memory for the picture");
	code = aggregate_timeline(a, o->path, timeline, &err);
	progress_done(&run->bar);
	if (!code)
		code = report_write_page(a, timeline, o->path, o->output, &err);
	timeline_free(timeline);
	return code ? cli_fail_error(&err) : 0;
}

static int show(struct run *run, const struct options *o)
{
	int code = 0;

	if (o->json)
		code = report_print_json(&run->aggregate);
	else if (!o->output)
		code = report_print_table(&run->aggregate);
	return code ? cli_fail("cannot write the report: %s", strerror(-code)) : 0;
}

static int report(struct run *run, const struct options *o)
{
	struct aggregate *a = &run->aggregate;
	struct weir_error err = { 0 };
	int code, status;

	progress_init(&run->bar, o->path);
	run->size = ctf_size_all(o->path) * (o->output ? 2 : 1);
	a->reading.progress = on_progress;
	code = aggregate_read(a, o->path, &err);
	if (code || (status = check(a, o))) {
		progress_done(&run->bar);
		return code ? cli_fail_error(&err) : status;
	}
	rows_sort(&a->rows);
	status = o->output ? write_page(run, o) : 0;
	progress_done(&run->bar);
	if (!status)
		status = show(run, o);
	if (!status && !o->quiet)
		summarize(a, o);
	return status;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "by", required_argument, NULL, 'b' },
		{ "hist", required_argument, NULL, 'H' },
		{ "where", required_argument, NULL, 'w' },
		{ "output", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct weir_error err;
	int c;

	while ((c = getopt_long(argc, argv, "b:H:w:o:jqh", options, NULL)) >= 0) {
		switch (c) {
		case 'b':
			o->query.by = optarg;
			break;
		case 'H':
			o->query.hist = optarg;
			break;
		case 'w':
			filter_free(o->query.where);
			o->query.where = NULL;
			if (filter_parse(optarg, &o->query.where, &err)) {
				cli_fail_error(&err);
				return 2;
			}
			break;
		case 'o':
			o->output = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'q':
			o->quiet = true;
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
	o->path = argv[optind++];
	if (optind < argc && patterns_parse((const char *const *)argv + optind,
	                                    (size_t)(argc - optind), &o->query.patterns, &err)) {
		cli_fail_error(&err);
		return 2;
	}
	return -1;
}

int cmd_report(int argc, char **argv)
{
	struct options options = { 0 };
	struct run run;
	int status = parse(argc, argv, &options);

	if (status < 0) {
		aggregate_init(&run.aggregate, &options.query);
		status = report(&run, &options);
		aggregate_deinit(&run.aggregate);
	}
	filter_free(options.query.where);
	patterns_deinit(&options.query.patterns);
	return status;
}
