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
 *
 * Nothing is loaded under weir_lock, so several threads may load one image at a time. They share its
 * place in the list, and the loader gives each the same copy. An image is known to be nobody else's
 * before any of them asks the loader for it; who finds it there later knows that it is ours.
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
#include "lib/lock.h"
#include "lib/stub_folder.h"
#include "lib/stub_map.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* Copies of this library in one process that can have the same provider in files. */
#define COPIES_MAX 8

enum state {
	UNKNOWN, /* whose it is */
	FOREIGN, /* another copy of this library has loaded the file */
	OURS,
	LOADED,
};

struct loaded {
	struct loaded *next;
	enum state state;
	unsigned int users; /* calls that are at it; without them only what is loaded is kept */
	struct stub_file file;
	dev_t dev;
	ino_t ino;
	char name[512]; /* as given to dlopen; used once */
};

static struct loaded *loaded_images; /* under weir_lock */

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

/* Under weir_lock, as the next one. The caller is one of its users. */
static int image_add(const struct stat *st, int fd, const char *folder, const char *base,
                     struct loaded **ret, struct weir_error *err)
{
	_cleanup_free_ struct loaded *image = calloc(1, sizeof(*image));
	size_t room = sizeof(image->file.path);
	int code;

	if (!image)
		return error_set(err, -ENOMEM, "no memory to load a stub");
	image->users = 1;
	image->file.fd = fd;
	image->dev = st->st_dev;
	image->ino = st->st_ino;
	if (snprintf(image->file.path, room, "%s/%s", folder, base) >= (int)room)
		return error_set(err, -ENAMETOOLONG, "stub folder %s: the path is too long",
		                 folder);
	code = fresh_name(folder, base, image->name, sizeof(image->name));
	if (code)
		return error_set(err, code, "stub folder %s: the path is too long", folder);
	image->next = loaded_images;
	loaded_images = image;
	*ret = image;
	image = NULL;
	return 0;
}

static void image_put(struct loaded *image)
{
	struct loaded **at = &loaded_images;

	if (--image->users || image->state == LOADED)
		return;
	while (*at != image)
		at = &(*at)->next;
	*at = image->next;
	if (image->file.fd >= 0)
		close(image->file.fd);
	free(image);
}

static bool is_loaded(const char *name)
{
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);

	if (!handle)
		return false;
	dlclose(handle);
	return true;
}

static bool is_foreign(struct loaded *image)
{
	bool loaded = is_loaded(image->name), foreign;

	weir_lock();
	if (image->state == UNKNOWN)
		image->state = loaded ? FOREIGN : OURS;
	foreign = image->state == FOREIGN;
	weir_unlock();
	return foreign;
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

/* Another thread may have written it, under the loader's lock, of which TSan does not know. */
__attribute__((noinline, no_sanitize("thread"))) static uintptr_t
base_of(const struct link_map *map)
{
	/* volatile: or the compiler has the caller read it */
	return *(const volatile ElfW(Addr) *)&map->l_addr;
}

static void *load_by_linker(const struct loaded *image, uintptr_t *base, char *reason, size_t room)
{
	void *handle = dlopen(image->name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	struct link_map *map;

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map)) {
		say_why(image, reason, room);
		return NULL;
	}
	*base = base_of(map);
	return handle;
}

/* Ends the caller's use. */
static int load(struct loaded *image, const uint8_t *bytes, struct stub_file *ret,
                struct weir_error *err)
{
	char reason[100];
	uintptr_t base = 0;
	void *handle = load_by_linker(image, &base, reason, sizeof(reason));
	int code = 0;

	weir_lock();
	if (image->state != LOADED) {
		image->file.handle = handle;
		image->file.base = base;
		/* a static program's libc may have no dlopen */
		if (!handle)
			code = stub_map(image->name, bytes, &image->file.base);
		if (!code)
			image->state = LOADED;
	}
	*ret = image->file;
	image_put(image);
	weir_unlock();
	if (code)
		return error_set(err, -EACCES, "%s (stub %s)", reason, ret->path);
	return 0;
}

/* ---- a named file ---- */

/* The image of this file, that the caller is to load; or NULL, and *ret is loaded already. */
static int image_of_file(const struct stub_folder *folder, const char *base, const struct stat *st,
                         struct loaded **image, struct stub_file *ret, struct weir_error *err)
{
	int code = 0;

	weir_lock();
	*image = loaded_find(st);
	if (!*image) {
		code = image_add(st, -1, folder->path, base, image, err);
	} else if ((*image)->state == LOADED) {
		*ret = (*image)->file;
		*image = NULL;
	} else {
		(*image)->users++;
	}
	weir_unlock();
	return code;
}

/* -EBUSY: another copy of the library has this one. */
static int load_file(const struct stub_folder *folder, const char *base, const uint8_t *image,
                     size_t size, struct stub_file *ret, struct weir_error *err)
{
	struct loaded *known;
	struct stat st;
	int code = stub_folder_put(folder, base, image, size, &st, err);

	if (!code)
		code = image_of_file(folder, base, &st, &known, ret, err);
	if (code || !known)
		return code;
	if (!is_foreign(known))
		return load(known, image, ret, err);
	weir_lock();
	image_put(known);
	weir_unlock();
	return -EBUSY;
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
	return known->state == LOADED && known->file.fd >= 0 && !fstat(known->file.fd, &st) &&
	       st.st_dev == known->dev && st.st_ino == known->ino && st.st_size == (off_t)size &&
	       stub_same_bytes(known->file.fd, image, size);
}

static bool memfd_find(const char *folder, const uint8_t *image, size_t size, struct stub_file *ret)
{
	struct loaded *known;

	weir_lock();
	known = loaded_images;
	while (known && !memfd_holds(known, image, size))
		known = known->next;
	if (known) {
		/* said again since it differs in a forked child */
		snprintf(known->file.path, sizeof(known->file.path), "%s/%d", folder,
		         known->file.fd);
		*ret = known->file;
	}
	weir_unlock();
	return known;
}

/* Takes the descriptor. */
static int memfd_load_new(const char *folder, int fd, const uint8_t *bytes, struct stub_file *ret,
                          struct weir_error *err)
{
	struct loaded *image;
	struct stat st;
	char base[16];
	int code;

	snprintf(base, sizeof(base), "%d", fd);
	if (fstat(fd, &st)) {
		code = error_set(err, -errno, "cannot load a stub from a memfd: %m");
	} else {
		weir_lock();
		code = image_add(&st, fd, folder, base, &image, err);
		weir_unlock();
	}
	if (!code)
		return load(image, bytes, ret, err);
	close(fd);
	return code;
}

static int load_from_memfd(const char *provider, const uint8_t *image, size_t size,
                           struct stub_file *ret, struct weir_error *err)
{
	char folder[64], name[STUB_NAME_SIZE];
	int fd, code = memfd_folder(folder, sizeof(folder), err);

	if (code)
		return code;
	if (memfd_find(folder, image, size, ret))
		return 0;
	stub_name(provider, image, name);
	fd = memfd_make(name, image, size, err);
	if (fd < 0)
		return fd;
	return memfd_load_new(folder, fd, image, ret, err);
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
