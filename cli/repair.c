/* SPDX-License-Identifier: MIT */
/* weir repair: recordings that were cut off. */
#include "cli/cmd.h"
#include "reader/ctf.h"
#include "reader/error.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static void usage(FILE *to)
{
	fputs("usage: weir repair [-n] DIR...\n"
	      "\n"
	      "Cut the files of a recording that was cut off to their last whole packet.\n"
	      "\n"
	      "  -n, --dry-run  only say what would be cut\n"
	      "  -h, --help\n",
	      to);
}

static void tell(void *arg, const char *file, uint64_t bytes)
{
	const bool *dry = arg;

	printf("%s: %s %" PRIu64 " bytes behind the last whole packet\n", file,
	       *dry ? "would cut" : "cut", bytes);
}

int cmd_repair(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool dry = false;
	struct weir_error err;
	int status = 0;
	int c;

	while ((c = getopt_long(argc, argv, "nh", options, NULL)) >= 0) {
		if (c != 'n') {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
		dry = true;
	}
	if (optind == argc) {
		cli_fail("repair what? weir repair DIR");
		return 2;
	}
	for (int i = optind; i < argc; i++) {
		int files = ctf_repair(argv[i], dry, tell, &dry, &err);

		if (files < 0)
			status = cli_fail_error(&err);
		else if (!files)
			status = cli_fail("%s: there is no recording in it", argv[i]);
	}
	return status;
}
