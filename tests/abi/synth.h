/* SPDX-License-Identifier: MIT */
/*
 * A second, independent writer of the shared memory: by include/weir/abi/ alone, in plain C11
 * atomics, without rseq, without libweir. What it is for: the reader is tested against the written
 * contract and not against the habits of one library; and tests can make it lie.
 *
 * One thread may use a slot at a time.
 */
#ifndef WEIR_TESTS_SYNTH_H
#define WEIR_TESTS_SYNTH_H

#include <weir/abi/note.h>
#include <weir/abi/shm.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYNTH_SLOTS 64

struct synth_field {
	const char *name;
	uint8_t type;
};

struct synth_value {
	uint64_t word;    /* fixed fields; floats as bits */
	const char *data; /* string, bytes */
	size_t size;      /* bytes */
};

struct synth_slot {
	uint32_t generation[WEIR_SHM_SESSIONS]; /* of the session when the packet was opened */
	uint32_t sequence[WEIR_SHM_SESSIONS];   /* of the last packet opened */
	uint32_t packet[WEIR_SHM_SESSIONS];     /* index + 1; 0: none */
	uint64_t fired;                         /* records asked for, per session that was on */
};

struct synth {
	int fd;
	uint8_t *base;
	struct weir_shm_header *head;
	uint32_t clock; /* private copies: the shared page is not believed */
	uint32_t packets;
	uint32_t slots;
	uint32_t probes;
	uint32_t string_limit;
	struct synth_slot slot[SYNTH_SLOTS];
	struct {
		uint8_t count;
		struct synth_field fields[12];
	} probe[256];
};

struct synth_options {
	uint32_t packets; /* 0: 256 */
	uint32_t slots;   /* 0: 2 */
	uint32_t clock;   /* 0: WEIR_CLOCK_MONOTONIC */
	uint32_t features;
	uint32_t pid; /* 0: getpid() */
	bool unsealed;
	uint32_t seal_after; /* ms: as if it got no processor meanwhile */
	uint64_t excess;     /* bytes by which the file is larger than its header says */
};

int synth_create(struct synth *synth, const struct synth_options *options);
void synth_destroy(struct synth *synth);

/* Appends to the schema log, and arms it for sessions whose patterns cover it ("*:*" only). */
uint32_t synth_probe(struct synth *synth, const char *provider, const char *probe,
                     const struct synth_field *fields, uint8_t count);

/* Raw bytes of an ADD record. */
void synth_schema(struct synth *synth, uint16_t id, uint16_t kind, const void *bytes, size_t size);

/* Arm itself as a traced child or a program under WEIR_TRACE does: PENDING. */
void synth_pend(struct synth *synth, uint32_t session, const char *patterns, uint32_t owner,
                uint32_t first, uint32_t count);

/* One fire. Returns the number of sessions that it was committed to. */
int synth_fire(struct synth *synth, uint32_t slot, uint32_t id, const struct synth_value *values);

/* Event clock. */
uint64_t synth_now(const struct synth *synth);

#endif
