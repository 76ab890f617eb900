/* SPDX-License-Identifier: MIT */
/* Cutting files of packets to their last whole one, after something ended the writer. */
#include "reader/ctf_file.h"

#include "reader/cleanup.h"
#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_repair(const char *path, bool frames, bool dry, uint64_t *cut)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct ctf_packet_head last;
	uint64_t tail;
	struct stat st;
	int64_t good;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	good = ctf_whole(fd, frames, &last, &tail);
	if (good < 0)
		return (int)good;
	*cut = (uint64_t)(st.st_size - good);
	if (*cut && !dry && ftruncate(fd, good))
		return -errno;
	/* A file without a packet would make the whole trace unreadable. */
	if (!good && !dry)
		unlink(path);
	return 0;
}

/* A metadata file that was being written, or a part that waited to be written over. */
static bool is_left_over(const char *name)
{
	return name[0] == '.' && (strstr(name, ".new") || !strcmp(name, CTF_SPARE));
}

int ctf_repair(const char *path, bool dry, void (*cut)(void *arg, const char *file, uint64_t bytes),
               void *arg, struct weir_error *err)
{
	char *paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	int files = 0, code = 0;

	if (!fts)
		return weir_err(err, -errno, "cannot read %s: %s", path, strerror(errno));
	for (FTSENT *e; !code && (e = fts_read(fts));) {
		uint64_t bytes = 0;

		if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			code = weir_err(err, -e->fts_errno, "cannot read %s: %s", e->fts_path,
			                strerror(e->fts_errno));
			break;
		}
		if (!dry && e->fts_info == FTS_F && is_left_over(e->fts_name))
			unlink(e->fts_accpath);
		if (e->fts_info != FTS_F || strncmp(e->fts_name, "stream_", 7))
			continue;
		files++;
		code = file_repair(e->fts_accpath,
		                   e->fts_namelen > 4 &&
		                       !strcmp(e->fts_name + e->fts_namelen - 4, ".zst"),
		                   dry, &bytes);
		if (code)
			weir_err(err, code, "cannot repair %s: %s", e->fts_path, strerror(-code));
		else if (bytes && cut)
			cut(arg, e->fts_path, bytes);
	}
	fts_close(fts);
	return code ? code : files;
}
