/* SPDX-License-Identifier: MIT */
/*
 * weir print: what C expressions are in a live process or a core file. One round
 * evaluates and formats every expression; --stable repeats a round until two read
 * the same, --watch makes rounds for ever.
 */
#include "cli/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/ruby_frames.h"
#include "cli/target.h"
#include "reader/cleanup.h"
#include "types/format.h"

#define STABLE_TRIES 100
#define CFLAGS_MAX   64

#define FAILURES_SHOWN 3

enum { OPT_CC = 256, OPT_CFLAG };

struct print_options {
	pid_t pid, tid;
	const char *core, *list, *header, *cc;
	const char *cflags[CFLAGS_MAX + 1]; /* ended by NULL */
	size_t cflags_count;
	bool json, type_only, stable, watching;
	double interval;
	struct format_options format;
};

struct print {
	const struct print_options *opts;
	struct target *target;
	struct format *format;
	char **texts;
	struct expr_tree **trees; /* NULL: ruby:frames, or one that has no meaning here */
	size_t count;
	bool unstable;
	bool unread;     /* something of the round could not be read at all */
	bool ruby_tried; /* Ruby's types were looked for */
};

static const struct option options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "core", required_argument, NULL, 'c' },
	{ "watch", required_argument, NULL, 'w' },
	{ "json", no_argument, NULL, 'j' },
	{ "type", no_argument, NULL, 't' },
	{ "depth", required_argument, NULL, 'd' },
	{ "list", required_argument, NULL, 'l' },
	{ "stable", no_argument, NULL, 's' },
	{ "tid", required_argument, NULL, 'T' },
	{ "max-string", required_argument, NULL, 'S' },
	{ "max-elements", required_argument, NULL, 'E' },
	{ "raw", no_argument, NULL, 'r' },
	{ "header", required_argument, NULL, 'H' },
	{ "cc", required_argument, NULL, OPT_CC },
	{ "cflag", required_argument, NULL, OPT_CFLAG },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *to)
{
	fputs("usage: weir print -p PID | --core FILE [OPTIONS] EXPRESSION...\n"
	      "\n"
	      "  -p, --pid PID          read this process, which goes on running\n"
	      "  -c, --core FILE        read a core file\n"
	      "  -d, --depth N          follow pointers N deep (0)\n"
	      "  -l, --list MEMBER      the value is a list: walk it by MEMBER\n"
	      "  -j, --json             one JSON document a line\n"
	      "  -t, --type             the type alone\n"
	      "  -w, --watch INTERVAL   again and again: 1s, 500ms\n"
	      "  -s, --stable           read until two readings agree\n"
	      "  -T, --tid TID          whose thread-local variables\n"
	      "  -H, --header FILE      types of a C header, where the program has none\n"
	      "      --cc CC            compiler for --header (cc)\n"
	      "      --cflag FLAG       a flag for it, such as -IDIR; may be repeated\n"
	      "  -r, --raw              no pretty printers\n"
	      "      --max-string N     bytes of a text (200)\n"
	      "      --max-elements N   elements of an array or list (200)\n"
	      "\n"
	      "`weir print -p PID ruby:frames` shows what Ruby's threads run.\n"
	      "Examples: weir print -p 4711 server.clients->len 'argv[0..argc]' \\\n"
	      "          '*(struct client *)server.clients->head->value'\n",
	      to);
}

/* ---- one value ---- */

static int fail_at(const struct print *p, const struct expr_error *err, const char *text)
{
	char buf[1024], untyped[300], lost[300];

	if (!text) {
		cli_fail("%s", err->message);
		return err->code;
	}
	expr_error_render(err, text, buf, sizeof(buf));
	fprintf(stderr, "weir: %s", buf);
	space_lost(target_space(p->target), lost, sizeof(lost));
	if (lost[0] && err->code == -ENOENT)
		fprintf(
		    stderr,
		    "  not all types could be expressed: %s (weir types build lists what not)\n",
		    lost);
	if (!err->unknown)
		return err->code;
	space_untyped(target_space(p->target), untyped, sizeof(untyped));
	if (untyped[0])
		fprintf(stderr,
		        "  without types: %s (see weir-types(1): debug packages, --header)\n",
		        untyped);
	for (size_t i = 0; i < FAILURES_SHOWN && target_failure(p->target, i); i++)
		fprintf(stderr, "  %s\n", target_failure(p->target, i));
	return err->code;
}

static void declared(const struct print *p, const struct ctype *type, char *buf, size_t size)
{
	ctype_declare(space_names(target_space(p->target))->types, type, NULL, buf, size);
}

static void json_line(FILE *to, struct json_object *object)
{
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
	                                                 JSON_C_TO_STRING_NOSLASHESCAPE),
	      to);
	fputc('\n', to);
	json_object_put(object);
}

/* Seconds, to the millisecond. */
static struct json_object *json_time(void)
{
	struct timespec now;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(text, sizeof(text), "%lld.%03ld", (long long)now.tv_sec, now.tv_nsec / 1000000);
	return json_object_new_double_s((double)now.tv_sec + (double)now.tv_nsec / 1e9, text);
}

static struct json_object *json_head(const struct print *p, size_t i, const struct ctype *type)
{
	struct json_object *object = json_object_new_object();
	char text[512];

	if (p->opts->watching)
		json_object_object_add(object, "time", json_time());
	json_object_object_add(object, "expression", json_object_new_string(p->texts[i]));
	declared(p, type, text, sizeof(text));
	json_object_object_add(object, "type", json_object_new_string(text));
	return object;
}

static int show_type(const struct print *p, size_t i, FILE *to)
{
	const struct ctype *type = expr_root(p->trees[i])->type;
	char text[512];

	if (p->opts->json) {
		json_line(to, json_head(p, i, type));
		return 0;
	}
	declared(p, type, text, sizeof(text));
	fprintf(to, "%s: %s\n", p->texts[i], text);
	return 0;
}

static int format_one(struct print *p, struct sink *sink, const struct expr_value *v)
{
	struct expr_error err = { 0 };

	if (!p->opts->list)
		p->unread |= format_value(p->format, sink, v) != 0;
	else if (format_list(p->format, sink, v, p->opts->list, &err))
		return fail_at(p, &err, NULL);
	return 0;
}

static int show_json(struct print *p, size_t i, const struct expr_value *v, FILE *to)
{
	struct sink *sink = sink_json_create();
	struct json_object *object, *notes;
	int rc = sink ? format_one(p, sink, v) : -ENOMEM;

	if (!rc) {
		object = json_head(p, i, v->type);
		json_object_object_add(object, "value", sink_json_take(sink));
		notes = sink_json_notes(sink);
		if (notes)
			json_object_object_add(object, "notes", notes);
		if (p->opts->stable)
			json_object_object_add(object, "stable",
			                       json_object_new_boolean(!p->unstable));
		json_line(to, object);
	}
	sink_destroy(sink);
	return rc;
}

/* As a whole or not at all: a message in the middle of a line helps nobody. */
static int show_text(struct print *p, size_t i, const struct expr_value *v, FILE *to)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	struct sink *sink = memory ? sink_text_create(memory) : NULL;
	int rc = sink ? format_one(p, sink, v) : -ENOMEM;

	sink_destroy(sink);
	if (memory)
		fclose(memory);
	if (!rc)
		fprintf(to, "%s = %s\n", p->texts[i], text);
	return rc;
}

static int show_one(struct print *p, size_t i, FILE *to)
{
	const struct expr_names *names = space_names(target_space(p->target));
	struct expr_error err = { 0 };
	struct expr_value v;
	int rc;

	if (!p->trees[i] && strcmp(p->texts[i], "ruby:frames"))
		return -EINVAL; /* compile() told why */
	if (!p->trees[i] && p->opts->type_only) {
		cli_fail("ruby:frames has no type: leave --type out");
		return -EINVAL;
	}
	if (!p->trees[i])
		return ruby_frames_show(p->target, p->format, p->opts->json, to);
	if (p->opts->type_only)
		return show_type(p, i, to);
	rc = expr_eval(p->trees[i], names, target_memory(p->target), &err, &v);
	if (rc)
		return target_gone(p->target) ? -ESRCH : fail_at(p, &err, p->texts[i]);
	return p->opts->json ? show_json(p, i, &v, to) : show_text(p, i, &v, to);
}

/* ---- rounds ---- */

/* Everything once; an expression that fails does not hide the others. */
static int show_all(struct print *p, FILE *to)
{
	int rc = 0, one;

	p->unread = false;
	target_digest_begin(p->target);
	for (size_t i = 0; i < p->count && !target_gone(p->target); i++) {
		one = show_one(p, i, to);
		rc = rc ?: one;
	}
	return target_gone(p->target) ? -ESRCH : rc;
}

static int show_to_memory(struct print *p, char **ret, size_t *size)
{
	FILE *to = open_memstream(ret, size);
	int rc;

	if (!to)
		return -ENOMEM;
	rc = show_all(p, to);
	fclose(to);
	return rc;
}

/* Twice the same bytes: no writer was in between, or it wrote what was there. */
static int show_stable(struct print *p)
{
	uint64_t before, now = 0;
	char *text = NULL;
	size_t size = 0;
	int rc, tries = 0;

	p->unstable = false;
	do {
		free(text);
		text = NULL;
		before = now;
		p->unstable = tries == STABLE_TRIES;
		rc = show_to_memory(p, &text, &size);
		now = target_digest(p->target);
	} while (!rc && tries++ < STABLE_TRIES && (tries == 1 || now != before));
	if (text)
		fwrite(text, 1, size, stdout);
	free(text);
	if (rc || !p->unstable)
		return rc;
	cli_fail(
	    "not stable: what was read changed in each of %d readings; what is shown may never "
	    "have been there at one time",
	    STABLE_TRIES);
	return -EAGAIN;
}

static int show_round(struct print *p)
{
	int rc = p->opts->stable && !p->opts->type_only ? show_stable(p) : show_all(p, stdout);

	fflush(stdout);
	return rc ?: p->unread ? -EFAULT : 0;
}

static void say_time(void)
{
	struct timespec now;
	char text[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	printf("-- %s.%03ld\n", text, now.tv_nsec / 1000000);
}

static int watch(struct print *p)
{
	struct timespec step = { (time_t)p->opts->interval };
	int rc;

	step.tv_nsec = (long)((p->opts->interval - (double)step.tv_sec) * 1e9);
	for (;;) {
		if (!p->opts->json)
			say_time();
		rc = show_round(p);
		if (rc == -ESRCH || ferror(stdout))
			return rc;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
	}
}

/* ---- setting up ---- */

static int give_meaning(struct print *p, size_t i, struct expr_error *err)
{
	struct space *space = target_space(p->target);
	int rc = expr_parse(p->texts[i], space_is_type, space, err, &p->trees[i]);

	rc = rc ?: expr_bind(p->trees[i], space_names(space), err);
	if (rc) {
		expr_free(p->trees[i]);
		p->trees[i] = NULL;
	}
	return rc;
}

static int compile(struct print *p, size_t i)
{
	struct expr_error err = { 0 };
	int rc;

	if (!strcmp(p->texts[i], "ruby:frames"))
		return 0;
	rc = give_meaning(p, i, &err);
	if (rc && err.unknown && !p->ruby_tried) {
		p->ruby_tried = true;
		if (ruby_add_types(p->target)) {
			err = (struct expr_error){ 0 };
			rc = give_meaning(p, i, &err);
		}
	}
	if (rc && err.unknown && target_ended(p->target))
		return -ESRCH; /* what it had mapped could not be looked into any more */
	return rc ? fail_at(p, &err, p->texts[i]) : 0;
}

static int add_header(struct print *p)
{
	struct weir_error err = { 0 };
	struct types *types;

	if (!p->opts->header)
		return 0;
	if (types_open_header(p->opts->header, p->opts->cc, p->opts->cflags, NULL, &err, &types)) {
		cli_fail_error(&err);
		return err.code ?: -EINVAL;
	}
	return space_add_types(target_space(p->target), types);
}

static int run(struct print *p)
{
	size_t failed = 0;
	int rc = add_header(p);

	for (size_t i = 0; !rc && i < p->count; i++)
		failed += compile(p, i) != 0;
	if (!rc && failed == p->count)
		rc = target_gone(p->target) ? -ESRCH : -EINVAL;
	rc = rc
	         ?: format_create(&p->opts->format, space_names(target_space(p->target)),
	                          target_memory(p->target), &p->format);
	if (!rc)
		rc = p->opts->watching ? watch(p) : show_round(p);
	if (rc == -ESRCH && target_gone(p->target))
		cli_fail("process %d has ended, or runs another program now: its memory is gone",
		         (int)p->opts->pid);
	return rc;
}

static void deinit(struct print *p)
{
	format_destroy(p->format);
	for (size_t i = 0; p->trees && i < p->count; i++)
		expr_free(p->trees[i]);
	free(p->trees);
	target_close(p->target);
}

static int print(const struct print_options *opts, char **texts, size_t count)
{
	struct target_options how = { .progress = true };
	struct print p = { .opts = opts, .texts = texts, .count = count };
	struct weir_error err = { 0 };
	int rc;

	p.trees = calloc(count, sizeof(*p.trees));
	if (!p.trees)
		return -ENOMEM;
	rc = opts->core ? target_open_core(opts->core, &how, &err, &p.target)
	                : target_open_process(opts->pid, &how, &err, &p.target);
	if (rc) {
		cli_fail_error(&err);
	} else {
		target_set_thread(p.target, opts->tid);
		if (target_cut(p.target))
			cli_fail("%s is cut short: its last %llu bytes are missing, and what was "
			         "there cannot be read",
			         opts->core, (unsigned long long)target_cut(p.target));
		rc = run(&p);
	}
	deinit(&p);
	return rc;
}

/* ---- options ---- */

static int parse_number(const char *option, const char *text, long min, long max, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(text, &end, 10);
	if (errno || *end || end == text || *ret < min || *ret > max) {
		cli_fail("--%s %s: a number from %ld to %ld is wanted", option, text, min, max);
		return -EINVAL;
	}
	return 0;
}

static int parse_interval(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	if (!strcmp(end, "ms"))
		*ret /= 1000;
	else if (!strcmp(end, "m"))
		*ret *= 60;
	else if (*end && strcmp(end, "s"))
		end = (char *)text;
	if (end != text && *ret >= 0.001 && *ret <= 86400)
		return 0;
	cli_fail("--watch %s: an interval is wanted, like 1s or 500ms", text);
	return -EINVAL;
}

static int parse_one(struct print_options *o, int c)
{
	long n = 0;
	int rc = 0;

	switch (c) {
	case 'p':
		rc = parse_number("pid", optarg, 1, INT_MAX, &n);
		o->pid = (pid_t)n;
		break;
	case 'c':
		o->core = optarg;
		break;
	case 'w':
		o->watching = true;
		rc = parse_interval(optarg, &o->interval);
		break;
	case 'j':
		o->json = true;
		break;
	case 't':
		o->type_only = true;
		break;
	case 'd':
		rc = parse_number("depth", optarg, 0, 40, &n);
		o->format.depth = (uint32_t)n;
		break;
	case 'l':
		o->list = optarg;
		break;
	case 's':
		o->stable = true;
		break;
	case 'T':
		rc = parse_number("tid", optarg, 1, INT_MAX, &n);
		o->tid = (pid_t)n;
		break;
	case 'S':
		rc = parse_number("max-string", optarg, 0, 1 << 20, &n);
		o->format.string_max = (uint32_t)n;
		break;
	case 'E':
		rc = parse_number("max-elements", optarg, 1, 1 << 20, &n);
		o->format.elements_max = (uint32_t)n;
		/* Who asks for many elements wants to see them. */
		o->format.values_max = (uint32_t)(n > 6000 ? 16 * n : 100000);
		break;
	case 'r':
		o->format.raw = true;
		break;
	case 'H':
		o->header = optarg;
		break;
	case OPT_CC:
		o->cc = optarg;
		break;
	case OPT_CFLAG:
		if (o->cflags_count == CFLAGS_MAX) {
			cli_fail("more than %d --cflag", CFLAGS_MAX);
			return -EINVAL;
		}
		o->cflags[o->cflags_count++] = optarg;
		break;
	default:
		rc = -EINVAL;
	}
	return rc;
}

int cmd_print(int argc, char **argv)
{
	struct print_options o = { .format = FORMAT_DEFAULTS };
	int c;

	while ((c = getopt_long(argc, argv, "p:c:w:jtd:l:sT:rH:h", options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			return 0;
		}
		if (parse_one(&o, c))
			return 2;
	}
	if (!!o.pid + !!o.core != 1 || optind == argc) {
		if (optind == argc)
			cli_fail("there is nothing to print: give an expression");
		else
			cli_fail("give either -p PID or --core FILE");
		usage(stderr);
		return 2;
	}
	if (o.core && o.watching) {
		cli_fail("--watch wants a process: what is in a core file never changes");
		return 2;
	}
	return print(&o, argv + optind, (size_t)(argc - optind)) ? 1 : 0;
}
