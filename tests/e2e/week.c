/* SPDX-License-Identifier: MIT */
/*
 * week FOLDER: a recording of a week and a day, written by the recorder's writer from packets as a
 * target leaves them, on a clock of 2.6 GHz, whose low 38 bits wrap every 106 s. Prints the ticks
 * of each event, which are its only field, too.
 *
 * There are bursts within a packet, minutes within a packet (a packet ends before the bits wrap
 * around), hours between packets, a packet that begins right before a wrap and one that is written
 * in two halves with a wrap in between, and a counter that has run for years.
 */
#include "reader/ctf.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HZ     UINT64_C(2600000000)
#define HOUR   (3600 * HZ)
#define WRAP   (UINT64_C(1) << WEIR_RECORD_TIME_BITS)
#define EVENTS 20

static _Alignas(8) uint8_t packet[WEIR_SHM_PACKET_SIZE];
static uint32_t filled, sequence;

static void event(uint64_t ticks)
{
	const uint64_t words[3] = { (uint64_t)3 << 54 | (ticks & (WRAP - 1)) << 16 | 1, 1, ticks };

	memcpy(packet + filled, words, sizeof(words));
	filled += sizeof(words);
	printf("%" PRIu64 "\n", ticks);
}

static struct ctf_writer *writer;
static struct clock clock_ = { .kind = WEIR_CLOCK_TSC, .hz = HZ };
static struct schema schema;

/* Events from `first` on, each `step` ticks after the one before, written in two halves. */
static void burst(uint64_t first, uint64_t step)
{
	struct stream_chunk chunk = {
		.sequence = ++sequence,
		.from = WEIR_PACKET_RECORDS,
		.count = EVENTS,
		.generation = 1,
		.first_time = first - 4096,
		.packet = packet,
	};

	filled = WEIR_PACKET_RECORDS;
	for (int half = 0; half < 2; half++) {
		struct weir_error err;

		for (int i = 0; i < EVENTS; i++)
			event(first + (uint64_t)(half * EVENTS + i) * step);
		chunk.to = filled;
		/* The target's word may be a little later than the last event. */
		chunk.last_time = first + (uint64_t)(half * EVENTS + EVENTS - 1) * step + half;
		chunk.complete = half;
		if (ctf_writer_chunk(writer, &clock_, &schema, &chunk, &err)) {
			fprintf(stderr, "%s\n", err.message);
			exit(1);
		}
		chunk.from = chunk.to;
		chunk.before += EVENTS;
	}
}

int main(int argc, char **argv)
{
	struct schema_probe *probe = calloc(1, sizeof(*probe) + sizeof(struct schema_field));
	struct schema_probe *probes[2] = { NULL, probe };
	const struct ctf_target target = { .process = "week",
		                           .command = "",
		                           .hostname = "here",
		                           .pid = 1,
		                           .inner_pid = 1,
		                           .cpus = 1,
		                           .epoch_ns = INT64_C(1700000000000000000) };
	const struct ctf_options options = { 0 };
	/* Three years of ticks. */
	const uint64_t begin = UINT64_C(3) * 365 * 24 * HOUR, week = 7 * 24 * HOUR;
	struct weir_error err;
	int dir = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (!probe)
		return 1;
	*probe = (struct schema_probe){ .id = 1, .count = 1, .provider = "week", .name = "event" };
	probe->fields[0] = (struct schema_field){ .name = "ticks", .type = WEIR_U64 };
	schema.probes = probes;
	schema.ids = 2;
	clock_.ticks0 = begin;
	if (dir < 0 || ctf_writer_create(dir, &target, &options, &writer, &err)) {
		fprintf(stderr, "%s\n", dir < 0 ? "usage: week FOLDER" : err.message);
		return 1;
	}
	for (uint64_t at = begin; at < begin + week + 24 * HOUR; at += 5 * HOUR + 12345) {
		uint64_t wrap = (at / WRAP + 10) * WRAP;

		burst(at, 100);
		burst(at + HZ, 2 * HZ);      /* 80 s in one packet */
		burst(wrap - 2, 1);          /* over the wrap, tick by tick */
		burst(wrap + HZ, WRAP / 41); /* nearly all that a packet may span */
		ctf_writer_thread(writer, wrap + 110 * HZ, 1, "week");
		ctf_writer_lost(writer, wrap + 110 * HZ, 0, 0);
	}
	ctf_writer_destroy(writer, &clock_, &schema);
	free(probe);
	return 0;
}
