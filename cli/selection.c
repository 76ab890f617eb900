/* SPDX-License-Identifier: MIT */
#include "cli/selection.h"

#include "cli/cmd.h"
#include "cli/parse.h"

#include <errno.h>
#include <inttypes.h>

int cli_wrong(const char *option, const char *value, const char *expected)
{
	cli_fail("%s %s: expected %s", option, value, expected);
	return 2;
}

/* 0 or -EINVAL. */
static int find_command(struct selection *s, int argc, char **argv, int *end)
{
	*end = cli_split_command(argc, argv, &s->command);
	if (!s->command || *s->command)
		return 0;
	cli_fail("after -- comes the command to run");
	return -EINVAL;
}

static int add_pid(struct selection *s, const char *value)
{
	uint64_t number;

	if (parse_number(value, INT32_MAX, &number)) {
		cli_wrong("--pid", value, "a process's number");
		return -EINVAL;
	}
	if (s->pid_count == SELECTION_PIDS_MAX) {
		cli_fail("--pid: more than %d; use --all", SELECTION_PIDS_MAX);
		return -EINVAL;
	}
	s->pids[s->pid_count++] = (pid_t)number;
	return 0;
}

/* One option: 1 if it is none of these, 0, or -EINVAL. */
static int take_option(struct selection *s, int option, const char *value)
{
	switch (option) {
	case 'p':
		return add_pid(s, value);
	case 'a':
		s->all = true;
		return 0;
	case 'f':
		s->follow = true;
		return 0;
	case 'w':
		s->wait = true;
		return 0;
	default:
		return 1;
	}
}

int selection_parse(struct selection *s, const struct selection_command *command, void *options,
                    int argc, char **argv, int *end)
{
	int c;

	if (find_command(s, argc, argv, end))
		return 3;
	while ((c = getopt_long(*end, argv, command->short_options, command->long_options, NULL)) >=
	       0) {
		int status;

		if (c == 'h') {
			command->usage(stdout);
			return 1;
		}
		if (c == '?') {
			fprintf(stderr, "`weir %s --help` says more.\n", command->verb);
			return 3;
		}
		status = take_option(s, c, optarg);
		if (status > 0)
			status = command->option(options, c);
		if (status)
			return 3;
	}
	return 0;
}

int selection_end(struct selection *s, char **argv, int first, int end, const char *verb)
{
	/* A command's children inherit the environment that switches the probes on. */
	s->follow |= s->command != NULL;
	s->patterns = (const char *const *)argv + first;
	s->pattern_count = (size_t)(end - first);
	if ((s->pid_count != 0) + s->all + (s->command != NULL) > 1) {
		cli_fail("%s takes one of -p PID, --all and -- COMMAND, not several: run weir once "
		         "for each",
		         verb);
		return -EINVAL;
	}
	if (s->pid_count || s->all || s->command)
		return 0;
	cli_fail("%s what? -p PID, --all, or -- COMMAND", verb);
	return -EINVAL;
}

int selection_attach(const struct selection *s, const struct patterns *patterns,
                     struct tracer *tracer, struct launch *launch, struct weir_error *err)
{
	size_t failed = 0;
	int code = 0;

	for (size_t i = 0; i < s->pid_count; i++) {
		int one = tracer_add(tracer, s->pids[i], err);

		if (!one)
			continue;
		code = one;
		if (++failed < s->pid_count)
			cli_fail("%s", err->message);
	}
	if (code && failed == s->pid_count)
		return code;
	return s->command ? launch_start(launch, s->command, patterns, tracer, err) : 0;
}

int selection_missed(const struct selection *s, struct tracer *tracer, const struct launch *launch,
                     int status)
{
	struct weir_error err;

	if (!launch->pid || s->wait ||
	    !tracer_explain(tracer, launch->command, launch->program, &err))
		return status;
	cli_fail_error(&err);
	return !launch->killed && !status ? 1 : status;
}

static void summary_missed(uint64_t missed)
{
	bool one = missed == 1;

	if (missed)
		fprintf(stderr,
		        "weir: %" PRIu64 " forked process%s ended before weir could read %s: %s "
		        "probes were on, and what %s fired is not here, nor counted as lost\n",
		        missed, one ? "" : "es", one ? "its memory" : "their memory",
		        one ? "its" : "their", one ? "it" : "they");
}

static void summary_unseen(uint64_t unseen)
{
	bool one = unseen == 1;

	if (unseen)
		fprintf(stderr,
		        "weir: %" PRIu64 " followed process%s ended before weir found probes in "
		        "%s: if %s fired, those events are not here, nor counted as lost\n",
		        unseen, one ? "" : "es", one ? "it" : "them", one ? "it" : "they");
}

void selection_summary(const struct selection *s, const struct tracer *tracer)
{
	uint64_t missed = tracer_missed(tracer);

	summary_missed(missed);
	/* The programs that a command runs were armed by their environment, and waited for weir. */
	if (!s->command && tracer->unseen > missed)
		summary_unseen(tracer->unseen - missed);
	if (tracer->overrun)
		fputs("weir: the kernel had more process events than weir could take: children "
		      "may be missing\n",
		      stderr);
}
