/* SPDX-License-Identifier: MIT */
/*
 * sequence ID FOLDER...: is every event of a recording of tests/e2e/shop.c there, once?
 *
 * Reads the packets of each FOLDER's stream files (docs/recording.md), knows nothing of weir's own
 * reader, and looks at the first field of the events of probe ID: a thread's number in the top
 * byte, and a sequence number. Prints per folder and thread
 *
 *     FOLDER THREAD COUNT LAST TWICE LOST
 *
 * COUNT events, the highest number, how many numbers came twice or went backwards in their slot,
 * and what the folder's packets say was lost. Exit status 1: a file that cannot be read to its end.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 256
#define SLOTS   65536

struct head {
	uint32_t magic, stream, session, source, source_end, source_count;
	uint64_t reserved;
	uint64_t begin, end, content_bits, packet_bits, lost;
	uint32_t slot, sequence;
};

struct thread {
	uint64_t count, last, twice;
	uint8_t *seen; /* a bit per number */
	uint64_t room;
};

static struct thread threads[THREADS];
static uint64_t lost[SLOTS];

static void fail(const char *file, uint64_t at, const char *what)
{
	fprintf(stderr, "%s: at %" PRIu64 ": %s\n", file, at, what);
	exit(1);
}

static void see(struct thread *t, uint64_t number)
{
	if (number / 8 >= t->room) {
		uint64_t room = (number / 8 + 1) * 2;

		t->seen = realloc(t->seen, room);
		if (!t->seen)
			exit(1);
		memset(t->seen + t->room, 0, room - t->room);
		t->room = room;
	}
	t->twice += t->seen[number / 8] >> (number % 8) & 1;
	t->seen[number / 8] |= (uint8_t)(1 << (number % 8));
	t->count++;
	if (number > t->last)
		t->last = number;
}

/* Records of one packet; `before`: the last number of each thread in this slot, plus one. */
static void read_records(const char *file, const uint8_t *p, uint64_t size, unsigned id,
                         uint64_t *before)
{
	for (uint64_t at = 0; at < size;) {
		uint64_t word, number, length;

		memcpy(&word, p + at, 8);
		length = (word >> 54) * 8;
		if (length < 24 || length > size - at)
			fail(file, at, "no record");
		memcpy(&number, p + at + 16, 8);
		at += length;
		if ((word & 0xffff) != id)
			continue;
		see(&threads[number >> 56], number & 0xffffffffffffff);
		if ((number & 0xffffffffffffff) + 1 <= before[number >> 56])
			threads[number >> 56].twice++;
		before[number >> 56] = (number & 0xffffffffffffff) + 1;
	}
}

static void read_file(const char *file, unsigned id)
{
	int fd = open(file, O_RDONLY);
	uint64_t before[THREADS] = { 0 };
	uint8_t *data;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail(file, 0, "cannot be opened");
	data = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	for (uint64_t at = 0; at < (uint64_t)st.st_size;) {
		struct head head;

		if ((uint64_t)st.st_size - at < sizeof(head))
			fail(file, at, "half a head");
		memcpy(&head, data + at, sizeof(head));
		if (head.magic != 0xc1fc1fc1 || head.packet_bits / 8 > (uint64_t)st.st_size - at ||
		    head.content_bits > head.packet_bits)
			fail(file, at, "no packet");
		if (head.lost > lost[head.slot % SLOTS])
			lost[head.slot % SLOTS] = head.lost;
		read_records(file, data + at + sizeof(head), head.content_bits / 8 - sizeof(head),
		             id, before);
		at += head.packet_bits / 8;
	}
	if (data)
		munmap(data, (size_t)st.st_size);
	close(fd);
}

static void read_folder(const char *folder, unsigned id)
{
	DIR *dir = opendir(folder);
	uint64_t sum = 0;

	if (!dir)
		fail(folder, 0, "cannot be opened");
	memset(lost, 0, sizeof(lost));
	for (struct dirent *e; (e = readdir(dir));) {
		char file[8192];

		if (strncmp(e->d_name, "stream_", 7) || !strchr("0123456789", e->d_name[7]))
			continue;
		snprintf(file, sizeof(file), "%s/%s", folder, e->d_name);
		read_file(file, id);
	}
	closedir(dir);
	for (int i = 0; i < SLOTS; i++)
		sum += lost[i];
	for (int i = 0; i < THREADS; i++) {
		struct thread *t = &threads[i];

		if (t->count)
			printf("%s %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", folder, i,
			       t->count, t->last, t->twice, sum);
		free(t->seen);
		*t = (struct thread){ 0 };
	}
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		read_folder(argv[i], (unsigned)atoi(argv[1]));
	return 0;
}
