/* SPDX-License-Identifier: MIT */
#include "reader/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The start of a file in /proc as a string; -errno. */
static int slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;

	if (fd < 0)
		return -errno;
	while (got < size - 1) {
		ssize_t n = read(fd, buf + got, size - 1 - got);

		if (n < 0) {
			int code = -errno;

			close(fd);
			return code;
		}
		if (!n)
			break;
		got += n;
	}
	close(fd);
	buf[got] = 0;
	return 0;
}

int proc_inner_pid(pid_t pid, pid_t *ret)
{
	char path[64], buf[4096];
	const char *line;
	char *end;
	int code;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	code = slurp(path, buf, sizeof(buf));
	if (code)
		return code;
	line = strstr(buf, "\nNSpid:");
	if (!line) {
		*ret = pid; /* a kernel without pid namespaces */
		return 0;
	}
	line += strlen("\nNSpid:");
	*ret = pid;
	while (*line && *line != '\n') {
		long value = strtol(line, &end, 10);

		if (end == line)
			break;
		*ret = value;
		line = end;
	}
	return 0;
}

void proc_comm(pid_t pid, pid_t tid, char *name, size_t size)
{
	char path[64];
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	if (slurp(path, name, size) || !*name) {
		snprintf(name, size, "?");
		return;
	}
	n = strlen(name);
	if (n && name[n - 1] == '\n')
		name[n - 1] = 0;
	for (char *c = name; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?'; /* a thread's name is its owner's: no terminal escapes */
	}
}

int proc_start(pid_t pid, unsigned long long *start, pid_t *parent)
{
	char path[64], buf[1024], *p;
	int ppid;
	int code;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	code = slurp(path, buf, sizeof(buf));
	if (code)
		return code;
	p = strrchr(buf, ')'); /* the name before it may hold anything */
	if (!p ||
	    sscanf(
	        p + 1,
	        " %*c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
	        &ppid, start) != 2)
		return -EBADMSG;
	if (parent)
		*parent = ppid;
	return 0;
}

bool proc_has_program(pid_t pid)
{
	char path[64], program[1];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, program, sizeof(program)) >= 0 || errno == EACCES || errno == EPERM;
}

int proc_children(pid_t pid, pid_t *children, int most)
{
	char path[64], buf[1024], *at = buf, *end;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (slurp(path, buf, sizeof(buf)))
		return 0;
	while (n < most) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		children[n++] = child;
		at = end;
	}
	/* A number may be cut off at the end of the buffer; the walk of /proc finds that one. */
	return n && strlen(buf) == sizeof(buf) - 1 ? n - 1 : n;
}

static int timens(pid_t pid, ino_t *ino, long long *offset)
{
	char path[64], buf[256];
	long long s = 0, ns = 0;
	struct stat st;
	const char *line;

	snprintf(path, sizeof(path), "/proc/%d/ns/time", pid);
	if (stat(path, &st))
		return -errno;
	*ino = st.st_ino;
	*offset = 0;
	snprintf(path, sizeof(path), "/proc/%d/timens_offsets", pid);
	if (!slurp(path, buf, sizeof(buf))) {
		line = strstr(buf, "monotonic");
		if (line && sscanf(line, "monotonic %lld %lld", &s, &ns) == 2)
			*offset = s * 1000000000LL + ns;
	}
	return 0;
}

long long proc_monotonic_offset(pid_t pid)
{
	long long theirs, ours;
	ino_t a, b;

	if (timens(pid, &a, &theirs) || timens(getpid(), &b, &ours) || a == b)
		return 0;
	return theirs - ours;
}
