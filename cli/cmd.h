/* SPDX-License-Identifier: MIT */
/*
 * Command = file = man page: cli/NAME.c defines cmd_NAME, man/weir-NAME.1.scd describes it, and
 * the table in cli/main.c names it. A command gets argv from its own name on and returns the exit
 * status: 0 done, 1 failed (a message was printed), 2 wrong usage.
 */
#ifndef WEIR_CLI_CMD_H
#define WEIR_CLI_CMD_H

#include <weir/weir.h>

#include <stdint.h>

struct cli_command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
	const char *module; /* the module whose command it is, instead of `run` (module.h) */
};

int cmd_doctor(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_repair(int argc, char **argv);
int cmd_unpack(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_print(int argc, char **argv);

extern const struct cli_command cli_commands[]; /* ended by a NULL name */

int cmd_types(int argc, char **argv);

/* ns since the epoch as local time, to the microsecond. Returns `ret`. */
#define CLI_TIME_ROOM 48
const char *cli_time(int64_t ns, char ret[CLI_TIME_ROOM]);

/* Print "weir NAME: ..." to stderr, in red on a terminal; returns 1, an exit status. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_fail_error(const struct weir_error *err);

#endif
