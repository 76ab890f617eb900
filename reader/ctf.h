/* SPDX-License-Identifier: MIT */
/*
 * A recording (docs/recording.md): one CTF 1.8 trace per target, as babeltrace2 and Trace Compass read it. Records are
 * CTF events already, so a packet on disk is a head of 80 bytes and the packet's bytes as they
 * lay in memory.
 *
 *     DIR/NAME-PID/metadata        TSDL; written anew (rename) when probes appear, and at the end
 *     DIR/NAME-PID/stream_S[_N]    the packets of slot S; _N: part N of a rotated recording
 *     DIR/NAME-PID/stream_threads  names of threads, as events
 *     DIR/NAME-PID/.weir           what weir's own reader wants, as JSON: probes, clock, process
 *
 * Each packet is written by one pwritev behind the last one, and everything before it is whole:
 * whatever ends the writer, the file is right up to the last whole packet (ctf_repair).
 *
 * A rotated recording writes over the files of its oldest parts (DIR/NAME-PID/.spare is one that
 * waits for that), since fresh pages cost more than the copy does. What is behind the last packet
 * of such a file belongs to an empty packet, written together with each packet: so the file can
 * be read at any time. It goes when the part is complete.
 *
 * Each packet says which stretch of which packet in memory it holds (`session`, `source`,
 * `source_end`, `source_count`), so another process can go on where a writer was killed (ctf_writer_resume).
 */
#ifndef WEIR_READER_CTF_H
#define WEIR_READER_CTF_H

#include "reader/clock.h"
#include "reader/schema.h"
#include "reader/stream.h"

#include <stdio.h>

#define CTF_MAGIC          0xc1fc1fc1u
#define CTF_STREAM_EVENTS  0
#define CTF_STREAM_THREADS 1

/* What precedes the records of a packet on disk. */
struct ctf_packet_head {
	uint32_t magic;
	uint32_t stream;     /* CTF_STREAM_* */
	uint32_t session;    /* generation of the session */
	uint32_t source;     /* sequence of the packet in memory, 0: there is none ... */
	uint32_t source_end; /* ... its byte up to which this goes, + CTF_COMPLETE if that is all */
	uint32_t source_count; /* ... and how many records are before that */
	/* Of this slot, since the recording began, with this packet's: what is not in the file was
	 * dropped. The metadata hides it and the four before it, as padding. */
	uint64_t events;
	uint64_t begin; /* event clock */
	uint64_t end;
	uint64_t content_bits; /* with this head */
	uint64_t packet_bits;  /* more than that: what is behind belongs to an older part */
	uint64_t lost;         /* of this slot, since the recording began; grows */
	uint32_t slot;
	uint32_t sequence; /* of the packets of this slot in the recording, from 0 */
};
_Static_assert(sizeof(struct ctf_packet_head) == 80, "packet head");

#define CTF_COMPLETE UINT32_C(0x80000000)

/* Do its sizes go together, and its times? How long a packet may be, the caller knows. */
static inline bool ctf_head_is_right(const struct ctf_packet_head *head)
{
	return head->magic == CTF_MAGIC && head->begin <= head->end && !(head->packet_bits % 64) &&
	       head->content_bits >= sizeof(*head) * 8 && head->content_bits <= head->packet_bits;
}

/* Nothing but room that an older part of a rotated recording left. */
static inline bool ctf_is_room(const struct ctf_packet_head *head)
{
	return head->content_bits == sizeof(*head) * 8 && head->packet_bits > head->content_bits;
}

/* What a trace says about where it comes from. Strings are borrowed. */
struct ctf_target {
	const char *process; /* comm */
	const char *command; /* arguments, separated by blanks */
	const char *hostname;
	pid_t pid;       /* as the recorder sees it */
	pid_t inner_pid; /* in the target's own namespace */
	uint32_t cpus;
	int64_t epoch_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	uint8_t uuid[16];
};

/* Event clock to the epoch: `hz` and where 0 ticks lie. From pairs at the start and now. */
struct ctf_clock {
	uint64_t hz;
	int64_t offset_s;
	uint64_t offset; /* ticks beyond offset_s */
};
void ctf_clock_init(const struct clock *clock, struct ctf_clock *ret);

/* The metadata text. */
void ctf_metadata_write(FILE *to, const struct ctf_target *target, const struct ctf_clock *clock,
                        const struct schema *schema);

struct ctf_options {
	uint64_t size; /* keep the newest so many bytes of each target; 0: all */
	bool compress; /* files of packets end in .zst (ctf_frame.h) */
};

#define CTF_SIDECAR ".weir"

/* The writer of one target's trace. */
struct ctf_writer;

/* Make DIR/NAME-PID (or NAME-PID-N if there is one). `dir` is a descriptor of DIR. */
int ctf_writer_create(int dir, const struct ctf_target *target, const struct ctf_options *options,
                      struct ctf_writer **ret, struct weir_error *err);

/*
 * Go on with a trace that another writer left in the folder `dir`, which is the writer's from here
 * on. What is torn is cut off.
 */
int ctf_writer_resume(int dir, const struct ctf_target *target, const struct ctf_options *options,
                      struct ctf_writer **ret, struct weir_error *err);

/* The last packet of a slot that ctf_writer_resume() found. False: none. */
bool ctf_writer_last(const struct ctf_writer *writer, uint32_t slot, struct ctf_packet_head *ret);

/* The trace's folder, for another process to resume. Borrowed. */
int ctf_writer_folder(const struct ctf_writer *writer);

/* Was the folder, or a file that is being written, removed? What is written then is nowhere. */
bool ctf_writer_is_removed(const struct ctf_writer *writer);

/*
 * Append a chunk of a packet as one packet. -errno with a message: the file ends as before, and the
 * chunk may be given again. A rotated recording drops its oldest parts before it says -ENOSPC.
 */
int ctf_writer_chunk(struct ctf_writer *writer, const struct clock *clock,
                     const struct schema *schema, const struct stream_chunk *chunk,
                     struct weir_error *err);

/*
 * Before a session's first chunk of a slot: what its stripe's counter was when the session began,
 * at `began` (event clock; 0: not known), and what earlier sessions had lost until then.
 */
int ctf_writer_lost_base(struct ctf_writer *writer, uint32_t slot, uint64_t began, uint64_t lost,
                         uint64_t before);

/*
 * Only the newest are kept: so many events are missing in front of the slot's next packet, and if
 * that is its first one, so many packets. They are told as what rotation takes: by the packet's
 * `events` and `sequence`. `end`: when the last of them fired (event clock; 0: not known).
 */
void ctf_writer_drop(struct ctf_writer *writer, uint32_t slot, uint32_t packets, uint64_t events,
                     uint64_t end);

/* At the end: an empty packet for each slot of which nothing was kept. */
void ctf_writer_drop_rest(struct ctf_writer *writer);

/* When (event clock) what was dropped ends, on all CPUs. 0: nothing was. */
uint64_t ctf_writer_whole_from(const struct ctf_writer *writer);

/* So many events are missing in front of the slot's next packet, which tells of them as lost. */
void ctf_writer_discard(struct ctf_writer *writer, uint32_t slot, uint64_t count);

/* What the packets of a slot tell of losses so far, over all sessions. */
uint64_t ctf_writer_lost_so_far(const struct ctf_writer *writer, uint32_t slot);

/*
 * An empty packet that tells of losses since the slot's last one, or, where there is no room for
 * it, the last one tells of them. `lost`: the stripe's counter.
 */
int ctf_writer_lost(struct ctf_writer *writer, uint64_t now, uint32_t slot, uint64_t lost);

/*
 * After that, at a session's end: what CPUs lost that have no file, and no room for one, another
 * one's packet tells.
 */
int ctf_writer_lost_rest(struct ctf_writer *writer, uint64_t now);

/* A thread's name, as an event at time `now` (event clock). */
int ctf_writer_thread(struct ctf_writer *writer, uint64_t now, uint32_t tid, const char *name);

/* Bring the metadata up to date with the schema and the clock. */
int ctf_writer_metadata(struct ctf_writer *writer, const struct clock *clock,
                        const struct schema *schema, struct weir_error *err);

/* Bytes on disk, packets' and events' numbers so far. */
struct ctf_totals {
	uint64_t bytes;
	uint64_t packets;
	uint64_t events;
	uint64_t dropped; /* events, by ctf_writer_drop() */
};
static inline void ctf_totals_add(struct ctf_totals *to, const struct ctf_totals *more)
{
	to->bytes += more->bytes;
	to->packets += more->packets;
	to->events += more->events;
	to->dropped += more->dropped;
}
void ctf_writer_totals(const struct ctf_writer *writer, struct ctf_totals *ret);

/* Writes the metadata with the last pair of clocks and closes. */
void ctf_writer_destroy(struct ctf_writer *writer, const struct clock *clock,
                        const struct schema *schema);

/*
 * Whole packets from the start of a file, in bytes, the last of them (all zeros if there is none),
 * and how many bytes that one takes. `frames`: they are compressed. -errno: cannot be read.
 */
int64_t ctf_whole(int fd, bool frames, struct ctf_packet_head *last, uint64_t *tail);

/*
 * Cut every stream file below `path` to its last whole packet; if `dry`, only say so. Calls `cut`
 * for each file that was cut. Returns the number of files looked at, or -errno.
 */
int ctf_repair(const char *path, bool dry, void (*cut)(void *arg, const char *file, uint64_t bytes),
               void *arg, struct weir_error *err);

#endif
