/* SPDX-License-Identifier: MIT */
/* A trace as it is written: what is lost, where nothing fits any more, and what was torn. */
#include "tests/unit/test.h"

#include "reader/ctf.h"
#include "reader/ctf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD 24

static char folder[64], trace[96];
static struct ctf_writer *writer;
static struct clock clock_ = { .kind = WEIR_CLOCK_TSC, .hz = 1e9 };
static struct schema schema = { .read_to = 8 };
static _Alignas(8) uint8_t packet[WEIR_SHM_PACKET_SIZE];
static uint32_t sequences[2];

static void begin(const struct ctf_options *options)
{
	const struct ctf_target target = { .process = "t",
		                           .command = "",
		                           .hostname = "here",
		                           .pid = 1,
		                           .inner_pid = 1,
		                           .cpus = 2 };
	struct weir_error err;
	int dir;

	strcpy(folder, "/tmp/weir-ctf-writer-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(trace, sizeof(trace), "%s/t-1", folder);
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(ctf_writer_create(dir, &target, options, &writer, &err), 0);
	close(dir);
	memset(sequences, 0, sizeof(sequences));
}

static void finish(void)
{
	char command[128];

	ctf_writer_destroy(writer, &clock_, &schema);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static uint64_t low(uint64_t time)
{
	return time & ((UINT64_C(1) << WEIR_RECORD_TIME_BITS) - 1);
}

static void record_at(uint8_t *at, uint64_t time)
{
	const uint64_t words[3] = { (uint64_t)3 << 54 | low(time) << 16 | 1, 1, time };

	memcpy(at, words, sizeof(words));
}

/* `count` events from `first` on, each `step` later. */
static int burst(uint32_t slot, uint64_t first, uint64_t step, uint32_t count, uint64_t lost)
{
	struct stream_chunk chunk = {
		.slot = slot,
		.sequence = ++sequences[slot],
		.from = WEIR_PACKET_RECORDS,
		.to = WEIR_PACKET_RECORDS + count * RECORD,
		.count = count,
		.generation = 1,
		.first_time = first,
		.last_time = first + (count - 1) * step,
		.lost = lost,
		.packet = packet,
		.complete = true,
	};
	struct weir_error err;

	for (uint32_t i = 0; i < count; i++)
		record_at(packet + WEIR_PACKET_RECORDS + i * RECORD, first + i * step);
	return ctf_writer_chunk(writer, &clock_, &schema, &chunk, &err);
}

static int open_stream(const char *name, int flags)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", trace, name);
	fd = open(path, flags);
	assert_true(fd >= 0);
	return fd;
}

/* The heads of a file's packets, up to `room`. */
static size_t heads_of(const char *name, struct ctf_packet_head *ret, size_t room)
{
	int fd = open_stream(name, O_RDONLY);
	off_t at = 0;
	size_t n = 0;

	while (n < room && pread(fd, &ret[n], sizeof(*ret), at) == sizeof(*ret))
		at += (off_t)(ret[n++].packet_bits / 8);
	close(fd);
	return n;
}

/* --- what is lost */

static void test_origin(void **state)
{
	struct ctf_packet_head heads[8];

	(void)state;
	begin(&(struct ctf_options){ 0 });
	ctf_writer_lost_base(writer, 0, 500, 100, 0);
	ctf_writer_lost_base(writer, 1, 500, 0, 0);
	assert_int_equal(burst(0, 1000, 1, 10, 107), 0);
	assert_int_equal(burst(0, 2000, 1, 10, 107), 0);
	assert_int_equal(burst(1, 1000, 1, 10, 0), 0);
	assert_int_equal(heads_of("stream_0", heads, 8), 3);
	/* From when the session began, with nothing in it. */
	assert_int_equal(heads[0].content_bits, sizeof(heads[0]) * 8);
	assert_int_equal(heads[0].begin, 500);
	assert_int_equal(heads[0].end, 500);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(heads[i].sequence, i);
		assert_int_equal(heads[i].lost, i ? 7 : 0);
		assert_int_equal(heads[i].events, i * 10);
	}
	/* Nothing was lost before: nothing to tell of. */
	assert_int_equal(heads_of("stream_1", heads, 8), 1);
	finish();
}

static void test_discard(void **state)
{
	struct ctf_packet_head heads[8];

	(void)state;
	begin(&(struct ctf_options){ 0 });
	assert_int_equal(burst(0, 1000, 1, 10, 0), 0);
	ctf_writer_discard(writer, 0, 5);
	ctf_writer_discard(writer, 1, 3);
	ctf_writer_lost(writer, 3000, 0, 0);
	ctf_writer_lost(writer, 3000, 1, 0);
	ctf_writer_lost(writer, 3000, 1, 0); /* told already */
	assert_int_equal(heads_of("stream_0", heads, 8), 2);
	assert_int_equal(heads[1].lost, 5);
	assert_int_equal(heads[1].end, 3000);
	assert_int_equal(heads_of("stream_1", heads, 8), 2);
	assert_int_equal(heads[0].lost, 0);
	assert_int_equal(heads[1].lost, 3);
	finish();
}

/* --- no room */

static void limit_files(rlim_t size)
{
	const struct rlimit limit = { size, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What only the newest were kept of: numbers and counts go on from what is not there. */
static void test_drop(void **state)
{
	struct ctf_packet_head heads[8];
	struct ctf_totals totals;

	(void)state;
	begin(&(struct ctf_options){ 0 });
	assert_int_equal(ctf_writer_whole_from(writer), 0);
	/* An idle CPU's packet of long ago, the seventh in memory; then two are gone. */
	sequences[0] = 6;
	ctf_writer_drop(writer, 0, 0, 60, 0);
	assert_int_equal(burst(0, 1000, 1, 10, 0), 0);
	assert_int_equal(ctf_writer_whole_from(writer), 1000);
	sequences[0] = 9;
	assert_int_equal(burst(0, 2000, 1, 10, 0), 0);
	assert_int_equal(ctf_writer_whole_from(writer), 2000);
	/* Where they are counted as lost, nothing was dropped. */
	ctf_writer_discard(writer, 0, 5);
	sequences[0] = 20;
	assert_int_equal(burst(0, 3000, 1, 10, 0), 0);
	assert_int_equal(ctf_writer_whole_from(writer), 2000);
	assert_int_equal(heads_of("stream_0", heads, 8), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(heads[i].sequence, 6 + i);
		assert_int_equal(heads[i].events, 60 + 10 * (i + 1));
		assert_int_equal(heads[i].lost, i == 2 ? 5 : 0);
	}
	/* A CPU of which two packets were dropped, and with losses in front of what is left. */
	ctf_writer_lost_base(writer, 1, 500, 0, 0);
	ctf_writer_drop(writer, 1, 1, 10, 600);
	ctf_writer_drop(writer, 1, 1, 10, 700);
	sequences[1] = 2;
	assert_int_equal(burst(1, 2500, 1, 10, 7), 0);
	assert_int_equal(heads_of("stream_1", heads, 8), 2);
	assert_int_equal(heads[0].sequence, 2);
	assert_int_equal(heads[0].begin, 2500);
	assert_int_equal(heads[0].events, 20);
	assert_int_equal(heads[0].lost, 0);
	assert_int_equal(heads[1].sequence, 3);
	assert_int_equal(heads[1].events, 30);
	assert_int_equal(heads[1].lost, 7);
	/* One of which nothing is left says so in the end. */
	ctf_writer_drop(writer, 2, 1, 10, 2600);
	ctf_writer_drop_rest(writer);
	ctf_writer_drop_rest(writer);
	assert_int_equal(heads_of("stream_2", heads, 8), 1);
	assert_int_equal(heads[0].sequence, 1);
	assert_int_equal(heads[0].end, 2600);
	assert_int_equal(heads[0].events, 10);
	assert_int_equal(heads[0].content_bits, sizeof(heads[0]) * 8);
	assert_int_equal(ctf_writer_whole_from(writer), 2600);
	ctf_writer_totals(writer, &totals);
	assert_int_equal(totals.dropped, 90);
	finish();
}

static void test_no_room(void **state)
{
	struct ctf_packet_head heads[8];
	const rlim_t one = sizeof(*heads) + 10 * RECORD;
	struct ctf_totals totals;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	begin(&(struct ctf_options){ 0 });
	assert_int_equal(burst(0, 1000, 1, 10, 0), 0);
	limit_files(one + 40); /* half a head */
	assert_int_equal(burst(0, 2000, 1, 10, 0), -EFBIG);
	ctf_writer_discard(writer, 0, 10);
	assert_int_equal(heads_of("stream_0", heads, 8), 1);
	/* No room even for an empty packet: the one that is there tells of it. */
	assert_int_equal(ctf_writer_lost(writer, 3000, 0, 0), 0);
	assert_int_equal(heads_of("stream_0", heads, 8), 1);
	assert_int_equal(heads[0].lost, 10);
	assert_int_equal(heads[0].begin, 1000);
	assert_int_equal(heads[0].end, 3000);
	ctf_writer_totals(writer, &totals);
	assert_int_equal(totals.events, 10);
	/* A file that no packet fits into is none. */
	limit_files(40);
	assert_int_equal(burst(1, 2000, 1, 10, 0), -EFBIG);
	ctf_writer_discard(writer, 1, 4);
	assert_true(ctf_writer_lost(writer, 3000, 1, 0) < 0);
	/* ... and what it lost, the other one tells, once. */
	limit_files(one + 40);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ctf_writer_lost_rest(writer, 3500), 0);
		assert_int_equal(heads_of("stream_0", heads, 8), 1);
		assert_int_equal(heads[0].lost, 14);
		assert_int_equal(heads[0].end, 3500);
	}
	limit_files(RLIM_INFINITY);
	{
		char path[160];

		snprintf(path, sizeof(path), "%s/stream_1", trace);
		assert_int_equal(access(path, F_OK), -1);
	}
	/* There is room again. */
	assert_int_equal(burst(0, 4000, 1, 10, 0), 0);
	assert_int_equal(heads_of("stream_0", heads, 8), 2);
	assert_int_equal(heads[1].lost, 14);
	assert_int_equal(heads[1].sequence, 1);
	assert_int_equal(heads[1].events, 20);
	assert_true(heads[1].begin >= heads[0].end);
	assert_int_equal(burst(1, 4000, 1, 10, 0), 0);
	assert_int_equal(heads_of("stream_1", heads, 8), 1);
	assert_int_equal(heads[0].lost, 0);
	finish();
}

/* Compressed, too, also where the last packet is an empty one. */
static void test_no_room_compressed(void **state)
{
	struct ctf_packet_head last;
	uint64_t tail, size;
	struct stat st;
	int fd;

	(void)state;
	begin(&(struct ctf_options){ .compress = true });
	assert_int_equal(burst(0, 1000, 1, 10, 0), 0);
	assert_int_equal(burst(0, 2000, 3, 1000, 0), 0);
	fd = open_stream("stream_0.zst", O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	size = (uint64_t)st.st_size;
	limit_files(size + 10);
	assert_int_equal(burst(0, 6000, 1, 10, 0), -EFBIG);
	ctf_writer_discard(writer, 0, 10);
	assert_int_equal(ctf_writer_lost(writer, 7000, 0, 0), 0);
	assert_int_equal(ctf_whole(fd, true, &last, &tail), size);
	assert_int_equal(last.lost, 10);
	assert_int_equal(last.end, 7000);
	assert_int_equal(last.events, 1010);
	limit_files(size + 100);
	ctf_writer_discard(writer, 0, 10);
	assert_int_equal(ctf_writer_lost(writer, 8000, 0, 0), 0);
	assert_true(ctf_whole(fd, true, &last, &tail) > (int64_t)size);
	assert_int_equal(last.lost, 20);
	assert_int_equal(last.sequence, 2);
	ctf_writer_discard(writer, 0, UINT32_MAX);
	assert_int_equal(ctf_writer_lost(writer, 9000, 0, 0), 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true((uint64_t)st.st_size <= size + 100);
	assert_int_equal(ctf_whole(fd, true, &last, &tail), st.st_size);
	assert_int_equal(last.lost, UINT64_C(20) + UINT32_MAX);
	assert_int_equal(last.end, 9000);
	assert_int_equal(burst(0, 10000, 1, 10, 0), 0);
	assert_true(ctf_whole(fd, true, &last, &tail) > st.st_size);
	assert_int_equal(last.events, 1020);
	assert_int_equal(last.sequence, 3);
	close(fd);
	finish();
}

/* --- what was torn */

/*
 * A file that is written over: each packet is written with the head of the room behind it, so one that
 * no such head follows was not written to its end, whatever its records look like.
 */
static void test_torn(void **state)
{
	struct ctf_packet_head last, third;
	uint64_t tail;
	int64_t whole;
	int fd;

	(void)state;
	begin(&(struct ctf_options){ 0 });
	assert_int_equal(burst(0, 1000, 10, 20, 0), 0);
	assert_int_equal(burst(0, 2000, 10, 20, 0), 0);
	assert_int_equal(burst(0, 3000, 10, 20, 0), 0);
	fd = open_stream("stream_0", O_RDWR);
	whole = sizeof(last) + 20 * RECORD;
	assert_int_equal(pread(fd, &third, sizeof(third), 2 * whole), sizeof(third));
	assert_int_equal(ctf_whole(fd, false, &last, &tail), 3 * whole);
	assert_int_equal(last.events, 60);
	assert_int_equal(tail, whole);
	memset(&last, 0, sizeof(last));
	assert_int_equal(pwrite(fd, &last, sizeof(last), 2 * whole), sizeof(last));
	assert_int_equal(ctf_whole(fd, false, &last, &tail), whole);
	assert_int_equal(last.events, 20);
	/* A head of another CPU's, whose number would go on; one of this CPU's that does not. */
	third.slot = 1;
	assert_int_equal(pwrite(fd, &third, sizeof(third), 2 * whole), sizeof(third));
	assert_int_equal(ctf_whole(fd, false, &last, &tail), whole);
	third.slot = 0;
	third.sequence++;
	assert_int_equal(pwrite(fd, &third, sizeof(third), 2 * whole), sizeof(third));
	assert_int_equal(ctf_whole(fd, false, &last, &tail), whole);
	close(fd);
	finish();
}

/* Wherever a compressed file is cut, it ends with the last packet that is whole. */
static void test_torn_compressed(void **state)
{
	struct ctf_packet_head last;
	uint64_t tail;
	int64_t one, whole;
	int fd;

	(void)state;
	begin(&(struct ctf_options){ .compress = true });
	assert_int_equal(burst(0, 1000, 10, 20, 0), 0);
	fd = open_stream("stream_0.zst", O_RDWR);
	one = ctf_whole(fd, true, &last, &tail);
	assert_int_equal(one, tail);
	assert_int_equal(burst(0, 2000, 10, 20, 0), 0);
	whole = ctf_whole(fd, true, &last, &tail);
	assert_int_equal(whole, one + (int64_t)tail);
	assert_int_equal(last.events, 40);
	for (int64_t size = whole - 1; size >= 0; size--) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(ctf_whole(fd, true, &last, &tail), size >= one ? one : 0);
		assert_int_equal(last.events, size >= one ? 20 : 0);
	}
	close(fd);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_no_room_compressed),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_torn_compressed),
	};

	return RUN(tests);
}
