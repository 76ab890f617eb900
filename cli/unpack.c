/* SPDX-License-Identifier: MIT */
/* weir unpack: recordings that were compressed, for tools that read plain CTF. */
#include "cli/cmd.h"
#include "reader/ctf.h"

#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static void usage(FILE *to)
{
	fputs("usage: weir unpack [-q] DIR...\n"
	      "\n"
	      "Decompress a recording of weir record --compress, for babeltrace2 and others.\n"
	      "\n"
	      "  -q, --quiet  do not name the files\n"
	      "  -h, --help\n",
	      to);
}

/* A packet is two frames: behind the first one, a frame has ended and no packet has. */
static int check_whole(int fd)
{
	struct ctf_packet_head last;
	struct stat st;
	uint64_t tail;
	int64_t whole = ctf_whole(fd, true, &last, &tail);

	if (whole < 0)
		return (int)whole;
	if (fstat(fd, &st))
		return -errno;
	return whole == st.st_size ? 0 : -EBADMSG;
}

/* One stream of frames to another file. */
static int copy(FILE *from, FILE *to, ZSTD_DStream *zstd)
{
	static char in[1 << 17], out[1 << 17];
	size_t n, left = 0;

	ZSTD_initDStream(zstd);
	while ((n = fread(in, 1, sizeof(in), from)) > 0) {
		ZSTD_inBuffer input = { in, n, 0 };

		while (input.pos < input.size) {
			ZSTD_outBuffer output = { out, sizeof(out), 0 };

			left = ZSTD_decompressStream(zstd, &output, &input);
			if (ZSTD_isError(left))
				return -EBADMSG;
			if (fwrite(out, 1, output.pos, to) != output.pos)
				return -errno;
		}
	}
	return ferror(from) ? -EIO : left ? -EBADMSG : 0;
}

static int unpack(const char *path, bool quiet, ZSTD_DStream *zstd)
{
	char target[4096];
	FILE *from, *to;
	int code;

	snprintf(target, sizeof(target), "%.*s", (int)strlen(path) - 4, path);
	from = fopen(path, "re");
	if (!from)
		return cli_fail("cannot read %s: %s", path, strerror(errno));
	to = fopen(target, "wxe");
	if (!to) {
		code = errno;
		fclose(from);
		return cli_fail("cannot make %s: %s", target, strerror(code));
	}
	code = check_whole(fileno(from));
	if (!code)
		code = copy(from, to, zstd);
	fclose(from);
	if (fclose(to) && !code)
		code = -errno;
	if (code) {
		unlink(target);
		return cli_fail("cannot decompress %s: %s", path,
		                code == -EBADMSG ? "it is damaged or cut off; weir repair may help"
		                                 : strerror(-code));
	}
	unlink(path); /* babeltrace2 would take it for a stream */
	if (!quiet)
		printf("%s\n", target);
	return 0;
}

static int unpack_all(char **folders, bool quiet, size_t *files)
{
	FTS *fts = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	ZSTD_DStream *zstd = ZSTD_createDStream();
	int status = 0;

	for (FTSENT *e; fts && zstd && (e = fts_read(fts));) {
		if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR)
			status =
			    cli_fail("cannot read %s: %s", e->fts_path, strerror(e->fts_errno));
		if (e->fts_info != FTS_F || strncmp(e->fts_name, "stream_", 7) ||
		    e->fts_namelen < 4 || strcmp(e->fts_name + e->fts_namelen - 4, ".zst"))
			continue;
		++*files;
		status |= unpack(e->fts_path, quiet, zstd);
	}
	ZSTD_freeDStream(zstd);
	if (fts)
		fts_close(fts);
	return status;
}

int cmd_unpack(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool quiet = false;
	size_t files = 0;
	int c, status;

	while ((c = getopt_long(argc, argv, "qh", options, NULL)) >= 0) {
		if (c != 'q') {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
		quiet = true;
	}
	if (optind == argc) {
		cli_fail("unpack what? weir unpack DIR");
		return 2;
	}
	status = unpack_all(argv + optind, quiet, &files);
	if (!status && !files)
		return cli_fail("there is nothing compressed in it");
	return status;
}
