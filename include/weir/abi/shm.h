/* SPDX-License-Identifier: MIT */
/*
 * The event path in shared memory: one sparse memfd per target process, named
 * "weir", written by libweir inside the target and by any number of tracers.
 * docs/abi.md explains every decision; this file is the layout, and nothing
 * but the layout. tests/abi/ holds an independent decoder in Python.
 *
 * Rules of extension
 *  - A reserved byte is zero until a minor version gives it a meaning whose
 *    zero value is today's behaviour.
 *  - Tables are found through the header's offsets, never through constants.
 *  - A reader refuses another major version and accepts any minor one.
 *  - Integers are in the target's byte order; the magic tells which.
 *  - Offsets count bytes from the start of the memfd; an offset of 0 means
 *    that the table is absent.
 *
 * "T" is the target (libweir), "R" is a tracer (reader). Each word names who
 * writes it. Neither side believes what the other wrote: see docs/abi.md.
 */
#ifndef WEIR_ABI_SHM_H
#define WEIR_ABI_SHM_H

#include <stddef.h>
#include <stdint.h>

/* The layout is a table, aligned by hand. */
/* clang-format off */

#define WEIR_SHM_NAME "weir" /* /proc/PID/fd/N -> "/memfd:weir (deleted)" */
#define WEIR_SHM_MAGIC UINT64_C(0x31304d4853524957) /* "WIRSHM01" */
#define WEIR_SHM_MAJOR 1
#define WEIR_SHM_MINOR 0

#define WEIR_SHM_SESSIONS 8
#define WEIR_SHM_PROBES 65536       /* the mask table's length; ids are 1..65535 */
#define WEIR_SHM_PACKET_SIZE 65536u /* bytes; every packet of major version 1 */

enum weir_shm_clock {
	WEIR_CLOCK_TSC = 1,       /* rdtsc; header.hz, tsc0, mono0 map it */
	WEIR_CLOCK_MONOTONIC = 2, /* clock_gettime(CLOCK_MONOTONIC), ns; hz = 1e9 */
};

enum weir_shm_feature {
	WEIR_FEATURE_RSEQ = 1u << 0,  /* slots are CPUs; else slots are taken with xchg */
	WEIR_FEATURE_BLOCK = 1u << 1, /* the provider's owner allows block mode */
};

struct weir_shm_header {
	uint64_t magic; /* T, stored last (release): all else is valid once it reads right */
	uint32_t major;
	uint32_t minor;
	uint64_t size;        /* of the memfd, bytes */
	uint32_t pid;         /* in the target's own pid namespace; a tracer refuses another's */
	uint32_t generation;  /* 0; +1 in each forked child */
	uint64_t start_ns;    /* CLOCK_MONOTONIC when the memfd was made */
	uint32_t clock;       /* enum weir_shm_clock */
	uint32_t cpus;        /* stripes; in rseq mode also the number of slots */
	uint64_t hz;          /* clock ticks a second, as known at start; better: two pairs */
	uint64_t tsc0;        /* one pair, taken together: the event clock ... */
	uint64_t mono0;       /* ... and CLOCK_MONOTONIC in ns */
	uint64_t off_session; /* struct weir_shm_session[sessions] */
	uint64_t off_stripe;  /* struct weir_shm_stripe[cpus] */
	uint64_t off_mask;    /* uint32_t[WEIR_SHM_PROBES], by probe id */
	uint64_t off_action;  /* reserved for aggregation in the target: 0 */
	uint64_t off_desc;    /* struct weir_shm_desc[packets] */
	uint64_t off_packet;  /* packets * packet_size bytes, page aligned */
	uint64_t off_aggregate; /* reserved: 0 */
	uint32_t probes;      /* T: highest id in use (release); R scans ids 1..probes */
	uint32_t packets;
	uint32_t packet_size; /* WEIR_SHM_PACKET_SIZE */
	uint32_t sessions;    /* WEIR_SHM_SESSIONS */
	uint64_t off_schema;  /* struct weir_shm_schema records, back to back */
	uint64_t schema_size; /* room for them, bytes */
	uint64_t schema_end;  /* T (release): bytes of whole records; only grows */
	uint32_t features;    /* enum weir_shm_feature bits */
	uint32_t slots;       /* highest slot number + 1 that this target may use */
	uint8_t reserved[4096 - 176];
};
_Static_assert(sizeof(struct weir_shm_header) == 4096, "header");
_Static_assert(offsetof(struct weir_shm_header, hz) == 48, "hz");
_Static_assert(offsetof(struct weir_shm_header, off_session) == 72, "offsets");
_Static_assert(offsetof(struct weir_shm_header, probes) == 128, "probes");
_Static_assert(offsetof(struct weir_shm_header, off_schema) == 144, "schema");
_Static_assert(offsetof(struct weir_shm_header, schema_end) == 160, "schema_end");

/*
 * A session is one tracer's claim on one target: its own packets, mode and
 * losses. `state` is one u64 so that state and generation change together.
 *
 *   R: FREE|EXPIRED > CLAIMED (generation + 1) > ACTIVE > CLOSING > FREE
 *   T: FREE > PENDING   self-armed at publish or in a followed child
 *   T: ACTIVE|PENDING > EXPIRED   a fire found the lease over
 *   R: PENDING > ACTIVE (same generation)   adopts what the target armed
 *
 * Tracers exclude each other while claiming with an OFD write lock on byte 0
 * of the memfd (F_OFD_SETLK); the kernel drops it when they die. A tracer that
 * may still come for what its session recorded holds an OFD read lock on the
 * session's own byte. When the lease is over and nobody holds that, the tracer
 * is gone, and whoever sees it, T or another R, gives the packets back.
 */
#define WEIR_LOCK_CLAIM 0
#define WEIR_LOCK_OWNER(session) (1 + (session))

enum weir_session_state {
	WEIR_SESSION_FREE = 0,
	WEIR_SESSION_CLAIMED = 1,
	WEIR_SESSION_ACTIVE = 2,
	WEIR_SESSION_EXPIRED = 3,
	WEIR_SESSION_PENDING = 4,
	WEIR_SESSION_CLOSING = 5,
};

#define WEIR_SESSION_STATE(w) ((unsigned)((w) & 0xff))
#define WEIR_SESSION_NIBBLE(w) ((unsigned)(((w) >> 8) & 0xf))
#define WEIR_SESSION_GENERATION(w) ((uint32_t)((w) >> 32))
#define WEIR_SESSION_WORD(state, generation)                                                       \
	((uint64_t)(state) | ((uint64_t)((uint32_t)(generation) % 15 + 1) << 8) |                  \
	 ((uint64_t)(uint32_t)(generation) << 32))

enum weir_session_mode {
	WEIR_MODE_DROP = 0,      /* no free packet: the event is lost, and counted */
	WEIR_MODE_OVERWRITE = 1, /* no free packet: the oldest FULL one is taken */
	WEIR_MODE_BLOCK = 2,     /* no free packet: the fire waits, min(lease, 100 ms) */
};

enum weir_session_flag {
	WEIR_SESSION_FOLLOW = 1u << 0,   /* a forked child arms itself likewise (PENDING) */
	WEIR_SESSION_PATTERNS = 1u << 1, /* all patterns are in `patterns`: T arms late probes */
	WEIR_SESSION_SIZED = 1u << 2,    /* packet_count was asked for: a followed child takes as many */
};

#define WEIR_SESSION_PATTERN_SIZE 224

struct weir_shm_session {
	uint64_t state;        /* see above */
	uint64_t lease;        /* R: event clock; a fire later than this expires the session */
	uint32_t mode;         /* R: enum weir_session_mode */
	uint32_t string_limit; /* R: longest string or bytes in bytes, 0: no limit; T takes the smaller of this and its own */
	uint32_t first_packet; /* R: the session's packets, a range of the pool */
	uint32_t packet_count;
	uint32_t packet_size;  /* R: WEIR_SHM_PACKET_SIZE */
	uint32_t owner;        /* R: the tracer's pid as it sees itself; shown, never believed */
	uint32_t flags;        /* R: enum weir_session_flag bits */
	uint32_t reserved0;
	uint64_t mailbox;      /* R: where a forked child hands over its memory (struct weir_shm_mail); 0: nowhere */
	uint64_t mailbox_key;  /* R: what it says there */
	uint8_t reserved1[64];
	uint32_t released;     /* R: +1 for each packet it sets FREE; a futex in block mode */
	uint8_t reserved2[124];
	uint64_t expired_at;   /* T: event clock at ACTIVE > EXPIRED */
	uint32_t waiters;      /* T: fires that wait for `released` */
	uint32_t expiries;     /* T: how often this session expired */
	uint32_t forks;        /* T: forks that began while the session was followed; also ones that failed */
	uint32_t children;     /* T: children of them that armed themselves and handed over their memory, or could not */
	uint8_t reserved3[8];
	char patterns[WEIR_SESSION_PATTERN_SIZE]; /* R: "prov:probe;..." globs (* ? [a-z]), NUL terminated */
};
_Static_assert(sizeof(struct weir_shm_session) == 512, "session");
_Static_assert(offsetof(struct weir_shm_session, mailbox) == 48, "mailbox");
_Static_assert(offsetof(struct weir_shm_session, released) == 128, "released");
_Static_assert(offsetof(struct weir_shm_session, expired_at) == 256, "expired_at");
_Static_assert(offsetof(struct weir_shm_session, patterns) == 288, "patterns");

/*
 * A followed child, before its first event, sends this with its memfd to the abstract SEQPACKET
 * socket WEIR_SHM_MAILBOX of the session's `mailbox`: the memory stays the tracer's to read however
 * soon the child ends or execs.
 */
#define WEIR_SHM_MAILBOX "weir-%016llx" /* without the NUL in front */

struct weir_shm_mail {
	uint64_t key;         /* the session's mailbox_key */
	uint64_t reserved;
	char name[16];        /* of the child's thread */
};
_Static_assert(sizeof(struct weir_shm_mail) == 32, "mail");

/* T: loss counters, one stripe a CPU, one counter a session; they only grow. */
struct weir_shm_stripe {
	uint64_t lost[WEIR_SHM_SESSIONS];        /* events that were never committed */
	uint64_t overwritten[WEIR_SHM_SESSIONS]; /* committed events in packets taken back unread */
};
_Static_assert(sizeof(struct weir_shm_stripe) == 128, "stripe");

/*
 * Mask word of a probe: a nibble a session (session k: bits 4k..4k+3). 0 is
 * off, else it equals the session's nibble. R sets its own nibble with a
 * cmpxchg of the word; T clears a nibble whose session is not, or no longer,
 * the one that set it.
 */
#define WEIR_MASK_SHIFT(session) (4u * (session))

/*
 * A packet's descriptor. `state` carries the session's generation, so one
 * cmpxchg moves a packet only if it is still what the mover thinks.
 *
 *   T: FREE > TAKEN > OPEN > FULL; OPEN > FREE (an install that failed);
 *      FULL > TAKEN (overwrite mode);
 *      FREE, and FULL or READ of an older generation > TAKEN;
 *      FREE, FULL, READ > TAKEN > FREE of an EXPIRED session whose tracer is
 *      gone, to give the memory back
 *   R: FULL > FREE; FULL > READ > FREE (overwrite mode, one packet at a time)
 *
 * A packet that is OPEN with count 0 does not exist. A slot's packets are
 * numbered by `sequence`, from 1 per slot and generation, without a gap. When
 * a successor has count > 0, its predecessor is complete, whatever its state
 * says: a closer can be preempted between install and FULL.
 */
enum weir_packet_state {
	WEIR_PACKET_FREE = 0,
	WEIR_PACKET_TAKEN = 1,
	WEIR_PACKET_OPEN = 2,
	WEIR_PACKET_FULL = 3,
	WEIR_PACKET_READ = 4,
};

#define WEIR_DESC_STATE(w) ((uint32_t)(w))
#define WEIR_DESC_GENERATION(w) ((uint32_t)((w) >> 32))
#define WEIR_DESC_WORD(state, generation)                                                          \
	((uint64_t)(state) | ((uint64_t)(uint32_t)(generation) << 32))

struct weir_shm_desc {
	uint64_t state;      /* {state:32, generation:32 of the session} */
	uint32_t sequence;   /* T, at OPEN */
	uint32_t slot;       /* T, at OPEN */
	uint64_t first_time; /* T, at OPEN: lower bound of the packet's event times, full 64 bits */
	uint64_t last_time;  /* T, at FULL: time of the last event (= packet.last_time) */
	uint64_t lost;       /* T, at OPEN: the slot's stripe's lost counter before this packet */
	uint32_t session;    /* T, at OPEN: index of the session */
	uint32_t reserved[5];
};
_Static_assert(sizeof(struct weir_shm_desc) == 64, "desc");

/* Records start here; the bytes before are the packet's own head. */
#define WEIR_PACKET_RECORDS 64u

struct weir_shm_packet {
	uint64_t commit;    /* T: {offset:32, count:32}; records lie in [WEIR_PACKET_RECORDS, offset) */
	uint64_t last_time; /* T: event clock, stored before commit: not before the last record */
	uint8_t reserved[48];
};
_Static_assert(sizeof(struct weir_shm_packet) == WEIR_PACKET_RECORDS, "packet");

#define WEIR_COMMIT_OFFSET(w) ((uint32_t)(w))
#define WEIR_COMMIT_COUNT(w) ((uint32_t)((w) >> 32))

/*
 * A record is the CTF event:
 *   head: {id:16, time:38, length/8:10}   time is the clock's low 38 bits
 *   tid, cpu, flags                       tid in the target's pid namespace
 *   one u64 per fixed field, in order; for a string or bytes field instead
 *     {padded length u16, original length u16, 0 u32}
 *   the strings' and bytes' contents, in field order, each zero padded to 8
 *
 * Only the low bits of a narrow field count. A string's padded length is that
 * of its stored bytes with its NUL, rounded up to 8; its original length is
 * strlen. For bytes, padded length is the stored length rounded up to 8 and
 * original length the caller's. Original lengths above 65535 read 65535.
 * Stored bytes = min(original, limit); a record is at most 8184 bytes long.
 * A packet never spans 2^38 ticks.
 */
struct weir_shm_record {
	uint64_t head;
	uint32_t tid;
	uint16_t cpu;
	uint16_t flags;
	uint64_t fields[];
};
_Static_assert(sizeof(struct weir_shm_record) == 16, "record");

#define WEIR_RECORD_ID(h) ((uint16_t)(h))
#define WEIR_RECORD_TIME(h) (((h) >> 16) & ((UINT64_C(1) << 38) - 1))
#define WEIR_RECORD_LENGTH(h) ((uint32_t)((h) >> 54) * 8u)
#define WEIR_RECORD_TIME_BITS 38
#define WEIR_RECORD_MAX 8184u

enum weir_record_flag {
	WEIR_RECORD_TRUNCATED = 1u << 0, /* at least one string or bytes field was cut */
	WEIR_RECORD_FAULT = 1u << 1,     /* a string or bytes pointer was NULL: one of the empty ones */
};

/* The schema log. `length` covers the whole record and is a multiple of 8. */
enum weir_schema_kind {
	WEIR_SCHEMA_ADD = 1,      /* followed by the probe's struct weir_note, site and semaphore as loaded */
	WEIR_SCHEMA_WITHDRAW = 2, /* the probe is gone; its id returns only with the same schema */
};

struct weir_shm_schema {
	uint32_t length;
	uint16_t id;
	uint16_t kind;
	uint8_t bytes[];
};
_Static_assert(sizeof(struct weir_shm_schema) == 8, "schema");

#endif
