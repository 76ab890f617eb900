/* SPDX-License-Identifier: MIT */
/*
 * What weir trace and weir record work on: -p, --all, --follow, --wait, patterns, and a command
 * behind `--`. One set of options, one way to attach.
 */
#ifndef WEIR_CLI_SELECTION_H
#define WEIR_CLI_SELECTION_H

#include "cli/launch.h"
#include "reader/tracer.h"

#include <getopt.h>
#include <stdio.h>

#define SELECTION_PIDS_MAX 256

/* For getopt_long, beside a command's own. */
#define SELECTION_SHORT "p:afw"
/* clang-format off */
#define SELECTION_LONG                                                                             \
	{ "pid", required_argument, NULL, 'p' },                                                   \
	{ "all", no_argument, NULL, 'a' },                                                         \
	{ "follow", no_argument, NULL, 'f' },                                                      \
	{ "wait", no_argument, NULL, 'w' }
/* clang-format on */

struct selection {
	pid_t pids[SELECTION_PIDS_MAX];
	size_t pid_count;
	bool all;
	bool follow;
	bool wait;
	char **command; /* NULL: none */
	const char *const *patterns;
	size_t pattern_count;
};

/* A command and what it takes beside the selection. */
struct selection_command {
	const char *verb;
	const char *short_options; /* with SELECTION_SHORT in front, and an `h` */
	const struct option *long_options;
	void (*usage)(FILE *to);
	/* One of its own, with its value in optarg: 0, or 2 and it was said what is wrong. */
	int (*option)(void *options, int option);
};

/*
 * Reads all options, and sets the command that is behind `--`; *end: how many arguments are before
 * it. 0: go on; else the exit status plus one.
 */
int selection_parse(struct selection *selection, const struct selection_command *command,
                    void *options, int argc, char **argv, int *end);

/* After the options: what is left are patterns. -EINVAL if nothing was selected to `verb`. */
int selection_end(struct selection *selection, char **argv, int first, int end, const char *verb);

/*
 * Add the processes to the tracer and start the command. One of many may be gone: the others are
 * traced, and it is said.
 */
int selection_attach(const struct selection *selection, const struct patterns *patterns,
                     struct tracer *tracer, struct launch *launch, struct weir_error *err);

/*
 * After the end: say so if a command never had a probe that was asked for. The exit status: that of
 * launch_finish(), `status`, but not 0 if the command ended by itself.
 */
int selection_missed(const struct selection *selection, struct tracer *tracer,
                     const struct launch *launch, int status);

/* Part of the summary: what `lost` does not count, because nobody knows of it. */
void selection_summary(const struct selection *selection, const struct tracer *tracer);

/* "OPTION VALUE: expected ..."; returns 2, the exit status of wrong usage. */
int cli_wrong(const char *option, const char *value, const char *expected);

#endif
