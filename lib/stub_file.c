/* SPDX-License-Identifier: MIT */
/*
 * From an image to code in this process that tools can find.
 *
 * Tools find a probe through the path in /proc/PID/maps, so an image is best a named file: then
 * every tool works, and attaching to the file traces all processes that loaded it. A memfd serves
 * all but perf, while its descriptor stays open.
 *
 * Images are never unloaded: a thread may be in a site or thunk at any time, and a tracer may have
 * patched it. They are parked instead: the list below knows each, and the same content is given out
 * again. So a program that publishes and withdraws the same provider for ever loads one image; one
 * that changes the provider each time grows by a stub each time.
 *
 * dlopen compares the given name with those of loaded objects before it looks at the file, so a
 * name is used once (a deleted and rewritten file, a reused descriptor number); another spelling
 * of the same path will do. It also knows objects by device and inode: where another copy of this
 * library in the process has loaded the file already, its blocks are that copy's, and this one
 * takes a file of its own.
 */
#include "lib/stub.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/stub_folder.h"
#include "lib/stub_map.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* Copies of this library in one process that can have the same provider in files. */
#define COPIES_MAX 8

struct loaded {
	struct loaded *next;
	struct stub_file file;
	dev_t dev;
	ino_t ino;
	char name[512]; /* as given to dlopen; used once */
};

static struct loaded *loaded_images;

static struct loaded *loaded_find(const struct stat *st)
{
	for (struct loaded *image = loaded_images; image; image = image->next)
		if (image->dev == st->st_dev && image->ino == st->st_ino)
			return image;
	return NULL;
}

static bool name_used(const char *name)
{
	for (struct loaded *image = loaded_images; image; image = image->next)
		if (!strcmp(image->name, name))
			return true;
	return false;
}

/* A spelling of folder/base that dlopen has not heard. */
static int fresh_name(const char *folder, const char *base, char *name, size_t room)
{
	size_t at = strlen(folder);

	if (at + strlen(base) + 2 > room)
		return -ENAMETOOLONG;
	memcpy(name, folder, at);
	do {
		snprintf(name + at, room - at, "/%s", base);
		if (!name_used(name))
			return 0;
		name[at++] = '/';
		name[at++] = '.';
	} while (at + strlen(base) + 2 <= room);
	return -ENAMETOOLONG;
}

/* Has another copy of this library loaded this file? */
static bool is_foreign(const char *name)
{
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);

	if (!handle)
		return false;
	dlclose(handle);
	return true;
}

/* The loader's reason, without the path that it begins with. */
static void say_why(const struct loaded *image, char *reason, size_t room)
{
	const char *why = dlerror();
	size_t named = strlen(image->name);

	if (why && !strncmp(why, image->name, named) && !strncmp(why + named, ": ", 2))
		why += named + 2;
	snprintf(reason, room, "%s", why ? why : "the loader gives no reason");
}

static int load_by_linker(struct loaded *image, char *reason, size_t room)
{
	struct link_map *map;

	image->file.handle = dlopen(image->name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!image->file.handle || dlinfo(image->file.handle, RTLD_DI_LINKMAP, &map)) {
		say_why(image, reason, room);
		return -EACCES;
	}
	image->file.base = map->l_addr;
	return 0;
}

/* `image` has name, device and inode. It is the list's from here on if 0 is returned. */
static int load(struct loaded *image, const uint8_t *bytes, struct weir_error *err)
{
	char reason[100];

	/* a static program's libc may have no dlopen */
	if (load_by_linker(image, reason, sizeof(reason)) &&
	    stub_map(image->name, bytes, &image->file.base))
		return error_set(err, -EACCES, "%s (stub %s)", reason, image->file.path);
	image->next = loaded_images;
	loaded_images = image;
	return 0;
}

/* ---- a named file ---- */

static int load_new_file(const struct stub_folder *folder, const char *base, const struct stat *st,
                         const uint8_t *bytes, struct stub_file *ret, struct weir_error *err)
{
	_cleanup_free_ struct loaded *image = calloc(1, sizeof(*image));
	size_t room = sizeof(image->file.path);
	int code;

	if (!image)
		return error_set(err, -ENOMEM, "no memory to load a stub");
	image->file.fd = -1;
	image->dev = st->st_dev;
	image->ino = st->st_ino;
	if (snprintf(image->file.path, room, "%s/%s", folder->path, base) >= (int)room)
		return error_set(err, -ENAMETOOLONG, "stub folder %s: the path is too long",
		                 folder->path);
	code = fresh_name(folder->path, base, image->name, sizeof(image->name));
	if (code)
		return error_set(err, code, "stub folder %s: the path is too long", folder->path);
	if (is_foreign(image->name))
		return -EBUSY;
	code = load(image, bytes, err);
	if (code)
		return code;
	*ret = image->file;
	image = NULL;
	return 0;
}

/* -EBUSY: another copy of the library has this one. */
static int load_file(const struct stub_folder *folder, const char *base, const uint8_t *image,
                     size_t size, struct stub_file *ret, struct weir_error *err)
{
	struct loaded *known;
	struct stat st;
	int code = stub_folder_put(folder, base, image, size, &st, err);

	if (code)
		return code;
	known = loaded_find(&st);
	if (known) {
		*ret = known->file;
		return 0;
	}
	return load_new_file(folder, base, &st, image, ret, err);
}

static int load_from_folder(const struct stub_folder *folder, const char *provider,
                            const uint8_t *image, size_t size, struct stub_file *ret,
                            struct weir_error *err)
{
	char name[STUB_NAME_SIZE], base[STUB_NAME_SIZE + 4];
	int code = -EBUSY;

	stub_name(provider, image, name);
	for (int copy = 1; copy <= COPIES_MAX && code == -EBUSY; copy++) {
		if (copy == 1)
			snprintf(base, sizeof(base), "%s", name);
		else
			snprintf(base, sizeof(base), "%.*s-%d.so", (int)strlen(name) - 3, name,
			         copy);
		code = load_file(folder, base, image, size, ret, err);
	}
	if (code == -EBUSY)
		error_set(err, code, "%d copies of this library have loaded the stub of %s already",
		          COPIES_MAX, provider);
	return code;
}

/* The first reason is kept: it is about the place that was wanted most. */
static int load_from_folders(const char *dir, const char *provider, const uint8_t *image,
                             size_t size, struct stub_file *ret, struct weir_error *first)
{
	for (int i = 0; i < STUB_FOLDERS; i++) {
		struct weir_error err = { 0 };
		struct stub_folder folder;
		int code = stub_folder_open(dir, i, &folder, &err);

		if (!code) {
			code = load_from_folder(&folder, provider, image, size, ret, &err);
			stub_folder_close(&folder);
			if (!code)
				return 0;
		}
		if (err.code && !first->code)
			*first = err;
	}
	return first->code ? first->code : -ENOENT;
}

/* ---- a memfd ---- */

/* Out of the way of select() and of programs that count on low numbers. */
static int move_up(int fd)
{
	struct rlimit limit;
	rlim_t floor = 3840;
	int high;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur - limit.rlim_cur / 4 < floor)
		floor = limit.rlim_cur - limit.rlim_cur / 4;
	high = fcntl(fd, F_DUPFD_CLOEXEC, (int)floor);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static void say_no_memfd(int code, struct weir_error *err)
{
	_cleanup_close_ int fd = open("/proc/sys/vm/memfd_noexec", O_RDONLY | O_CLOEXEC);
	char value = 0;

	if (code == -EACCES && fd >= 0 && read(fd, &value, 1) == 1 && value == '2')
		error_set(
		    err, code,
		    "vm.memfd_noexec=2 forbids an executable memfd for the stub: set "
		    "it to 1, or WEIR_DIR to a folder of mode 0700 that is not mounted noexec");
	else
		error_set(err, code, "cannot make a memfd for the stub: %s", strerror(-code));
}

static int memfd_make(const char *name, const uint8_t *image, size_t size, struct weir_error *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	int code;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		code = -errno;
		say_no_memfd(code, err);
		return code;
	}
	fd = move_up(fd);
	code = stub_write(fd, image, size);
	if (code) {
		close(fd);
		return error_set(err, code, "cannot write a stub of %zu bytes to a memfd: %s", size,
		                 code == -EFBIG ? "RLIMIT_FSIZE (ulimit -f)" : strerror(-code));
	}
	/* Nobody rewrites it in place. A kernel that does not know a seal is no reason to fail. */
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	return fd;
}

/*
 * /proc/self is no path to give to others: gdb, say, opens it as its own. The number is that of
 * the /proc that is mounted, whatever getpid says.
 */
static int memfd_folder(char *folder, size_t room, struct weir_error *err)
{
	char pid[16];
	ssize_t n = readlink("/proc/self", pid, sizeof(pid) - 1);

	if (n < 0)
		return error_set(err, -errno, "cannot load a stub from a memfd: /proc: %m");
	pid[n] = '\0';
	snprintf(folder, room, "/proc/%s/fd", pid);
	return 0;
}

static bool memfd_holds(const struct loaded *known, const uint8_t *image, size_t size)
{
	struct stat st;

	/* a daemon may have closed it, and something else may have the number */
	return known->file.fd >= 0 && !fstat(known->file.fd, &st) && st.st_dev == known->dev &&
	       st.st_ino == known->ino && st.st_size == (off_t)size &&
	       stub_same_bytes(known->file.fd, image, size);
}

static int memfd_find(const char *folder, const uint8_t *image, size_t size, struct stub_file *ret)
{
	for (struct loaded *known = loaded_images; known; known = known->next) {
		if (!memfd_holds(known, image, size))
			continue;
		/* said again since it differs in a forked child */
		snprintf(known->file.path, sizeof(known->file.path), "%s/%d", folder,
		         known->file.fd);
		*ret = known->file;
		return 0;
	}
	return -ENOENT;
}

static int memfd_load_new(const char *folder, int fd, const uint8_t *bytes, struct stub_file *ret,
                          struct weir_error *err)
{
	_cleanup_free_ struct loaded *image = calloc(1, sizeof(*image));
	struct stat st;
	char base[16];
	int code;

	if (!image)
		return error_set(err, -ENOMEM, "no memory to load a stub");
	if (fstat(fd, &st))
		return error_set(err, -errno, "cannot load a stub from a memfd: %m");
	image->dev = st.st_dev;
	image->ino = st.st_ino;
	image->file.fd = fd;
	snprintf(base, sizeof(base), "%d", fd);
	snprintf(image->file.path, sizeof(image->file.path), "%s/%s", folder, base);
	code = fresh_name(folder, base, image->name, sizeof(image->name));
	if (!code)
		code = load(image, bytes, err);
	if (code)
		return code;
	*ret = image->file;
	image = NULL;
	return 0;
}

static int load_from_memfd(const char *provider, const uint8_t *image, size_t size,
                           struct stub_file *ret, struct weir_error *err)
{
	char folder[64], name[STUB_NAME_SIZE];
	int fd, code = memfd_folder(folder, sizeof(folder), err);

	if (code)
		return code;
	if (!memfd_find(folder, image, size, ret))
		return 0;
	stub_name(provider, image, name);
	fd = memfd_make(name, image, size, err);
	if (fd < 0)
		return fd;
	code = memfd_load_new(folder, fd, image, ret, err);
	if (code)
		close(fd);
	return code;
}

int stub_load(const char *provider, const char *dir, bool memfd, const uint8_t *image, size_t size,
              struct stub_file *ret, struct weir_error *err)
{
	struct weir_error file_err = { 0 }, memfd_err = { 0 };
	int code;

	if (!memfd && !getauxval(AT_SECURE)) {
		code = load_from_folders(dir, provider, image, size, ret, &file_err);
		if (!code) {
			if (file_err.code && err)
				*err = file_err;
			return 0;
		}
	}
	code = load_from_memfd(provider, image, size, ret, &memfd_err);
	if (!code) {
		if (file_err.code)
			error_set(err, file_err.code,
			          "%.170s (a memfd is used: all tools but perf "
			          "read it)",
			          file_err.message);
		return 0;
	}
	/* Room is for one reason: the same refusal of both is said once. */
	if (file_err.code == code)
		return error_set(err, code, "%s", file_err.message);
	if (file_err.code)
		return error_set(err, file_err.code, "%.120s; %.100s", file_err.message,
		                 memfd_err.message);
	return error_set(err, code, "%s", memfd_err.message);
}
