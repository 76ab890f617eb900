/* SPDX-License-Identifier: MIT */
#include "reader/ctf_reader.h"

#include "reader/ctf.h"
#include "reader/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* --- what the probes are */

static uint8_t type_number(const char *name)
{
	for (uint8_t type = WEIR_I8; type <= WEIR_POINTER; type++) {
		if (!strcmp(schema_type_name(type), name))
			return type;
	}
	return 0;
}

static const char *text_of(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_string(v)
	           ? json_object_get_string(v)
	           : "";
}

static int64_t number_of(json_object *o, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v) : 0;
}

static struct schema_probe *probe_of(json_object *o)
{
	json_object *fields;
	struct schema_probe *p;
	size_t count;

	if (!json_object_object_get_ex(o, "fields", &fields) ||
	    !json_object_is_type(fields, json_type_array))
		return NULL;
	count = json_object_array_length(fields);
	if (count > SCHEMA_FIELDS_MAX)
		return NULL;
	p = calloc(1, sizeof(*p) + count * sizeof(p->fields[0]));
	if (!p)
		return NULL;
	p->provider = text_of(o, "provider");
	p->name = text_of(o, "probe");
	p->string_limit = WEIR_RECORD_MAX;
	for (size_t i = 0; i < count; i++) {
		json_object *f = json_object_array_get_idx(fields, i);

		p->fields[i].name = text_of(f, "name");
		p->fields[i].type = type_number(text_of(f, "type"));
		if (!p->fields[i].type) {
			free(p);
			return NULL;
		}
	}
	p->count = (uint32_t)count;
	return p;
}

static int read_probes(struct ctf_trace *t, json_object *list)
{
	size_t count = json_object_array_length(list);

	for (size_t i = 0; i < count; i++) {
		json_object *o = json_object_array_get_idx(list, i);
		int64_t id = number_of(o, "id");

		if (id < 1 || id >= WEIR_SHM_PROBES)
			continue;
		if (id >= t->ids) {
			struct schema_probe **probes =
			    realloc(t->probes, (size_t)(id + 1) * sizeof(struct schema_probe *));

			if (!probes)
				return -ENOMEM;
			memset(probes + t->ids, 0, ((size_t)id + 1 - t->ids) * sizeof(*probes));
			t->probes = probes;
			t->ids = (uint32_t)id + 1;
		}
		if (!t->probes[id])
			t->probes[id] = probe_of(o);
	}
	return 0;
}

int ctf_trace_open(const char *path, struct ctf_trace **ret, struct weir_error *err)
{
	char name[4096];
	struct ctf_trace *t;
	json_object *document, *clock, *list;
	double hz;

	snprintf(name, sizeof(name), "%s/%s", path, CTF_SIDECAR);
	if (access(name, R_OK))
		return weir_err(err, -ENOENT, "%s is no recording of weir's: there is no %s in it",
		                path, CTF_SIDECAR);
	document = json_object_from_file(name);
	if (!document || !json_object_object_get_ex(document, "clock", &clock) ||
	    !json_object_object_get_ex(document, "probes", &list) ||
	    !json_object_is_type(list, json_type_array) || number_of(clock, "hz") <= 0) {
		json_object_put(document);
		return weir_err(err, -EBADMSG, "%s is damaged", name);
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		json_object_put(document);
		return -ENOMEM;
	}
	t->document = document;
	t->path = strdup(path);
	t->process = strdup(text_of(document, "process"));
	t->command = strdup(text_of(document, "command"));
	t->pid = (pid_t)number_of(document, "pid");
	hz = (double)number_of(clock, "hz");
	t->ns_per_tick = 1e9 / hz;
	t->epoch_ns = number_of(clock, "offset_s") * 1000000000 +
	              (int64_t)((double)number_of(clock, "offset") * t->ns_per_tick);
	if (!t->path || !t->process || !t->command || read_probes(t, list)) {
		ctf_trace_close(t);
		return weir_err(err, -ENOMEM, "no memory");
	}
	*ret = t;
	return 0;
}

void ctf_trace_close(struct ctf_trace *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->ids; i++)
		free(t->probes[i]);
	free(t->probes);
	free(t->path);
	free(t->process);
	free(t->command);
	json_object_put(t->document);
	free(t);
}

/* --- packets */

static void read_packet(const struct ctf_trace *t, struct ctf_reading *r,
                        const struct ctf_packet_head *head, const uint8_t *p, size_t size)
{
	uint64_t time = head->begin, bits = (UINT64_C(1) << WEIR_RECORD_TIME_BITS) - 1;
	struct record_value values[SCHEMA_FIELDS_MAX];

	while (size) {
		struct weir_shm_record record;
		uint32_t length = record_length(p, size), id;
		struct ctf_event event = { .trace = t, .values = values };

		if (!length)
			return;
		memcpy(&record, p, sizeof(record));
		time += (WEIR_RECORD_TIME(record.head) - time) & bits;
		id = WEIR_RECORD_ID(record.head);
		event.probe = id < t->ids ? t->probes[id] : NULL;
		r->events++;
		if (event.probe && record_decode(event.probe, p, length, 0, values)) {
			event.time = t->epoch_ns + (int64_t)((double)time * t->ns_per_tick);
			event.tid = record.tid;
			r->event(r->arg, &event);
		} else {
			r->unknown++;
		}
		p += length;
		size -= length;
	}
}

/* Packets from the start of `data`; returns the bytes that were whole ones. */
static size_t read_packets(const struct ctf_trace *t, struct ctf_reading *r, const uint8_t *data,
                           size_t size, uint64_t *lost)
{
	size_t at = 0;

	while (size - at >= sizeof(struct ctf_packet_head)) {
		struct ctf_packet_head head;
		size_t content;

		memcpy(&head, data + at, sizeof(head));
		if (head.magic != CTF_MAGIC || head.packet_bits % 64 || head.content_bits % 64 ||
		    head.content_bits > head.packet_bits || head.packet_bits / 8 > size - at)
			break;
		content = head.content_bits / 8;
		if (content < sizeof(head))
			break;
		if (head.stream == CTF_STREAM_EVENTS) {
			r->packets++;
			*lost = head.lost > *lost ? head.lost : *lost;
			read_packet(t, r, &head, data + at + sizeof(head), content - sizeof(head));
		}
		at += head.packet_bits / 8;
	}
	return at;
}

static bool read_frames(const struct ctf_trace *t, struct ctf_reading *r, const uint8_t *data,
                        size_t size, uint64_t *lost)
{
	static uint8_t packet[WEIR_SHM_PACKET_SIZE + sizeof(struct ctf_packet_head)];
	size_t at = 0;

	while (at < size) {
		size_t n = ZSTD_findFrameCompressedSize(data + at, size - at), out;

		if (ZSTD_isError(n))
			return false;
		out = ZSTD_decompress(packet, sizeof(packet), data + at, n);
		if (ZSTD_isError(out) || read_packets(t, r, packet, out, lost) != out)
			return false;
		at += n;
	}
	return true;
}

static int read_file(const struct ctf_trace *t, struct ctf_reading *r, int dir, const char *name,
                     uint64_t *lost)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t length = strlen(name);
	struct stat st;
	uint8_t *data;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(fd);
		return 0;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return -errno;
	madvise(data, (size_t)st.st_size, MADV_SEQUENTIAL);
	if (length > 4 && !strcmp(name + length - 4, ".zst"))
		r->cut += !read_frames(t, r, data, (size_t)st.st_size, lost);
	else
		r->cut += read_packets(t, r, data, (size_t)st.st_size, lost) != (size_t)st.st_size;
	munmap(data, (size_t)st.st_size);
	r->bytes += (uint64_t)st.st_size;
	return 0;
}

/* Losses grow along a slot's packets, over its parts: the highest of each slot counts. */
struct slot_lost {
	uint32_t slot;
	uint64_t lost;
};

int ctf_trace_read(const struct ctf_trace *t, struct ctf_reading *r, struct weir_error *err)
{
	struct slot_lost *slots = NULL;
	size_t count = 0;
	DIR *dir = opendir(t->path);
	int code = 0;

	if (!dir)
		return weir_err(err, -errno, "cannot read %s: %s", t->path, strerror(errno));
	for (struct dirent *e; !code && (e = readdir(dir));) {
		uint64_t lost = 0;
		unsigned slot;
		size_t i;

		if (sscanf(e->d_name, "stream_%u", &slot) != 1)
			continue;
		code = read_file(t, r, dirfd(dir), e->d_name, &lost);
		for (i = 0; i < count && slots[i].slot != slot; i++)
			;
		if (i == count) {
			struct slot_lost *more = realloc(slots, (count + 1) * sizeof(*slots));

			if (!more)
				break;
			slots = more;
			slots[count++] = (struct slot_lost){ slot, 0 };
		}
		slots[i].lost = lost > slots[i].lost ? lost : slots[i].lost;
	}
	for (size_t i = 0; i < count; i++)
		r->lost += slots[i].lost;
	free(slots);
	closedir(dir);
	return code ? weir_err(err, code, "cannot read the recording in %s: %s", t->path,
	                       strerror(-code))
	            : 0;
}

int ctf_read_all(const char *path, struct ctf_reading *r, struct weir_error *err)
{
	char *paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	int traces = 0, code = 0;

	if (!fts)
		return weir_err(err, -errno, "cannot read %s: %s", path, strerror(errno));
	for (FTSENT *e; !code && (e = fts_read(fts));) {
		struct ctf_trace *t;

		if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR)
			code = weir_err(err, -e->fts_errno, "cannot read %s: %s", e->fts_path,
			                strerror(e->fts_errno));
		if (e->fts_info != FTS_D || ctf_trace_open(e->fts_path, &t, NULL))
			continue;
		code = ctf_trace_read(t, r, err);
		ctf_trace_close(t);
		traces++;
	}
	fts_close(fts);
	return code ? code : traces;
}
