/* SPDX-License-Identifier: MIT */
#include "reader/ctf_input.h"

#include "reader/ctf_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define ROOM       (1u << 20)
#define READ_SIZE  (256u << 10) /* stays in the processor's cache until it is decoded */
#define PACKET_MAX (WEIR_SHM_PACKET_SIZE + sizeof(struct ctf_packet_head))

struct ctf_input {
	int fd;
	bool compressed, over;
	int dir; /* -1: the file keeps its name */
	const char *name;
	ino_t inode;
	size_t begin, end; /* of what the buffer holds */
	uint64_t padding;  /* behind the packet that was given out last */
	uint64_t bytes;
	ZSTD_DCtx *zstd;
	uint8_t packet[PACKET_MAX] __attribute__((aligned(8))); /* decompressed */
	uint8_t buffer[ROOM] __attribute__((aligned(8)));
};

int ctf_input_create(struct ctf_input **ret)
{
	struct ctf_input *in = malloc(sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->fd = -1;
	in->begin = in->end = 0;
	in->padding = 0;
	in->bytes = 0;
	in->zstd = NULL;
	*ret = in;
	return 0;
}

static void close_file(struct ctf_input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

void ctf_input_free(struct ctf_input *in)
{
	if (!in)
		return;
	close_file(in);
	ZSTD_freeDCtx(in->zstd);
	free(in);
}

int ctf_input_open(struct ctf_input *in, int dir, const char *name, bool rotated)
{
	size_t length = strlen(name);
	struct stat st;

	close_file(in);
	in->begin = in->end = 0;
	in->padding = 0;
	in->over = false;
	in->compressed = length > 4 && !strcmp(name + length - 4, ".zst");
	if (in->compressed && !in->zstd && !(in->zstd = ZSTD_createDCtx()))
		return -ENOMEM;
	in->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (in->fd < 0)
		return -errno;
	if (fstat(in->fd, &st))
		return -errno;
	in->over = !S_ISREG(st.st_mode);
	in->dir = rotated ? dir : -1;
	in->name = name;
	in->inode = st.st_ino;
	posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

/* Rotation takes a part's name away before it writes over it: what was read until then is as it was. */
static bool is_written_over(const struct ctf_input *in)
{
	struct stat st;

	return in->dir >= 0 &&
	       (fstatat(in->dir, in->name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != in->inode);
}

/* Have `size` bytes in the buffer, if the file has them. */
static int need(struct ctf_input *in, size_t size)
{
	while (in->end - in->begin < size && !in->over) {
		ssize_t n;

		if (in->begin && ROOM - in->end < READ_SIZE) {
			memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
			in->end -= in->begin;
			in->begin = 0;
		}
		n = read(in->fd, in->buffer + in->end,
		         ROOM - in->end < READ_SIZE ? ROOM - in->end : READ_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (is_written_over(in))
			return -ESTALE;
		in->over = !n;
		in->end += (size_t)n;
		in->bytes += (uint64_t)n;
	}
	return 0;
}

static bool head_is_right(const struct ctf_packet_head *head)
{
	return ctf_head_is_right(head) && !(head->content_bits % 64) &&
	       head->content_bits / 8 <= PACKET_MAX;
}

/* What is behind a packet's content: any length. */
static int skip(struct ctf_input *in, uint64_t size)
{
	while (size) {
		int code = need(in, 1);
		size_t have = in->end - in->begin;

		if (code)
			return code;
		if (!have)
			return -EBADMSG;
		if (have > size)
			have = (size_t)size;
		in->begin += have;
		size -= have;
	}
	return 0;
}

static int next_plain(struct ctf_input *in, struct ctf_packet_head *head, const uint8_t **ret,
                      size_t *size)
{
	int code = skip(in, in->padding);

	in->padding = 0;
	if (!code)
		code = need(in, sizeof(*head));
	if (code || in->end == in->begin)
		return code;
	if (in->end - in->begin < sizeof(*head))
		return -EBADMSG;
	memcpy(head, in->buffer + in->begin, sizeof(*head));
	if (!head_is_right(head))
		return -EBADMSG;
	*size = head->content_bits / 8;
	code = need(in, *size);
	if (code)
		return code;
	if (in->end - in->begin < *size)
		return -EBADMSG;
	*ret = in->buffer + in->begin;
	in->begin += *size;
	in->padding = head->packet_bits / 8 - *size;
	return 1;
}

static int next_compressed(struct ctf_input *in, struct ctf_packet_head *head, const uint8_t **ret,
                           size_t *size)
{
	int code = need(in, sizeof(struct ctf_stored_head) + ZSTD_COMPRESSBOUND(PACKET_MAX));
	const uint8_t *data = in->buffer + in->begin;
	size_t have = in->end - in->begin, records;
	int64_t frame;

	if (code || !have)
		return code;
	if (!ctf_stored_head_read(data, have, head) || !head_is_right(head))
		return -EBADMSG;
	data += sizeof(struct ctf_stored_head);
	have -= sizeof(struct ctf_stored_head);
	frame = ctf_records_frame(data, have, head);
	records = head->packet_bits / 8 - sizeof(*head);
	if (frame < 0 || records > sizeof(in->packet) - sizeof(*head))
		return -EBADMSG;
	memcpy(in->packet, head, sizeof(*head));
	if (frame && ZSTD_decompressDCtx(in->zstd, in->packet + sizeof(*head), records, data,
	                                 (size_t)frame) != records)
		return -EBADMSG;
	in->begin += sizeof(struct ctf_stored_head) + (size_t)frame;
	*ret = in->packet;
	*size = head->content_bits / 8;
	return 1;
}

int ctf_input_next(struct ctf_input *in, struct ctf_packet_head *head, const uint8_t **ret,
                   size_t *size)
{
	return in->compressed ? next_compressed(in, head, ret, size)
	                      : next_plain(in, head, ret, size);
}

uint64_t ctf_input_bytes(struct ctf_input *in)
{
	uint64_t bytes = in->bytes;

	in->bytes = 0;
	return bytes;
}
