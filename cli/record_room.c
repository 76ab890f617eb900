/* SPDX-License-Identifier: MIT */
/*
 * A disk that fills. What cannot be written stays in the target's memory: weir goes on trying, and
 * what then finds no room there either the target itself counts as lost, as it does whenever weir
 * is too slow. So a disk that is full for a while costs what did not fit into the buffers, and the
 * next packet tells of it. After PATIENCE the recording ends: a tracer must not be what keeps a disk
 * full for longer.
 *
 * When a session ends there is no later: what is in the target's memory and cannot be written is
 * counted as discarded, one by one, in the slot's last packet.
 */
#include "cli/record.h"

#include "cli/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE    (10 * SECOND)
#define RETRY_EVERY (50 * MS)
#define TELL_EVERY  (5 * SECOND)

bool room_is_short(int code)
{
	return code == -ENOSPC || code == -EDQUOT;
}

bool room_wait(struct record *record)
{
	struct record_room *room = &record->room;

	if (!room->short_since || clock_monotonic() >= room->retry_at)
		return false;
	room->refused = true;
	return true;
}

static void begin(struct record *record, int code, int64_t now)
{
	struct record_room *room = &record->room;

	room->short_since = now;
	room->lost_before = tracer_lost(record->tracer);
	if (room->told_at && now - room->told_at < TELL_EVERY)
		return;
	room->told_at = now;
	record_notice(record,
	              "%s, where the recording goes to. weir waits %d s for room; meanwhile what "
	              "does not fit into --buffer is lost, and counted",
	              strerror(-code), (int)(PATIENCE / SECOND));
}

int room_refused(struct record *record, struct target *target, const struct stream_chunk *chunk,
                 int code)
{
	struct record_room *room = &record->room;
	const struct recording *r = target->user;

	room->refused = true;
	if (target->ending) {
		room->code = code;
		room->unwritten += chunk->count;
		if (r)
			ctf_writer_discard(r->writer, chunk->slot, chunk->count);
		return 0;
	}
	if (!room_is_short(code))
		return record->failed = code;
	room->code = code;
	room->retry_at = clock_monotonic() + RETRY_EVERY;
	if (!room->short_since)
		begin(record, code, clock_monotonic());
	return code;
}

static uint64_t lost_meanwhile(const struct record *record)
{
	const struct record_room *room = &record->room;

	return room->short_since ? tracer_lost(record->tracer) - room->lost_before : 0;
}

void room_over(struct record *record)
{
	record->room.lost += lost_meanwhile(record);
	record->room.short_since = 0;
}

static void end(struct record *record, int64_t now)
{
	const struct record_room *room = &record->room;

	if (room->told_at >= room->short_since)
		record_notice(record,
		              "there was room again after %.1f s; recording goes on, and %" PRIu64
		              " events were lost",
		              (double)(now - room->short_since) / 1e9, lost_meanwhile(record));
	room_over(record);
}

void room_looked(struct record *record, int64_t now)
{
	struct record_room *room = &record->room;
	bool refused = room->refused, taken = room->taken;

	room->refused = room->taken = false;
	if (!room->short_since)
		return;
	if (!refused && taken)
		end(record, now);
	else if (refused && now - room->short_since >= PATIENCE && !record->failed)
		record->failed = room->code;
}

uint64_t room_lost(const struct record *record)
{
	return record->room.lost + lost_meanwhile(record) + record->room.unwritten;
}
