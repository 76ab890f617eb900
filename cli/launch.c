/* SPDX-License-Identifier: MIT */
#include "cli/launch.h"

#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_environment(const char *patterns, const struct session_options *options)
{
	char bytes[24], mailbox[40];

	snprintf(bytes, sizeof(bytes), "%" PRIu64, options->buffer);
	snprintf(mailbox, sizeof(mailbox), "%" PRIx64 ":%" PRIx64, options->mailbox,
	         options->mailbox_key);
	setenv("WEIR_TRACE", patterns, 1);
	if (options->sized)
		setenv("WEIR_TRACE_BUFFER", bytes, 1);
	else
		unsetenv("WEIR_TRACE_BUFFER");
	if (options->mailbox)
		setenv("WEIR_TRACE_MAILBOX", mailbox, 1);
	else
		unsetenv("WEIR_TRACE_MAILBOX");
}

static void run(char **command, int report)
{
	int code;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	execvp(command[0], command);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static void find_program(struct launch *launch)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", launch->pid);
	n = readlink(link, launch->program, sizeof(launch->program) - 1);
	launch->program[n > 0 ? n : 0] = 0;
}

int launch_start(struct launch *launch, char **command, const struct patterns *patterns,
                 struct tracer *tracer, struct weir_error *err)
{
	char joined[WEIR_SESSION_PATTERN_SIZE];
	int report[2], code = 0;

	if (!patterns_join(patterns, joined, sizeof(joined)))
		return weir_err(
		    err, -E2BIG,
		    "the patterns for a command may have %zu characters together; use shorter "
		    "ones",
		    sizeof(joined) - 1);
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	launch->pid = fork();
	if (!launch->pid) {
		set_environment(joined, &tracer->options.session);
		run(command, report[1]);
	}
	if (launch->pid < 0)
		code = errno;
	close(report[1]);
	if (launch->pid > 0 && read(report[0], &code, sizeof(code)) == sizeof(code)) {
		waitpid(launch->pid, NULL, 0);
		launch->pid = 0;
	}
	close(report[0]);
	if (code)
		return weir_err(err, -code, "cannot run %s: %s", command[0], strerror(code));
	launch->command = command[0];
	find_program(launch);
	return tracer_follow(tracer, launch->pid);
}

void launch_reap(struct launch *launch)
{
	int status;
	pid_t pid;

	if (!launch->pid)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == launch->pid) {
			launch->status = status;
			launch->ended = true;
		}
	}
}

int launch_finish(struct launch *launch)
{
	if (!launch->pid)
		return 0;
	launch_reap(launch);
	if (launch->ended)
		return WIFEXITED(launch->status) ? WEXITSTATUS(launch->status)
		                                 : 128 + WTERMSIG(launch->status);
	launch->killed = true;
	kill(launch->pid, SIGTERM);
	for (int i = 0; i < 100 && !launch->ended; i++) {
		launch_reap(launch);
		if (!launch->ended)
			poll(NULL, 0, 20);
	}
	return 0;
}
