/* SPDX-License-Identifier: MIT */
#include "reader/ctf_writer.h"

#include "reader/error.h"
#include "reader/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file name of what a process is called. */
static void sane_name(const char *process, char *ret, size_t size)
{
	size_t n = 0;

	for (; *process && n + 1 < size; process++)
		ret[n++] = strchr("/ \t\n*?[]\\'\"", *process) || (unsigned char)*process < 0x20
		               ? '_'
		               : *process;
	ret[n] = '\0';
	if (!n || ret[0] == '.')
		ret[0] = '_', ret[1] = n > 1 ? ret[1] : '\0';
}

static int make_folder(int dir, const struct ctf_target *target, struct weir_error *err)
{
	char base[32], name[96];

	sane_name(target->process, base, sizeof(base));
	for (unsigned i = 0; i < 10000; i++) {
		int fd, code;

		if (i)
			snprintf(name, sizeof(name), "%s-%d-%u", base, target->pid, i);
		else
			snprintf(name, sizeof(name), "%s-%d", base, target->pid);
		if (mkdirat(dir, name, 0755)) {
			if (errno == EEXIST)
				continue;
			code = -errno;
			return weir_err(err, code, "cannot make the folder %s of a recording: %s",
			                name, strerror(-code));
		}
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		code = -errno;
		return fd >= 0 ? fd
		               : weir_err(err, code, "cannot open %s: %s", name, strerror(-code));
	}
	return weir_err(err, -EEXIST, "there are 10,000 recordings of %s-%d already", base,
	                target->pid);
}

static void writer_free(struct ctf_writer *w)
{
	ctf_files_deinit(&w->files);
	free(w->process);
	free(w->command);
	free(w->hostname);
	free(w);
}

int ctf_writer_make(int dir, const struct ctf_target *target, const struct ctf_options *options,
                    struct ctf_writer **ret, struct weir_error *err)
{
	struct ctf_writer *w = calloc(1, sizeof(*w));

	if (!w) {
		close(dir);
		return weir_err(err, -ENOMEM, "no memory");
	}
	w->target = *target;
	w->target.process = w->process = strdup(target->process);
	w->target.command = w->command = strdup(target->command);
	w->target.hostname = w->hostname = strdup(target->hostname);
	if (ctf_files_init(&w->files, dir, options) || !w->process || !w->command || !w->hostname) {
		writer_free(w);
		return weir_err(err, -ENOMEM, "no memory");
	}
	*ret = w;
	return 0;
}

int ctf_writer_create(int dir, const struct ctf_target *target, const struct ctf_options *options,
                      struct ctf_writer **ret, struct weir_error *err)
{
	int folder = make_folder(dir, target, err);

	return folder < 0 ? folder : ctf_writer_make(folder, target, options, ret, err);
}

int ctf_writer_folder(const struct ctf_writer *w)
{
	return w->files.dir;
}

static bool is_removed(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && !st.st_nlink;
}

bool ctf_writer_is_removed(const struct ctf_writer *w)
{
	bool removed = is_removed(w->files.dir) || is_removed(w->files.threads.fd);

	for (uint32_t i = 0; i < w->files.count && !removed; i++)
		removed = is_removed(w->files.slots[i].fd);
	return removed;
}

const char *ctf_writer_why(int code)
{
	switch (code) {
	case -EFBIG:
		return "the largest file size that is allowed here (ulimit -f, or the file "
		       "system's) "
		       "was reached: raise it, or keep less with --size";
	case -ENOSPC:
		return "No space left on device: make room, or keep less with --size or --compress";
	case -EDQUOT:
		return "the disk quota is used up: make room, or keep less with --size or "
		       "--compress";
	case -ENOENT:
		return "its folder was removed while it was recorded to";
	default:
		return strerror(-code);
	}
}

static int write_failed(const struct ctf_writer *w, struct weir_error *err, int code)
{
	return weir_err(err, code, "cannot write the recording of %s (%d): %s", w->process,
	                w->target.pid, ctf_writer_why(code));
}

static int write_one(struct ctf_writer *w, struct ctf_file *f, const struct ctf_packet_head *head,
                     const void *records, size_t size, struct weir_error *err)
{
	ssize_t n = ctf_file_write(&w->files, f, head, records, size);

	if (n < 0)
		return write_failed(w, err, (int)n);
	w->totals.bytes += (uint64_t)n;
	w->totals.packets++;
	f->last = *head;
	return 0;
}

/*
 * Readers of CTF take what a stream's first packet counts as lost for where counting begins. So if
 * it has something to tell, an empty packet that tells of nothing comes before it: from when the
 * session began, or, if what fired then was dropped, from where the first packet begins.
 */
static int write_origin(struct ctf_writer *w, struct ctf_file *f,
                        const struct ctf_packet_head *first, struct weir_error *err)
{
	struct ctf_packet_head origin = {
		.magic = CTF_MAGIC,
		.stream = first->stream,
		.begin = first->begin,
		.content_bits = sizeof(origin) * 8,
		.packet_bits = sizeof(origin) * 8,
		.slot = first->slot,
		.events = f->events,
		.sequence = f->sequence,
	};

	if (!f->sequence && f->began && f->began < origin.begin)
		origin.begin = f->began;
	origin.end = origin.begin;
	return write_one(w, f, &origin, "", 0, err);
}

static int write_packet(struct ctf_writer *w, struct ctf_file *f, struct ctf_packet_head *head,
                        const void *records, size_t size, struct weir_error *err)
{
	int code = !f->last.magic && head->lost ? write_origin(w, f, head, err) : 0;

	head->sequence = f->sequence;
	return code ? code : write_one(w, f, head, records, size, err);
}

/* --- packets */

/* A 38-bit time, from a full one that is at most 2^38 ticks earlier. */
static uint64_t time_after(uint64_t base, uint64_t low)
{
	uint64_t bits = (UINT64_C(1) << WEIR_RECORD_TIME_BITS) - 1;

	return base + ((low - base) & bits);
}

/*
 * The time of a chunk's last record. The packet's own word is exact once it is complete; while it
 * grows, it may be that of an event that the next chunk begins with.
 */
static uint64_t end_of(const struct stream_chunk *chunk, uint64_t begin)
{
	uint64_t end = begin;
	uint32_t length;

	if (chunk->complete)
		return chunk->last_time > begin ? chunk->last_time : begin;
	for (uint32_t at = chunk->from; at < chunk->to; at += length) {
		uint64_t word;

		length = record_length(chunk->packet + at, chunk->to - at);
		if (!length)
			break;
		memcpy(&word, chunk->packet + at, sizeof(word));
		end = time_after(end, WEIR_RECORD_TIME(word));
	}
	return end;
}

static uint64_t lost_since(struct ctf_file *f, uint64_t lost)
{
	if (!f->based) {
		f->based = true;
		f->lost_base = lost;
	}
	if (lost >= f->lost_base && f->lost_before + lost - f->lost_base > f->lost)
		f->lost = f->lost_before + lost - f->lost_base;
	return f->lost;
}

static struct ctf_packet_head head_of(uint32_t stream, uint32_t slot, const struct ctf_file *f,
                                      size_t size)
{
	uint64_t bits = (sizeof(struct ctf_packet_head) + size) * 8;

	return (struct ctf_packet_head){
		.magic = CTF_MAGIC,
		.stream = stream,
		.content_bits = bits,
		.packet_bits = bits,
		.lost = f->lost,
		.slot = slot,
		.events = f->events,
		.session = f->last.session,
		.source = f->last.source,
		.source_end = f->last.source_end,
		.source_count = f->last.source_count,
	};
}

static void whole_not_before(struct ctf_writer *w, uint64_t time)
{
	w->whole_from = time > w->whole_from ? time : w->whole_from;
}

/*
 * Packets are missing in front of this one that were overwritten, or dropped here, and nobody counts
 * them as lost.
 */
static bool is_behind_hole(struct ctf_file *f, const struct stream_chunk *chunk)
{
	if (f->last.magic)
		return f->last.session == chunk->generation && f->last.source &&
		       chunk->sequence > f->last.source + 1 && f->lost == f->last.lost;
	if (!f->sequence && chunk->sequence)
		f->sequence = chunk->sequence - 1;
	return f->sequence;
}

int ctf_writer_chunk(struct ctf_writer *w, const struct clock *clock, const struct schema *schema,
                     const struct stream_chunk *chunk, struct weir_error *err)
{
	struct ctf_file *f = ctf_files_slot(&w->files, chunk->slot);
	size_t size = chunk->to - chunk->from;
	struct ctf_packet_head head;
	uint64_t first;
	bool hole;
	int code;

	if (!f)
		return weir_err(err, -ENOMEM, "no memory");
	if (!size)
		return 0;
	if (schema->read_to != w->known_to) {
		code = ctf_writer_metadata(w, clock, schema, err);
		if (code)
			return code;
	}
	lost_since(f, chunk->lost);
	hole = is_behind_hole(f, chunk);
	head = head_of(CTF_STREAM_EVENTS, chunk->slot, f, size);
	memcpy(&first, chunk->packet + chunk->from, sizeof(first));
	head.begin = time_after(chunk->first_time, WEIR_RECORD_TIME(first));
	head.end = end_of(chunk, head.begin);
	head.session = chunk->generation;
	head.source = chunk->sequence;
	head.source_end = chunk->to | (chunk->complete ? CTF_COMPLETE : 0);
	head.source_count = chunk->before + chunk->count;
	head.events = f->events + chunk->count;
	code = write_packet(w, f, &head, chunk->packet + chunk->from, size, err);
	if (code)
		return code;
	f->events = head.events;
	w->totals.events += chunk->count;
	if (hole)
		whole_not_before(w, head.begin);
	return 0;
}

int ctf_writer_lost_base(struct ctf_writer *w, uint32_t slot, uint64_t began, uint64_t lost,
                         uint64_t before)
{
	struct ctf_file *f = ctf_files_slot(&w->files, slot);

	if (!f)
		return -ENOMEM;
	if (!f->based)
		f->began = began;
	f->based = true;
	f->lost_base = lost;
	f->lost_before = before;
	return 0;
}

void ctf_writer_drop(struct ctf_writer *w, uint32_t slot, uint32_t packets, uint64_t events,
                     uint64_t end)
{
	struct ctf_file *f = ctf_files_slot(&w->files, slot);

	if (!f)
		return;
	if (!f->last.magic)
		f->sequence += packets;
	f->events += events;
	f->dropped_end = end > f->dropped_end ? end : f->dropped_end;
	w->totals.dropped += events;
}

void ctf_writer_drop_rest(struct ctf_writer *w)
{
	for (uint32_t i = 0; i < w->files.count; i++) {
		struct ctf_file *f = &w->files.slots[i];
		struct ctf_packet_head head = head_of(CTF_STREAM_EVENTS, i, f, 0);

		if (f->last.magic || !f->sequence)
			continue;
		head.begin = head.end = f->dropped_end;
		if (!write_packet(w, f, &head, "", 0, NULL))
			whole_not_before(w, f->dropped_end);
	}
}

uint64_t ctf_writer_whole_from(const struct ctf_writer *w)
{
	return w->whole_from;
}

void ctf_writer_discard(struct ctf_writer *w, uint32_t slot, uint64_t count)
{
	struct ctf_file *f = ctf_files_slot(&w->files, slot);

	if (!f)
		return;
	f->based = true; /* what nobody gave a base counts from 0 */
	f->lost_before += count;
}

uint64_t ctf_writer_lost_so_far(const struct ctf_writer *w, uint32_t slot)
{
	return slot < w->files.count ? w->files.slots[slot].lost : 0;
}

/*
 * The disk is full to the last byte: the packet that is there already ends later, and tells of what
 * was lost until then.
 */
static int amend_last(struct ctf_writer *w, struct ctf_file *f, uint64_t end)
{
	struct ctf_packet_head head = f->last;
	int code;

	head.end = end;
	head.lost = f->lost;
	code = ctf_file_amend(&w->files, f, &head);
	if (!code)
		f->last = head;
	return code;
}

static int write_lost(struct ctf_writer *w, struct ctf_file *f, uint64_t now)
{
	struct ctf_packet_head head = head_of(CTF_STREAM_EVENTS, f->slot, f, 0);
	int code;

	head.begin = head.end = now > f->last.end ? now : f->last.end;
	code = write_packet(w, f, &head, "", 0, NULL);
	return code ? amend_last(w, f, head.end) : 0;
}

int ctf_writer_lost(struct ctf_writer *w, uint64_t now, uint32_t slot, uint64_t lost)
{
	struct ctf_file *f = ctf_files_slot(&w->files, slot);

	if (!f || !f->based || lost_since(f, lost) == f->last.lost)
		return 0;
	return write_lost(w, f, now);
}

int ctf_writer_lost_rest(struct ctf_writer *w, uint64_t now)
{
	struct ctf_file *teller = NULL;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < w->files.count && !teller; i++) {
		if (w->files.slots[i].last.magic)
			teller = &w->files.slots[i];
	}
	for (uint32_t i = 0; i < w->files.count && teller; i++) {
		struct ctf_file *f = &w->files.slots[i];

		if (f->last.magic)
			continue;
		sum += f->lost;
		f->lost_before -= f->lost; /* it begins to count from here */
		f->lost = 0;
	}
	if (!sum)
		return 0;
	teller->lost_before += sum;
	teller->lost += sum;
	return write_lost(w, teller, now);
}

int ctf_writer_thread(struct ctf_writer *w, uint64_t now, uint32_t tid, const char *name)
{
	struct {
		struct weir_shm_record record;
		char name[16];
	} event = { .record = { .head = (now << (64 - WEIR_RECORD_TIME_BITS) >>
		                         (48 - WEIR_RECORD_TIME_BITS)),
		                .tid = tid } };
	struct ctf_file *f = &w->files.threads;
	struct ctf_packet_head head;

	memcpy(event.name, name, strnlen(name, sizeof(event.name)));
	head = head_of(CTF_STREAM_THREADS, 0, f, sizeof(event));
	head.begin = head.end = now;
	return write_packet(w, f, &head, &event, sizeof(event), NULL);
}

void ctf_writer_totals(const struct ctf_writer *w, struct ctf_totals *ret)
{
	*ret = w->totals;
}

void ctf_writer_destroy(struct ctf_writer *w, const struct clock *clock,
                        const struct schema *schema)
{
	if (!w)
		return;
	if (clock)
		ctf_writer_metadata(w, clock, schema, NULL);
	writer_free(w);
}
