/* SPDX-License-Identifier: MIT */
#include "lib/give_back.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "lib/shm.h"

#define RUN_MAX 16 /* packets in hand: what a siglongjmp out of here could leak */

/* Another session's, whose tracer touched it: one range may have been given away twice. */
static bool packet_of_another(unsigned k, uint32_t packet)
{
	for (unsigned i = 0; i < WEIR_SHM_SESSIONS; i++) {
		const struct weir_shm_session *s = &shm.sessions[i];
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		uint32_t first = __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED);

		if (i != k && WEIR_SESSION_STATE(word) != WEIR_SESSION_FREE && packet >= first &&
		    packet - first < __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static bool packet_take(unsigned k, uint32_t packet)
{
	uint64_t *state = &shm.descs[packet].state;
	uint64_t word = __atomic_load_n(state, __ATOMIC_RELAXED);
	uint64_t taken = WEIR_DESC_WORD(WEIR_PACKET_TAKEN, WEIR_DESC_GENERATION(word));

	switch (WEIR_DESC_STATE(word)) {
	case WEIR_PACKET_FREE:
	case WEIR_PACKET_FULL:
	case WEIR_PACKET_READ:
		return !packet_of_another(k, packet) &&
		       __atomic_compare_exchange_n(state, &word, taken, false, __ATOMIC_ACQ_REL,
		                                   __ATOMIC_RELAXED);
	default:
		return false;
	}
}

/* Nobody else moves what is TAKEN. */
static void run_free(uint32_t first, uint32_t count)
{
	if (!count)
		return;
	/* Refused where memory is locked: the next tracer does it, by the descriptor. */
	madvise(shm_packet(first), (size_t)count * WEIR_SHM_PACKET_SIZE, MADV_REMOVE);
	for (uint32_t i = first; i < first + count; i++)
		__atomic_store_n(&shm.descs[i].state, WEIR_DESC_WORD(WEIR_PACKET_FREE, 0),
		                 __ATOMIC_RELEASE);
}

void packets_give_back(unsigned session)
{
	const struct weir_shm_session *s = &shm.sessions[session];
	uint32_t at = __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED);
	uint32_t left = __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED);
	uint32_t run = 0; /* packets before `at` that are in hand */

	if (at >= shm.packets || left > shm.packets - at)
		return;
	for (; left; at++, left--) {
		bool took = packet_take(session, at);

		run += took;
		if (took && run < RUN_MAX)
			continue;
		run_free(at + took - run, run);
		run = 0;
	}
	run_free(at - run, run);
}
