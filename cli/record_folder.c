/* SPDX-License-Identifier: MIT */
/* The folder that is recorded to: made, looked at, still there, and gone again if it stayed empty. */
#include "cli/record.h"

#include "reader/cleanup.h"
#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trace(int dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/metadata", name);
	return !faccessat(dir, path, F_OK, 0);
}

/* A folder with earlier recordings is taken, or an empty one; not somebody's home. */
static int check_contents(const struct record *record, struct weir_error *err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = openat(record->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char other[256] = "";

	if (fd >= 0 && !(dir = fdopendir(fd)))
		close(fd);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (is_trace(fd, e->d_name))
			return 0;
		snprintf(other, sizeof(other), "%s", e->d_name);
	}
	if (!*other)
		return 0;
	return weir_err(err, -ENOTEMPTY,
	                "the folder %s is neither empty nor a recording: `%s` is in it. Give a "
	                "folder of its own, such as -o %s/recording",
	                record->options.folder, other, record->options.folder);
}

int record_folder_open(struct record *record, struct weir_error *err)
{
	const char *folder = record->options.folder;

	record->made_folder = !mkdir(folder, 0755);
	if (!record->made_folder && errno != EEXIST)
		return weir_err(err, -errno, "cannot make the folder %s: %s", folder,
		                strerror(errno));
	record->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (record->folder < 0)
		return weir_err(err, -errno, "cannot open the folder %s: %s", folder,
		                strerror(errno));
	if (faccessat(record->folder, ".", W_OK, AT_EACCESS))
		return weir_err(err, -errno, "cannot write to the folder %s: %s", folder,
		                strerror(errno));
	return record->made_folder ? 0 : check_contents(record, err);
}

void record_folder_forget(const struct record *record)
{
	if (record->made_folder)
		rmdir(record->options.folder); /* only if it is empty */
}

void record_folder_check(struct record *record)
{
	struct stat st;
	bool gone = !fstat(record->folder, &st) && !st.st_nlink;

	for (const struct recording *r = record->recordings; r && !gone; r = r->next)
		gone = ctf_writer_is_removed(r->writer);
	if (gone && !record->failed)
		record->failed = weir_err(
		    &record->err, -ENOENT,
		    "the folder %s, or a trace or a file in it, was removed while it was recorded "
		    "to; what comes would be written to nowhere",
		    record->options.folder);
}
