/* SPDX-License-Identifier: MIT */
/*
 * A stub file is code that its process loads, so whoever can change it, or the way to it, can run
 * code there. The folder itself must be ours alone; every folder above it must belong to us or to
 * root and must not let others rename what is in it (as /tmp does not, by its sticky bit). Then its
 * canonical path cannot be pointed elsewhere, and the bytes that were compared are the bytes that
 * get loaded.
 *
 * Files are named by their content and never change: what differs is replaced by rename, and who
 * has the old file mapped keeps it.
 */
#include "lib/stub_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/error.h"

/* ---- the folder ---- */

static int candidate(const char *dir, int index, char *path, size_t room)
{
	const char *value;
	int n;

	if (dir && index)
		return -ENOENT;
	switch (index) {
	case 0:
		value = dir;
		break;
	case 1:
		value = secure_getenv("WEIR_DIR");
		break;
	case 2:
		value = secure_getenv("XDG_RUNTIME_DIR");
		break;
	default:
		n = snprintf(path, room, "/tmp/weir-%u", (unsigned int)geteuid());
		return n;
	}
	if (!value || !*value)
		return -ENOENT;
	n = snprintf(path, room, index == 2 ? "%s/weir" : "%s", value);
	return (size_t)n < room ? n : -ENAMETOOLONG;
}

/* What to do about an error of the system; "": nothing that could be said. */
static const char *remedy(int code)
{
	switch (code) {
	case EMFILE:
		return "; raise RLIMIT_NOFILE (ulimit -n)";
	case ENFILE:
		return "; raise fs.file-max";
	case EROFS:
	case EACCES:
	case ENOENT:
	case ENOSPC:
		return "; set WEIR_DIR to a folder that can be written to";
	default:
		return "";
	}
}

static int check_folder(const struct stub_folder *folder, struct weir_error *err)
{
	struct stat st;
	struct statvfs vfs;

	if (fstat(folder->fd, &st))
		return error_set(err, -errno, "stub folder %s: %m", folder->path);
	if (st.st_uid != geteuid())
		return error_set(err, -EPERM,
		                 "stub folder %s belongs to uid %u, not to %u: remove it "
		                 "or set WEIR_DIR",
		                 folder->path, st.st_uid, geteuid());
	if ((st.st_mode & 07777) != 0700)
		return error_set(err, -EPERM,
		                 "stub folder %s has mode %04o, not 0700: chmod 700 it or "
		                 "set WEIR_DIR",
		                 folder->path, st.st_mode & 07777);
	if (!fstatvfs(folder->fd, &vfs) && vfs.f_flag & ST_NOEXEC)
		return error_set(err, -EACCES,
		                 "stub folder %s is mounted noexec: set WEIR_DIR to one "
		                 "that is not",
		                 folder->path);
	return 0;
}

/* What is above must not let others put another folder in this one's place. */
static int check_parents(const struct stub_folder *folder, struct weir_error *err)
{
	_cleanup_close_ int at = dup(folder->fd);
	struct stat st, above;

	if (at < 0 || fstat(at, &st))
		return error_set(err, -errno, "stub folder %s: %m%s", folder->path, remedy(errno));
	for (;;) {
		int parent = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (parent < 0)
			return error_set(err, -errno, "stub folder %s, a folder above it: %m%s",
			                 folder->path, remedy(errno));
		close(at);
		at = parent;
		if (fstat(at, &above))
			return error_set(err, -errno, "stub folder %s, a folder above it: %m",
			                 folder->path);
		if ((above.st_uid && above.st_uid != geteuid()) ||
		    (above.st_mode & 022 && !(above.st_mode & S_ISVTX)))
			return error_set(
			    err, -EPERM,
			    "stub folder %s: a folder above it belongs to uid "
			    "%u with mode %04o, so others could replace it: set WEIR_DIR",
			    folder->path, above.st_uid, above.st_mode & 07777);
		if (above.st_dev == st.st_dev && above.st_ino == st.st_ino)
			return 0;
		st = above;
	}
}

/* The path without symlinks, as /proc/PID/maps will show it. */
static int canonical_path(struct stub_folder *folder, struct weir_error *err)
{
	char link[32], path[sizeof(folder->path)];
	ssize_t n;
	struct stat a, b;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", folder->fd);
	n = readlink(link, path, sizeof(path));
	if (n < 0)
		return error_set(err, -errno, "stub folder %s: cannot read %s: %m%s", folder->path,
		                 link, errno == ENOENT ? "; mount /proc" : "");
	if ((size_t)n >= sizeof(path))
		return error_set(err, -ENAMETOOLONG,
		                 "stub folder: the path is longer than %zu bytes",
		                 sizeof(path) - 1);
	path[n] = '\0';
	if (lstat(path, &a) || fstat(folder->fd, &b) || a.st_dev != b.st_dev ||
	    a.st_ino != b.st_ino)
		return error_set(err, -ENOENT, "stub folder %s has no path here", folder->path);
	memcpy(folder->path, path, sizeof(path));
	return 0;
}

int stub_folder_open(const char *dir, int index, struct stub_folder *ret, struct weir_error *err)
{
	struct stub_folder folder;
	int n = candidate(dir, index, folder.path, sizeof(folder.path));
	int code;

	if (n == -ENOENT)
		return -ENOENT;
	if (n < 0)
		return error_set(err, n, "stub folder: the path is longer than %zu bytes",
		                 sizeof(folder.path) - 1);
	if (mkdir(folder.path, 0700) && errno != EEXIST)
		return error_set(err, -errno, "cannot make the stub folder %s: %m%s", folder.path,
		                 remedy(errno));
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder.fd < 0)
		return error_set(err, -errno, "stub folder %s: %s%s", folder.path,
		                 errno == ELOOP || errno == ENOTDIR ? "not a folder, or a symlink"
		                                                    : strerror(errno),
		                 remedy(errno));
	code = check_folder(&folder, err);
	if (!code)
		code = check_parents(&folder, err);
	if (!code)
		code = canonical_path(&folder, err);
	if (code) {
		close(folder.fd);
		return code;
	}
	*ret = folder;
	return 0;
}

void stub_folder_close(struct stub_folder *folder)
{
	close(folder->fd);
}

/* ---- a file in it ---- */

bool stub_same_bytes(int fd, const uint8_t *image, size_t size)
{
	const size_t step = 1 << 16;
	_cleanup_free_ uint8_t *part = malloc(step);
	size_t at = 0;

	while (part && at < size) {
		ssize_t n = pread(fd, part, step, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || (size_t)n > size - at || memcmp(part, image + at, (size_t)n))
			return false;
		at += (size_t)n;
	}
	return part && at == size;
}

int stub_write(int fd, const uint8_t *image, size_t size)
{
	struct rlimit limit;

	/* beyond this limit a write raises SIGXFSZ, which kills */
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur < size)
		return -EFBIG;
	while (size) {
		ssize_t n = write(fd, image, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		image += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Is it there, ours, and the same? */
static bool present(const struct stub_folder *folder, const char *name, const uint8_t *image,
                    size_t size, struct stat *st)
{
	/* O_NONBLOCK: a FIFO must not hold us */
	_cleanup_close_ int fd =
	    openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd >= 0 && !fstat(fd, st) && S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
	       !(st->st_mode & 022) && st->st_size == (off_t)size &&
	       stub_same_bytes(fd, image, size);
}

static int write_error(const struct stub_folder *folder, int code, size_t size,
                       struct weir_error *err)
{
	if (code == -EFBIG)
		return error_set(err, code,
		                 "RLIMIT_FSIZE (ulimit -f) is less than the %zu bytes of the stub "
		                 "file: raise it",
		                 size);
	return error_set(err, code, "cannot write a stub to %s: %s", folder->path, strerror(-code));
}

/*
 * Of several threads or processes that make the file at once, the first one's stays: the others find
 * it, and a process loads it once. Where there are no links, and where another file is in the way,
 * the last one's stays.
 */
static int move(const struct stub_folder *folder, const char *temporary, const char *name,
                const uint8_t *image, size_t size, struct stat *st)
{
	struct stat first;

	if (!linkat(folder->fd, temporary, folder->fd, name, 0)) {
		unlinkat(folder->fd, temporary, 0);
	} else if (errno == EEXIST && present(folder, name, image, size, &first)) {
		unlinkat(folder->fd, temporary, 0);
		*st = first;
	} else if (renameat(folder->fd, temporary, folder->fd, name)) {
		return -errno;
	}
	return 0;
}

static int write_moved(const struct stub_folder *folder, const char *name, const uint8_t *image,
                       size_t size, struct stat *st)
{
	struct timespec now;
	char temporary[NAME_MAX];
	int fd, code;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(temporary, sizeof(temporary), ".%s.%d.%llx", name, (int)syscall(SYS_gettid),
	         (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
	fd = openat(folder->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	            0700);
	if (fd < 0)
		return -errno;
	code = stub_write(fd, image, size);
	/* whatever the umask: tracers of other users read it through /proc/PID/root */
	if (!code && (fchmod(fd, 0755) || fstat(fd, st)))
		code = -errno;
	if (close(fd) && !code)
		code = -errno;
	if (!code)
		code = move(folder, temporary, name, image, size, st);
	if (code)
		unlinkat(folder->fd, temporary, 0);
	return code;
}

int stub_folder_put(const struct stub_folder *folder, const char *name, const uint8_t *image,
                    size_t size, struct stat *st, struct weir_error *err)
{
	int code;

	if (present(folder, name, image, size, st))
		return 0;
	code = write_moved(folder, name, image, size, st);
	return code ? write_error(folder, code, size, err) : 0;
}
