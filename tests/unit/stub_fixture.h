/* SPDX-License-Identifier: MIT */
/* Stubs that are made and loaded in a folder of the test's own. */
#ifndef WEIR_TESTS_STUB_FIXTURE_H
#define WEIR_TESTS_STUB_FIXTURE_H

#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/stub.h"
#include "tests/unit/stub_notes.h"

static char folder[64]; /* of this test; the stub folders are made in it */

struct stub {
	struct stub_probe probe;
	uint8_t *image;
	size_t size;
	struct stub_file file;
	struct weir_error err;
};

static inline void stub_make(struct stub *s, const char *provider, const char *types)
{
	memset(s, 0, sizeof(*s));
	s->probe.note = note_make(provider, "order", types);
	s->probe.semaphore = true;
	assert_int_equal(stub_build(&s->probe, 1, &s->image, &s->size, NULL), 0);
}

static inline void stub_free(struct stub *s)
{
	free((void *)s->probe.note);
	free(s->image);
}

static inline int load(struct stub *s, const char *provider, const char *dir, bool memfd)
{
	s->err.code = 0;
	s->err.message[0] = '\0';
	return stub_load(provider, dir, memfd, s->image, s->size, &s->file, &s->err);
}

/* A path in the test's folder. */
static inline const char *in_folder(const char *name)
{
	static char paths[32][128];
	static int next;
	char *path = paths[next++ % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static inline void must_load_file(struct stub *s, const char *provider, const char *dir)
{
	if (load(s, provider, dir, false) || s->err.code)
		fail_msg("%s", s->err.message);
	assert_int_equal(s->file.fd, -1);
	assert_int_equal(strncmp(s->file.path, dir, strlen(dir)), 0);
	assert_non_null(s->file.base);
}

static inline void must_load_memfd(struct stub *s, const char *provider, const char *dir,
                                   const char *reason)
{
	if (load(s, provider, dir, false))
		fail_msg("%s", s->err.message);
	assert_true(s->file.fd >= 0);
	assert_int_equal(strncmp(s->file.path, "/proc/", 6), 0);
	if (!s->err.code || !strstr(s->err.message, reason))
		fail_msg("'%s' does not say '%s'", s->err.message, reason);
}

static inline uint16_t first_bytes(struct stub *s)
{
	return *(volatile uint16_t *)(s->file.base + s->probe.site);
}

/* Runs `f` in a child, which exits with 0 if no assertion failed in it. */
static inline int in_child(void (*f)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline int files_in(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry_;
	int count = 0;

	assert_non_null(dir);
	while ((entry_ = readdir(dir)))
		count += entry_->d_type != DT_DIR;
	closedir(dir);
	return count;
}

/* Whatever is there under the name, it is not loaded and not written to. */
static inline void put_other_file(const char *path, const uint8_t *image, size_t size)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, size), size);
	close(fd);
}

static inline int folder_make(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/weir-test-XXXXXX");
	unsetenv("WEIR_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	umask(077);
	return mkdtemp(folder) ? 0 : -1;
}

static inline int folder_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

#endif
