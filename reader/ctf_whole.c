/* SPDX-License-Identifier: MIT */
/*
 * Where the last whole packet of a file ends. What comes in is whatever a writer left that was
 * killed at any instruction; heads are read one by one, so a file of any size costs little.
 *
 * In a file that grows, a torn packet is one that is longer than the file. In a file that is
 * written over, older packets lie behind: each packet is written together with the head behind it,
 * so if that head does not go on counting, the packet was torn. Its records tell less: of a last one
 * that is torn, the rest may be an older one's, of the same length.
 */
#include "reader/ctf_frame.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* Is the packet that ends at `end` there to its end? */
static bool is_whole(int fd, uint64_t end, uint64_t size, const struct ctf_packet_head *head)
{
	struct ctf_packet_head next;

	if (size - end < sizeof(next))
		return true;
	if (pread(fd, &next, sizeof(next), (off_t)end) != sizeof(next))
		return false;
	return next.magic == CTF_MAGIC && next.slot == head->slot &&
	       next.sequence == head->sequence + 1;
}

static uint64_t whole_packets(int fd, uint64_t size, struct ctf_packet_head *last)
{
	uint64_t at = 0;

	while (size - at >= sizeof(*last)) {
		struct ctf_packet_head head;

		if (pread(fd, &head, sizeof(head), (off_t)at) != sizeof(head) ||
		    !ctf_head_is_right(&head) || head.packet_bits / 8 > size - at ||
		    ctf_is_room(&head) || (at && head.sequence != last->sequence + 1) ||
		    !is_whole(fd, at + head.packet_bits / 8, size, &head))
			break;
		*last = head;
		at += head.packet_bits / 8;
	}
	return at;
}

static uint64_t whole_compressed(const uint8_t *data, uint64_t size, struct ctf_packet_head *last,
                                 uint64_t *tail)
{
	uint64_t at = 0, next;

	for (; at < size; at = next) {
		struct ctf_packet_head head;
		int64_t frame;

		if (!ctf_stored_head_read(data + at, size - at, &head) ||
		    !ctf_head_is_right(&head) || (at && head.sequence != last->sequence + 1))
			break;
		next = at + sizeof(struct ctf_stored_head);
		frame = ctf_records_frame(data + next, size - next, &head);
		if (frame < 0)
			break;
		next += (uint64_t)frame;
		*tail = next - at;
		*last = head;
	}
	return at;
}

int64_t ctf_whole(int fd, bool frames, struct ctf_packet_head *last, uint64_t *tail)
{
	struct stat st;
	uint64_t good;
	uint8_t *data;

	memset(last, 0, sizeof(*last));
	*tail = 0;
	if (fstat(fd, &st))
		return -errno;
	if (!frames) {
		good = whole_packets(fd, (uint64_t)st.st_size, last);
		*tail = last->packet_bits / 8;
		return (int64_t)good;
	}
	if (!st.st_size)
		return 0;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	madvise(data, (size_t)st.st_size, MADV_SEQUENTIAL);
	good = whole_compressed(data, (uint64_t)st.st_size, last, tail);
	munmap(data, (size_t)st.st_size);
	return (int64_t)good;
}
