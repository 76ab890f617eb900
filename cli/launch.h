/* SPDX-License-Identifier: MIT */
/*
 * `-- COMMAND`: a program that starts with its probes on. Its environment carries the patterns, and
 * its first publish waits for us; daemons that it leaves behind become our children and are found.
 */
#ifndef WEIR_CLI_LAUNCH_H
#define WEIR_CLI_LAUNCH_H

#include "reader/tracer.h"

struct launch {
	pid_t pid; /* 0: nothing was started */
	bool ended;
	bool killed; /* by us */
	int status;  /* from waitpid */
	const char *command;
	char program[4096]; /* that it ran first; "" if it ended at once */
};

int launch_start(struct launch *launch, char **command, const struct patterns *patterns,
                 struct tracer *tracer, struct weir_error *err);

/* Collect children that ended. */
void launch_reap(struct launch *launch);

/* End it if it runs still. The exit status that weir passes on; 0 if weir ended it. */
int launch_finish(struct launch *launch);

#endif
