/* SPDX-License-Identifier: MIT */
#include "reader/ctf_reader.h"

#include "reader/ctf.h"
#include "reader/ctf_foreign.h"
#include "reader/ctf_input.h"
#include "reader/ctf_trace.h"
#include "reader/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- packets */

static int64_t time_of(const struct ctf_trace *t, uint64_t ticks)
{
	double ns = (double)ticks * t->ns_per_tick;

	return ns < (double)(CTF_TIME_MAX - t->epoch_ns) ? t->epoch_ns + (int64_t)ns : CTF_TIME_MAX;
}

static void read_packet(const struct ctf_trace *t, struct ctf_reading *r,
                        const struct ctf_packet_head *head, const uint8_t *p, size_t size)
{
	uint64_t time = head->begin, bits = (UINT64_C(1) << WEIR_RECORD_TIME_BITS) - 1;
	struct record_value values[SCHEMA_FIELDS_MAX];
	struct ctf_event event = { .trace = t, .values = values, .pid = (uint32_t)t->pid };

	while (size) {
		struct weir_shm_record record;
		uint32_t length = record_length(p, size), id;
		const struct ctf_use *use;

		if (!length)
			return;
		memcpy(&record, p, sizeof(record));
		time += (WEIR_RECORD_TIME(record.head) - time) & bits;
		id = WEIR_RECORD_ID(record.head);
		event.probe = id < t->ids ? t->probes[id] : NULL;
		r->events++;
		if (!event.probe) {
			r->unknown++;
		} else if ((use = &t->uses[id])->events) {
			if (record_decode_some(event.probe, p, length, use->fields, values)) {
				event.own = use->own;
				event.time = time_of(t, time);
				event.tid = record.tid;
				event.cpu = record.cpu;
				r->event(r->arg, &event);
			} else {
				r->unknown++;
			}
		}
		p += length;
		size -= length;
	}
}

/* --- the files of a trace */

/* The parts of a slot follow each other: its losses grow along them. */
struct file {
	unsigned slot, part;
	bool rotated; /* it has a part's number */
	char name[64];
};

static int by_slot(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return x->slot != y->slot ? (x->slot < y->slot ? -1 : 1)
	                          : (x->part > y->part) - (x->part < y->part);
}

static bool is_file(const char *name, struct file *ret)
{
	int numbers;

	*ret = (struct file){ 0 };
	numbers = sscanf(name, "stream_%u_%u", &ret->slot, &ret->part);
	if (strlen(name) >= sizeof(ret->name) || numbers < 1)
		return false;
	ret->rotated = numbers == 2;
	strcpy(ret->name, name);
	return true;
}

static int list_files(DIR *dir, struct file **ret, size_t *count)
{
	size_t room = 0;

	for (struct dirent *e; (e = readdir(dir));) {
		struct file file;

		if (!is_file(e->d_name, &file))
			continue;
		if (*count == room) {
			struct file *more =
			    realloc(*ret, (room = 2 * room + 16) * sizeof(struct file));

			if (!more)
				return -ENOMEM;
			*ret = more;
		}
		(*ret)[(*count)++] = file;
	}
	if (*count)
		qsort(*ret, *count, sizeof(**ret), by_slot);
	return 0;
}

struct slot {
	unsigned number;
	bool rotated;
	uint64_t lost;
	int64_t end; /* of its last packet; INT64_MIN: none */
	uint64_t events;
	uint32_t session, source; /* of the last packet that has one */
};

/*
 * A packet with `count` events, of which `lost` were lost in front of it: were others dropped?
 * A slot's first packet then was not its first once; or what it counts does not go on from the one
 * before it; or in memory there were packets between the two.
 */
static void tell_dropped(const struct ctf_trace *t, const struct ctf_reading *r,
                         const struct ctf_packet_head *head, struct slot *slot, bool first,
                         uint64_t count, uint64_t lost)
{
	uint64_t known = slot->events + count;
	uint64_t dropped = head->events > known ? head->events - known : 0;
	bool jumped = slot->source && head->session == slot->session && !lost &&
	              head->source > slot->source + 1;

	if (r->dropped && (dropped || jumped || (first && head->sequence)))
		r->dropped(r->arg, head->slot, time_of(t, head->begin), dropped, slot->rotated);
	slot->events = head->events;
	if (head->source) {
		slot->session = head->session;
		slot->source = head->source;
	}
}

/* How many were lost in front of it. */
static uint64_t count_lost(const struct ctf_trace *t, struct ctf_reading *r,
                           const struct ctf_packet_head *head, struct slot *slot)
{
	int64_t end = time_of(t, head->end);
	uint64_t count = head->lost > slot->lost ? head->lost - slot->lost : 0;

	if (count) {
		r->lost_events += count;
		if (r->lost)
			r->lost(r->arg,
			        slot->end == INT64_MIN ? time_of(t, head->begin) : slot->end, end,
			        count);
		slot->lost = head->lost;
	}
	slot->end = end;
	return count;
}

static int read_file(const struct ctf_trace *t, struct ctf_reading *r, struct ctf_input *in,
                     int dir, const char *name, struct slot *slot)
{
	struct ctf_packet_head head;
	const uint8_t *packet;
	size_t size;
	int code = ctf_input_open(in, dir, name, slot->rotated);

	/* Rotation removes the oldest part of a recording that still runs, also while it is read. */
	if (code)
		return code == -ENOENT ? 0 : code;
	while ((code = ctf_input_next(in, &head, &packet, &size)) == 1) {
		uint64_t bytes = ctf_input_bytes(in);

		if (head.stream == CTF_STREAM_EVENTS && !ctf_is_room(&head)) {
			bool first = slot->end == INT64_MIN;
			uint64_t before = r->events, lost = count_lost(t, r, &head, slot);

			r->packets++;
			read_packet(t, r, &head, packet + sizeof(head), size - sizeof(head));
			tell_dropped(t, r, &head, slot, first, r->events - before, lost);
		}
		if (bytes) {
			r->bytes += bytes;
			if (r->progress)
				r->progress(r->arg);
		}
	}
	r->bytes += ctf_input_bytes(in);
	r->cut += code == -EBADMSG;
	return code == -EBADMSG || code == -ESTALE ? 0 : code;
}

static int read_files(const struct ctf_trace *t, struct ctf_reading *r, DIR *dir,
                      const struct file *files, size_t count)
{
	struct slot slot = { .end = INT64_MIN };
	struct ctf_input *in;
	int code = ctf_input_create(&in);

	for (size_t i = 0; !code && i < count; i++) {
		if (!i || files[i].slot != slot.number)
			slot = (struct slot){ .number = files[i].slot,
				              .rotated = files[i].rotated,
				              .end = INT64_MIN };
		code = read_file(t, r, in, dirfd(dir), files[i].name, &slot);
	}
	ctf_input_free(in);
	return code;
}

static int read_trace(struct ctf_trace *t, struct ctf_reading *r, struct weir_error *err)
{
	struct file *files = NULL;
	size_t count = 0;
	DIR *dir = opendir(t->path);
	int code;

	if (!dir)
		return weir_err(err, -errno, "cannot read %s: %s", t->path, strerror(errno));
	if (r->trace)
		r->trace(r->arg, t);
	for (uint32_t id = 0; id < t->ids; id++) {
		if (t->probes[id])
			r->probe(r->arg, t, t->probes[id], &t->uses[id]);
	}
	code = list_files(dir, &files, &count);
	if (!code)
		code = read_files(t, r, dir, files, count);
	free(files);
	closedir(dir);
	r->traces++;
	return code ? weir_err(err, code, "cannot read the recording in %s: %s", t->path,
	                       strerror(-code))
	            : 0;
}

/* --- folders */

static int read_folder(const char *path, struct ctf_reading *r, struct weir_error *err)
{
	char name[4096];
	struct ctf_trace *t;
	int code = ctf_trace_open(path, &t, err);

	if (!code) {
		code = read_trace(t, r, err);
		ctf_trace_close(t);
		return code;
	}
	if (code != -ENOENT)
		return code;
	snprintf(name, sizeof(name), "%s/metadata", path);
	return access(name, F_OK) ? 0 : ctf_foreign_read(path, r, err);
}

static int open_tree(const char *path, FTS **ret, struct weir_error *err)
{
	char *paths[] = { (char *)(uintptr_t)path, NULL };
	struct stat st;

	if (stat(path, &st))
		return weir_err(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return weir_err(
		    err, -ENOTDIR,
		    "%s is a file: a recording is a folder, the one of `weir record -o`", path);
	*ret = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	return *ret ? 0 : weir_err(err, -errno, "cannot read %s: %s", path, strerror(errno));
}

int ctf_read_all(const char *path, struct ctf_reading *r, struct weir_error *err)
{
	FTS *fts;
	int code = open_tree(path, &fts, err);

	if (code)
		return code;
	for (FTSENT *e; !code && (e = fts_read(fts));) {
		/* A part that was rotated away meanwhile is not missed. */
		if ((e->fts_info == FTS_NS || e->fts_info == FTS_DNR) && e->fts_errno != ENOENT)
			code = weir_err(err, -e->fts_errno, "cannot read %s: %s", e->fts_path,
			                strerror(e->fts_errno));
		else if (e->fts_info == FTS_D)
			code = read_folder(e->fts_path, r, err);
	}
	fts_close(fts);
	return code;
}

uint64_t ctf_size_all(const char *path)
{
	uint64_t sum = 0;
	FTS *fts;

	if (open_tree(path, &fts, NULL))
		return 0;
	for (FTSENT *e; (e = fts_read(fts));) {
		if (e->fts_info == FTS_F && strcmp(e->fts_name, "metadata") && *e->fts_name != '.')
			sum += (uint64_t)e->fts_statp->st_size;
	}
	fts_close(fts);
	return sum;
}
