/* SPDX-License-Identifier: MIT */
#include "lib/session.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/follow.h"
#include "lib/probe.h"
#include "lib/shm.h"

#define LEASE_SECONDS   3
#define PENDING_PACKETS 128 /* 8 MiB, if nobody asked for another size */

static int waited_for = -1; /* the session that the environment asked for */

/* Does "provider:probe" match one of the patterns? They may come from a stranger: `patterns` is a
 * private copy, terminated. */
static bool patterns_match(char *patterns, const char *name)
{
	char *save = NULL;

	for (char *p = strtok_r(patterns, ";", &save); p; p = strtok_r(NULL, ";", &save)) {
		if (!fnmatch(p, name, 0))
			return true;
	}
	return false;
}

static void mask_set(uint32_t *word, unsigned session, unsigned nibble)
{
	unsigned shift = WEIR_MASK_SHIFT(session);
	uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED), new;

	do {
		new = (old & ~(UINT32_C(0xf) << shift)) | nibble << shift;
	} while (!__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_RELEASE,
	                                      __ATOMIC_RELAXED));
}

void session_match(struct probe *probe)
{
	char name[2 * WEIR_NAME_MAX + 2];

	snprintf(name, sizeof(name), "%s:%s", (const char *)(probe->note + 1), probe_name(probe));
	/* The log's store before the loads below; the tracer has the other order, and a fence, too. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned k = 0; k < WEIR_SHM_SESSIONS; k++) {
		struct weir_shm_session *s = &shm.sessions[k];
		/* acquire: partner is the tracer's store of ACTIVE after it wrote the patterns. One
		 * of the two sees the other: it scans the schema after ACTIVE, we look after the
		 * schema. */
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		char patterns[WEIR_SESSION_PATTERN_SIZE + 1] = "";

		if (WEIR_SESSION_STATE(word) != WEIR_SESSION_ACTIVE &&
		    WEIR_SESSION_STATE(word) != WEIR_SESSION_PENDING)
			continue;
		if (!(s->flags & WEIR_SESSION_PATTERNS))
			continue;
		memcpy(patterns, s->patterns, WEIR_SESSION_PATTERN_SIZE);
		if (patterns_match(patterns, name))
			mask_set(&shm.masks[probe->id], k, WEIR_SESSION_NIBBLE(word));
	}
}

/* What can be had without knowing what others will want. */
static uint32_t packets_default(void)
{
	uint32_t count = shm.packets / WEIR_SHM_SESSIONS;

	return count < PENDING_PACKETS ? count : PENDING_PACKETS;
}

/* How many packets $WEIR_TRACE_BUFFER, bytes, asks for; 0: it does not. */
static uint32_t packets_asked(void)
{
	const char *text = secure_getenv("WEIR_TRACE_BUFFER");
	uint64_t bytes = text ? strtoull(text, NULL, 10) : 0;
	uint64_t count = bytes / WEIR_SHM_PACKET_SIZE + (bytes % WEIR_SHM_PACKET_SIZE != 0);

	if (!count)
		return 0;
	if (count < shm.slots + 2) /* each slot has one open */
		count = shm.slots + 2;
	return count < shm.packets ? (uint32_t)count : shm.packets;
}

static void session_arm(unsigned k, const struct weir_shm_session *as)
{
	struct weir_shm_session *s = &shm.sessions[k];

	s->mode = as->mode;
	s->string_limit = as->string_limit;
	s->first_packet = as->first_packet;
	s->packet_count = as->packet_count;
	s->packet_size = WEIR_SHM_PACKET_SIZE;
	s->flags = as->flags | WEIR_SESSION_PATTERNS;
	memcpy(s->patterns, as->patterns, strnlen(as->patterns, WEIR_SESSION_PATTERN_SIZE - 1));
	s->lease = clock_now() + clock_hz * LEASE_SECONDS;
	__atomic_store_n(&s->state, WEIR_SESSION_WORD(WEIR_SESSION_PENDING, 1), __ATOMIC_RELEASE);
}

/* Which tracer it is for: several may have the same patterns. */
static void mailbox_from_environment(struct weir_shm_session *s)
{
	const char *text = secure_getenv("WEIR_TRACE_MAILBOX");
	char *end;

	if (!text)
		return;
	s->mailbox = strtoull(text, &end, 16);
	s->mailbox_key = *end == ':' ? strtoull(end + 1, NULL, 16) : 0;
}

void session_from_environment(void)
{
	const char *patterns = secure_getenv("WEIR_TRACE");
	const char *pid = secure_getenv("WEIR_TRACE_PID");
	struct weir_shm_session as = { .mode = WEIR_MODE_DROP, .packet_count = packets_asked() };

	if (!patterns || !*patterns || strlen(patterns) >= WEIR_SESSION_PATTERN_SIZE)
		return;
	if (pid && *pid && atol(pid) != (long)getpid())
		return;
	if (as.packet_count)
		as.flags = WEIR_SESSION_SIZED;
	else
		as.packet_count = packets_default();
	memcpy(as.patterns, patterns, strlen(patterns));
	mailbox_from_environment(&shm.sessions[0]);
	session_arm(0, &as);
	__atomic_store_n(&waited_for, 0, __ATOMIC_RELAXED);
}

void session_announce(void)
{
	int session = __atomic_load_n(&waited_for, __ATOMIC_RELAXED);

	if (session >= 0 && shm.sessions[session].mailbox)
		follow_hand_over(shm.sessions[session].mailbox, shm.sessions[session].mailbox_key);
}

/* The same place in a pool of the same size, if a size was asked for: an eighth of it else. */
static void packets_inherit(unsigned k, const struct weir_shm_session *parent,
                            struct weir_shm_session *as)
{
	uint32_t first = parent->first_packet, count = parent->packet_count;

	as->first_packet = k * (shm.packets / WEIR_SHM_SESSIONS);
	as->packet_count = packets_default();
	if (!(parent->flags & WEIR_SESSION_SIZED) || !count || first >= shm.packets ||
	    count > shm.packets - first)
		return;
	as->first_packet = first;
	as->packet_count = count;
	as->flags |= WEIR_SESSION_SIZED;
}

void session_inherit(const struct weir_shm_session *parent)
{
	__atomic_store_n(&waited_for, -1, __ATOMIC_RELAXED);
	for (unsigned k = 0; k < WEIR_SHM_SESSIONS; k++) {
		const struct weir_shm_session *s = &parent[k];
		struct weir_shm_session as = {
			.mode =
			    s->mode == WEIR_MODE_OVERWRITE ? WEIR_MODE_OVERWRITE : WEIR_MODE_DROP,
			.string_limit = s->string_limit,
			.flags = WEIR_SESSION_FOLLOW,
		};

		if (!follow_wanted(s))
			continue;
		packets_inherit(k, s, &as);
		memcpy(as.patterns, s->patterns,
		       strnlen(s->patterns, WEIR_SESSION_PATTERN_SIZE - 1));
		shm.sessions[k].mailbox = s->mailbox;
		shm.sessions[k].mailbox_key = s->mailbox_key;
		session_arm(k, &as);
	}
}

void session_wait(void)
{
	struct timespec wait = { 0, 1000000 };
	uint64_t start = clock_mono();
	int session = __atomic_load_n(&waited_for, __ATOMIC_RELAXED);

	if (session < 0)
		return;
	while (clock_mono() - start < 1000000000) {
		uint64_t word = __atomic_load_n(&shm.sessions[session].state, __ATOMIC_ACQUIRE);

		if (WEIR_SESSION_STATE(word) != WEIR_SESSION_PENDING)
			break;
		nanosleep(&wait, NULL);
	}
	__atomic_store_n(&waited_for, -1, __ATOMIC_RELAXED);
}
