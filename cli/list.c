/* SPDX-License-Identifier: MIT */
/* weir list: which probes there are, what they carry, and who is attached. */
#include "cli/cmd.h"
#include "cli/list_table.h"
#include "cli/parse.h"
#include "reader/error.h"
#include "reader/listing.h"
#include "reader/nearest.h"
#include "reader/process.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGETS_MAX 256

struct options {
	pid_t pids[TARGETS_MAX];
	size_t pid_count;
	const char *files[TARGETS_MAX];
	size_t file_count;
	bool all;
	bool json;
	const char *const *patterns;
	size_t pattern_count;
};

static void usage(FILE *to)
{
	fputs("usage: weir list [-p PID | -x FILE | --all] [OPTIONS] [PATTERN...]\n"
	      "\n"
	      "Show probes, their fields, and who is attached to them. Without -p, -x or --all: "
	      "the weir\n"
	      "probes of your processes. A PATTERN is PROVIDER:PROBE with * ? [a-z].\n"
	      "\n"
	      "  -p, --pid PID    of this process, plain USDT probes too; may be given again\n"
	      "  -x, --exec FILE  of an ELF file, or of the files that a core file names\n"
	      "  -a, --all        of every process, plain USDT probes too\n"
	      "  -j, --json       one JSON object a line\n"
	      "  -h, --help\n",
	      to);
}

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' }, { "exec", required_argument, NULL, 'x' },
	{ "all", no_argument, NULL, 'a' },       { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },      { 0 },
};

/* 0: go on; else the exit status plus one. */
static int parse_options(int argc, char **argv, struct options *o)
{
	uint64_t number;
	int c;

	while ((c = getopt_long(argc, argv, "p:x:ajh", long_options, NULL)) >= 0) {
		switch (c) {
		case 'p':
			if (parse_number(optarg, INT32_MAX, &number) ||
			    o->pid_count == TARGETS_MAX) {
				cli_fail("--pid %s: expected a process's number", optarg);
				return 3;
			}
			o->pids[o->pid_count++] = (pid_t)number;
			break;
		case 'x':
			if (o->file_count < TARGETS_MAX)
				o->files[o->file_count++] = optarg;
			break;
		case 'a':
			o->all = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			usage(stdout);
			return 1;
		default:
			fputs("`weir list --help` says more.\n", stderr);
			return 3;
		}
	}
	o->patterns = (const char *const *)argv + optind;
	o->pattern_count = (size_t)(argc - optind);
	return 0;
}

/* --- output */

static int print_json(const struct listed_probe *p)
{
	json_object *o = json_object_new_object(), *fields = json_object_new_array();
	json_object *attached = json_object_new_array();
	char text[32];

	json_object_object_add(o, "pid", p->pid ? json_object_new_int(p->pid) : NULL);
	json_object_object_add(o, "provider", json_object_new_string(p->provider));
	json_object_object_add(o, "probe", json_object_new_string(p->name));
	for (size_t i = 0; i < p->fields_count; i++) {
		json_object *f = json_object_new_object();

		json_object_object_add(f, "name", json_object_new_string(p->fields[i].name));
		json_object_object_add(f, "type", json_object_new_string(p->fields[i].type));
		json_object_array_add(fields, f);
	}
	json_object_object_add(o, "fields", fields);
	json_object_object_add(o, "kind",
	                       json_object_new_string(p->kind == PROBE_WEIR ? "weir" : "usdt"));
	if (p->pid)
		json_object_object_add(o, "process", json_object_new_string(p->process));
	json_object_object_add(o, "file", *p->file ? json_object_new_string(p->file) : NULL);
	json_object_object_add(o, "sites", json_object_new_int64((int64_t)p->sites));
	json_object_object_add(o, "semaphore",
	                       !p->has_semaphore  ? NULL
	                       : p->semaphore < 0 ? json_object_new_string("unknown")
	                                          : json_object_new_int(p->semaphore));
	if (p->attached & ATTACHED_USDT)
		json_object_array_add(attached, json_object_new_string("usdt"));
	for (size_t i = 0; i < p->owners_count; i++) {
		snprintf(text, sizeof(text), "buffer(pid %" PRIu32 ")", p->owners[i]);
		json_object_array_add(attached, json_object_new_string(text));
	}
	if (p->attached & ATTACHED_UNKNOWN)
		json_object_array_add(attached, json_object_new_string("unknown"));
	json_object_object_add(o, "attached", attached);
	if (p->deleted)
		json_object_object_add(o, "deleted", json_object_new_boolean(true));
	if (p->replaced)
		json_object_object_add(o, "replaced", json_object_new_boolean(true));
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return 0;
}

/* --- the command */

static int list_all(struct listing *listing, const struct options *o,
                    const struct listing_options *options)
{
	pid_t *pids;
	size_t count;
	int code = process_list(&pids, &count);

	if (code)
		return cli_fail("cannot read /proc: %s", strerror(-code));
	for (size_t i = 0; i < count; i++) {
		struct process process;

		if (pids[i] == getpid() || process_read(pids[i], &process))
			continue;
		if (!o->all && process.uid.effective != geteuid())
			continue;
		code = listing_process(listing, pids[i], options, NULL);
		if (code == -EACCES || code == -EPERM)
			listing->denied++;
	}
	free(pids);
	return 0;
}

static int collect(struct listing *listing, const struct options *o,
                   const struct listing_options *options)
{
	struct weir_error err = { 0 };
	int status = 0;

	if (!o->pid_count && !o->file_count)
		return list_all(listing, o, options);
	for (size_t i = 0; i < o->pid_count; i++) {
		if (listing_process(listing, o->pids[i], options, &err))
			status = cli_fail_error(&err);
	}
	for (size_t i = 0; i < o->file_count; i++) {
		if (listing_file(listing, o->files[i], options, &err))
			status = cli_fail_error(&err);
	}
	return status;
}

/* Nothing fits the patterns: what is there instead? */
static int no_match(const struct options *o, const struct patterns *patterns, bool only_weir)
{
	struct listing all = { 0 };
	struct patterns none = { 0 };
	struct listing_options options = { .patterns = &none, .only_weir = only_weir };
	struct weir_error err = { 0 };
	char where[128] = "", command[64] = "", **names;

	collect(&all, o, &options);
	if (o->pid_count) {
		struct process process = { 0 };

		process_read(o->pids[0], &process);
		snprintf(where, sizeof(where), "process %d (%s)", o->pids[0], process.comm);
		snprintf(command, sizeof(command), "weir list -p %d", o->pids[0]);
	} else if (o->file_count) {
		snprintf(where, sizeof(where), "%.120s", o->files[0]);
		snprintf(command, sizeof(command), "weir list -x FILE");
	} else {
		snprintf(where, sizeof(where), "%s",
		         o->all ? "any process that may be looked at" : "your weir processes");
		snprintf(command, sizeof(command), o->all ? "weir list --all" : "weir list");
	}
	names = calloc(all.count + 1, sizeof(*names));
	for (size_t i = 0; names && i < all.count; i++) {
		if (asprintf(&names[i], "%s:%s", all.probes[i].provider, all.probes[i].name) < 0)
			names[i] = NULL;
	}
	if (names && all.count && patterns->count)
		nearest_error(&err, patterns->list[0], where, (const char *const *)names, all.count,
		              command);
	else
		snprintf(err.message, sizeof(err.message), "no probes in %s",
		         *where ? where : "what was looked at");
	for (size_t i = 0; names && i < all.count; i++)
		free(names[i]);
	free(names);
	listing_deinit(&all);
	return cli_fail_error(&err);
}

static void hints(const struct listing *listing, const struct options *o)
{
	if (!isatty(STDERR_FILENO) && listing->count)
		return;
	if (!o->pid_count && !o->file_count && !o->all)
		fprintf(stderr,
		        "weir: %s; --all shows every user's processes and plain USDT probes, -p "
		        "PID all of "
		        "one\n",
		        listing->count ? "these are the weir probes of your processes"
		                       : "none of your processes has weir probes");
	if (listing->denied)
		fprintf(stderr,
		        "weir: %zu of the processes may not be looked at; sudo weir list --all\n",
		        listing->denied);
}

int cmd_list(int argc, char **argv)
{
	struct options o = { 0 };
	struct patterns patterns = { 0 };
	struct listing listing = { 0 };
	struct weir_error err = { 0 };
	int status = parse_options(argc, argv, &o);
	struct listing_options options = { .patterns = &patterns };

	if (status)
		return status - 1;
	if (o.pattern_count && patterns_parse(o.patterns, o.pattern_count, &patterns, &err)) {
		cli_fail_error(&err);
		return 2;
	}
	options.only_weir = !o.pid_count && !o.file_count && !o.all;
	status = collect(&listing, &o, &options);
	if (o.json) {
		for (size_t i = 0; i < listing.count; i++)
			print_json(&listing.probes[i]);
	} else if (listing.count) {
		list_table(&listing);
	}
	if (listing.refused)
		cli_fail("%zu notes are not what they claim and were left out", listing.refused);
	if (listing.unread == 1)
		cli_fail("%s", listing.first_unread.message);
	else if (listing.unread)
		cli_fail("%zu mapped files cannot be read; the first: %s", listing.unread,
		         listing.first_unread.message);
	if (!listing.count && !status && (o.pid_count || o.file_count || o.pattern_count))
		status = no_match(&o, &patterns, options.only_weir);
	else if (!status)
		hints(&listing, &o);
	listing_deinit(&listing);
	patterns_deinit(&patterns);
	return status;
}
