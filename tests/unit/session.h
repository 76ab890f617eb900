/* SPDX-License-Identifier: MIT */
/*
 * A tracer in the process itself, as small as can be: arms a session by the ABI and reads its
 * packets back. No thread, no polling: for tests of the target's side.
 */
#ifndef WEIR_TESTS_SESSION_H
#define WEIR_TESTS_SESSION_H

#include <fcntl.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <weir/abi/note.h>
#include <weir/abi/shm.h>

struct session {
	uint8_t *base;
	struct weir_shm_header *header;
	struct weir_shm_session *s;
	unsigned k;
	uint32_t generation;
};

static inline void *session_at(const struct session *t, uint64_t offset)
{
	return t->base + offset;
}

/* Map this process's (or /proc/PID's) memfd. */
static inline int session_open(int pid, struct session *t)
{
	char path[64], link[128];
	DIR *dir;
	struct dirent *e;
	int fd = -1;

	memset(t, 0, sizeof(*t));
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && fd < 0 && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (!strcmp(link, "/memfd:" WEIR_SHM_NAME " (deleted)"))
			fd = openat(dirfd(dir), e->d_name, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	if (fd < 0)
		return -1;
	struct stat st;

	fstat(fd, &st);
	t->base = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	t->header = (struct weir_shm_header *)t->base;
	return t->base == MAP_FAILED || t->header->magic != WEIR_SHM_MAGIC ? -1 : 0;
}

static inline uint64_t session_now(const struct session *t)
{
	if (t->header->clock == WEIR_CLOCK_TSC)
		return __builtin_ia32_rdtsc();
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Claim session k: `count` packets from k * 64 on. */
static inline void session_claim(struct session *t, unsigned k, uint32_t mode, uint32_t count,
                                 const char *patterns)
{
	t->k = k;
	t->s = (struct weir_shm_session *)session_at(t, t->header->off_session) + k;
	t->generation = WEIR_SESSION_GENERATION(t->s->state) + 1;
	t->s->state = WEIR_SESSION_WORD(WEIR_SESSION_CLAIMED, t->generation);
	t->s->lease = session_now(t) + t->header->hz * 1000;
	t->s->mode = mode;
	t->s->string_limit = 0;
	t->s->first_packet = k * 64;
	t->s->packet_count = count;
	t->s->packet_size = WEIR_SHM_PACKET_SIZE;
	t->s->flags = patterns ? WEIR_SESSION_PATTERNS : 0;
	memset(t->s->patterns, 0, sizeof(t->s->patterns));
	if (patterns)
		strcpy(t->s->patterns, patterns);
	__atomic_store_n(&t->s->state, WEIR_SESSION_WORD(WEIR_SESSION_ACTIVE, t->generation),
	                 __ATOMIC_RELEASE);
}

/* The id of a probe as the schema log has it now; 0: withdrawn or unknown. */
static inline uint16_t session_id(const struct session *t, const char *provider, const char *probe)
{
	const uint8_t *p = session_at(t, t->header->off_schema);
	const uint8_t *end = p + t->header->schema_end;
	uint16_t id = 0;

	while (p < end) {
		const struct weir_shm_schema *schema = (const void *)p;
		const struct weir_note *note = (const void *)schema->bytes;
		const char *name = (const char *)(note + 1);

		if (schema->kind == WEIR_SCHEMA_WITHDRAW) {
			if (schema->id == id)
				id = 0;
		} else if (!strcmp(name, provider) && !strcmp(name + strlen(name) + 1, probe)) {
			id = schema->id;
		}
		p += schema->length;
	}
	return id;
}

static inline uint32_t *session_mask(const struct session *t, uint16_t id)
{
	return (uint32_t *)session_at(t, t->header->off_mask) + id;
}

static inline void session_enable(const struct session *t, uint16_t id)
{
	unsigned shift = WEIR_MASK_SHIFT(t->k);

	__atomic_fetch_or(session_mask(t, id), WEIR_SESSION_NIBBLE(t->s->state) << shift,
	                  __ATOMIC_RELEASE);
}

static inline void session_disable(const struct session *t, uint16_t id)
{
	__atomic_fetch_and(session_mask(t, id), ~(UINT32_C(0xf) << WEIR_MASK_SHIFT(t->k)),
	                   __ATOMIC_RELAXED);
}

static inline uint64_t session_lost(const struct session *t)
{
	struct weir_shm_stripe *stripe = session_at(t, t->header->off_stripe);
	uint64_t n = 0;

	for (uint32_t i = 0; i < t->header->cpus; i++)
		n += stripe[i].lost[t->k];
	return n;
}

static inline uint64_t session_overwritten(const struct session *t)
{
	struct weir_shm_stripe *stripe = session_at(t, t->header->off_stripe);
	uint64_t n = 0;

	for (uint32_t i = 0; i < t->header->cpus; i++)
		n += stripe[i].overwritten[t->k];
	return n;
}

static inline struct weir_shm_desc *session_desc(const struct session *t, uint32_t packet)
{
	return (struct weir_shm_desc *)session_at(t, t->header->off_desc) + packet;
}

static inline struct weir_shm_packet *session_packet(const struct session *t, uint32_t packet)
{
	return (void *)(t->base + t->header->off_packet + (uint64_t)packet * WEIR_SHM_PACKET_SIZE);
}

/* Call for each committed record of this generation, packet by packet. Returns their number, or
 * -1 if a packet's records do not add up to what it says. */
static inline int64_t session_walk(const struct session *t,
                                   void (*call)(void *, const struct weir_shm_record *), void *data)
{
	int64_t total = 0;

	for (uint32_t i = 0; i < t->s->packet_count; i++) {
		uint32_t at = t->s->first_packet + i;
		struct weir_shm_desc *d = session_desc(t, at);
		uint64_t commit = session_packet(t, at)->commit;
		uint8_t *p = (uint8_t *)session_packet(t, at) + WEIR_PACKET_RECORDS;
		uint8_t *end = (uint8_t *)session_packet(t, at) + WEIR_COMMIT_OFFSET(commit);
		uint32_t n = 0;

		if (WEIR_DESC_GENERATION(d->state) != t->generation ||
		    (WEIR_DESC_STATE(d->state) != WEIR_PACKET_OPEN &&
		     WEIR_DESC_STATE(d->state) != WEIR_PACKET_FULL))
			continue;
		for (; p < end; n++) {
			const struct weir_shm_record *r = (const void *)p;

			if (WEIR_RECORD_LENGTH(r->head) < 16)
				return -1;
			if (call)
				call(data, r);
			p += WEIR_RECORD_LENGTH(r->head);
		}
		if (p != end || n != WEIR_COMMIT_COUNT(commit))
			return -1;
		total += n;
	}
	return total;
}

/* Call for the record that was committed last, of all slots. */
static inline void session_walk_last(const struct session *t,
                                     void (*call)(void *, const struct weir_shm_record *),
                                     void *data)
{
	const struct weir_shm_record *last = NULL;
	uint64_t newest = 0;

	for (uint32_t i = 0; i < t->s->packet_count; i++) {
		uint32_t at = t->s->first_packet + i;
		struct weir_shm_packet *packet = session_packet(t, at);
		uint8_t *p = (uint8_t *)packet + WEIR_PACKET_RECORDS;
		uint8_t *end = (uint8_t *)packet + WEIR_COMMIT_OFFSET(packet->commit);

		if (WEIR_DESC_GENERATION(session_desc(t, at)->state) != t->generation || p == end ||
		    packet->last_time < newest)
			continue;
		newest = packet->last_time;
		for (; p < end; p += WEIR_RECORD_LENGTH(last->head))
			last = (const void *)p;
	}
	if (last)
		call(data, last);
}

#endif
