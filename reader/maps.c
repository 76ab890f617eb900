/* SPDX-License-Identifier: MIT */
#include "reader/maps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "reader/cleanup.h"

static const char deleted_suffix[] = " (deleted)";

/* The kernel writes a newline in a path as \012 and leaves everything else alone. */
static void unescape_path(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		if (!strncmp(from, "\\012", 4)) {
			*to = '\n';
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static struct mapped_file *find_file(struct maps *maps, dev_t dev, ino_t ino)
{
	for (size_t i = maps->count; i--;) {
		if (maps->files[i].dev == dev && maps->files[i].ino == ino)
			return &maps->files[i];
	}
	return NULL;
}

/* Room doubles at powers of two: no second counter is needed. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}

static struct mapped_file *add_file(struct maps *maps, dev_t dev, ino_t ino, const char *path)
{
	struct mapped_file *files = grow(maps->files, maps->count, sizeof(*files));
	size_t length = strlen(path), suffix = sizeof(deleted_suffix) - 1;
	struct mapped_file *f;

	if (!files)
		return NULL;
	maps->files = files;
	f = &files[maps->count];
	*f = (struct mapped_file){ .dev = dev, .ino = ino, .path = strdup(path) };
	if (!f->path)
		return NULL;
	if (length > suffix && !strcmp(path + length - suffix, deleted_suffix)) {
		f->path[length - suffix] = '\0';
		f->deleted = true;
	}
	unescape_path(f->path);
	maps->count++;
	return f;
}

static int add_mapping(struct mapped_file *f, const struct mapping *m)
{
	struct mapping *more = grow(f->mappings, f->mappings_count, sizeof(*more));

	if (!more)
		return -ENOMEM;
	f->mappings = more;
	f->mappings[f->mappings_count++] = *m;
	f->exec |= m->exec;
	return 0;
}

static int parse_line(struct maps *maps, const char *line)
{
	unsigned major, minor;
	uint64_t ino;
	char perms[5];
	int path = 0;
	struct mapping m;
	struct mapped_file *f;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m.start,
	           &m.end, perms, &m.offset, &major, &minor, &ino, &path) != 7 ||
	    !path || line[path] != '/' || !ino)
		return 0; /* anonymous, [heap], [vdso], ... */
	m.read = perms[0] == 'r';
	m.write = perms[1] == 'w';
	m.exec = perms[2] == 'x';
	f = find_file(maps, makedev(major, minor), ino);
	if (!f)
		f = add_file(maps, makedev(major, minor), ino, line + path);
	return f ? add_mapping(f, &m) : -ENOMEM;
}

int maps_parse(const char *text, struct maps *ret)
{
	struct maps maps = { 0 };
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *line;

	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		int code = parse_line(&maps, line);

		if (code) {
			maps_deinit(&maps);
			return code;
		}
	}
	*ret = maps;
	return 0;
}

/* All of a /proc file of any size, NUL terminated. */
static int read_whole(const char *path, char **ret)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	size_t used = 0, room = 0, n;

	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	do {
		if (room - used < 4096) {
			char *more = realloc(text, room += room + 65536);

			if (!more)
				return -ENOMEM;
			text = more;
		}
		n = fread(text + used, 1, room - used - 1, f);
		used += n;
	} while (n);
	if (ferror(f))
		return errno ? -errno : -EIO;
	text[used] = '\0';
	*ret = text;
	text = NULL;
	return 0;
}

int maps_read(pid_t pid, struct maps *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[64];
	int code;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	code = read_whole(path, &text);
	return code ? code : maps_parse(text, ret);
}

void maps_deinit(struct maps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		free(maps->files[i].path);
		free(maps->files[i].mappings);
	}
	free(maps->files);
	*maps = (struct maps){ 0 };
}

/*
 * Opening a device or a FIFO can act on it even with O_NONBLOCK, so look first through an O_PATH
 * descriptor, which does nothing, and then open that very inode.
 */
static int reopen_regular(int look, int *fd)
{
	char path[64];
	struct stat st;
	int opened;

	if (fstat(look, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", look);
	opened = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (opened < 0)
		return -errno;
	*fd = opened;
	return 0;
}

int open_regular(int dir, const char *path, int *fd)
{
	_cleanup_close_ int look = openat(dir, path, O_PATH | O_CLOEXEC);

	return look < 0 ? -errno : reopen_regular(look, fd);
}

static int open_in_root(pid_t pid, const char *path, int *fd)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
		                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	_cleanup_close_ int root = -1, look = -1;
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/root", pid);
	root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	look = syscall(SYS_openat2, root, path, &how, sizeof(how));
	return look < 0 ? -errno : reopen_regular(look, fd);
}

static bool is_mapped_inode(int fd, const struct mapped_file *file)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_ino == file->ino && st.st_dev == file->dev;
}

/* Open /proc/PID/NAME, a magic link, if it leads to the mapped inode. */
static int open_link(pid_t pid, const char *name, const struct mapped_file *file, int *fd)
{
	_cleanup_close_ int look = -1;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	look = open(path, O_PATH | O_CLOEXEC);
	if (look < 0)
		return -errno;
	return is_mapped_inode(look, file) ? reopen_regular(look, fd) : -ENOENT;
}

static int open_descriptor(pid_t pid, const struct mapped_file *file, int *fd)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[64], name[300];

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0) ||
		    st.st_ino != file->ino || st.st_dev != file->dev)
			continue;
		snprintf(name, sizeof(name), "fd/%s", entry->d_name);
		if (!open_link(pid, name, file, fd))
			return 0;
	}
	return -ENOENT;
}

static int open_mapping(pid_t pid, const struct mapped_file *file, int *fd)
{
	_cleanup_close_ int look = -1;
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid,
	         file->mappings[0].start, file->mappings[0].end);
	look = open(path, O_PATH | O_CLOEXEC);
	return look < 0 ? -errno : reopen_regular(look, fd);
}

int maps_open(pid_t pid, const struct mapped_file *file, int *ret, enum maps_opened *how,
              struct weir_error *err)
{
	int other = -1, fd = -1, code = -ENOENT, why;

	*how = MAPS_SAME;
	if (!file->deleted) {
		code = open_in_root(pid, file->path, &fd);
		if (!code && is_mapped_inode(fd, file)) {
			*ret = fd;
			return 0;
		}
		if (!code)
			other = fd;
	}
	why = open_mapping(pid, file, &fd);
	if (why)
		why = open_link(pid, "exe", file, &fd);
	if (why)
		why = open_descriptor(pid, file, &fd);
	if (!why) {
		if (other >= 0)
			close(other);
		*ret = fd;
		return 0;
	}
	if (file->deleted && !open_in_root(pid, file->path, &fd))
		other = fd;
	if (other >= 0) {
		*how = MAPS_REPLACED;
		*ret = other;
		return 0;
	}
	if (code == -EINVAL)
		return weir_err(err, code, "%s is mapped but is no regular file (any more)",
		                file->path);
	if (file->deleted)
		return weir_err(err, -EPERM,
		                "%s has no name any more; to read it as it is mapped needs "
		                "CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN: try sudo",
		                file->path);
	return weir_err(err, code, "%s: %s", file->path, strerror(-code));
}

static bool mapping_address(const struct mapping *m, uint64_t offset, uint64_t *address)
{
	if (offset < m->offset || offset - m->offset >= m->end - m->start)
		return false;
	*address = m->start + (offset - m->offset);
	return true;
}

uint64_t maps_address(const struct mapped_file *file, uint64_t offset)
{
	uint64_t address;

	for (size_t i = 0; i < file->mappings_count; i++) {
		if (mapping_address(&file->mappings[i], offset, &address))
			return address;
	}
	return 0;
}

uint64_t maps_code_address(const struct mapped_file *file, uint64_t offset)
{
	uint64_t address;

	for (size_t i = 0; i < file->mappings_count; i++) {
		if (file->mappings[i].exec && mapping_address(&file->mappings[i], offset, &address))
			return address;
	}
	return maps_address(file, offset);
}

uint64_t maps_data_address(const struct mapped_file *file, uint64_t offset)
{
	uint64_t address, other = 0;

	for (size_t i = 0; i < file->mappings_count; i++) {
		const struct mapping *m = &file->mappings[i];

		if (!mapping_address(m, offset, &address))
			continue;
		if (m->write)
			return address;
		if (!m->exec || !other)
			other = address; /* protected after relocation */
	}
	return other;
}
