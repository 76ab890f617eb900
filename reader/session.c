/* SPDX-License-Identifier: MIT */
/*
 * Claiming runs under an OFD lock on byte 0 of the memfd, from choosing a session to ACTIVE: a
 * state CLAIMED that is seen under the lock belongs to a tracer that died in between. A dead
 * tracer's ACTIVE or CLOSING session is known by its lease. Preference is given to FREE sessions
 * and unused packets: an EXPIRED one's owner may only have been stopped, and come to fetch what it
 * recorded.
 */
#include "reader/session.h"
#include "reader/error.h"
#include "reader/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define POPULATE_CHUNK (UINT64_C(1) << 20)
#define LOCK_TRIES     400 /* of 5 ms: a claim prefaults its packets under the lock */

static void nap(long ns)
{
	struct timespec ts = { 0, ns };

	nanosleep(&ts, NULL);
}

static int lock(const struct shm *shm, struct weir_error *err)
{
	struct flock fl = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WEIR_LOCK_CLAIM, .l_len = 1
	};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!fcntl(shm->fd, F_OFD_SETLK, &fl))
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return weir_err(err, -errno, "cannot lock process %d's shared memory: %s",
			                shm->pid, strerror(errno));
		nap(5000000);
	}
	return weir_err(
	    err, -EBUSY,
	    "another tracer has been attaching to process %d for seconds; is one stopped?",
	    shm->pid);
}

static void unlock(const struct shm *shm)
{
	struct flock fl = {
		.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = WEIR_LOCK_CLAIM, .l_len = 1
	};

	fcntl(shm->fd, F_OFD_SETLK, &fl);
}

static uint64_t lease_end(const struct session *session)
{
	return clock_now(session->clock) + session->lease_ticks;
}

/* Is somebody there, or may somebody come back? Under the lock. */
static bool session_taken(const struct weir_shm_session *s, const struct clock *clock)
{
	switch (WEIR_SESSION_STATE(__atomic_load_n(&s->state, __ATOMIC_ACQUIRE))) {
	case WEIR_SESSION_ACTIVE:
	case WEIR_SESSION_PENDING:
	case WEIR_SESSION_CLOSING:
		return !lease_over(s, clock);
	default:
		return false;
	}
}

/* The session to claim: a free one, else one whose tracer died. -1: none. */
static int choose_session(const struct shm *shm, const struct clock *clock)
{
	int dead = -1;

	for (uint32_t i = 0; i < shm->head.sessions; i++) {
		struct weir_shm_session *s = shm_session(shm, i);
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);

		if (WEIR_SESSION_STATE(word) == WEIR_SESSION_FREE)
			return i;
		if (dead < 0 && !session_taken(s, clock))
			dead = i;
	}
	return dead;
}

struct range {
	uint32_t first, count;
};

static int by_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* First gap of `want` packets between the sessions that count as taken, else the largest one. */
static struct range choose_packets(const struct shm *shm, const struct clock *clock, int self,
                                   uint32_t want, bool respect_expired)
{
	struct range used[WEIR_SHM_SESSIONS + 1], best = { 0, 0 };
	uint32_t n = 0, at = 0;

	for (uint32_t i = 0; i < shm->head.sessions; i++) {
		struct weir_shm_session *s = shm_session(shm, i);
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		bool expired = WEIR_SESSION_STATE(word) == WEIR_SESSION_EXPIRED;
		struct range r = { __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED),
			           __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED) };

		if ((int)i == self || r.first >= shm->head.packets)
			continue;
		if (!session_taken(s, clock) && !(expired && respect_expired))
			continue;
		if (r.count > shm->head.packets - r.first)
			r.count = shm->head.packets - r.first;
		used[n++] = r;
	}
	used[n++] = (struct range){ shm->head.packets, 0 };
	qsort(used, n, sizeof(used[0]), by_first);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t gap = used[i].first > at ? used[i].first - at : 0;

		if (gap >= want)
			return (struct range){ at, want };
		if (gap > best.count)
			best = (struct range){ at, gap };
		if (used[i].first + used[i].count > at)
			at = used[i].first + used[i].count;
	}
	return best;
}

/* Every slot has one packet open and needs the next one while the tracer reads the last one. */
static uint32_t packets_least(const struct shm *shm)
{
	uint32_t least = shm->head.slots + 2;

	return least < shm->head.packets ? least : shm->head.packets;
}

static int choose_range(struct session *session, struct weir_error *err)
{
	const struct shm *shm = session->shm;
	uint32_t least = packets_least(shm);
	uint64_t bytes = session->options.buffer ? session->options.buffer : SESSION_BUFFER_DEFAULT;
	uint64_t want = (bytes + WEIR_SHM_PACKET_SIZE - 1) / WEIR_SHM_PACKET_SIZE;
	struct range r;

	/* Two packets a slot at least, unless less was asked for by name. */
	if (!session->options.buffer && want < UINT64_C(2) * shm->head.cpus)
		want = UINT64_C(2) * shm->head.cpus;
	if (want < least)
		want = least;
	if (want > shm->head.packets)
		want = shm->head.packets;
	r = choose_packets(shm, session->clock, session->index, want, true);
	if (r.count < least)
		r = choose_packets(shm, session->clock, session->index, want, false);
	if (r.count < least)
		return weir_err(
		    err, -ENOSPC,
		    "process %d's pool (%" PRIu64 " MiB) is given away to other tracers: "
		    "end one, or start the program with a larger WEIR_POOL",
		    shm->pid, ((uint64_t)shm->head.packets * WEIR_SHM_PACKET_SIZE) >> 20);
	session->first = r.first;
	session->count = r.count;
	return 0;
}

/* Touch the packets for the target, so that a fire meets no first-touch fault and no full group. */
static int populate(const struct session *session, struct weir_error *err)
{
	const struct shm *shm = session->shm;
	uint8_t *at = (uint8_t *)shm_packet(shm, session->first);
	uint64_t left = (uint64_t)session->count * WEIR_SHM_PACKET_SIZE;

	while (left) {
		uint64_t n = left < POPULATE_CHUNK ? left : POPULATE_CHUNK;

		if (madvise(at, n, MADV_POPULATE_WRITE)) {
			if (errno == EINVAL && !fallocate(shm->fd, 0, at - shm->base, n))
				goto next; /* Linux before 5.14 */
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return weir_err(err, errno == EFAULT ? -ENOMEM : -errno,
			                "no memory for %" PRIu64
			                " MiB of buffers: use a smaller --buffer",
			                ((uint64_t)session->count * WEIR_SHM_PACKET_SIZE) >> 20);
		}
	next:
		at += n;
		left -= n;
	}
	return 0;
}

/* What earlier sessions left in our packets. Never OPEN or TAKEN ones: a writer may be there. */
static void free_leftovers(const struct session *session)
{
	for (uint32_t i = 0; i < session->count; i++) {
		struct weir_shm_desc *d = shm_desc(session->shm, session->first + i);
		uint64_t word = __atomic_load_n(&d->state, __ATOMIC_ACQUIRE);
		uint32_t state = WEIR_DESC_STATE(word);

		if (state != WEIR_PACKET_FULL && state != WEIR_PACKET_READ)
			continue;
		__atomic_compare_exchange_n(
		    &d->state, &word, WEIR_DESC_WORD(WEIR_PACKET_FREE, WEIR_DESC_GENERATION(word)),
		    false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

/*
 * Set this session's nibble of a mask word to `nibble`, if it is `expect` now or `expect` is
 * ANY_NIBBLE. Other nibbles of the word belong to other tracers, hence the cmpxchg.
 */
#define ANY_NIBBLE UINT32_MAX

static void mask_set(const struct session *session, uint32_t id, uint32_t expect, uint32_t nibble)
{
	uint32_t *mask = shm_mask(session->shm) + id;
	uint32_t shift = WEIR_MASK_SHIFT(session->index);
	uint32_t old = __atomic_load_n(mask, __ATOMIC_RELAXED), new;

	do {
		uint32_t now = (old >> shift) & 0xf;

		if (now == nibble || (expect != ANY_NIBBLE && now != expect))
			return;
		new = (old & ~(0xfu << shift)) | nibble << shift;
	} while (!__atomic_compare_exchange_n(mask, &old, new, true, __ATOMIC_SEQ_CST,
	                                      __ATOMIC_RELAXED));
}

static void masks_clear(const struct session *session, uint32_t expect)
{
	uint32_t probes = shm_probes(session->shm);

	for (uint32_t id = 0; id <= probes; id++)
		mask_set(session, id, expect, 0);
}

static uint32_t own_nibble(const struct session *session)
{
	return WEIR_SESSION_NIBBLE(WEIR_SESSION_WORD(WEIR_SESSION_ACTIVE, session->generation));
}

static uint64_t sum_lost(const struct session *session)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < session->shm->head.cpus; cpu++)
		sum += __atomic_load_n(&shm_stripe(session->shm, cpu)->lost[session->index],
		                       __ATOMIC_RELAXED);
	return sum;
}

static void remember_losses(struct session *session)
{
	uint32_t cpus = session->shm->head.cpus;

	free(session->lost_base);
	session->lost_base = calloc(cpus, sizeof(*session->lost_base));
	for (uint32_t cpu = 0; session->lost_base && cpu < cpus; cpu++)
		session->lost_base[cpu] = __atomic_load_n(
		    &shm_stripe(session->shm, cpu)->lost[session->index], __ATOMIC_RELAXED);
}

static uint64_t sum_overwritten(const struct session *session)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < session->shm->head.cpus; cpu++)
		sum += __atomic_load_n(&shm_stripe(session->shm, cpu)->overwritten[session->index],
		                       __ATOMIC_RELAXED);
	return sum;
}

static bool move(const struct session *session, uint64_t from, enum weir_session_state to,
                 uint32_t generation)
{
	return __atomic_compare_exchange_n(&shm_session(session->shm, session->index)->state, &from,
	                                   WEIR_SESSION_WORD(to, generation), false,
	                                   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static void write_mailbox(const struct session *session)
{
	struct weir_shm_session *s = shm_session(session->shm, session->index);

	__atomic_store_n(&s->mailbox, session->options.mailbox, __ATOMIC_RELAXED);
	__atomic_store_n(&s->mailbox_key, session->options.mailbox_key, __ATOMIC_RELAXED);
}

static void write_fields(struct session *session)
{
	struct weir_shm_session *s = shm_session(session->shm, session->index);
	const struct session_options *o = &session->options;
	char patterns[WEIR_SESSION_PATTERN_SIZE] = "";

	session->with_patterns = patterns_join(o->patterns, patterns, sizeof(patterns));
	if (!session->with_patterns)
		patterns[0] = 0;
	__atomic_store_n(&s->mode, o->mode, __ATOMIC_RELAXED);
	__atomic_store_n(&s->string_limit, o->string_limit ? o->string_limit : UINT32_MAX,
	                 __ATOMIC_RELAXED);
	__atomic_store_n(&s->packet_size, WEIR_SHM_PACKET_SIZE, __ATOMIC_RELAXED);
	__atomic_store_n(&s->owner, (uint32_t)getpid(), __ATOMIC_RELAXED);
	__atomic_store_n(&s->flags,
	                 (o->follow ? WEIR_SESSION_FOLLOW : 0u) |
	                     (o->sized ? WEIR_SESSION_SIZED : 0u) |
	                     (session->with_patterns ? WEIR_SESSION_PATTERNS : 0u),
	                 __ATOMIC_RELAXED);
	write_mailbox(session);
	memcpy(s->patterns, patterns, sizeof(patterns));
}

/* Does a slot of an older generation still hold a packet, and would it take this nibble for its own? */
static bool nibble_in_use(const struct session *session, uint32_t generation)
{
	const struct shm *shm = session->shm;

	for (uint32_t i = 0; i < shm->head.packets; i++) {
		const struct weir_shm_desc *d = shm_desc(shm, i);
		uint64_t word = __atomic_load_n(&d->state, __ATOMIC_RELAXED);

		if (WEIR_DESC_STATE(word) == WEIR_PACKET_OPEN &&
		    __atomic_load_n(&d->session, __ATOMIC_RELAXED) == session->index &&
		    WEIR_DESC_GENERATION(word) % 15 == generation % 15)
			return true;
	}
	return false;
}

static uint32_t next_generation(const struct session *session, uint32_t last)
{
	uint32_t generation = last + 1;

	for (int i = 0; i < 14 && nibble_in_use(session, generation); i++)
		generation++;
	return generation;
}

static int claim_locked(struct session *session, struct weir_error *err)
{
	const struct shm *shm = session->shm;
	int index = choose_session(shm, session->clock);
	struct weir_shm_session *s;
	uint64_t word;
	int code;

	if (index < 0)
		return weir_err(
		    err, -EBUSY,
		    "%u tracers are attached to process %d, the most it has room for: end one",
		    shm->head.sessions, shm->pid);
	session->index = index;
	s = shm_session(shm, index);
	code = choose_range(session, err);
	if (code)
		return code;
	word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
	session->generation = next_generation(session, WEIR_SESSION_GENERATION(word));
	if (!move(session, word, WEIR_SESSION_CLAIMED, session->generation))
		return weir_err(err, -EAGAIN, "process %d changed its session under the claim",
		                shm->pid);
	masks_clear(session, ANY_NIBBLE);
	code = populate(session, err);
	if (code) {
		move(session, WEIR_SESSION_WORD(WEIR_SESSION_CLAIMED, session->generation),
		     WEIR_SESSION_FREE, session->generation);
		return code;
	}
	free_leftovers(session);
	__atomic_store_n(&s->first_packet, session->first, __ATOMIC_RELAXED);
	__atomic_store_n(&s->packet_count, session->count, __ATOMIC_RELAXED);
	write_fields(session);
	session->lost_before = sum_lost(session);
	session->overwritten_before = sum_overwritten(session);
	remember_losses(session);
	session->forks_before = __atomic_load_n(&s->forks, __ATOMIC_RELAXED);
	session->children_before = __atomic_load_n(&s->children, __ATOMIC_RELAXED);
	__atomic_store_n(&s->lease, lease_end(session), __ATOMIC_RELAXED);
	/* Publishes the fields above to fires, which load the state with acquire. */
	if (!move(session, WEIR_SESSION_WORD(WEIR_SESSION_CLAIMED, session->generation),
	          WEIR_SESSION_ACTIVE, session->generation))
		return weir_err(err, -EAGAIN, "process %d changed its session under the claim",
		                shm->pid);
	return 0;
}

static int check_mode(const struct shm *shm, const struct session_options *options,
                      struct weir_error *err)
{
	/* Not from the copy: a provider that is published later may allow it. */
	uint32_t features = __atomic_load_n(&shm_header(shm)->features, __ATOMIC_RELAXED);

	if (options->mode == WEIR_MODE_BLOCK && !(features & WEIR_FEATURE_BLOCK))
		return weir_err(
		    err, -EOPNOTSUPP,
		    "process %d does not let tracers block it: its provider must be created "
		    "with WEIR_PROVIDER_BLOCK; use --mode drop and a larger --buffer",
		    shm->pid);
	return 0;
}

/* A session of nothing yet, with the memory locked: unlock() ends it. */
static int session_begin(const struct shm *shm, const struct clock *clock,
                         const struct session_options *options, struct session *ret,
                         struct weir_error *err)
{
	int code = check_mode(shm, options, err);

	*ret = (struct session){
		.shm = shm,
		.clock = clock,
		.options = *options,
		.lease_ticks = (uint64_t)(clock->hz * (SESSION_LEASE_NS / 1e9)),
		.began = clock_now(clock),
	};
	return code ? code : lock(shm, err);
}

int session_claim(const struct shm *shm, const struct clock *clock,
                  const struct session_options *options, struct session *ret,
                  struct weir_error *err)
{
	struct session session;
	int code = session_begin(shm, clock, options, &session, err);

	if (code)
		return code;
	sessions_reap(shm, clock);
	for (int i = 0; i < 3; i++) {
		code = claim_locked(&session, err);
		if (code != -EAGAIN)
			break;
	}
	if (!code)
		owner_hold(shm, session.index);
	unlock(shm);
	if (code)
		return code;
	session.open = true;
	*ret = session;
	return 0;
}

/*
 * Is it for us? A program that was started under $WEIR_TRACE and a child of a followed parent both
 * hold the patterns that this tracer gave; those that do not fit are empty in parent and child.
 * Another tracer may have the same patterns: its mailbox is another one.
 */
static bool adoptable(const struct weir_shm_session *s, const struct session_options *options)
{
	uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
	uint64_t mailbox = __atomic_load_n(&s->mailbox, __ATOMIC_RELAXED);
	char ours[WEIR_SESSION_PATTERN_SIZE], theirs[WEIR_SESSION_PATTERN_SIZE];

	if (WEIR_SESSION_STATE(word) != WEIR_SESSION_PENDING)
		return false;
	if (mailbox && mailbox != options->mailbox)
		return false;
	memcpy(theirs, s->patterns, sizeof(theirs));
	theirs[sizeof(theirs) - 1] = 0;
	if (!patterns_join(options->patterns, ours, sizeof(ours)))
		return options->follow && !*theirs;
	return !strcmp(ours, theirs);
}

bool session_pending(const struct shm *shm, const struct session_options *options)
{
	for (uint32_t i = 0; i < shm->head.sessions; i++) {
		if (adoptable(shm_session(shm, i), options))
			return true;
	}
	return false;
}

bool session_in_vain(const struct shm *shm, const struct session_options *options)
{
	for (uint32_t i = 0; i < shm->head.sessions; i++) {
		const struct weir_shm_session *s = shm_session(shm, i);
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);

		if (WEIR_SESSION_STATE(word) == WEIR_SESSION_EXPIRED && options->mailbox &&
		    __atomic_load_n(&s->mailbox, __ATOMIC_RELAXED) == options->mailbox &&
		    !__atomic_load_n(&s->owner, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static int adopt_locked(struct session *session, uint32_t index, struct weir_error *err)
{
	const struct shm *shm = session->shm;
	struct weir_shm_session *s = shm_session(shm, index);
	uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);

	session->index = index;
	session->generation = WEIR_SESSION_GENERATION(word);
	session->first = __atomic_load_n(&s->first_packet, __ATOMIC_RELAXED);
	session->count = __atomic_load_n(&s->packet_count, __ATOMIC_RELAXED);
	if (session->first >= shm->head.packets || !session->count ||
	    session->count > shm->head.packets - session->first)
		return weir_err(err, -EBADMSG, "process %d armed itself with impossible packets",
		                shm->pid);
	session->adopted = true;
	session->with_patterns =
	    __atomic_load_n(&s->flags, __ATOMIC_RELAXED) & WEIR_SESSION_PATTERNS;
	/*
	 * The target began to count when it armed itself, from whatever an earlier session left. A
	 * memory that has just been made starts from 0, and that is where sessions are PENDING.
	 */
	session->lost_before = 0;
	session->overwritten_before = 0;
	__atomic_store_n(&s->owner, (uint32_t)getpid(), __ATOMIC_RELAXED);
	__atomic_store_n(&s->mode, session->options.mode, __ATOMIC_RELAXED);
	write_mailbox(session);
	if (session->options.follow)
		__atomic_fetch_or(&s->flags, WEIR_SESSION_FOLLOW, __ATOMIC_RELAXED);
	__atomic_store_n(&s->lease, lease_end(session), __ATOMIC_RELAXED);
	if (!move(session, word, WEIR_SESSION_ACTIVE, session->generation))
		return weir_err(err, -ENOENT, "process %d no longer waits for a tracer", shm->pid);
	return 0;
}

int session_adopt(const struct shm *shm, const struct clock *clock,
                  const struct session_options *options, struct session *ret,
                  struct weir_error *err)
{
	struct session session;
	int code = session_begin(shm, clock, options, &session, err);

	if (code)
		return code;
	code = -ENOENT;
	for (uint32_t i = 0; i < shm->head.sessions && code == -ENOENT; i++) {
		if (adoptable(shm_session(shm, i), options))
			code = adopt_locked(&session, i, err);
	}
	if (!code)
		owner_hold(shm, session.index);
	unlock(shm);
	if (code)
		return code;
	session.open = true;
	*ret = session;
	return 0;
}

void session_populate(const struct session *session)
{
	populate(session, NULL);
}

int session_arm(const struct session *session, const struct schema *schema)
{
	uint32_t nibble = own_nibble(session);
	int matching = 0;

	for (uint32_t id = 1; id < schema->ids; id++) {
		const struct schema_probe *p = schema->probes[id];

		if (!p || p->withdrawn ||
		    !patterns_match(session->options.patterns, p->provider, p->name))
			continue;
		matching++;
		mask_set(session, id, ANY_NIBBLE, nibble);
	}
	return matching;
}

enum session_status session_status(const struct session *session)
{
	uint64_t word =
	    __atomic_load_n(&shm_session(session->shm, session->index)->state, __ATOMIC_ACQUIRE);

	if (WEIR_SESSION_GENERATION(word) != session->generation)
		return SESSION_STOLEN;
	switch (WEIR_SESSION_STATE(word)) {
	case WEIR_SESSION_ACTIVE:
		return SESSION_OK;
	case WEIR_SESSION_EXPIRED:
		return SESSION_EXPIRED;
	default:
		return SESSION_STOLEN;
	}
}

void session_renew(const struct session *session)
{
	__atomic_store_n(&shm_session(session->shm, session->index)->lease, lease_end(session),
	                 __ATOMIC_RELAXED);
}

uint64_t session_lost(const struct session *session)
{
	return sum_lost(session) - session->lost_before;
}

uint64_t session_overwritten(const struct session *session)
{
	return sum_overwritten(session) - session->overwritten_before;
}

uint32_t session_children(const struct session *session, uint32_t *under_way)
{
	const struct weir_shm_session *s = shm_session(session->shm, session->index);
	/* acquire: partner is the child's count after its message. Children first: a fork that
	 * begins between the two loads is one under way. */
	uint32_t children =
	    __atomic_load_n(&s->children, __ATOMIC_ACQUIRE) - session->children_before;
	uint32_t forks = __atomic_load_n(&s->forks, __ATOMIC_RELAXED) - session->forks_before;

	if (under_way)
		*under_way = forks > children ? forks - children : 0;
	return children;
}

uint64_t session_expired_at(const struct session *session)
{
	return __atomic_load_n(&shm_session(session->shm, session->index)->expired_at,
	                       __ATOMIC_RELAXED);
}

void session_stop(struct session *session)
{
	if (!session->open)
		return;
	move(session, WEIR_SESSION_WORD(WEIR_SESSION_ACTIVE, session->generation),
	     WEIR_SESSION_CLOSING, session->generation);
	/* Only our own: a tracer that reaped this session has set others. */
	masks_clear(session, own_nibble(session));
}

void session_release(struct session *session)
{
	uint64_t closing = WEIR_SESSION_WORD(WEIR_SESSION_CLOSING, session->generation);
	uint64_t expired = WEIR_SESSION_WORD(WEIR_SESSION_EXPIRED, session->generation);
	struct weir_shm_session *s;
	uint64_t word;

	if (!session->open)
		return;
	session_stop(session);
	session->open = false;
	free(session->lost_base);
	session->lost_base = NULL;
	owner_let_go(session->shm, session->index);
	if (lock(session->shm, NULL))
		return; /* the next tracer reaps it */
	s = shm_session(session->shm, session->index);
	word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
	if (word == closing || word == expired) {
		packets_give_back(session);
		move(session, word, WEIR_SESSION_FREE, session->generation);
	}
	sessions_reap(session->shm, session->clock);
	unlock(session->shm);
}
