/* SPDX-License-Identifier: MIT */
#include "reader/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/cleanup.h"

#define PF_KTHREAD 0x00200000u

ssize_t process_file(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[320];
	_cleanup_close_ int fd = -1;
	size_t got = 0;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	while (got + 1 < size) {
		ssize_t n = read(fd, buf + got, size - 1 - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += n;
	}
	buf[got] = '\0';
	return got;
}

void process_printable(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		/* 0x80-0x9f are C1 controls only after 0xc2 in UTF-8, and dangerous raw otherwise
		 */
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			*c = '?';
	}
}

/* The line of /proc/PID/status that begins with `key`, after its colon and blanks, or NULL. */
static const char *status_value(const char *status, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, key, length) && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " \t");
	}
	return NULL;
}

static bool status_ids(const char *status, const char *key, struct process_ids *ret)
{
	const char *value = status_value(status, key);

	return value && sscanf(value, "%u %u %u %u", &ret->real, &ret->effective, &ret->saved,
	                       &ret->fs) == 4;
}

/* NSpid lists the pid in each namespace from ours down to its own: the last one is its own. */
static pid_t status_nspid(const char *status, pid_t pid)
{
	const char *value = status_value(status, "NSpid");
	pid_t last = pid;

	while (value && isdigit((unsigned char)*value)) {
		last = strtol(value, (char **)&value, 10);
		value += strspn(value, " \t");
	}
	return last;
}

static int read_status(pid_t pid, struct process *p)
{
	char status[4096];
	ssize_t n = process_file(pid, "status", status, sizeof(status));
	const char *caps;

	if (n < 0)
		return n == -ENOENT ? -ESRCH : n;
	if (!status_ids(status, "Uid", &p->uid) || !status_ids(status, "Gid", &p->gid))
		return -ESRCH;
	p->nspid = status_nspid(status, pid);
	caps = status_value(status, "CapPrm");
	p->caps_permitted = caps ? strtoull(caps, NULL, 16) : 0;
	return 0;
}

/* "PID (COMM) STATE PPID ...": COMM may hold blanks and parentheses, so look for the last one. */
static int read_stat(pid_t pid, struct process *p)
{
	char stat[1024];
	ssize_t n = process_file(pid, "stat", stat, sizeof(stat));
	char *open, *close;
	unsigned flags;

	if (n < 0)
		return n == -ENOENT ? -ESRCH : n;
	open = strchr(stat, '(');
	close = strrchr(stat, ')');
	if (!open || !close || close < open)
		return -ESRCH;
	*close = '\0';
	snprintf(p->comm, sizeof(p->comm), "%.63s", open + 1);
	process_printable(p->comm);
	if (sscanf(close + 1,
	           " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
	           "%" SCNu64,
	           &p->state, &p->ppid, &flags, &p->start_time) != 4)
		return -ESRCH;
	p->kernel_thread = flags & PF_KTHREAD;
	return 0;
}

int process_read(pid_t pid, struct process *ret)
{
	struct process p = { .pid = pid };
	int err = pid > 0 ? 0 : -ESRCH;

	if (!err)
		err = read_status(pid, &p);
	if (!err)
		err = read_stat(pid, &p);
	if (err)
		return err;
	*ret = p;
	return 0;
}

bool process_exists(pid_t pid)
{
	return pid > 0 && (!kill(pid, 0) || errno == EPERM);
}

int process_cmdline(pid_t pid, char **ret)
{
	_cleanup_free_ char *text = malloc(4096);
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = process_file(pid, "cmdline", text, 4096);
	if (n < 0)
		return n == -ENOENT ? -ESRCH : n;
	while (n && !text[n - 1])
		n--;
	for (ssize_t i = 0; i < n; i++) {
		if (!text[i])
			text[i] = ' ';
	}
	process_printable(text);
	*ret = text;
	text = NULL;
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

int process_list(pid_t **ret, size_t *count)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	_cleanup_free_ pid_t *pids = NULL;
	size_t used = 0, room = 0;
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid <= 0 || *end)
			continue;
		if (used == room) {
			pid_t *more;

			room = room ? 2 * room : 256;
			more = reallocarray(pids, room, sizeof(*pids));
			if (!more)
				return -ENOMEM;
			pids = more;
		}
		pids[used++] = pid;
	}
	if (used)
		qsort(pids, used, sizeof(*pids), compare_pids);
	*ret = pids;
	pids = NULL;
	*count = used;
	return 0;
}
