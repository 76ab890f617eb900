/* SPDX-License-Identifier: MIT */
/*
 * The target's side of the shared memory: makes it, announces probes in it, and reads from it as
 * little as it can. Everything here but shm_schema_* may be called in a signal handler.
 *
 * `shm` is the library's private copy of every base and size: nothing that a tracer could scribble
 * over decides where a store goes.
 */
#ifndef WEIR_LIB_SHM_H
#define WEIR_LIB_SHM_H

#include <stdbool.h>

#include <weir/abi/shm.h>
#include <weir/weir.h>

struct weir_note;

struct shm {
	uint8_t *base; /* NULL: none */
	size_t size;
	int fd; /* high, close-on-exec; ours only while fstat says so */
	uint64_t ino;
	struct weir_shm_header *header;
	struct weir_shm_session *sessions;
	struct weir_shm_stripe *stripes;
	uint32_t *masks;
	struct weir_shm_desc *descs;
	uint8_t *pool;
	uint8_t *schema;
	uint64_t schema_size;
	uint64_t schema_end;
	uint32_t packets;
	uint32_t cpus;
	uint32_t slots;
	uint32_t probes; /* highest id in use */
	uint32_t generation;
	uint32_t features;
};
extern struct shm shm;

/* Make and map it; no tracer believes it before shm_ready. -errno with a reason: no memfd, no room,
 * a limit that would kill. */
int shm_create(uint64_t pool_size, uint32_t features, uint32_t slots_per_cpu,
               struct weir_error *err);
/* In a forked child: a fresh one at the same address, with the same schema. */
int shm_recreate(void);
/* Let tracers in. */
void shm_ready(void);
/* Also allow block mode, because a provider does. */
void shm_allow(uint32_t features);

/* Has nobody got the lock of a session's tracer? False also if that cannot be known. */
bool shm_tracer_gone(unsigned session);

/* Append to the schema log. -ENOSPC. */
int shm_schema_add(uint16_t id, const struct weir_note *note);
int shm_schema_withdraw(uint16_t id);

static inline struct weir_shm_packet *shm_packet(uint32_t index)
{
	return (struct weir_shm_packet *)(shm.pool + (uint64_t)index * WEIR_SHM_PACKET_SIZE);
}

#endif
