/* SPDX-License-Identifier: MIT */
#include "reader/ctf_file.h"

#include "reader/ctf_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PART_MIN  (UINT64_C(1) << 20)
#define LEVEL     1
#define FRAME_MAX (ZSTD_COMPRESSBOUND(WEIR_SHM_PACKET_SIZE))

struct ctf_part {
	struct ctf_part *next;
	uint32_t slot, number;
	uint64_t bytes;
};

int ctf_files_init(struct ctf_files *f, int dir, const struct ctf_options *options)
{
	*f = (struct ctf_files){
		.dir = dir,
		.options = *options,
		.threads = { .fd = -1, .slot = CTF_THREADS },
		.spare = -1,
	};
	f->newest = &f->oldest;
	if (!options->compress)
		return 0;
	f->zstd = ZSTD_createCCtx();
	f->frame = malloc(FRAME_MAX);
	if (!f->zstd || !f->frame) {
		ctf_files_deinit(f);
		return -ENOMEM;
	}
	return 0;
}

/* What an older part left behind the last packet goes. */
static void file_close(struct ctf_file *file)
{
	if (file->fd < 0)
		return;
	if (file->room > file->bytes && ftruncate(file->fd, (off_t)file->bytes))
		file->room = 0; /* it stays, as an empty packet */
	close(file->fd);
	file->fd = -1;
	file->room = 0;
}

void ctf_files_deinit(struct ctf_files *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		file_close(&f->slots[i]);
	file_close(&f->threads);
	if (f->spare >= 0)
		close(f->spare);
	if (f->dir >= 0) {
		unlinkat(f->dir, CTF_SPARE, 0);
		close(f->dir);
	}
	for (struct ctf_part *p = f->oldest, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	ZSTD_freeCCtx(f->zstd);
	free(f->frame);
	free(f->slots);
	*f = (struct ctf_files){ .dir = -1, .spare = -1, .threads = { .fd = -1 } };
}

struct ctf_file *ctf_files_slot(struct ctf_files *f, uint32_t slot)
{
	if (slot == CTF_THREADS)
		return &f->threads;
	if (slot >= f->count) {
		struct ctf_file *slots = realloc(f->slots, (slot + 1) * sizeof(*slots));

		if (!slots)
			return NULL;
		for (uint32_t i = f->count; i <= slot; i++)
			slots[i] = (struct ctf_file){ .fd = -1, .slot = i };
		f->slots = slots;
		f->count = slot + 1;
	}
	return &f->slots[slot];
}

/* Names are small beside packets: they are neither cut into parts nor compressed. */
static bool is_plain(const struct ctf_file *file)
{
	return file->slot == CTF_THREADS;
}

void ctf_file_name(const struct ctf_files *f, uint32_t slot, uint32_t part, char *ret, size_t size)
{
	const char *suffix = f->options.compress ? ".zst" : "";

	if (slot == CTF_THREADS)
		snprintf(ret, size, "stream_threads");
	else if (f->options.size)
		snprintf(ret, size, "stream_%u_%u%s", slot, part, suffix);
	else
		snprintf(ret, size, "stream_%u%s", slot, suffix);
}

/* --- rotation */

/* The oldest part goes; if nobody waits to be written over yet, its file does. */
static void drop_oldest(struct ctf_files *f)
{
	struct ctf_part *p = f->oldest;
	char name[64];

	ctf_file_name(f, p->slot, p->number, name, sizeof(name));
	if (f->spare < 0 && !f->zstd && !renameat(f->dir, name, f->dir, CTF_SPARE))
		f->spare = openat(f->dir, CTF_SPARE, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	else
		unlinkat(f->dir, name, 0);
	f->kept -= p->bytes;
	f->oldest = p->next;
	if (!f->oldest)
		f->newest = &f->oldest;
	free(p);
}

/* What nobody needs goes from the disk. False: there is nothing. */
static bool make_room(struct ctf_files *f)
{
	if (f->spare < 0 && f->oldest)
		drop_oldest(f);
	else if (f->spare < 0)
		return false;
	if (f->spare >= 0) {
		close(f->spare);
		f->spare = -1;
		unlinkat(f->dir, CTF_SPARE, 0);
	}
	return true;
}

int ctf_files_keep(struct ctf_files *f, uint32_t slot, uint32_t part, uint64_t bytes)
{
	struct ctf_part *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct ctf_part){ .slot = slot, .number = part, .bytes = bytes };
	*f->newest = p;
	f->newest = &p->next;
	f->kept += bytes;
	while (f->oldest && f->kept > f->options.size)
		drop_oldest(f);
	return 0;
}

static int part_close(struct ctf_files *f, struct ctf_file *file)
{
	uint64_t bytes = file->bytes;

	file_close(file);
	file->bytes = 0;
	return ctf_files_keep(f, file->slot, file->part++, bytes);
}

/* The spare file becomes this one's, still under its own name: its packets are the old ones. */
static bool spare_take(struct ctf_files *f, struct ctf_file *file)
{
	struct stat st;

	if (f->spare < 0 || fstat(f->spare, &st))
		return false;
	file->fd = f->spare;
	file->room = (uint64_t)st.st_size;
	file->spare = true;
	f->spare = -1;
	return true;
}

static int file_ready(struct ctf_files *f, struct ctf_file *file)
{
	uint64_t most = f->options.size / 8 > PART_MIN ? f->options.size / 8 : PART_MIN;
	bool rotates = f->options.size && !is_plain(file);
	char name[64];

	if (rotates && file->fd >= 0 && file->bytes >= most && part_close(f, file))
		return -ENOMEM;
	if (file->fd >= 0 || (rotates && spare_take(f, file)))
		return 0;
	ctf_file_name(f, file->slot, file->part, name, sizeof(name));
	file->fd = openat(f->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return file->fd < 0 ? -errno : 0;
}

/* --- packets */

/* The empty packet that covers what is behind `at` in a file that is written over. */
static size_t room_head(const struct ctf_file *file, const struct ctf_packet_head *head,
                        uint64_t at, struct ctf_packet_head *ret)
{
	if (file->room < at + 2 * sizeof(*ret))
		return 0;
	*ret = *head;
	ret->begin = head->end;
	ret->content_bits = sizeof(*ret) * 8;
	ret->packet_bits = (file->room - at) / 8 * 64;
	ret->sequence = head->sequence + 1;
	ret->session = ret->source = ret->source_end = ret->source_count = 0;
	return sizeof(*ret);
}

/* All of it, or the reason why not: a disk that fills takes a part first. */
static int write_all(int fd, struct iovec *io, int count, uint64_t at)
{
	while (count) {
		ssize_t n = pwritev(fd, io, count, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		at += (uint64_t)n;
		for (; count && (size_t)n >= io->iov_len; io++, count--)
			n -= (ssize_t)io->iov_len;
		if (count) {
			io->iov_base = (char *)io->iov_base + n;
			io->iov_len -= (size_t)n;
		}
	}
	return 0;
}

static ssize_t write_plain(struct ctf_file *file, const struct ctf_packet_head *head,
                           const void *records, size_t size)
{
	struct ctf_packet_head room;
	size_t want = sizeof(*head) + size;
	size_t room_size = room_head(file, head, file->bytes + want, &room);
	struct iovec io[3] = {
		{ (void *)(uintptr_t)head, sizeof(*head) },
		{ (void *)(uintptr_t)records, size },
		{ &room, room_size },
	};
	int code;

	/* No room for an empty packet any more: from here on the file grows (ctf_whole.c). */
	if (file->room && !room_size) {
		if (ftruncate(file->fd, (off_t)file->bytes))
			return -errno;
		file->room = 0;
	}
	code = write_all(file->fd, io, room_size ? 3 : 2, file->bytes);
	return code ? code : (ssize_t)want;
}

static ssize_t write_compressed(struct ctf_files *f, struct ctf_file *file,
                                const struct ctf_packet_head *head, const void *records,
                                size_t size)
{
	struct ctf_stored_head stored;
	size_t frame =
	    size ? ZSTD_compressCCtx(f->zstd, f->frame, FRAME_MAX, records, size, LEVEL) : 0;
	struct iovec io[2] = { { &stored, sizeof(stored) }, { f->frame, frame } };
	int code;

	if (ZSTD_isError(frame))
		return -EIO;
	ctf_stored_head_init(&stored, head);
	code = write_all(file->fd, io, size ? 2 : 1, file->bytes);
	return code ? code : (ssize_t)(sizeof(stored) + frame);
}

/*
 * What there is of a packet that could not be written goes: the file ends with a whole one. One
 * without any would make the trace unreadable.
 */
static void write_undo(struct ctf_files *f, struct ctf_file *file)
{
	char name[64];

	if (!ftruncate(file->fd, (off_t)file->bytes))
		file->room = 0;
	if (file->bytes)
		return;
	ctf_file_name(f, file->slot, file->part, name, sizeof(name));
	unlinkat(f->dir, file->spare ? CTF_SPARE : name, 0);
	close(file->fd);
	file->fd = -1;
	file->spare = false;
}

static ssize_t write_once(struct ctf_files *f, struct ctf_file *file,
                          const struct ctf_packet_head *head, const void *records, size_t size)
{
	ssize_t n = file_ready(f, file);

	if (n)
		return n;
	n = f->zstd && !is_plain(file) ? write_compressed(f, file, head, records, size)
	                               : write_plain(file, head, records, size);
	if (n < 0)
		write_undo(f, file);
	return n;
}

static bool is_full(ssize_t code)
{
	return code == -ENOSPC || code == -EDQUOT;
}

ssize_t ctf_file_write(struct ctf_files *f, struct ctf_file *file,
                       const struct ctf_packet_head *head, const void *records, size_t size)
{
	ssize_t n = write_once(f, file, head, records, size);
	char name[64];

	/* The disk has less room than --size allows: the newest packets matter more. */
	while (is_full(n) && make_room(f))
		n = write_once(f, file, head, records, size);
	if (n < 0)
		return n;
	file->bytes += (uint64_t)n;
	file->tail = (uint64_t)n;
	file->sequence++;
	/* Its first packet is there: now it is a part of the recording. */
	if (file->spare) {
		ctf_file_name(f, file->slot, file->part, name, sizeof(name));
		if (renameat(f->dir, CTF_SPARE, f->dir, name))
			return -errno;
		file->spare = false;
	}
	return n;
}

int ctf_file_amend(struct ctf_files *f, struct ctf_file *file, const struct ctf_packet_head *head)
{
	struct iovec io = { (void *)(uintptr_t)head, sizeof(*head) };
	uint64_t at = file->bytes - file->tail;

	if (file->fd < 0 || file->room || !file->tail || file->bytes < file->tail)
		return -ENOSPC;
	if (f->zstd && !is_plain(file))
		at += offsetof(struct ctf_stored_head, head);
	return write_all(file->fd, &io, 1, at);
}
