/* SPDX-License-Identifier: MIT */
/*
 * A header's types in the cache. Two things are kept under NAME, a hash of how it is compiled (the
 * header's path, the compiler, flags, environment): NAME.files, the files that the compiler read,
 * and NAME, an image whose key is a hash of what they contain. So whoever comes next reads the
 * files, a few milliseconds, and runs no compiler if nothing in them changed.
 *
 * What it cannot see is a new file that an include path would now find first; the compiler's own
 * caches have that limit too.
 */
#include "types/header_cache.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>

#include "types/cache.h"
#include "types/util.h"

#define FILES_MAX (4u << 20) /* bytes of a list of files */

static uint64_t hash_text(const char *text, uint64_t h)
{
	return text ? hash_bytes(text, strlen(text), h) : hash_mix(h + 1);
}

/* The file that `cc` is, as execvp() looks for it. */
static bool find_compiler(const char *cc, char *path, struct stat *st)
{
	const char *dirs = getenv("PATH") ?: "/bin:/usr/bin";
	char candidate[PATH_MAX];

	if (strchr(cc, '/'))
		return realpath(cc, path) && !stat(path, st);
	for (size_t n; *dirs; dirs += n + (dirs[n] == ':')) {
		n = strcspn(dirs, ":");
		if ((size_t)snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)n, dirs, cc) <
		        sizeof(candidate) &&
		    !access(candidate, X_OK) && realpath(candidate, path) && !stat(path, st))
			return true;
	}
	return false;
}

bool header_cache_name(const char *header, const char *cc, const char *const *cflags, char *name,
                       size_t size)
{
	static const char *const variables[] = { "CPATH", "C_INCLUDE_PATH", "COMPILER_PATH",
		                                 "GCC_EXEC_PREFIX", "SYSROOT" };
	char path[PATH_MAX], real[PATH_MAX], cwd[PATH_MAX];
	struct stat st;
	uint64_t h;

	if (!find_compiler(cc, path, &st) || !realpath(header, real) || !getcwd(cwd, sizeof(cwd)))
		return false;
	h = hash_text(path, (uint64_t)st.st_size);
	h = hash_bytes(&st.st_mtim, sizeof(st.st_mtim), h);
	h = hash_text(real, h);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		h = hash_text(getenv(variables[i]), h);
	for (const char *const *flag = cflags; flag && *flag; flag++)
		h = hash_text(*flag, h);
	if (cflags && *cflags)
		h = hash_text(cwd, h); /* what a relative path among them is relative to */
	return (size_t)snprintf(name, size, "header-%016llx", (unsigned long long)h) < size;
}

static bool hash_file(const char *path, time_t before, uint64_t *h)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || (before && st.st_mtime >= before))
		return false;
	*h = hash_text(path, *h);
	if (!st.st_size)
		return true;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (data == MAP_FAILED)
		return false;
	*h = hash_bytes(data, (size_t)st.st_size, *h);
	munmap(data, (size_t)st.st_size);
	return true;
}

/* `files` holds paths, each ended by \n. */
static bool hash_files(char *files, time_t before, uint64_t *ret)
{
	uint64_t h = hash_text("header", 0);
	char *rest = files;

	for (char *path; (path = strsep(&rest, "\n"));)
		if (*path && !hash_file(path, before, &h))
			return false;
	*ret = h;
	return true;
}

int header_cache_get(const struct types_options *opts, const char *name, struct image *ret)
{
	_cleanup_free_ char *files = NULL;
	char list[64];
	uint64_t key;

	snprintf(list, sizeof(list), "%s.files", name);
	if (cache_get_text(opts, list, FILES_MAX, &files) || !hash_files(files, 0, &key))
		return -ENOENT;
	return cache_get(opts, name, key, ret);
}

/* A rule of make, "header.o: a.c b.h \<newline> c.h", as paths ended by \n, without the first
 * (the file that includes the header). */
static void list_of_rule(const char *rule, char *to)
{
	const char *p = strchr(rule, ':');
	bool first = true;

	for (p = p ? p + 1 : ""; *p;) {
		char *begin = to;

		p += strspn(p, " \t\r\n");
		if (p[0] == '\\' && p[1] == '\n') {
			p += 2;
			continue;
		}
		for (; *p && !strchr(" \t\r\n", *p); p++) {
			if ((p[0] == '\\' && strchr(" #\\", p[1]) && p[1]) ||
			    (p[0] == '$' && p[1] == '$'))
				p++;
			*to++ = *p;
		}
		if (to == begin)
			continue;
		*to++ = '\n';
		if (first)
			to = begin;
		first = false;
	}
	*to = 0;
}

static char *read_rule(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || st.st_size > FILES_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	n = text ? read(fd, text, (size_t)st.st_size) : -1;
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = 0;
	return text;
}

void header_cache_put(const struct types_options *opts, const char *name, const char *rule,
                      time_t begun, struct image *image)
{
	_cleanup_free_ char *text = read_rule(rule);
	_cleanup_free_ char *files = text ? malloc(strlen(text) + 2) : NULL;
	_cleanup_free_ char *copy = NULL;
	char list[64];
	uint64_t key;

	if (!files)
		return;
	list_of_rule(text, files);
	copy = strdup(files);
	/* A file that was written while the compiler ran may not be what it read. */
	if (!copy || !*files || !hash_files(copy, begun, &key))
		return;
	snprintf(list, sizeof(list), "%s.files", name);
	image_set_key(image, key);
	cache_put(opts, name, image);
	cache_put_text(opts, list, files);
}
