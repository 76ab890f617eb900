/* SPDX-License-Identifier: MIT */
#include "cli/report/replace.h"

#include "reader/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct replace *r, int code, struct weir_error *err)
{
	if (r->file)
		fclose(r->file);
	if (r->beside)
		unlink(r->beside);
	free(r->beside);
	return weir_err(err, -code, "cannot write %s: %s", r->path, strerror(code));
}

/* What a new file would get: mkstemp is stricter. */
static mode_t new_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

int replace_open(struct replace *r, const char *path, struct weir_error *err)
{
	struct stat st;
	bool there = !stat(path, &st);
	int fd;

	*r = (struct replace){ .path = path };
	if (there && S_ISDIR(st.st_mode))
		return fail(r, EISDIR, err);
	if (there && !S_ISREG(st.st_mode)) {
		r->file = fopen(path, "we");
		return r->file ? 0 : fail(r, errno, err);
	}
	if (asprintf(&r->beside, "%s.XXXXXX", path) < 0) {
		r->beside = NULL;
		return fail(r, ENOMEM, err);
	}
	fd = mkstemp(r->beside);
	if (fd < 0) {
		int code = errno;

		free(r->beside);
		r->beside = NULL;
		return fail(r, code, err);
	}
	fchmod(fd, there ? st.st_mode & 0777 : new_mode());
	r->file = fdopen(fd, "w");
	if (!r->file) {
		close(fd);
		return fail(r, ENOMEM, err);
	}
	return 0;
}

int replace_close(struct replace *r, struct weir_error *err)
{
	int code;

	errno = 0;
	code = fflush(r->file) || ferror(r->file) ? (errno ? errno : EIO) : 0;
	if (fclose(r->file) && !code)
		code = errno;
	r->file = NULL;
	if (!code && r->beside && rename(r->beside, r->path))
		code = errno;
	if (code)
		return fail(r, code, err);
	free(r->beside);
	return 0;
}
