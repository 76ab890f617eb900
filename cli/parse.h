/* SPDX-License-Identifier: MIT */
/* Values of options, as every command reads them. 0, or -EINVAL. */
#ifndef WEIR_CLI_PARSE_H
#define WEIR_CLI_PARSE_H

#include <stdint.h>

/* "64M", "1GiB", "4096": bytes, not 0. */
int parse_size(const char *text, uint64_t *ret);
/* A number from 1 to `most`. */
int parse_number(const char *text, uint64_t most, uint64_t *ret);
/* "10", "0.5": to ns. */
int parse_seconds(const char *text, int64_t *ret);

/*
 * What is behind `--` is a command: *command points to it, or is NULL. Returns how many arguments
 * are before it, so that a pattern there is none of the command's.
 */
int cli_split_command(int argc, char **argv, char ***command);

#endif
