/* SPDX-License-Identifier: MIT */
#include "reader/ctf.h"

#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zstd.h>

#define PART_MIN (UINT64_C(1) << 20)
#define LEVEL    1

/* A slot's file that is being written, or the threads' one. */
struct file {
	int fd; /* -1: none yet */
	uint32_t part;
	uint64_t bytes;
	uint32_t sequence;
	bool based;
	uint64_t lost_base; /* what `lost` was when the session began ... */
	uint64_t lost;      /* ... and what was told so far, over all sessions */
	uint64_t lost_before;
};

/* A part that is complete: the oldest goes first when there is too much. */
struct part {
	struct part *next;
	uint32_t slot, number;
	uint64_t bytes;
};

struct ctf_writer {
	int dir;
	struct ctf_target target;
	char *process, *command, *hostname;
	struct ctf_options options;
	struct file *files; /* by slot */
	uint32_t slots;
	struct file threads;
	struct part *oldest, **newest;
	uint64_t kept; /* bytes in complete parts */
	struct ctf_totals totals;
	uint64_t known_to; /* how far the log was read that the metadata has */
	ZSTD_CCtx *zstd;
	uint8_t *frame; /* FRAME_MAX, and behind it: */
	uint8_t *copy;  /* the packet in one piece */
};

#define FRAME_MAX (ZSTD_COMPRESSBOUND(WEIR_SHM_PACKET_SIZE + sizeof(struct ctf_packet_head)))

static void file_name(const struct ctf_writer *w, uint32_t slot, uint32_t part, char *ret,
                      size_t size)
{
	const char *suffix = w->options.compress ? ".zst" : "";

	if (w->options.size)
		snprintf(ret, size, "stream_%u_%u%s", slot, part, suffix);
	else
		snprintf(ret, size, "stream_%u%s", slot, suffix);
}

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
	for (uint32_t i = 0; i < w->slots; i++) {
		if (w->files[i].fd >= 0)
			close(w->files[i].fd);
	}
	if (w->threads.fd >= 0)
		close(w->threads.fd);
	if (w->dir >= 0)
		close(w->dir);
	for (struct part *p = w->oldest, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	ZSTD_freeCCtx(w->zstd);
	free(w->frame);
	free(w->files);
	free(w->process);
	free(w->command);
	free(w->hostname);
	free(w);
}

int ctf_writer_create(int dir, const struct ctf_target *target, const struct ctf_options *options,
                      struct ctf_writer **ret, struct weir_error *err)
{
	struct ctf_writer *w = calloc(1, sizeof(*w));
	int code;

	if (!w)
		return weir_err(err, -ENOMEM, "no memory");
	w->dir = w->threads.fd = -1;
	w->newest = &w->oldest;
	w->target = *target;
	w->options = *options;
	w->target.process = w->process = strdup(target->process);
	w->target.command = w->command = strdup(target->command);
	w->target.hostname = w->hostname = strdup(target->hostname);
	if (options->compress) {
		w->zstd = ZSTD_createCCtx();
		w->frame =
		    malloc(FRAME_MAX + WEIR_SHM_PACKET_SIZE + sizeof(struct ctf_packet_head));
		w->copy = w->frame + FRAME_MAX;
	}
	if (!w->process || !w->command || !w->hostname ||
	    (options->compress && (!w->zstd || !w->frame))) {
		writer_free(w);
		return weir_err(err, -ENOMEM, "no memory");
	}
	code = make_folder(dir, target, err);
	if (code < 0) {
		writer_free(w);
		return code;
	}
	w->dir = code;
	*ret = w;
	return 0;
}

/* The slot's file; its number is a target's word, bounded by the header's slots. */
static struct file *slot_file(struct ctf_writer *w, uint32_t slot)
{
	if (slot >= w->slots) {
		struct file *files = realloc(w->files, (slot + 1) * sizeof(*files));

		if (!files)
			return NULL;
		for (uint32_t i = w->slots; i <= slot; i++)
			files[i] = (struct file){ .fd = -1 };
		w->files = files;
		w->slots = slot + 1;
	}
	return &w->files[slot];
}

static int write_failed(struct ctf_writer *w, struct file *f, struct weir_error *err, int code)
{
	/* What is there of this packet goes: the file ends with a whole one. */
	if (ftruncate(f->fd, (off_t)f->bytes) || lseek(f->fd, (off_t)f->bytes, SEEK_SET) < 0)
		code = -errno;
	return weir_err(err, code, "cannot write the recording of %s (%d): %s%s", w->process,
	                w->target.pid, strerror(-code),
	                code == -ENOSPC ? ": make room, or keep less with --size or --compress"
	                                : "");
}

static int write_packet(struct ctf_writer *w, struct file *f, struct ctf_packet_head *head,
                        const void *records, size_t size, struct weir_error *err)
{
	struct iovec io[2] = { { head, sizeof(*head) }, { (void *)(uintptr_t)records, size } };
	size_t want = sizeof(*head) + size;
	ssize_t n;

	if (w->zstd && f != &w->threads) {
		memcpy(w->copy, head, sizeof(*head));
		memcpy(w->copy + sizeof(*head), records, size);
		want = ZSTD_compressCCtx(w->zstd, w->frame, FRAME_MAX, w->copy, want, LEVEL);
		if (ZSTD_isError(want))
			return weir_err(err, -EIO, "zstd: %s", ZSTD_getErrorName(want));
		n = write(f->fd, w->frame, want);
	} else {
		n = writev(f->fd, io, 2);
	}
	if (n < 0)
		return write_failed(w, f, err, -errno);
	if ((size_t)n < want)
		return write_failed(w, f, err, -ENOSPC);
	f->bytes += want;
	w->totals.bytes += want;
	w->totals.packets++;
	f->sequence++;
	return 0;
}

/* --- rotation */

static void drop_oldest(struct ctf_writer *w)
{
	struct part *p = w->oldest;
	char name[64];

	file_name(w, p->slot, p->number, name, sizeof(name));
	unlinkat(w->dir, name, 0);
	w->kept -= p->bytes;
	w->oldest = p->next;
	if (!w->oldest)
		w->newest = &w->oldest;
	free(p);
}

static int part_close(struct ctf_writer *w, uint32_t slot, struct file *f)
{
	struct part *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct part){ .slot = slot, .number = f->part, .bytes = f->bytes };
	*w->newest = p;
	w->newest = &p->next;
	w->kept += p->bytes;
	close(f->fd);
	f->fd = -1;
	f->part++;
	f->bytes = 0;
	while (w->oldest && w->kept > w->options.size)
		drop_oldest(w);
	return 0;
}

static int file_ready(struct ctf_writer *w, uint32_t slot, struct file *f, struct weir_error *err)
{
	uint64_t most = w->options.size / 8 > PART_MIN ? w->options.size / 8 : PART_MIN;
	char name[64];
	int code;

	if (w->options.size && f->fd >= 0 && f->bytes >= most && part_close(w, slot, f))
		return weir_err(err, -ENOMEM, "no memory");
	if (f->fd >= 0)
		return 0;
	file_name(w, slot, f->part, name, sizeof(name));
	f->fd = openat(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (f->fd >= 0)
		return 0;
	code = -errno;
	return weir_err(err, code, "cannot make %s in the recording of %s (%d): %s", name,
	                w->process, w->target.pid, strerror(-code));
}

/* --- packets */

/* A 38-bit time, from a full one that is at most 2^38 ticks earlier. */
static uint64_t time_after(uint64_t base, uint64_t low)
{
	uint64_t bits = (UINT64_C(1) << WEIR_RECORD_TIME_BITS) - 1;

	return base + ((low - base) & bits);
}

static uint64_t lost_since(struct file *f, uint64_t lost)
{
	if (!f->based) {
		f->based = true;
		f->lost_base = lost;
	}
	if (lost >= f->lost_base && f->lost_before + lost - f->lost_base > f->lost)
		f->lost = f->lost_before + lost - f->lost_base;
	return f->lost;
}

static struct ctf_packet_head head_of(uint32_t stream, uint32_t slot, const struct file *f,
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
		.sequence = f->sequence,
	};
}

int ctf_writer_chunk(struct ctf_writer *w, const struct clock *clock, const struct schema *schema,
                     const struct stream_chunk *chunk, struct weir_error *err)
{
	struct file *f = slot_file(w, chunk->slot);
	size_t size = chunk->to - chunk->from;
	struct ctf_packet_head head;
	uint64_t first;
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
	code = file_ready(w, chunk->slot, f, err);
	if (code)
		return code;
	lost_since(f, chunk->lost);
	head = head_of(CTF_STREAM_EVENTS, chunk->slot, f, size);
	memcpy(&first, chunk->packet + chunk->from, sizeof(first));
	head.begin = time_after(chunk->first_time, WEIR_RECORD_TIME(first));
	head.end = chunk->last_time > head.begin ? chunk->last_time : head.begin;
	code = write_packet(w, f, &head, chunk->packet + chunk->from, size, err);
	if (!code)
		w->totals.events += chunk->count;
	return code;
}

int ctf_writer_lost_base(struct ctf_writer *w, uint32_t slot, uint64_t lost)
{
	struct file *f = slot_file(w, slot);

	if (!f)
		return -ENOMEM;
	f->based = true;
	f->lost_base = lost;
	return 0;
}

int ctf_writer_lost(struct ctf_writer *w, uint64_t now, uint32_t slot, uint64_t lost)
{
	struct file *f = slot_file(w, slot);
	uint64_t told;
	struct ctf_packet_head head;

	if (!f || !f->based)
		return 0;
	told = f->lost;
	if (lost_since(f, lost) == told || file_ready(w, slot, f, NULL))
		return 0;
	head = head_of(CTF_STREAM_EVENTS, slot, f, 0);
	head.begin = head.end = now;
	return write_packet(w, f, &head, "", 0, NULL);
}

int ctf_writer_thread(struct ctf_writer *w, uint64_t now, uint32_t tid, const char *name)
{
	struct {
		struct weir_shm_record record;
		char name[16];
	} event = { .record = { .head = (now << (64 - WEIR_RECORD_TIME_BITS) >>
		                         (48 - WEIR_RECORD_TIME_BITS)),
		                .tid = tid } };
	struct file *f = &w->threads;
	struct ctf_packet_head head;

	if (f->fd < 0) {
		f->fd =
		    openat(w->dir, "stream_threads", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (f->fd < 0)
			return -errno;
	}
	memcpy(event.name, name, strnlen(name, sizeof(event.name)));
	head = head_of(CTF_STREAM_THREADS, 0, f, sizeof(event));
	head.begin = head.end = now;
	return write_packet(w, f, &head, &event, sizeof(event), NULL);
}

void ctf_writer_restart(struct ctf_writer *w)
{
	for (uint32_t i = 0; i < w->slots; i++) {
		w->files[i].based = false;
		w->files[i].lost_before = w->files[i].lost;
	}
}

void ctf_writer_totals(const struct ctf_writer *w, struct ctf_totals *ret)
{
	*ret = w->totals;
}

/* --- metadata and sidecar */

static int file_replace(int dir, const char *name, const char *text, size_t size)
{
	char temporary[64];
	int fd, code = 0;

	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	while (size && !code) {
		ssize_t n = write(fd, text, size);

		if (n < 0)
			code = -errno;
		else
			text += n, size -= (size_t)n;
	}
	close(fd);
	if (!code && renameat(dir, temporary, dir, name))
		code = -errno;
	if (code)
		unlinkat(dir, temporary, 0);
	return code;
}

static json_object *probe_json(const struct schema_probe *p)
{
	json_object *o = json_object_new_object(), *fields = json_object_new_array();

	json_object_object_add(o, "id", json_object_new_int(p->id));
	json_object_object_add(o, "provider", json_object_new_string(p->provider));
	json_object_object_add(o, "probe", json_object_new_string(p->name));
	for (uint32_t i = 0; i < p->count; i++) {
		json_object *f = json_object_new_object();

		json_object_object_add(f, "name", json_object_new_string(p->fields[i].name));
		json_object_object_add(f, "type",
		                       json_object_new_string(schema_type_name(p->fields[i].type)));
		json_object_array_add(fields, f);
	}
	json_object_object_add(o, "fields", fields);
	return o;
}

static int sidecar_write(const struct ctf_writer *w, const struct ctf_clock *clock,
                         const struct schema *schema)
{
	json_object *o = json_object_new_object(), *probes = json_object_new_array();
	json_object *c = json_object_new_object();
	const char *text;
	size_t size;
	int code;

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "pid", json_object_new_int(w->target.pid));
	json_object_object_add(o, "inner_pid", json_object_new_int(w->target.inner_pid));
	json_object_object_add(o, "process", json_object_new_string(w->process));
	json_object_object_add(o, "command", json_object_new_string(w->command));
	json_object_object_add(o, "hostname", json_object_new_string(w->hostname));
	json_object_object_add(c, "hz", json_object_new_uint64(clock->hz));
	json_object_object_add(c, "offset_s", json_object_new_int64(clock->offset_s));
	json_object_object_add(c, "offset", json_object_new_uint64(clock->offset));
	json_object_object_add(o, "clock", c);
	for (uint32_t id = 1; id < schema->ids; id++) {
		if (schema->probes[id])
			json_object_array_add(probes, probe_json(schema->probes[id]));
	}
	json_object_object_add(o, "probes", probes);
	text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &size);
	code = text ? file_replace(w->dir, CTF_SIDECAR, text, size) : -ENOMEM;
	json_object_put(o);
	return code;
}

int ctf_writer_metadata(struct ctf_writer *w, const struct clock *clock,
                        const struct schema *schema, struct weir_error *err)
{
	struct ctf_clock at;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int code;

	if (!to)
		return weir_err(err, -ENOMEM, "no memory");
	ctf_clock_init(clock, &at);
	ctf_metadata_write(to, &w->target, &at, schema);
	code = fclose(to) ? -ENOMEM : file_replace(w->dir, "metadata", text, size);
	free(text);
	if (!code)
		code = sidecar_write(w, &at, schema);
	if (code)
		return weir_err(err, code,
		                "cannot write the metadata of the recording of %s (%d): %s",
		                w->process, w->target.pid, strerror(-code));
	w->known_to = schema->read_to;
	return 0;
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
