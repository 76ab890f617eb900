/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct cli_command cli_commands[] = {
	{ "list", "show probes, their fields, and who is attached", cmd_list },
	{ "trace", "print events of running programs as they happen", cmd_trace },
	{ "record", "record events to disk, as CTF", cmd_record },
	{ "report", "say what is in a recording: which key is slow, and when", cmd_report },
	{ "repair", "make a recording readable that was cut off", cmd_repair },
	{ "unpack", "decompress a recording for other tools", cmd_unpack },
	{ "doctor", "say what this machine and this user can do", cmd_doctor },
	{ "types", "make and show BTF of programs, libraries and headers", cmd_types },
	{ "print", "typed values of a live process or a core file", cmd_print },
	{ NULL, NULL, NULL },
};

static void usage(FILE *to)
{
	fputs("usage: weir COMMAND [OPTIONS]\n\ncommands:\n", to);
	for (const struct cli_command *c = cli_commands; c->name; c++)
		fprintf(to, "  %-8s %s\n", c->name, c->summary);
	fputs("\n`weir COMMAND --help` and `man weir-COMMAND` say more.\n", to);
}

/* Strings of events are UTF-8, whatever little this machine's locale knows. */
static void set_locale(void)
{
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
	set_locale();
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("weir %d.%d\n", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR);
		return 0;
	}
	for (const struct cli_command *c = cli_commands; c->name; c++) {
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	}
	cli_fail("there is no command `%s`; `weir --help` lists them", argv[1]);
	return 2;
}
