/* SPDX-License-Identifier: MIT */
#include "cli/replace.h"

#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, int code, struct weir_error *err)
{
	return weir_err(err, -code, "cannot write %s: %s", path, strerror(code));
}

/* What a new file would get: mkstemp is stricter. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* 0 or an errno. Closes. */
static int write_all(int fd, const char *text, size_t size)
{
	int code = 0;

	while (size && !code) {
		ssize_t n = write(fd, text, size);

		if (n < 0) {
			code = errno == EINTR ? 0 : errno;
			continue;
		}
		text += n;
		size -= (size_t)n;
	}
	/* Some file systems only find out here that there is no room. */
	return close(fd) && !code ? errno : code;
}

static int write_directly(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? errno : write_all(fd, text, size);
}

static int write_beside(const char *path, mode_t mode, const char *text, size_t size)
{
	char *beside;
	int fd, code;

	if (asprintf(&beside, "%s.XXXXXX", path) < 0)
		return ENOMEM;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0) {
		code = errno;
		free(beside);
		return code;
	}
	fchmod(fd, mode);
	code = write_all(fd, text, size);
	if (!code && rename(beside, path))
		code = errno;
	if (code)
		unlink(beside);
	free(beside);
	return code;
}

int replace_file(const char *path, const void *data, size_t size, struct weir_error *err)
{
	struct stat st;
	char real[PATH_MAX];
	bool there = !stat(path, &st);
	int code;

	if (there && S_ISDIR(st.st_mode))
		return fail(path, EISDIR, err);
	if (there && !S_ISREG(st.st_mode))
		code = write_directly(path, data, size);
	else
		code = write_beside(there && realpath(path, real) ? real : path,
		                    there ? st.st_mode & 0777 : new_mode(), data, size);
	return code ? fail(path, code, err) : 0;
}
