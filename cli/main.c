/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"
#include "cli/stdout.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/module.h"

const struct cli_command cli_commands[] = {
	{ "list", "show probes, their fields, and who is attached", .module = MODULE_COMMANDS },
	{ "trace", "print events of running programs as they happen", .module = MODULE_COMMANDS },
	{ "record", "record events to disk, as CTF", .module = MODULE_COMMANDS },
	{ "report", "say what is in a recording: which key is slow, and when",
	  .module = MODULE_COMMANDS },
	{ "repair", "make a recording readable that was cut off", .module = MODULE_COMMANDS },
	{ "unpack", "decompress a recording for other tools", .module = MODULE_COMMANDS },
	{ "doctor", "say what this machine and this user can do", .module = MODULE_COMMANDS },
	{ "types", "make and show BTF of programs, libraries and headers", .module = MODULE_TYPES },
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

/* Tables are UTF-8, whatever little this machine's locale knows. */
static void set_locale(void)
{
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

static int run(int argc, char **argv)
{
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
		if (strcmp(argv[1], c->name))
			continue;
		if (!c->module)
			return c->run(argc - 1, argv + 1);
		set_locale();
		return module_run(c->module, argc - 1, argv + 1);
	}
	cli_fail("there is no command `%s`; `weir --help` lists them", argv[1]);
	return 2;
}

int main(int argc, char **argv)
{
	stdout_begin();
	set_locale();
	return stdout_end(run(argc, argv));
}
