/* SPDX-License-Identifier: MIT */
/*
 * weir trace: live events of running programs. Options and the loop; reader/tracer.h does the
 * work, cli/format.h writes the lines.
 */
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/format.h"
#include "cli/loss.h"
#include "cli/parse.h"
#include "cli/selection.h"
#include "reader/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	struct selection selection;
	bool json;
	bool colour;
	bool quiet;
	uint64_t count; /* 0: no limit */
	int64_t duration;
	uint32_t tid;
	const char *where;
	uint32_t mode;
	uint64_t buffer;
};

struct trace {
	struct options options;
	struct patterns patterns;
	struct filter *filter;
	struct tracer *tracer;
	struct output out;
	uint64_t shown;
	uint64_t hidden;           /* by --where or --tid */
	bool fits;                 /* --where can be asked of a probe that was seen */
	bool misfit;               /* it was told that it could be asked of none */
	struct weir_error unasked; /* why it could not */
	struct launch launch;
};

/* Hangs on struct schema_probe.view. */
struct view {
	struct format_probe *format;
	struct filter_bound *bound;
	bool refused; /* --where cannot be asked of this probe */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

static void usage(FILE *to)
{
	fputs("usage: weir trace -p PID [OPTIONS] [PATTERN...]\n"
	      "       weir trace --all [OPTIONS] [PATTERN...]\n"
	      "       weir trace [OPTIONS] [PATTERN...] -- COMMAND [ARGUMENT...]\n"
	      "\n"
	      "Print the events of weir probes as they happen. A PATTERN is PROVIDER:PROBE with\n"
	      "* ? [a-z]; without any, all probes are traced.\n"
	      "\n"
	      "  -p, --pid PID        trace this process; may be given again\n"
	      "  -a, --all            every process that has such a probe, also later ones\n"
	      "  -f, --follow         also children that they fork\n"
	      "  -w, --wait           wait for probes that do not exist yet\n"
	      "  -j, --json           one JSON object a line\n"
	      "  -n, --count N        end after N events\n"
	      "  -d, --duration S     end after S seconds\n"
	      "  -t, --tid TID        this thread only\n"
	      "  -W, --where EXPR     show only events whose fields fit: 'ms > 100 && path ~ "
	      "\"/a*\"'\n"
	      "  -m, --mode MODE      when the buffer is full: drop (default), overwrite, block\n"
	      "  -b, --buffer SIZE    bytes per process, such as 64M (default 16M)\n"
	      "  -c, --color WHEN     auto (default), always, never\n"
	      "  -q, --quiet          no summary\n"
	      "  -h, --help\n",
	      to);
}

/* --- options */

static int parse_mode(const char *text, uint32_t *ret)
{
	static const char *const names[] = {
		[WEIR_MODE_DROP] = "drop",
		[WEIR_MODE_OVERWRITE] = "overwrite",
		[WEIR_MODE_BLOCK] = "block",
	};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_colour(const char *text, bool *ret)
{
	if (!strcmp(text, "always"))
		*ret = true;
	else if (!strcmp(text, "never"))
		*ret = false;
	else if (strcmp(text, "auto"))
		return -EINVAL;
	return 0;
}

static int parse_option(void *options, int c)
{
	struct options *o = options;
	uint64_t number;

	switch (c) {
	case 'j':
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'n':
		return parse_number(optarg, UINT64_MAX, &o->count)
		           ? cli_wrong("--count", optarg, "a number of events")
		           : 0;
	case 'd':
		return parse_seconds(optarg, &o->duration)
		           ? cli_wrong("--duration", optarg, "seconds, such as 10 or 0.5")
		           : 0;
	case 't':
		if (parse_number(optarg, UINT32_MAX, &number))
			return cli_wrong("--tid", optarg, "a thread's number");
		o->tid = number;
		return 0;
	case 'W':
		o->where = optarg;
		return 0;
	case 'm':
		return parse_mode(optarg, &o->mode)
		           ? cli_wrong("--mode", optarg, "drop, overwrite or block")
		           : 0;
	case 'b':
		return parse_size(optarg, &o->buffer)
		           ? cli_wrong("--buffer", optarg, "a size, such as 64M")
		           : 0;
	case 'c':
		return parse_colour(optarg, &o->colour)
		           ? cli_wrong("--color", optarg, "auto, always or never")
		           : 0;
	default:
		return 2;
	}
}

static const struct option long_options[] = {
	SELECTION_LONG,
	{ "json", no_argument, NULL, 'j' },
	{ "count", required_argument, NULL, 'n' },
	{ "duration", required_argument, NULL, 'd' },
	{ "tid", required_argument, NULL, 't' },
	{ "where", required_argument, NULL, 'W' },
	{ "mode", required_argument, NULL, 'm' },
	{ "buffer", required_argument, NULL, 'b' },
	{ "color", required_argument, NULL, 'c' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* 0: go on; else the exit status plus one. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct selection_command command = {
		.verb = "trace",
		.short_options = SELECTION_SHORT "jn:d:t:W:m:b:c:qh",
		.long_options = long_options,
		.usage = usage,
		.option = parse_option,
	};
	int end, status;

	o->colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	status = selection_parse(&o->selection, &command, o, argc, argv, &end);
	if (status)
		return status;
	return selection_end(&o->selection, argv, optind, end, command.verb) ? 3 : 0;
}

/* --- events */

static void view_free(void *arg)
{
	struct view *view = arg;

	free(view->format);
	filter_bound_free(view->bound);
	free(view);
}

static struct view *view_of(struct trace *trace, struct schema_probe *probe, int *code)
{
	struct weir_error err = { 0 };
	struct view *view = probe->view;

	if (view)
		return view;
	view = calloc(1, sizeof(*view));
	if (view)
		view->format = format_probe_create(probe, trace->options.colour);
	if (!view || !view->format) {
		free(view);
		*code = -ENOMEM;
		return NULL;
	}
	if (trace->filter) {
		*code = filter_bind(trace->filter, probe, &view->bound, &err);
		view->refused = *code != 0;
		if (view->refused)
			ask_keep_best(&trace->unasked, &err);
	}
	trace->fits |= !view->refused;
	probe->view = view;
	probe->view_free = view_free;
	return view;
}

static int ask_probe(void *arg, struct schema_probe *probe, struct weir_error *err)
{
	struct trace *trace = arg;
	int code = 0;
	const struct view *view = view_of(trace, probe, &code);

	*err = trace->unasked;
	return view && view->refused && !code ? -ENOENT : code;
}

static int check_filter(struct trace *trace, struct weir_error *err)
{
	return trace->filter ? ask_probes(trace->tracer, trace->filter, ask_probe, trace, err) : 0;
}

/* Probes may come after weir began to look, and better ones later. */
static void tell_misfit(struct trace *trace)
{
	struct weir_error err = { 0 };

	if (check_filter(trace, &err) != -EINVAL)
		return;
	trace->misfit = true;
	output_flush(&trace->out);
	cli_fail("%s. Until a probe comes that fits, nothing is shown", err.message);
}

static bool wanted(const struct trace *trace, const struct view *view,
                   const struct tracer_event *te, uint32_t pid, uint32_t tid)
{
	struct filter_context context = { .pid = pid, .tid = tid, .cpu = te->event->cpu };

	if (view->refused)
		return false;
	if (trace->options.tid && tid != trace->options.tid && te->event->tid != trace->options.tid)
		return false;
	return !view->bound || filter_match(view->bound, te->values, &context);
}

static int on_event(void *arg, const struct tracer_event *te)
{
	struct trace *trace = arg;
	struct target *target = te->target;
	struct format_event line = {
		.time = te->event->time + target->clock.epoch_ns,
		.pid = target->shm.pid,
		.cpu = te->event->cpu,
		.event = te,
	};
	int code = 0;
	struct view *view;

	if (trace->options.count && trace->shown == trace->options.count)
		return 0;
	view = view_of(trace, te->probe, &code);
	if (!view)
		return code;
	if (view->refused && !trace->fits && !trace->misfit)
		tell_misfit(trace);
	line.tid = threads_outer(&target->threads, te->event->tid, te->event->time);
	if (!wanted(trace, view, te, line.pid, line.tid)) {
		trace->hidden++;
		return 0;
	}
	line.probe = view->format;
	trace->shown++;
	if (trace->options.json) {
		format_json(&trace->out, &line);
	} else {
		line.thread = threads_find(&target->threads, te->event->tid, te->event->time)->name;
		if (*line.thread == '?')
			line.thread = target->process->name;
		line.many = trace->tracer->attached > 1 && line.pid != line.tid;
		format_text(&trace->out, &line, trace->options.colour);
	}
	return trace->options.count && trace->shown == trace->options.count ? 1 : 0;
}

static void on_notice(void *arg, const char *text)
{
	struct trace *trace = arg;

	output_flush(&trace->out); /* between the lines that it belongs to */
	cli_fail("%s", text);
}

/* Is --tid a thread of a process that was asked for? It may also be its number in a namespace. */
static void check_tid(const struct trace *trace)
{
	const struct options *o = &trace->options;
	const struct selection *s = &o->selection;

	if (!o->tid || !s->pid_count || s->follow || s->wait)
		return;
	for (size_t i = 0; i < s->pid_count; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/task/%u", s->pids[i], o->tid);
		if (!access(path, F_OK))
			return;
	}
	for (size_t i = 0; i < trace->tracer->target_count; i++) {
		const struct shm *shm = &trace->tracer->targets[i]->shm;

		if ((pid_t)shm->head.pid != shm->pid)
			return;
	}
	cli_fail("--tid %u: %s has no such thread now; `ls /proc/%d/task` shows those that it has. "
	         "Tracing goes on, as it may come",
	         o->tid, s->pid_count > 1 ? "none of the processes" : "the process", s->pids[0]);
}

/* --- the loop */

/*
 * How long to sleep between looks. What was seen in this look is handed out after the next one, so
 * a short sleep follows the first look that saw something; then one of a millisecond, and longer
 * ones when nothing happens.
 */
static int64_t pause_after(struct trace *trace, int64_t seen, int64_t now, int64_t *active_at,
                           bool *was_short)
{
	const struct tracer *tracer = trace->tracer;

	if (seen)
		*active_at = now;
	if (tracer->merge.used && !*was_short) {
		*was_short = true;
		return tracer->rseq ? MS / 10 : MS;
	}
	*was_short = false;
	if (!tracer->target_count)
		return 5 * MS; /* the first one may be starting */
	if (now - *active_at < SECOND)
		return MS;
	return now - *active_at < 30 * SECOND ? 4 * MS : 20 * MS;
}

static bool is_over(const struct trace *trace, int64_t now, int64_t deadline)
{
	const struct options *o = &trace->options;

	if (interrupted || trace->out.error)
		return true;
	if (o->count && trace->shown >= o->count)
		return true;
	if (o->duration && now >= deadline)
		return true;
	return tracer_ended(trace->tracer);
}

static void loop(struct trace *trace, int64_t began)
{
	struct tracer *tracer = trace->tracer;
	int64_t deadline = began + trace->options.duration, active_at = began, now;
	bool was_short = false;

	do {
		struct timespec ts;
		int64_t seen = tracer_look(tracer), pause;
		size_t polls;

		output_flush(&trace->out);
		launch_reap(&trace->launch);
		now = clock_monotonic();
		pause = pause_after(trace, seen, now, &active_at, &was_short);
		if (pause > tracer_patience(tracer))
			pause = tracer_patience(tracer);
		if (trace->options.duration && pause > deadline - now)
			pause = deadline > now ? deadline - now : 0;
		if (is_over(trace, now, deadline))
			break;
		ts = (struct timespec){ pause / SECOND, pause % SECOND };
		polls = tracer_polls(tracer);
		/* A reader of our output that goes away ends the trace, also when nothing is
		 * written. */
		tracer->polls[polls] = (struct pollfd){ .fd = STDOUT_FILENO };
		if (ppoll(tracer->polls, polls + 1, &ts, NULL) > 0 &&
		    (tracer->polls[polls].revents & POLLERR))
			trace->out.error = EPIPE;
	} while (!is_over(trace, clock_monotonic(), deadline));
}

static void summary(const struct trace *trace, int64_t took)
{
	const struct tracer *tracer = trace->tracer;
	uint64_t lost = tracer_lost(tracer), overwritten = tracer_overwritten(tracer);
	uint64_t events = tracer->merge.events;
	double seconds = took / 1e9;

	if (trace->options.quiet)
		return;
	fprintf(stderr,
	        "weir: %" PRIu64 " events in %.2f s (%.0f/s), lost %" PRIu64 ", late %" PRIu64,
	        events, seconds, seconds > 0 ? events / seconds : 0, lost, tracer->merge.late);
	if (trace->shown != events)
		fprintf(stderr, ", shown %" PRIu64, trace->shown);
	if (overwritten)
		fprintf(stderr, ", overwritten %" PRIu64, overwritten);
	if (tracer->gaps)
		fprintf(stderr, ", %" PRIu64 " gaps of %.1f s", tracer->gaps, tracer->gap_ns / 1e9);
	if (tracer->undecoded + tracer->bad + tracer->merge.bad)
		fprintf(stderr, ", unreadable %" PRIu64,
		        tracer->undecoded + tracer->bad + tracer->merge.bad);
	fputc('\n', stderr);
	loss_advise(tracer, trace->options.json ? "" : "--json into a file, ");
	selection_summary(&trace->options.selection, tracer);
	if (tracer->denied)
		fprintf(stderr,
		        "weir: %" PRIu64 " processes could not be looked at: other users', or not "
		        "dumpable; sudo weir trace sees them\n",
		        tracer->denied);
	if (lost && tracer->longest_pause > SECOND / 2)
		fprintf(stderr,
		        "weir: there were %.1f s between two looks: weir got no processor, or its "
		        "output "
		        "was not read\n",
		        tracer->longest_pause / 1e9);
}

static void catch_signals(void)
{
	/* Without SA_RESTART, so that it interrupts a write; a second one ends weir at once. */
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int exit_status(struct trace *trace)
{
	int status = launch_finish(&trace->launch); /* whatever happened to us */

	if (trace->out.error && trace->out.error != EPIPE)
		return cli_fail("cannot write the events: %s", strerror(trace->out.error));
	if (trace->misfit && !trace->fits)
		return 1;
	return selection_missed(&trace->options.selection, trace->tracer, &trace->launch, status);
}

static int run(struct trace *trace)
{
	struct options *o = &trace->options;
	struct weir_error err = { 0 };
	struct tracer_options options = {
		.session = { .patterns = &trace->patterns,
		             .mode = o->mode,
		             .buffer = o->buffer,
		             .sized = o->buffer != 0,
		             .follow = o->selection.follow },
		.all = o->selection.all,
		.wait = o->selection.wait,
		.event = on_event,
		.notice = on_notice,
		.arg = trace,
	};
	int64_t began;
	int code = patterns_parse(o->selection.patterns, o->selection.pattern_count,
	                          &trace->patterns, &err);

	if (!code && o->where)
		code = filter_parse(o->where, &trace->filter, &err);
	if (code) {
		cli_fail("%s", *err.message ? err.message : strerror(-code));
		return 2;
	}
	code = output_init(&trace->out, STDOUT_FILENO);
	if (!code)
		code = tracer_create(&options, &trace->tracer);
	if (!code)
		code = selection_attach(&o->selection, &trace->patterns, trace->tracer,
		                        &trace->launch, &err);
	if (!code)
		code = check_filter(trace, &err);
	if (code) {
		launch_finish(&trace->launch);
		return cli_fail("%s", *err.message ? err.message : strerror(-code));
	}
	check_tid(trace);
	setpriority(PRIO_PROCESS, 0, -10); /* where allowed: among busy threads a reader starves */
	began = clock_monotonic();
	loop(trace, began);
	tracer_stop(trace->tracer);
	output_flush(&trace->out);
	summary(trace, clock_monotonic() - began);
	return exit_status(trace);
}

int cmd_trace(int argc, char **argv)
{
	struct trace trace = { 0 };
	int status = parse_options(argc, argv, &trace.options);

	if (status)
		return status - 1;
	catch_signals();
	status = run(&trace);
	tracer_destroy(trace.tracer);
	filter_free(trace.filter);
	patterns_deinit(&trace.patterns);
	output_deinit(&trace.out);
	return status;
}
