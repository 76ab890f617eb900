/* SPDX-License-Identifier: MIT */
#include "tests/abi/synth.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ACQ         __ATOMIC_ACQUIRE
#define REL         __ATOMIC_RELEASE
#define RLX         __ATOMIC_RELAXED
#define SCHEMA_ROOM (256u << 10)

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static uint64_t tsc(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return monotonic();
#endif
}

uint64_t synth_now(const struct synth *synth)
{
	return synth->clock == WEIR_CLOCK_TSC ? tsc() : monotonic();
}

static struct weir_shm_session *session_at(const struct synth *s, uint32_t i)
{
	return (struct weir_shm_session *)(s->base + s->head->off_session) + i;
}

static struct weir_shm_desc *desc_at(const struct synth *s, uint32_t i)
{
	return (struct weir_shm_desc *)(s->base + s->head->off_desc) + i;
}

static struct weir_shm_packet *packet_at(const struct synth *s, uint32_t i)
{
	return (struct weir_shm_packet *)(s->base + s->head->off_packet +
	                                  (uint64_t)i * WEIR_SHM_PACKET_SIZE);
}

static uint32_t *mask_at(const struct synth *s, uint32_t id)
{
	return (uint32_t *)(s->base + s->head->off_mask) + id;
}

static struct weir_shm_stripe *stripe_at(const struct synth *s, uint32_t slot)
{
	return (struct weir_shm_stripe *)(s->base + s->head->off_stripe) + slot % s->head->cpus;
}

static uint64_t page_up(uint64_t n)
{
	return (n + 4095) & ~UINT64_C(4095);
}

static uint64_t measure_hz(void)
{
	uint64_t t0 = tsc(), m0 = monotonic(), m;

	do
		m = monotonic();
	while (m - m0 < 20000000);
	return (uint64_t)((tsc() - t0) * 1e9 / (m - m0));
}

int synth_create(struct synth *s, const struct synth_options *o)
{
	struct weir_shm_header h = { 0 };
	uint64_t at = sizeof(h);

	memset(s, 0, sizeof(*s));
	s->packets = o->packets ? o->packets : 256;
	s->slots = o->slots ? o->slots : 2;
	s->clock = o->clock ? o->clock : WEIR_CLOCK_MONOTONIC;
	s->string_limit = 256;
	h.major = WEIR_SHM_MAJOR;
	h.minor = WEIR_SHM_MINOR;
	h.pid = o->pid ? o->pid : (uint32_t)getpid();
	h.start_ns = monotonic();
	h.clock = s->clock;
	h.cpus = s->slots;
	h.slots = s->slots;
	h.features = o->features;
	h.hz = s->clock == WEIR_CLOCK_TSC ? measure_hz() : 1000000000;
	h.tsc0 = synth_now(s);
	h.mono0 = monotonic();
	h.packets = s->packets;
	h.packet_size = WEIR_SHM_PACKET_SIZE;
	h.sessions = WEIR_SHM_SESSIONS;
	/* Not the order that libweir uses: a reader must go by the offsets. */
	h.off_mask = at;
	at += WEIR_SHM_PROBES * sizeof(uint32_t);
	h.off_desc = at;
	at = page_up(at + s->packets * sizeof(struct weir_shm_desc));
	h.off_stripe = at;
	at = page_up(at + h.cpus * sizeof(struct weir_shm_stripe));
	h.off_schema = at;
	h.schema_size = SCHEMA_ROOM;
	at = page_up(at + SCHEMA_ROOM);
	h.off_session = at;
	at = page_up(at + sizeof(struct weir_shm_session) * WEIR_SHM_SESSIONS);
	h.off_packet = at;
	h.size = at + (uint64_t)s->packets * WEIR_SHM_PACKET_SIZE;

	s->fd = memfd_create(WEIR_SHM_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd < 0 || ftruncate(s->fd, h.size + o->excess))
		return -1;
	usleep(o->seal_after * 1000);
	if (!o->unsealed && fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -1;
	s->base = mmap(NULL, h.size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->base == MAP_FAILED)
		return -1;
	s->head = (struct weir_shm_header *)s->base;
	memcpy(s->head, &h, sizeof(h));
	__atomic_store_n(&s->head->magic, WEIR_SHM_MAGIC, REL);
	return 0;
}

void synth_destroy(struct synth *s)
{
	munmap(s->base, s->head->size);
	close(s->fd);
}

void synth_schema(struct synth *s, uint16_t id, uint16_t kind, const void *bytes, size_t size)
{
	struct weir_shm_schema head = { .length = (8 + size + 7) & ~7u, .id = id, .kind = kind };
	uint64_t end = s->head->schema_end;
	uint8_t *at = s->base + s->head->off_schema + end;

	if (end + head.length > SCHEMA_ROOM)
		abort();
	memcpy(at, &head, sizeof(head));
	if (size)
		memcpy(at + sizeof(head), bytes, size);
	__atomic_store_n(&s->head->schema_end, end + head.length, __ATOMIC_SEQ_CST);
}

static void arm_late(struct synth *s, uint32_t id)
{
	for (uint32_t k = 0; k < WEIR_SHM_SESSIONS; k++) {
		struct weir_shm_session *session = session_at(s, k);
		uint64_t word = __atomic_load_n(&session->state, __ATOMIC_SEQ_CST);
		unsigned state = WEIR_SESSION_STATE(word);

		if ((state == WEIR_SESSION_ACTIVE || state == WEIR_SESSION_PENDING) &&
		    (session->flags & WEIR_SESSION_PATTERNS) && !strcmp(session->patterns, "*:*"))
			__atomic_fetch_or(mask_at(s, id),
			                  WEIR_SESSION_NIBBLE(word) << WEIR_MASK_SHIFT(k), RLX);
	}
}

uint32_t synth_probe(struct synth *s, const char *provider, const char *probe,
                     const struct synth_field *fields, uint8_t count)
{
	uint32_t id = ++s->probes;
	struct weir_note note = { .version = 1, .fixed = sizeof(note), .fields = count };
	uint8_t bytes[4096];
	size_t at = sizeof(note);

	memcpy(bytes + at, provider, strlen(provider) + 1);
	at += strlen(provider) + 1;
	memcpy(bytes + at, probe, strlen(probe) + 1);
	at += strlen(probe) + 1;
	s->probe[id].count = count;
	for (uint8_t i = 0; i < count; i++) {
		struct weir_note_field f = { .type = fields[i].type, .arg = note.args };

		note.args += fields[i].type == WEIR_NOTE_BYTES ? 2 : 1;
		memcpy(bytes + at, &f, sizeof(f));
		at += sizeof(f);
		memcpy(bytes + at, fields[i].name, strlen(fields[i].name) + 1);
		at += strlen(fields[i].name) + 1;
		s->probe[id].fields[i] = fields[i];
	}
	note.size = at;
	memcpy(bytes, &note, sizeof(note));
	synth_schema(s, id, WEIR_SCHEMA_ADD, bytes, at);
	__atomic_store_n(&s->head->probes, id, REL);
	arm_late(s, id);
	return id;
}

void synth_pend(struct synth *s, uint32_t k, const char *patterns, uint32_t owner, uint32_t first,
                uint32_t count)
{
	struct weir_shm_session *session = session_at(s, k);
	uint32_t generation = WEIR_SESSION_GENERATION(session->state) + 1;

	session->first_packet = first;
	session->packet_count = count;
	session->packet_size = WEIR_SHM_PACKET_SIZE;
	session->string_limit = UINT32_MAX;
	session->owner = owner;
	session->flags = WEIR_SESSION_PATTERNS;
	session->lease = synth_now(s) + s->head->hz;
	strncpy(session->patterns, patterns, sizeof(session->patterns) - 1);
	__atomic_store_n(&session->state, WEIR_SESSION_WORD(WEIR_SESSION_PENDING, generation),
	                 __ATOMIC_SEQ_CST);
	for (uint32_t id = 1; id <= s->probes; id++)
		arm_late(s, id);
}

/* --- packets */

static bool desc_move(struct weir_shm_desc *d, uint64_t word, uint32_t state, uint32_t generation)
{
	return __atomic_compare_exchange_n(&d->state, &word, WEIR_DESC_WORD(state, generation),
	                                   false, __ATOMIC_SEQ_CST, RLX);
}

/* FREE, else in overwrite mode the oldest FULL one: -> TAKEN. -1: none. */
static int take(struct synth *s, uint32_t k, uint32_t first, uint32_t count, uint32_t generation,
                uint32_t mode, uint32_t stripe)
{
	for (int tries = 0; tries < 16; tries++) {
		int oldest = -1;
		uint64_t oldest_time = UINT64_MAX, oldest_word = 0;

		for (uint32_t i = first; i < first + count; i++) {
			struct weir_shm_desc *d = desc_at(s, i);
			uint64_t word = __atomic_load_n(&d->state, ACQ);
			uint32_t state = WEIR_DESC_STATE(word);
			bool older = WEIR_DESC_GENERATION(word) != generation;

			if (state == WEIR_PACKET_FREE ||
			    (older && (state == WEIR_PACKET_FULL || state == WEIR_PACKET_READ))) {
				if (desc_move(d, word, WEIR_PACKET_TAKEN, generation))
					return i;
			} else if (state == WEIR_PACKET_FULL && d->first_time < oldest_time) {
				oldest = i;
				oldest_time = d->first_time;
				oldest_word = word;
			}
		}
		if (mode != WEIR_MODE_OVERWRITE || oldest < 0)
			return -1;
		uint32_t records = WEIR_COMMIT_COUNT(packet_at(s, oldest)->commit);

		if (desc_move(desc_at(s, oldest), oldest_word, WEIR_PACKET_TAKEN, generation)) {
			__atomic_fetch_add(&stripe_at(s, stripe)->overwritten[k], records, RLX);
			return oldest;
		}
	}
	return -1;
}

static void wait_released(struct weir_shm_session *session, uint32_t seen)
{
	struct timespec ts = { 0, 10000000 };

	__atomic_fetch_add(&session->waiters, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &session->released, FUTEX_WAIT, seen, &ts, NULL, 0);
	__atomic_fetch_sub(&session->waiters, 1, __ATOMIC_SEQ_CST);
}

/* Open the slot's next packet and close the one before. */
static bool install(struct synth *s, struct synth_slot *slot, uint32_t slot_number, uint32_t k,
                    uint32_t generation, uint64_t now)
{
	struct weir_shm_session *session = session_at(s, k);
	uint32_t first = session->first_packet, count = session->packet_count, mode = session->mode;
	uint32_t old = slot->packet[k];
	int packet;

	if (first >= s->packets || count > s->packets - first)
		return false;
	for (int tries = 0;; tries++) {
		uint32_t seen = __atomic_load_n(&session->released, __ATOMIC_SEQ_CST);

		packet = take(s, k, first, count, generation, mode, slot_number);
		if (packet >= 0 || mode != WEIR_MODE_BLOCK || tries == 10)
			break;
		wait_released(session, seen);
	}
	if (packet < 0)
		return false;
	struct weir_shm_desc *d = desc_at(s, packet);
	struct weir_shm_packet *p = packet_at(s, packet);

	if (slot->generation[k] != generation)
		slot->sequence[k] = 0;
	__atomic_store_n(&p->commit, WEIR_PACKET_RECORDS, RLX);
	d->sequence = ++slot->sequence[k];
	d->slot = slot_number;
	d->session = k;
	d->first_time = now;
	d->lost = __atomic_load_n(&stripe_at(s, slot_number)->lost[k], RLX);
	__atomic_store_n(&d->state, WEIR_DESC_WORD(WEIR_PACKET_OPEN, generation), REL);
	if (old) {
		struct weir_shm_desc *before = desc_at(s, old - 1);

		before->last_time = packet_at(s, old - 1)->last_time;
		desc_move(before, WEIR_DESC_WORD(WEIR_PACKET_OPEN, slot->generation[k]),
		          WEIR_PACKET_FULL, slot->generation[k]);
	}
	slot->generation[k] = generation;
	slot->packet[k] = packet + 1;
	return true;
}

/* --- records */

static uint32_t pad(size_t n)
{
	return (n + 7) & ~7u;
}

static uint32_t build(struct synth *s, uint32_t slot, uint32_t id, const struct synth_value *values,
                      uint32_t limit, uint64_t *record)
{
	static __thread uint32_t tid;
	struct weir_shm_record *r = (struct weir_shm_record *)record;
	uint32_t count = s->probe[id].count;
	uint8_t *tail = (uint8_t *)(record + 2 + count);

	if (!tid)
		tid = syscall(SYS_gettid);
	r->tid = tid;
	r->cpu = slot;
	r->flags = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t type = s->probe[id].fields[i].type;
		size_t size = values[i].size, stored, padded;
		const char *data = values[i].data;

		if (type != WEIR_NOTE_STRING && type != WEIR_NOTE_BYTES) {
			r->fields[i] = values[i].word;
			continue;
		}
		if (type == WEIR_NOTE_STRING) {
			if (!data)
				r->flags |= WEIR_RECORD_FAULT;
			size = data ? strlen(data) : 0;
		}
		stored = size < limit ? size : limit;
		if (stored < size)
			r->flags |= WEIR_RECORD_TRUNCATED;
		padded = pad(stored + (type == WEIR_NOTE_STRING));
		memset(tail, 0, padded);
		if (stored)
			memcpy(tail, data, stored);
		tail += padded;
		r->fields[i] = padded | (uint64_t)(size > 65535 ? 65535 : size) << 16;
	}
	return tail - (uint8_t *)record;
}

static bool commit(struct synth *s, uint32_t slot_number, uint32_t k, uint32_t id,
                   const struct synth_value *values, uint64_t state)
{
	struct weir_shm_session *session = session_at(s, k);
	struct synth_slot *slot = &s->slot[slot_number];
	uint32_t generation = WEIR_SESSION_GENERATION(state);
	uint32_t limit =
	    session->string_limit < s->string_limit ? session->string_limit : s->string_limit;
	uint64_t record[WEIR_RECORD_MAX / 8];
	uint32_t length = build(s, slot_number, id, values, limit, record);
	uint64_t now = synth_now(s), word = 0;
	struct weir_shm_packet *p = NULL;

	if (slot->packet[k]) {
		p = packet_at(s, slot->packet[k] - 1);
		word = __atomic_load_n(&p->commit, RLX);
	}
	if (!p || slot->generation[k] != generation ||
	    (WEIR_COMMIT_OFFSET(word) & 0xffff) + length > WEIR_SHM_PACKET_SIZE ||
	    WEIR_COMMIT_OFFSET(word) >= WEIR_SHM_PACKET_SIZE ||
	    now - desc_at(s, slot->packet[k] - 1)->first_time >= UINT64_C(1) << 37) {
		if (!install(s, slot, slot_number, k, generation, now))
			return false;
		p = packet_at(s, slot->packet[k] - 1);
		word = __atomic_load_n(&p->commit, RLX);
	}
	record[0] = id | (now & ((UINT64_C(1) << 38) - 1)) << 16 | (uint64_t)(length / 8) << 54;
	memcpy((uint8_t *)p + (WEIR_COMMIT_OFFSET(word) & 0xffff), record, length);
	__atomic_store_n(&p->last_time, now, RLX);
	__atomic_store_n(&p->commit,
	                 (WEIR_COMMIT_OFFSET(word) + length) |
	                     (uint64_t)(WEIR_COMMIT_COUNT(word) + 1) << 32,
	                 REL);
	return true;
}

static void mask_clear(struct synth *s, uint32_t id, uint32_t k, uint32_t nibble)
{
	uint32_t old = __atomic_load_n(mask_at(s, id), RLX);

	while (((old >> WEIR_MASK_SHIFT(k)) & 0xf) == nibble &&
	       !__atomic_compare_exchange_n(mask_at(s, id), &old,
	                                    old & ~(0xfu << WEIR_MASK_SHIFT(k)), false,
	                                    __ATOMIC_SEQ_CST, RLX))
		;
}

/* Is the session there that set this nibble, and its tracer alive? */
static bool on(struct synth *s, uint32_t id, uint32_t k, uint32_t nibble, uint64_t *state)
{
	struct weir_shm_session *session = session_at(s, k);

	*state = __atomic_load_n(&session->state, ACQ);
	if (WEIR_SESSION_NIBBLE(*state) != nibble ||
	    (WEIR_SESSION_STATE(*state) != WEIR_SESSION_ACTIVE &&
	     WEIR_SESSION_STATE(*state) != WEIR_SESSION_PENDING)) {
		mask_clear(s, id, k, nibble);
		return false;
	}
	uint64_t now = synth_now(s);

	if ((int64_t)(now - __atomic_load_n(&session->lease, RLX)) > 0) {
		uint64_t expect = *state;

		if (__atomic_compare_exchange_n(
		        &session->state, &expect,
		        WEIR_SESSION_WORD(WEIR_SESSION_EXPIRED, WEIR_SESSION_GENERATION(*state)),
		        false, __ATOMIC_SEQ_CST, RLX)) {
			session->expired_at = now;
			__atomic_fetch_add(&session->expiries, 1, RLX);
		}
		mask_clear(s, id, k, nibble);
		return false;
	}
	return true;
}

int synth_fire(struct synth *s, uint32_t slot, uint32_t id, const struct synth_value *values)
{
	uint32_t mask = __atomic_load_n(mask_at(s, id), RLX);
	int committed = 0;

	for (uint32_t k = 0; k < WEIR_SHM_SESSIONS && mask; k++) {
		uint32_t nibble = (mask >> WEIR_MASK_SHIFT(k)) & 0xf;
		uint64_t state;

		if (!nibble || !on(s, id, k, nibble, &state))
			continue;
		s->slot[slot].fired++;
		if (commit(s, slot, k, id, values, state))
			committed++;
		else
			__atomic_fetch_add(&stripe_at(s, slot)->lost[k], 1, RLX);
	}
	return committed;
}
