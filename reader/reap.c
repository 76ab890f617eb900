/* SPDX-License-Identifier: MIT */
#include "reader/reap.h"

#include <fcntl.h>
#include <string.h>

static struct flock owner_lock(uint32_t index, short type)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = WEIR_LOCK_OWNER(index), .l_len = 1
	};
}

void owner_hold(const struct shm *shm, uint32_t index)
{
	/* Shared: who took a stopped tracer's session holds it beside that one. */
	struct flock fl = owner_lock(index, F_RDLCK);

	fcntl(shm->fd, F_OFD_SETLK, &fl);
}

void owner_let_go(const struct shm *shm, uint32_t index)
{
	struct flock fl = owner_lock(index, F_UNLCK);

	fcntl(shm->fd, F_OFD_SETLK, &fl);
}

static bool owner_there(const struct shm *shm, uint32_t index)
{
	struct flock fl = owner_lock(index, F_WRLCK);

	return fcntl(shm->fd, F_OFD_GETLK, &fl) || fl.l_type != F_UNLCK;
}

bool lease_over(const struct weir_shm_session *s, const struct clock *clock)
{
	uint64_t lease = __atomic_load_n(&s->lease, __ATOMIC_RELAXED);

	return (int64_t)(clock_now(clock) - lease) > (int64_t)clock->hz;
}

/* Does another session claim this packet? A stopped tracer's may have been given to somebody. */
static bool packet_of_another(const struct session *session, uint32_t packet)
{
	for (uint32_t i = 0; i < session->shm->head.sessions; i++) {
		const struct weir_shm_session *s = shm_session(session->shm, i);
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		uint32_t first = __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED);

		if (i != session->index && WEIR_SESSION_STATE(word) != WEIR_SESSION_FREE &&
		    packet >= first &&
		    packet - first < __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* Is it FREE now? Never an OPEN or a TAKEN one: a writer may be there. */
static bool packet_free(const struct session *session, uint32_t packet)
{
	struct weir_shm_desc *d = shm_desc(session->shm, packet);
	uint64_t word = __atomic_load_n(&d->state, __ATOMIC_ACQUIRE);
	uint32_t state = WEIR_DESC_STATE(word);

	if (packet_of_another(session, packet))
		return false;
	if (state != WEIR_PACKET_FULL && state != WEIR_PACKET_READ)
		return state == WEIR_PACKET_FREE;
	return __atomic_compare_exchange_n(
	    &d->state, &word, WEIR_DESC_WORD(WEIR_PACKET_FREE, WEIR_DESC_GENERATION(word)), false,
	    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void packets_give_back(const struct session *session)
{
	const struct shm *shm = session->shm;
	uint32_t from = 0;

	for (uint32_t i = 0; i <= session->count; i++) {
		if (i < session->count && packet_free(session, session->first + i))
			continue;
		if (i > from)
			fallocate(shm->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			          shm->head.off_packet +
			              (uint64_t)(session->first + from) * WEIR_SHM_PACKET_SIZE,
			          (uint64_t)(i - from) * WEIR_SHM_PACKET_SIZE);
		from = i + 1;
	}
}

/* Is nobody there, nor can anybody come back? */
static bool session_dead(const struct shm *shm, const struct clock *clock, uint32_t index)
{
	const struct weir_shm_session *s = shm_session(shm, index);

	switch (WEIR_SESSION_STATE(__atomic_load_n(&s->state, __ATOMIC_ACQUIRE))) {
	case WEIR_SESSION_FREE:
		return false;
	case WEIR_SESSION_ACTIVE:
	case WEIR_SESSION_PENDING:
	case WEIR_SESSION_CLOSING:
		if (!lease_over(s, clock))
			return false;
		break;
	default: /* CLAIMED under the lock: its claimer died in between */
		break;
	}
	return !owner_there(shm, index);
}

static void session_bury(const struct shm *shm, const struct clock *clock, uint32_t index)
{
	struct weir_shm_session *s = shm_session(shm, index);
	uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
	struct session session = {
		.shm = shm,
		.clock = clock,
		.index = index,
		.generation = WEIR_SESSION_GENERATION(word),
		.first = __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED),
		.count = __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED),
		.open = true,
	};

	/* The target's words: who scribbled over them gets nothing back. */
	if (session.first >= shm->head.packets || session.count > shm->head.packets - session.first)
		session.count = 0;
	if (!__atomic_compare_exchange_n(
	        &s->state, &word, WEIR_SESSION_WORD(WEIR_SESSION_CLOSING, session.generation),
	        false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return;
	session_stop(&session);
	packets_give_back(&session);
	__atomic_store_n(&s->state, WEIR_SESSION_WORD(WEIR_SESSION_FREE, session.generation),
	                 __ATOMIC_SEQ_CST);
}

void sessions_reap(const struct shm *shm, const struct clock *clock)
{
	for (uint32_t i = 0; i < shm->head.sessions; i++) {
		if (session_dead(shm, clock, i))
			session_bury(shm, clock, i);
	}
}
