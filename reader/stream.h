/* SPDX-License-Identifier: MIT */
/*
 * The packets of a session, in order. This is the packet-level reader: it hands out stretches of
 * committed records, slot by slot, each slot's in the order of its sequence numbers, and gives the
 * packets back. merge.h makes one stream of events of it; a recorder writes the bytes as they are.
 *
 * The rules, and why:
 *  - A slot's expected sequence never goes back: a closer that was preempted marks an old packet
 *    FULL long after its successors were read.
 *  - A packet that is OPEN with count 0 does not exist; its install may yet be undone.
 *  - A packet is complete if it is FULL, or if a later one of its slot has a count > 0; its commit
 *    word is read after that was seen. The next one may be overwritten already.
 *  - One look passes a descriptor before it is opened and meets its successor afterwards. So a
 *    missing sequence number is only believed if an earlier look saw that number or a later one.
 *  - In overwrite mode the target takes packets back. FULL ones are claimed (READ) one at a time;
 *    of an OPEN one a copy is taken, and its descriptor looked at again.
 */
#ifndef WEIR_READER_STREAM_H
#define WEIR_READER_STREAM_H

#include "reader/session.h"

struct stream_chunk {
	uint32_t slot;
	uint32_t sequence;     /* of the packet in its slot, from 1 */
	uint32_t from, to;     /* bytes of the packet; records begin at WEIR_PACKET_RECORDS */
	uint32_t count;        /* records in [from, to), by the target's word */
	uint32_t before;       /* records in front of `from` */
	uint32_t generation;   /* of the session */
	uint64_t first_time;   /* lower bound of the packet's event times */
	uint64_t last_time;    /* time of its last record, or of a later one if it grows still */
	uint64_t lost;         /* the slot's stripe's lost counter before this packet */
	const uint8_t *packet; /* WEIR_SHM_PACKET_SIZE bytes, valid during the call; shared with a
	                          target that may change them: copy, then look */
	bool complete;         /* the packet ends with this chunk */
};

/* Nonzero ends the look, which returns it; the chunk counts as not delivered. */
typedef int (*stream_fn)(void *arg, const struct stream_chunk *chunk);

struct stream_slot {
	uint32_t expected;
	uint32_t offset; /* of the expected packet: delivered up to here ... */
	uint32_t count;  /* ... and so many records */
	uint32_t seen;   /* the highest sequence of earlier looks, or one that vanished in this */
};

struct stream_entry;

struct stream {
	struct session *session; /* borrowed */
	struct stream_slot *slots;
	struct stream_entry *entries;
	uint8_t *bounce;  /* overwrite mode: copy of an OPEN packet */
	uint64_t records; /* delivered */
	uint64_t partial; /* of these, in packets that were overwritten afterwards */
	uint64_t missing; /* packets whose sequence number never came */
	uint64_t bad;     /* descriptors and commit words that made no sense */
	bool held;        /* the last look met a number that was missing */
	uint32_t open;    /* packets that the last look found open ... */
	uint32_t waiting; /* ... and those that waited to be read */
};

int stream_init(struct stream *stream, struct session *session);
/* The last look is over: settle `partial`, also of packets whose slots have not gone on. */
void stream_settle(struct stream *stream);
void stream_deinit(struct stream *stream);

/* After the session was claimed anew: begin with sequence 1 again. */
void stream_restart(struct stream *stream);

/*
 * Go on where another reader of this session stopped: behind `count` records, at `offset`, of a
 * slot's packet `sequence`.
 */
void stream_resume(struct stream *stream, uint32_t slot, uint32_t sequence, uint32_t offset,
                   uint32_t count);

enum stream_what {
	STREAM_COMPLETE, /* complete packets only */
	STREAM_ALL,      /* also what is committed of open ones */
};

/* Look once at every packet. Returns records delivered, or what `fn` returned. */
int64_t stream_look(struct stream *stream, enum stream_what what, stream_fn fn, void *arg);

#endif
