/* SPDX-License-Identifier: MIT */
#include "bench/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/abi/note.h>

#include "bench/bench.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct weir_shm_header *mapped;
static int memfd = -1; /* an open file description of its own: that is what a lock belongs to */
static uint32_t packets_taken;

static bool is_ours(const char *fd)
{
	char path[300], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	return !strcmp(target, "/memfd:" WEIR_SHM_NAME " (deleted)");
}

static void map_memfd(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat st;
	char path[300];

	while (dir && (entry = readdir(dir))) {
		if (!is_ours(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		memfd = open(path, O_RDWR | O_CLOEXEC);
		break;
	}
	if (dir)
		closedir(dir);
	if (memfd < 0)
		bench_skip("this libweir made no shared memory: nothing named memfd:%s is open",
		           WEIR_SHM_NAME);
	if (fstat(memfd, &st))
		bench_fail("fstat: %s", strerror(errno));
	mapped = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (mapped == MAP_FAILED)
		bench_fail("mmap: %s", strerror(errno));
	if (mapped->magic != WEIR_SHM_MAGIC || mapped->major != WEIR_SHM_MAJOR)
		bench_fail("the shared memory is of another version: bench/session.c is for %d",
		           WEIR_SHM_MAJOR);
}

static void *table(uint64_t offset)
{
	return (char *)mapped + offset;
}

static struct weir_shm_desc *descs(const struct session *session)
{
	return (struct weir_shm_desc *)table(mapped->off_desc) + session->words->first_packet;
}

static struct weir_shm_packet *packet(const struct session *session, uint32_t i)
{
	return table(mapped->off_packet +
	             (uint64_t)(session->words->first_packet + i) * mapped->packet_size);
}

static uint64_t clock_ticks(uint64_t seconds)
{
	uint64_t now = mapped->clock == WEIR_CLOCK_TSC ? bench_ticks() : bench_now();

	return now + seconds * mapped->hz;
}

static void lock(short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	if (fcntl(memfd, F_OFD_SETLKW, &range))
		bench_fail("F_OFD_SETLKW: %s", strerror(errno));
}

static void claim(struct session *session)
{
	struct weir_shm_session *all = table(mapped->off_session);

	for (unsigned i = 0; i < mapped->sessions; i++) {
		uint64_t word = __atomic_load_n(&all[i].state, __ATOMIC_ACQUIRE);
		unsigned state = WEIR_SESSION_STATE(word);

		if (state != WEIR_SESSION_FREE && state != WEIR_SESSION_EXPIRED)
			continue;
		session->generation = WEIR_SESSION_GENERATION(word) + 1;
		session->index = i;
		session->words = &all[i];
		__atomic_store_n(&all[i].state,
		                 WEIR_SESSION_WORD(WEIR_SESSION_CLAIMED, session->generation),
		                 __ATOMIC_RELEASE);
		return;
	}
	bench_fail("all %u sessions are taken", mapped->sessions);
}

void session_arm(struct session *session, enum weir_session_mode mode, uint32_t packets)
{
	if (!mapped)
		map_memfd();
	if (packets_taken + packets > mapped->packets)
		bench_fail("the pool has %u packets; %u more than %u were asked for",
		           mapped->packets, packets, packets_taken);
	lock(F_WRLCK);
	claim(session);
	lock(F_UNLCK);
	session->header = mapped;
	session->words->mode = mode;
	session->words->string_limit = 4096;
	session->words->first_packet = packets_taken;
	session->words->packet_count = packets;
	session->words->packet_size = mapped->packet_size;
	session->words->owner = (uint32_t)getpid();
	session->words->flags = 0;
	session->words->patterns[0] = '\0';
	session->words->lease = clock_ticks(3600);
	packets_taken += packets;
	if (madvise(packet(session, 0), session_bytes(session), MADV_POPULATE_WRITE))
		bench_fail("MADV_POPULATE_WRITE: %s", strerror(errno));
	/* Pairs with the target's acquire of the state: it reads the words above behind it. */
	__atomic_store_n(&session->words->state,
	                 WEIR_SESSION_WORD(WEIR_SESSION_ACTIVE, session->generation),
	                 __ATOMIC_RELEASE);
}

static uint16_t find_id(const char *provider, const char *probe)
{
	uint64_t end = __atomic_load_n(&mapped->schema_end, __ATOMIC_ACQUIRE);
	uint64_t at = 0;
	uint16_t id = 0;

	while (at < end) {
		const struct weir_shm_schema *record = table(mapped->off_schema + at);
		const struct weir_note *note = (const void *)record->bytes;
		const char *name = (const char *)record->bytes + note->fixed;

		if (record->kind == WEIR_SCHEMA_ADD && !strcmp(name, provider) &&
		    !strcmp(name + strlen(name) + 1, probe))
			id = record->id;
		at += record->length;
	}
	if (!id)
		bench_fail("%s:%s is not in the schema log", provider, probe);
	return id;
}

static void mask_set(const struct session *session, uint16_t id, uint32_t nibble)
{
	uint32_t *mask = (uint32_t *)table(mapped->off_mask) + id;
	uint32_t old = __atomic_load_n(mask, __ATOMIC_RELAXED);
	uint32_t shift = WEIR_MASK_SHIFT(session->index);
	uint32_t new;

	do {
		new = (old & ~(UINT32_C(0xf) << shift)) | nibble << shift;
	} while (!__atomic_compare_exchange_n(mask, &old, new, false, __ATOMIC_ACQ_REL,
	                                      __ATOMIC_RELAXED));
}

void session_enable(struct session *session, const char *provider, const char *probe)
{
	mask_set(session, find_id(provider, probe), WEIR_SESSION_NIBBLE(session->words->state));
}

void session_disarm(struct session *session)
{
	for (uint32_t id = 1; id <= mapped->probes; id++)
		mask_set(session, (uint16_t)id, 0);
	__atomic_store_n(&session->words->state,
	                 WEIR_SESSION_WORD(WEIR_SESSION_FREE, session->generation),
	                 __ATOMIC_RELEASE);
}

struct session_count session_count(const struct session *session)
{
	const struct weir_shm_stripe *stripes = table(mapped->off_stripe);
	struct session_count count = { 0 };

	for (uint32_t i = 0; i < session->words->packet_count; i++) {
		uint64_t state = descs(session)[i].state;

		if (WEIR_DESC_GENERATION(state) == session->generation &&
		    (WEIR_DESC_STATE(state) == WEIR_PACKET_OPEN ||
		     WEIR_DESC_STATE(state) == WEIR_PACKET_FULL))
			count.committed += WEIR_COMMIT_COUNT(packet(session, i)->commit);
	}
	for (uint32_t i = 0; i < mapped->cpus; i++) {
		count.committed += stripes[i].overwritten[session->index];
		count.lost += stripes[i].lost[session->index];
	}
	return count;
}

uint64_t session_lost_all(void)
{
	const struct weir_shm_stripe *stripes;
	uint64_t lost = 0;

	if (!mapped)
		map_memfd();
	stripes = table(mapped->off_stripe);
	for (uint32_t i = 0; i < mapped->cpus; i++) {
		for (uint32_t k = 0; k < mapped->sessions; k++)
			lost += stripes[i].lost[k];
	}
	return lost;
}

uint64_t session_bytes(const struct session *session)
{
	return (uint64_t)session->words->packet_count * mapped->packet_size;
}

const struct weir_shm_record *session_last(const struct session *session)
{
	const struct weir_shm_record *last = NULL;
	uint64_t newest = 0;

	for (uint32_t i = 0; i < session->words->packet_count; i++) {
		struct weir_shm_packet *head = packet(session, i);
		uint64_t state = descs(session)[i].state;
		uint32_t end = WEIR_COMMIT_OFFSET(head->commit);

		if (WEIR_DESC_GENERATION(state) != session->generation ||
		    !WEIR_COMMIT_COUNT(head->commit) || head->last_time < newest)
			continue;
		newest = head->last_time;
		for (uint32_t at = WEIR_PACKET_RECORDS; at < end;) {
			last = (const void *)((const char *)head + at);
			at += WEIR_RECORD_LENGTH(last->head);
		}
	}
	return last;
}
