/* SPDX-License-Identifier: MIT */
/* A target's trace: what is written of it, and when. */
#include "cli/record.h"

#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static void command_line(pid_t pid, char *ret, size_t size)
{
	char path[32];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, ret, size - 1);
		close(fd);
	}
	if (n < 0)
		n = 0;
	while (n && !ret[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++) {
		if (!ret[i])
			ret[i] = ' ';
	}
	ret[n] = '\0';
}

struct naming {
	struct recording *recording;
	struct target *target;
};

static void name_thread(void *arg, const struct thread *thread)
{
	struct naming *naming = arg;

	ctf_writer_thread(naming->recording->writer, clock_now(&naming->target->clock), thread->tid,
	                  thread->name);
}

/*
 * Names of the threads that are there now, and of those that were there before. Once more soon
 * after the first time: a thread that was just made has its maker's name.
 */
static void record_threads(struct recording *r, struct target *target, int64_t now)
{
	struct naming naming = { r, target };

	r->threads_at = now + (r->threads_at ? 5 * SECOND : SECOND / 2);
	threads_each_new(&target->threads, now, name_thread, &naming);
}

struct ctf_target record_about(const struct record *record, const struct target *target,
                               char *command, size_t size)
{
	struct ctf_target about = {
		.process = target->process->name,
		.command = command,
		.hostname = record->hostname,
		.pid = target->shm.pid,
		.inner_pid = (pid_t)target->shm.head.pid,
		.cpus = target->shm.head.cpus,
		.epoch_ns = target->clock.epoch_ns,
	};

	command_line(target->shm.pid, command, size);
	if (getrandom(about.uuid, sizeof(about.uuid), GRND_NONBLOCK) < 0)
		memcpy(about.uuid, &target->shm.ino, sizeof(target->shm.ino));
	return about;
}

int record_trace(struct record *record, struct target *target, struct recording **ret)
{
	char command[4096];
	struct recording *r = target->user;
	struct ctf_target about;
	int code;

	*ret = r;
	if (r)
		return 0;
	about = record_about(record, target, command, sizeof(command));
	r = calloc(1, sizeof(*r));
	if (!r)
		return weir_err(&record->err, -ENOMEM, "no memory");
	code = ctf_writer_create(record->folder, &about, &record->options.ctf, &r->writer,
	                         &record->err);
	if (code) {
		free(r);
		return code;
	}
	keeper_folder(record, target, r);
	/* Where it has no room now, it is written before the first packet. */
	code = ctf_writer_metadata(r->writer, &target->clock, &target->schema, &record->err);
	if (code && !room_is_short(code)) {
		ctf_writer_destroy(r->writer, NULL, NULL);
		free(r);
		return code;
	}
	r->next = record->recordings;
	record->recordings = r;
	record->traces++;
	target->user = r;
	record_threads(r, target, clock_monotonic());
	*ret = r;
	return 0;
}

uint64_t record_losses_of(const struct shm *shm, const struct stream_chunk *chunk)
{
	return chunk->slot % shm_slots_per_cpu(shm) ? 0 : chunk->lost;
}

void record_losses_end(struct ctf_writer *writer, const struct session *session, uint32_t cpus)
{
	uint32_t per_cpu = shm_slots_per_cpu(session->shm);
	uint64_t now = clock_now(session->clock);

	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		const uint64_t *lost = &shm_stripe(session->shm, cpu)->lost[session->index];

		ctf_writer_lost(writer, now, cpu * per_cpu,
		                __atomic_load_n(lost, __ATOMIC_RELAXED));
		for (uint32_t i = 1; i < per_cpu; i++)
			ctf_writer_lost(writer, now, cpu * per_cpu + i, 0);
	}
	ctf_writer_lost_rest(writer, now);
}

/*
 * Events that were overwritten and had not been handed out before. Of an open packet, part may have
 * been, and whether that packet is still there is only known when its slot has gone on.
 */
static uint64_t overwritten(const struct target *target)
{
	uint64_t sum = session_overwritten(&target->session);
	uint64_t handed = target->stream.partial;

	for (uint32_t i = 0; i < target->shm.head.slots; i++)
		handed += target->stream.slots[i].count;
	return sum > handed ? sum - handed : 0;
}

/* Where a session's counts of losses begin. */
static void begin_losses(const struct target *target, struct recording *r, uint64_t dumps)
{
	const uint64_t *base = target->session.lost_base;

	for (uint32_t cpu = 0; cpu < target->shm.head.cpus; cpu++) {
		uint32_t slot = cpu * shm_slots_per_cpu(&target->shm);

		ctf_writer_lost_base(r->writer, slot, target->session.began, base ? base[cpu] : 0,
		                     ctf_writer_lost_so_far(r->writer, slot));
	}
	/* Another session begins in the midst of the recording: whatever it overwrites is missing. */
	if (!r->begun) {
		r->dump = dumps;
		r->gaps = r->before = overwritten(target);
	} else {
		r->dump = UINT64_MAX;
		r->gaps = 0;
	}
	r->begun = target->session.generation;
}

/*
 * What was overwritten before the first snapshot is missing in front of packets that do not go on from
 * those that are there: the recording begins later, and an idle CPU's oldest packet is no beginning.
 */
static bool tell_before(struct recording *r, const struct stream_chunk *chunk, uint64_t dumps)
{
	struct ctf_packet_head last;
	uint32_t expected = 1;

	if (ctf_writer_last(r->writer, chunk->slot, &last) && last.session == chunk->generation)
		expected = last.source + 1;
	if (r->dump != dumps || chunk->sequence <= expected)
		return false;
	ctf_writer_drop(r->writer, chunk->slot, 0, r->before, 0);
	r->before = 0;
	return true;
}

/*
 * What was overwritten between two snapshots of a flight recorder is missing in front of the packet
 * that is written next. The target counts all CPUs' in one place, so it is told of one slot.
 */
static void tell_gap(const struct target *target, struct recording *r, uint32_t slot)
{
	uint64_t now = overwritten(target);

	if (now <= r->gaps)
		return;
	ctf_writer_discard(r->writer, slot, now - r->gaps);
	r->gaps = now;
	r->gap_slot = slot;
}

/* At the end, packets that are still open were not overwritten. */
static void tell_rest(const struct target *target, struct recording *r)
{
	uint64_t sum = session_overwritten(&target->session) - target->stream.partial;
	uint32_t slot = r->gap_slot - r->gap_slot % shm_slots_per_cpu(&target->shm);

	if (r->begun == target->session.generation && (int64_t)(sum - r->gaps) > 0)
		ctf_writer_discard(r->writer, slot, sum - r->gaps);
}

int record_write(struct record *record, struct target *target, struct recording *r,
                 const struct stream_chunk *chunk)
{
	struct stream_chunk own = *chunk;
	int code;

	/* At the end, each gets its last chance, if there is a folder to write to. */
	if (record->failed && (!target->ending || record->failed == -ENOENT))
		return room_refused(record, target, chunk, record->failed);
	if (!target->ending && room_wait(record))
		return -EAGAIN;
	if (r->begun != target->session.generation)
		begin_losses(target, r, record->dumps);
	if (record->options.overwrite && !tell_before(r, chunk, record->dumps))
		tell_gap(target, r, own.slot);
	own.lost = record_losses_of(&target->shm, chunk);
	code = ctf_writer_chunk(r->writer, &target->clock, &target->schema, &own, &record->err);
	record->room.taken |= !code;
	return code ? room_refused(record, target, chunk, code) : 0;
}

void record_drop(struct recording *r, const struct stream_chunk *chunk)
{
	struct ctf_packet_head last;

	/* Behind what an earlier session left, it is missing. */
	if (ctf_writer_last(r->writer, chunk->slot, &last))
		ctf_writer_discard(r->writer, chunk->slot, chunk->count);
	else
		ctf_writer_drop(r->writer, chunk->slot, 1, chunk->count, chunk->last_time);
}

/*
 * The clock in the metadata is as good as the time between its pairs is long, and the last one is
 * written at the end; this is for recordings that are cut off. New probes are written when their
 * first packet is.
 */
static void record_clock(struct record *record, struct target *target, int64_t now)
{
	struct recording *r = target->user;
	struct weir_error err;
	int code;

	if (now < r->metadata_at)
		return;
	r->metadata_age = r->metadata_age ? 2 * r->metadata_age : SECOND;
	r->metadata_at = now + r->metadata_age;
	code = ctf_writer_metadata(r->writer, &target->clock, &target->schema, &err);
	if (!code || room_is_short(code))
		return; /* what was written before stays */
	record->failed = code;
	record->err = err;
}

void record_refresh(struct record *record, struct target *target, int64_t now)
{
	struct recording *r = target->user;

	if (!r) {
		/* When its first packet comes to be written, it may have ended. */
		if (now - target->threads.scanned_at >= 5 * SECOND ||
		    now - target->process->born < 5 * SECOND)
			threads_scan(&target->threads, now);
		return;
	}
	if (now >= r->threads_at)
		record_threads(r, target, now);
	if (!record->failed)
		record_clock(record, target, now);
}

static void remember_whole(struct record *record, const struct target *target,
                           const struct recording *r)
{
	uint64_t ticks = ctf_writer_whole_from(r->writer);
	int64_t time = clock_ns(&target->clock, ticks) + target->clock.epoch_ns;

	if (ticks && time > record->whole_from)
		record->whole_from = time;
}

void record_session_over(struct record *record, struct target *target, struct recording *r)
{
	record_threads(r, target, clock_monotonic());
	if (record->options.overwrite)
		tell_rest(target, r);
	ctf_writer_drop_rest(r->writer);
	record_losses_end(r->writer, &target->session, target->shm.head.cpus);
	remember_whole(record, target, r);
}

void record_trace_over(struct record *record, struct target *target)
{
	struct recording *r = target->user, **at = &record->recordings;
	struct ctf_totals totals;

	if (!r)
		return;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	ctf_writer_totals(r->writer, &totals);
	ctf_totals_add(&record->done, &totals);
	clock_update(&target->clock);
	ctf_writer_destroy(r->writer, &target->clock, &target->schema);
	free(r);
	target->user = NULL;
}

struct ctf_totals record_totals(const struct record *record)
{
	struct ctf_totals sum = record->done;

	for (const struct recording *r = record->recordings; r; r = r->next) {
		struct ctf_totals one;

		ctf_writer_totals(r->writer, &one);
		ctf_totals_add(&sum, &one);
	}
	return sum;
}
