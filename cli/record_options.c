/* SPDX-License-Identifier: MIT */
#include "cli/record.h"

#include "cli/cmd.h"
#include "cli/parse.h"

#include <stdio.h>
#include <string.h>

#define SIZE_MIN       (UINT64_C(1) << 20)
#define BUFFER_DEFAULT (UINT64_C(32) << 20)

static void usage(FILE *to)
{
	fputs(
	    "usage: weir record -o DIR -p PID [OPTIONS] [PATTERN...]\n"
	    "       weir record -o DIR --all [OPTIONS] [PATTERN...]\n"
	    "       weir record -o DIR [OPTIONS] [PATTERN...] -- COMMAND [ARGUMENT...]\n"
	    "\n"
	    "Record the events of weir probes to disk, as CTF: weir report, babeltrace2 and Trace\n"
	    "Compass read it. A PATTERN is PROVIDER:PROBE with * ? [a-z].\n"
	    "\n"
	    "  -o, --output DIR     where to; made if it is not there\n"
	    "  -p, --pid PID        record this process; may be given again\n"
	    "  -a, --all            every process that has such a probe, also later ones\n"
	    "  -f, --follow         also children that they fork\n"
	    "  -w, --wait           wait for probes that do not exist yet\n"
	    "  -d, --duration S     end after S seconds\n"
	    "  -s, --size SIZE      keep the newest SIZE bytes of each process, such as 500M\n"
	    "  -z, --compress       zstd; weir report reads it as it is, weir unpack unpacks it\n"
	    "  -O, --overwrite      flight recorder: keep the newest events in memory, write them "
	    "on\n"
	    "                       Ctrl-\\, SIGUSR1, and when the process or weir ends\n"
	    "  -u, --until EXPR     flight recorder that ends at the first event that fits: 'ms > "
	    "500'\n"
	    "  -m, --mode MODE      when the buffer is full: drop (default), block\n"
	    "  -b, --buffer SIZE    bytes per process, such as 64M (default 32M)\n"
	    "  -q, --quiet          no progress, no summary\n"
	    "  -h, --help\n",
	    to);
}

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },   SELECTION_LONG,
	{ "duration", required_argument, NULL, 'd' }, { "size", required_argument, NULL, 's' },
	{ "compress", no_argument, NULL, 'z' },       { "overwrite", no_argument, NULL, 'O' },
	{ "until", required_argument, NULL, 'u' },    { "mode", required_argument, NULL, 'm' },
	{ "buffer", required_argument, NULL, 'b' },   { "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },           { 0 },
};

static int parse_option(void *options, int c)
{
	struct record_options *o = options;

	switch (c) {
	case 'o':
		o->folder = optarg;
		return 0;
	case 'd':
		return parse_seconds(optarg, &o->duration) || !o->duration
		           ? cli_wrong("--duration", optarg, "seconds, such as 10 or 0.5")
		           : 0;
	case 's':
		return parse_size(optarg, &o->ctf.size) || o->ctf.size < SIZE_MIN
		           ? cli_wrong("--size", optarg, "a size of 1M or more, such as 500M")
		           : 0;
	case 'z':
		o->ctf.compress = true;
		return 0;
	case 'O':
		o->overwrite = true;
		return 0;
	case 'u':
		o->until = optarg;
		return 0;
	case 'm':
		if (!strcmp(optarg, "drop"))
			o->mode = WEIR_MODE_DROP;
		else if (!strcmp(optarg, "block"))
			o->mode = WEIR_MODE_BLOCK;
		else
			return cli_wrong("--mode", optarg,
			                 "drop or block; --overwrite is the flight recorder");
		return 0;
	case 'b':
		o->sized = true;
		return parse_size(optarg, &o->buffer) || !o->buffer
		           ? cli_wrong("--buffer", optarg, "a size, such as 64M")
		           : 0;
	case 'q':
		o->quiet = true;
		return 0;
	default:
		return 2;
	}
}

static int check_options(const struct record_options *o)
{
	if (o->overwrite && o->until)
		return cli_fail("--until is a flight recorder already; leave --overwrite away");
	if (o->overwrite && o->mode == WEIR_MODE_BLOCK)
		return cli_fail("--mode block and --overwrite exclude each other");
	return 0;
}

int record_parse(int argc, char **argv, struct record_options *o)
{
	static const struct selection_command command = {
		.verb = "record",
		.short_options = SELECTION_SHORT "o:d:s:zOu:m:b:qh",
		.long_options = long_options,
		.usage = usage,
		.option = parse_option,
	};
	int end, status;

	o->buffer = BUFFER_DEFAULT;
	status = selection_parse(&o->selection, &command, o, argc, argv, &end);
	if (status)
		return status;
	/* Where to is asked first, as it comes first in the usage. */
	if (!o->folder || !*o->folder) {
		cli_fail("where to? -o DIR");
		return 3;
	}
	status = selection_end(&o->selection, argv, optind, end, command.verb);
	return status || check_options(o) ? 3 : 0;
}
