/* SPDX-License-Identifier: MIT */
/*
 * What weir trace and weir record work on: -p, --all, --follow, --wait, patterns, and a command
 * behind `--`. One set of options, one way to attach.
 */
#ifndef WEIR_CLI_SELECTION_H
#define WEIR_CLI_SELECTION_H

#include "cli/launch.h"
#include "reader/tracer.h"

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

/* Sets the command that is behind `--`; *end: how many arguments are before it. 0 or -EINVAL. */
int selection_begin(struct selection *selection, int argc, char **argv, int *end);

/* One option: 1 if it is none of these, 0, or -EINVAL. */
int selection_option(struct selection *selection, int option, const char *value);

/* After the options: what is left are patterns. -EINVAL if nothing was selected to `verb`. */
int selection_end(struct selection *selection, char **argv, int first, int end, const char *verb);

/*
 * Add the processes to the tracer and start the command. One of many may be gone: the others are
 * traced, and it is said.
 */
int selection_attach(const struct selection *selection, const struct patterns *patterns,
                     struct tracer *tracer, struct launch *launch, struct weir_error *err);

/* Part of the summary: what `lost` does not count, because nobody knows of it. */
void selection_summary(const struct selection *selection, const struct tracer *tracer);

/* "OPTION VALUE: expected ..."; returns 2, the exit status of wrong usage. */
int cli_wrong(const char *option, const char *value, const char *expected);

#endif
