/* SPDX-License-Identifier: MIT */
/* Cutting files of packets to their last whole one, after something ended the writer. */
#include "reader/ctf.h"

#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* Bytes of whole packets from the start. */
static uint64_t whole_packets(const uint8_t *data, uint64_t size)
{
	uint64_t at = 0;

	while (size - at >= sizeof(struct ctf_packet_head)) {
		struct ctf_packet_head head;

		memcpy(&head, data + at, sizeof(head));
		if (head.magic != CTF_MAGIC || head.packet_bits % 64 ||
		    head.packet_bits / 8 < sizeof(head) || head.packet_bits / 8 > size - at ||
		    head.content_bits > head.packet_bits)
			break;
		at += head.packet_bits / 8;
	}
	return at;
}

static uint64_t whole_frames(const uint8_t *data, uint64_t size)
{
	uint64_t at = 0;

	while (at < size) {
		size_t n = ZSTD_findFrameCompressedSize(data + at, size - at);

		if (ZSTD_isError(n))
			break;
		at += n;
	}
	return at;
}

static int file_repair(const char *path, bool frames, bool dry, uint64_t *cut)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	uint64_t good = 0;
	int code = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		code = -errno;
	if (!code && st.st_size) {
		uint8_t *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

		if (data == MAP_FAILED) {
			code = -errno;
		} else {
			madvise(data, (size_t)st.st_size, MADV_SEQUENTIAL);
			good = (frames ? whole_frames : whole_packets)(data, (uint64_t)st.st_size);
			munmap(data, (size_t)st.st_size);
		}
	}
	*cut = (uint64_t)st.st_size - good;
	if (!code && *cut && !dry && ftruncate(fd, (off_t)good))
		code = -errno;
	close(fd);
	/* A file without a packet would make the whole trace unreadable. */
	if (!code && !good && !dry)
		unlink(path);
	return code;
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
		if (!dry && e->fts_info == FTS_F && e->fts_name[0] == '.' &&
		    strstr(e->fts_name, ".new"))
			unlink(e->fts_accpath); /* a metadata file that was being written */
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
