/* SPDX-License-Identifier: MIT */
/* Going on with the trace of a writer that was killed: its files tell how far it came. */
#include "reader/ctf_writer.h"

#include "reader/cleanup.h"
#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct found {
	uint32_t slot, part;
	uint64_t bytes;
};

static int by_part(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	return (x->slot > y->slot) - (x->slot < y->slot);
}

/* The slot and the part of a file, if the writer itself would call it so. */
static bool parse_name(const struct ctf_files *f, const char *name, struct found *ret)
{
	char same[64];

	*ret = (struct found){ 0 };
	if (!strcmp(name, "stream_threads"))
		ret->slot = CTF_THREADS;
	else if (sscanf(name, "stream_%u_%u", &ret->slot, &ret->part) < 1)
		return false;
	ctf_file_name(f, ret->slot, ret->part, same, sizeof(same));
	return !strcmp(name, same) && (ret->slot == CTF_THREADS || ret->slot < UINT16_MAX);
}

/* Go on behind the last whole packet of a file, if it is the newest of its slot. */
static int take_up(struct ctf_writer *w, const char *name, struct found *found)
{
	struct ctf_file *file = ctf_files_slot(&w->files, found->slot);
	bool frames = w->files.zstd && found->slot != CTF_THREADS;
	struct ctf_packet_head last;
	uint64_t tail;
	int64_t good;
	int fd;

	if (!file)
		return -ENOMEM;
	fd = openat(w->files.dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	good = ctf_whole(fd, frames, &last, &tail);
	if (good < 0 || ftruncate(fd, good)) {
		close(fd);
		return good < 0 ? (int)good : -errno;
	}
	if (!good)
		unlinkat(w->files.dir, name, 0);
	found->bytes = (uint64_t)good;
	if (!good || (file->fd >= 0 && file->part > found->part)) {
		close(fd);
		return 0;
	}
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->part = found->part;
	file->bytes = found->bytes;
	file->tail = tail;
	file->last = last;
	file->sequence = last.sequence + 1;
	file->lost = last.lost;
	file->events = last.events;
	return 0;
}

/* Parts that are complete are kept or dropped with those to come. */
static int keep_parts(struct ctf_writer *w, struct found *all, size_t count)
{
	qsort(all, count, sizeof(*all), by_part);
	for (size_t i = 0; i < count; i++) {
		const struct ctf_file *file = ctf_files_slot(&w->files, all[i].slot);
		int code = 0;

		if (all[i].bytes && file->part != all[i].part)
			code = ctf_files_keep(&w->files, all[i].slot, all[i].part, all[i].bytes);
		if (code)
			return code;
	}
	return 0;
}

static int take_up_all(struct ctf_writer *w)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ struct found *all = NULL;
	size_t count = 0;
	int fd = openat(w->files.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	unlinkat(w->files.dir, CTF_SPARE, 0);
	for (struct dirent *e; (e = readdir(dir));) {
		struct found found, *more;
		int code;

		if (!parse_name(&w->files, e->d_name, &found))
			continue;
		code = take_up(w, e->d_name, &found);
		if (code)
			return code;
		more = realloc(all, (count + 1) * sizeof(*all));
		if (!more)
			return -ENOMEM;
		all = more;
		all[count++] = found;
	}
	return w->files.options.size ? keep_parts(w, all, count) : 0;
}

int ctf_writer_resume(int dir, const struct ctf_target *target, const struct ctf_options *options,
                      struct ctf_writer **ret, struct weir_error *err)
{
	int code = ctf_writer_make(dir, target, options, ret, err);

	if (code)
		return code;
	code = take_up_all(*ret);
	if (!code)
		return 0;
	ctf_writer_destroy(*ret, NULL, NULL);
	return weir_err(err, code, "cannot go on with the recording of %s (%d): %s",
	                target->process, target->pid, strerror(-code));
}

bool ctf_writer_last(const struct ctf_writer *w, uint32_t slot, struct ctf_packet_head *ret)
{
	if (slot >= w->files.count || !w->files.slots[slot].last.magic)
		return false;
	*ret = w->files.slots[slot].last;
	return true;
}
