/* SPDX-License-Identifier: MIT */
/*
 * A packet in a compressed file: its head in a zstd frame of its own, stored as it is, and its
 * records, if it has any, in a second one. So a head has always the same size, and can be read, and
 * on a full disk be written anew in place, without what follows it.
 */
#ifndef WEIR_READER_CTF_FRAME_H
#define WEIR_READER_CTF_FRAME_H

#include "reader/ctf.h"

#include <string.h>
#include <zstd.h>

/* RFC 8878: the magic number; one segment, its size in one byte; one raw block, the last. */
#define CTF_STORED_BEFORE                                                     \
	{                                                                     \
		0x28, 0xb5, 0x2f, 0xfd, 0x20, sizeof(struct ctf_packet_head), \
		    (sizeof(struct ctf_packet_head) << 3 | 1) & 0xff,         \
		    sizeof(struct ctf_packet_head) >> 5, 0                    \
	}

struct ctf_stored_head {
	uint8_t before[9];
	uint8_t head[sizeof(struct ctf_packet_head)];
};

static inline void ctf_stored_head_init(struct ctf_stored_head *ret,
                                        const struct ctf_packet_head *head)
{
	*ret = (struct ctf_stored_head){ .before = CTF_STORED_BEFORE };
	memcpy(ret->head, head, sizeof(*head));
}

/* The head that a packet at `data` begins with. False: there is none, or not all of it. */
static inline bool ctf_stored_head_read(const uint8_t *data, size_t size,
                                        struct ctf_packet_head *ret)
{
	static const uint8_t before[] = CTF_STORED_BEFORE;

	if (size < sizeof(struct ctf_stored_head) || memcmp(data, before, sizeof(before)) != 0)
		return false;
	memcpy(ret, data + sizeof(before), sizeof(*ret));
	return true;
}

/* How many bytes the frame of a packet's records has. 0: none; -1: it is not whole. */
static inline int64_t ctf_records_frame(const uint8_t *data, size_t size,
                                        const struct ctf_packet_head *head)
{
	size_t frame;

	if (head->packet_bits / 8 == sizeof(*head))
		return 0;
	frame = ZSTD_findFrameCompressedSize(data, size);
	return ZSTD_isError(frame) ? -1 : (int64_t)frame;
}

#endif
