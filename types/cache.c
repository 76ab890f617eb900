/* SPDX-License-Identifier: MIT */
#include "types/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

#include "types/converter.h" /* CONVERTER: a number of its sources, made by the build */
#include "types/util.h"

static uint64_t file_identity(const struct source *s)
{
	uint64_t words[5] = { s->stat.st_dev, s->stat.st_ino, s->stat.st_size,
		              s->stat.st_mtim.tv_sec, s->stat.st_mtim.tv_nsec };

	return hash_bytes(words, sizeof(words), 0);
}

bool cache_name(const struct source *s, char *name, size_t size)
{
	if (strlen(s->build_id) >= 16)
		return (size_t)snprintf(name, size, "%s", s->build_id) < size;
	if (!s->stat.st_ino)
		return false;
	snprintf(name, size, "file-%016llx", (unsigned long long)file_identity(s));
	return true;
}

/* Which directory a sysroot is: /proc/PID/root is another path for each process. Our own is none. */
static uint64_t root_identity(const char *sysroot)
{
	struct stat root, own;
	uint64_t words[2];

	if (!sysroot || !*sysroot || stat(sysroot, &root))
		return 0;
	if (!stat("/", &own) && own.st_dev == root.st_dev && own.st_ino == root.st_ino)
		return 0;
	words[0] = root.st_dev;
	words[1] = root.st_ino;
	return hash_bytes(words, sizeof(words), 1);
}

/* A stripped file and its debug file share a build-id, so it alone says which types these are. But
 * where they were looked for is part of it: another root's owner may have put anything there. What a
 * .BTF section says is for its own file: another one of that build-id may have more. */
uint64_t cache_key(const struct source *s, uint32_t source)
{
	const char *dirs[] = { s->opts->debug_dirs, s->opts->pack_dirs };
	uint64_t root = root_identity(s->opts->sysroot);
	uint64_t h = hash_bytes(s->build_id, strlen(s->build_id), CONVERTER);

	for (size_t i = 0; i < 2; i++)
		h = hash_bytes(dirs[i] ? dirs[i] : "", dirs[i] ? strlen(dirs[i]) : 0, h);
	h = hash_bytes(&root, sizeof(root), h);
	return source == TYPES_FROM_BTF ? h ^ file_identity(s) : h;
}

static bool cache_path(const struct types_options *opts, char *path, size_t size)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (opts->cache_dir)
		return (size_t)snprintf(path, size, "%s", opts->cache_dir) < size;
	if (base && *base == '/')
		return (size_t)snprintf(path, size, "%s/weir/types", base) < size;
	return home && *home == '/' &&
	       (size_t)snprintf(path, size, "%s/.cache/weir/types", home) < size;
}

static void make_directories(char *path)
{
	for (char *c = path + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = 0;
		mkdir(path, 0700);
		*c = '/';
	}
	mkdir(path, 0700);
}

static bool is_ours(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_directory(const struct types_options *opts, bool make)
{
	char path[4096];
	struct stat st;
	int fd;

	if (!cache_path(opts, path, sizeof(path)))
		return -ENOENT;
	if (make)
		make_directories(path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !is_ours(&st)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* A file that can be believed; -1 if there is none. */
static int open_file(const struct types_options *opts, const char *name, struct stat *st)
{
	_cleanup_close_ int dir = open_directory(opts, false);
	int fd;

	if (dir < 0)
		return -1;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && (fstat(fd, st) || !S_ISREG(st->st_mode) || !is_ours(st))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void note_use(int fd)
{
	futimens(fd, (struct timespec[]){ { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } });
}

int cache_get_text(const struct types_options *opts, const char *name, size_t max, char **ret)
{
	struct stat st;
	_cleanup_close_ int fd = open_file(opts, name, &st);
	_cleanup_free_ char *text = NULL;

	if (fd < 0 || st.st_size > (off_t)max)
		return -ENOENT;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
		return -ENOENT;
	note_use(fd);
	*ret = take_ptr(text);
	return 0;
}

static int get(const struct types_options *opts, const char *name, struct image *ret)
{
	struct stat st;
	_cleanup_close_ int fd = open_file(opts, name, &st);
	void *data;

	if (fd < 0 || st.st_size < (off_t)sizeof(struct image_header))
		return -ENOENT;
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		return -ENOENT;
	if (image_init_kept(ret, data, st.st_size, true))
		return -ENOENT;
	note_use(fd);
	return 0;
}

static int check_key(struct image *image, uint64_t key)
{
	if (image->header->key == key)
		return 0;
	image_deinit(image);
	return -ENOENT;
}

int cache_get(const struct types_options *opts, const char *name, uint64_t key, struct image *ret)
{
	struct image image;

	if (get(opts, name, &image) || check_key(&image, key))
		return -ENOENT;
	*ret = image;
	return 0;
}

int cache_get_types(const struct source *s, const char *name, struct image *ret)
{
	struct image image;

	if (get(s->opts, name, &image) || check_key(&image, cache_key(s, image.header->source)))
		return -ENOENT;
	*ret = image;
	return 0;
}

/* --- bounds --- */

struct cached {
	char name[256];
	struct timespec used;
	off_t size;
};

static int by_use(const void *a, const void *b)
{
	const struct cached *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

#define STALE 3600 /* seconds after which a temporary file is a dead process's */

static size_t list_files(int dir, struct cached **ret, uint64_t *ret_total)
{
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0, room = 0;
	struct dirent *e;
	struct stat st;

	*ret_total = 0;
	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	rewinddir(d);
	while ((e = readdir(d))) {
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (!strncmp(e->d_name, ".new-", 5)) {
			if (st.st_mtime + STALE < time(NULL))
				unlinkat(dir, e->d_name, 0);
			continue;
		}
		if (array_reserve(ret, count, &room, sizeof(**ret)))
			break;
		snprintf((*ret)[count].name, sizeof((*ret)[count].name), "%s", e->d_name);
		(*ret)[count].used = st.st_atim;
		(*ret)[count++].size = st.st_size;
		*ret_total += st.st_size;
	}
	closedir(d);
	return count;
}

static void make_space(int dir, uint64_t limit)
{
	_cleanup_free_ struct cached *files = NULL;
	uint64_t total;
	size_t count = list_files(dir, &files, &total);

	if (total <= limit)
		return;
	qsort(files, count, sizeof(*files), by_use);
	for (size_t i = 0; i < count && total > limit; i++) {
		if (!unlinkat(dir, files[i].name, 0))
			total -= files[i].size;
	}
}

static uint64_t limit_of_cache(void)
{
	const char *text = getenv("WEIR_TYPES_CACHE_MAX");
	char *end;
	uint64_t value;

	if (!text || !*text)
		return CACHE_MAX;
	value = strtoull(text, &end, 10);
	return *end ? CACHE_MAX : value;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= n;
	}
	return true;
}

static void put(const struct types_options *opts, const char *name, const void *data, size_t size)
{
	_cleanup_close_ int dir = open_directory(opts, true);
	_cleanup_close_ int fd = -1;
	uint64_t limit = limit_of_cache();
	char temporary[64];

	if (dir < 0 || size > limit)
		return;
	snprintf(temporary, sizeof(temporary), ".new-%d-%lx", getpid(), (unsigned long)&fd);
	unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (!write_all(fd, data, size) || renameat(dir, temporary, dir, name))
		unlinkat(dir, temporary, 0);
	make_space(dir, limit);
}

void cache_put(const struct types_options *opts, const char *name, const struct image *image)
{
	put(opts, name, image->data, image->size);
}

void cache_put_text(const struct types_options *opts, const char *name, const char *text)
{
	put(opts, name, text, strlen(text));
}
