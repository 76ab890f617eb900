/* SPDX-License-Identifier: MIT */
/*
 * A live process: what its mapped files say, which of it is published, who is attached. Everything
 * is looked at from outside while it runs, so it can end, or become another program, at any point:
 * /proc/PID/auxv, which differs from one exec to the next, is compared before and after.
 */
#include "reader/listing_rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/build_id.h"
#include "reader/cleanup.h"
#include "reader/maps.h"
#include "reader/memory.h"
#include "reader/process.h"
#include "reader/rights.h"

#define ATTEMPTS 4

struct scan {
	struct listing *listing;
	const struct listing_options *options;
	struct process process;
	struct process_memory *memory; /* NULL: it may not be read */
	struct memories memories;
};

/* Where a site and its semaphore are, and what is there. */
struct look {
	size_t row;
	const struct elf_probe *probe;
	uint64_t site, semaphore;
	uint8_t code[2];
	uint16_t count;
	bool code_read, count_read;
};

static int memory_found(void *arg, struct shm *shm)
{
	return memories_add(arg, shm);
}

static bool memory_seen(void *arg, dev_t dev, ino_t ino)
{
	const struct memories *m = arg;

	for (size_t i = 0; i < m->count; i++) {
		if (m->list[i].shm.dev == dev && m->list[i].shm.ino == ino)
			return true;
	}
	return false;
}

/* --- is the file of today the one that is mapped? */

struct image {
	struct process_memory *memory;
	uint64_t start;
};

static int read_image(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct image *image = ctx;

	return process_memory_read(image->memory, image->start + offset, buf, size);
}

enum sameness { SAME, OTHER, NOT_KNOWN };

static enum sameness compare_build_ids(const struct scan *s, const struct mapped_file *file, int fd)
{
	struct image image = { s->memory, file->mappings[0].start };
	struct build_id mapped = { 0 }, now = { 0 };

	if (!s->memory || file->mappings[0].offset ||
	    build_id_read(read_image, &image, 1, &mapped) || !mapped.size)
		return NOT_KNOWN;
	if (build_id_of_fd(fd, &now) || now.size != mapped.size ||
	    memcmp(now.bytes, mapped.bytes, now.size))
		return OTHER;
	return SAME;
}

static void say_unread(const struct scan *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say_unread(const struct scan *s, const char *format, ...)
{
	struct weir_error why;
	char what[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	weir_err(&why, -EPERM, "process %d (%s): %s", s->process.pid, s->process.comm, what);
	listing_unread(s->listing, &why);
}

/* Memory without a file that an ELF image could be in, however it is called. */
static bool is_no_image(const char *path)
{
	return !strncmp(path, "/memfd:", 7) || !strncmp(path, "/dev/", 5) ||
	       !strncmp(path, "/SYSV", 5) || !strncmp(path, "/[aio]", 6);
}

static const struct elf_notes *open_notes(struct scan *s, const struct mapped_file *file,
                                          enum maps_opened *how)
{
	struct weir_error err;
	_cleanup_close_ int fd = -1;

	if (maps_open(s->process.pid, file, &fd, how, &err)) {
		if (!is_no_image(file->path) && process_exists(s->process.pid))
			say_unread(s, "%s", err.message);
		return NULL;
	}
	if (*how == MAPS_REPLACED) {
		enum sameness same = compare_build_ids(s, file, fd);

		if (same == OTHER) {
			say_unread(s,
			           "%s is another file (build-id) than the one it runs: restart "
			           "it, or try sudo weir list -p %d",
			           file->path, s->process.pid);
			return NULL;
		}
		if (same == SAME)
			*how = MAPS_SAME;
	}
	return listing_notes(s->listing, fd);
}

/* --- who is attached */

/*
 * A tracer on a plain nop changes its first byte. Where the nop is followed by a long one, made for
 * tracers too, they may be on that: then its first byte counts as well.
 */
static size_t site_size(const struct elf_probe *probe)
{
	const uint8_t *c = probe->code;

	if (probe->code_size < 2)
		return 0;
	if (probe->desc->kind == PROBE_WEIR)
		return 2;
	return c[0] == 0x90 && (c[1] == 0x66 || c[1] == 0x0f) && c[2] != 0xef ? 2 : 1;
}

static void judge_look(struct listed_probe *row, const struct look *l)
{
	if (l->site && !l->code_read)
		row->attached |= ATTACHED_UNKNOWN;
	else if (l->site && memcmp(l->code, l->probe->code, site_size(l->probe)))
		row->attached |= ATTACHED_USDT;
	if (l->count_read && (int)l->count > row->semaphore)
		row->semaphore = l->count;
}

/* Read all places of a file's probes at once. */
static int look_at_memory(struct scan *s, struct look *looks, size_t count)
{
	struct memory_piece *pieces;
	size_t used = 0;
	int code;

	if (!s->memory || !count)
		return 0;
	pieces = calloc(2 * count, sizeof(*pieces));
	if (!pieces)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct look *l = &looks[i];

		if (l->site)
			pieces[used++] =
			    (struct memory_piece){ l->site, l->code, sizeof(l->code), -EFAULT };
		if (l->semaphore)
			pieces[used++] = (struct memory_piece){ l->semaphore, &l->count,
				                                sizeof(l->count), -EFAULT };
	}
	code = process_memory_readv(s->memory, pieces, used);
	used = 0;
	for (size_t i = 0; i < count; i++) {
		if (looks[i].site)
			looks[i].code_read = !pieces[used++].rc;
		if (looks[i].semaphore)
			looks[i].count_read = !pieces[used++].rc;
	}
	free(pieces);
	return code == -ESRCH ? 0 : code; /* it has ended: nothing was read */
}

/* --- a mapped file */

/* One site: its row, and where to look. *l is left empty if there is nothing to show. */
static int list_site(struct scan *s, size_t from, const struct mapped_file *file,
                     const struct elf_probe *probe, enum maps_opened how, struct look *l)
{
	const struct listing_owner owner = { s->process.pid, s->process.comm, file->path };
	const struct probe_desc *desc = probe->desc;
	struct published *where = NULL;
	struct listed_probe *row;
	uint64_t site = 0;
	uint32_t id = 0;
	int code;

	*l = (struct look){ 0 };
	if (probe->site_offset != ELF_NO_OFFSET)
		site = maps_code_address(file, probe->site_offset);
	if (desc->kind == PROBE_WEIR && !memories_published(&s->memories, desc, site, &where, &id))
		return 0;
	if (where)
		where->seen[id] = true;
	if (!listing_wants(s->options, desc->kind, desc->provider, desc->name))
		return 0;
	code = listing_row(s->listing, from, &owner, desc, &row);
	if (code)
		return code;
	row->sites++;
	row->has_semaphore |= probe->semaphore != 0;
	row->replaced = how == MAPS_REPLACED;
	row->deleted = file->deleted && !is_no_image(file->path);
	if (where)
		memories_owners(where, id, row);
	l->row = s->listing->count - 1;
	l->probe = probe;
	if (how == MAPS_SAME && site_size(probe)) {
		l->site = site;
		if (probe->semaphore && probe->semaphore_offset != ELF_NO_OFFSET)
			l->semaphore = maps_data_address(file, probe->semaphore_offset);
	}
	return 0;
}

static int list_mapped(struct scan *s, const struct mapped_file *file)
{
	size_t from = s->listing->count, count = 0;
	_cleanup_free_ struct look *looks = NULL;
	const struct elf_notes *notes;
	enum maps_opened how;
	int code = 0;

	notes = file->exec ? open_notes(s, file, &how) : NULL;
	if (!notes || !notes->count)
		return 0;
	looks = calloc(notes->count, sizeof(*looks));
	if (!looks)
		return -ENOMEM;
	for (size_t i = 0; i < notes->count && !code; i++) {
		code = list_site(s, from, file, &notes->probes[i], how, &looks[count]);
		count += looks[count].probe != NULL;
	}
	if (!code)
		code = look_at_memory(s, looks, count);
	for (size_t i = 0; i < count && !code; i++)
		judge_look(&s->listing->probes[looks[i].row], &looks[i]);
	return code;
}

/* --- the process */

static int scan_maps(struct scan *s, const struct maps *maps)
{
	const struct listing_owner owner = { s->process.pid, s->process.comm, "" };
	int code = 0;

	shm_find(s->process.pid, memory_seen, memory_found, &s->memories, NULL);
	process_memory_open(s->process.pid, NULL, &s->memory);
	for (size_t i = 0; i < maps->count && !code; i++)
		code = list_mapped(s, &maps->files[i]);
	if (!code)
		code = memories_rows(s->listing, &s->memories, &owner, s->options);
	process_memory_close(s->memory);
	memories_deinit(&s->memories);
	return code;
}

static bool same_program(pid_t pid, const char *auxv, ssize_t size)
{
	char now[1024];
	ssize_t n = process_file(pid, "auxv", now, sizeof(now));

	/* one that has ended has not become another program */
	return n <= 0 || size <= 0 || (n == size && !memcmp(now, auxv, (size_t)n));
}

static int scan_once(struct scan *s, struct weir_error *err)
{
	struct maps maps;
	pid_t pid = s->process.pid;
	int code = process_read(pid, &s->process);

	if (code)
		return rights_explain(pid, RIGHTS_READ, code, err);
	if (s->process.kernel_thread)
		return 0;
	code = maps_read(pid, &maps);
	if (!code && !maps.count && s->process.state == 'Z')
		code = -ESRCH;
	if (code)
		return rights_explain(pid, RIGHTS_READ, code, err);
	code = scan_maps(s, &maps);
	maps_deinit(&maps);
	return code ? weir_err(err, code, "process %d: %s", pid, strerror(-code)) : 0;
}

int listing_process(struct listing *listing, pid_t pid, const struct listing_options *options,
                    struct weir_error *err)
{
	size_t count = listing->count, unread = listing->unread;
	int code = 0;

	for (int i = 0; i < ATTEMPTS; i++) {
		struct scan s = { .listing = listing, .options = options, .process.pid = pid };
		char auxv[1024];
		ssize_t size = process_file(pid, "auxv", auxv, sizeof(auxv));

		listing_truncate(listing, count);
		listing->unread = unread;
		code = scan_once(&s, err);
		if (code || same_program(pid, auxv, size))
			break;
	}
	listing->processes += !code;
	return code;
}
