/* SPDX-License-Identifier: MIT */
/*
 * Two ways, neither of which stops anybody. /proc/PID/mem, opened at the start, belongs to this
 * very address space: after an exec or exit it reads nothing, where a pid alone could mean somebody
 * else by then. Its rights were checked when it was opened, so it is also the faster one for a few
 * bytes. process_vm_readv copies whole pages without a detour and takes many pieces a call; it
 * refuses pages that the process itself could not read (PROT_NONE), and sandboxes refuse the call.
 */
#include "reader/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reader/process.h"
#include "reader/rights.h"

#define BATCH 64   /* pieces a call; the kernel allows 1024 */
#define SMALL 1024 /* bytes up to which the file is faster */

struct process_memory {
	pid_t pid;
	uint64_t start_time;
	int mem;
	int no_vm_readv; /* the call itself is refused here */
};

int process_memory_open(pid_t pid, struct weir_error *err, struct process_memory **ret)
{
	struct process_memory *m;
	struct process process;
	char path[40];
	int rc = process_read(pid, &process);

	if (rc)
		return rights_explain(pid, RIGHTS_MEMORY, rc, err);
	if (process.kernel_thread)
		return weir_err(err, -EINVAL,
		                "%d (%s) is a thread of the kernel: it has no memory of "
		                "its own",
		                (int)pid, process.comm);
	if (process.state == 'Z')
		return weir_err(err, -ESRCH,
		                "process %d (%s) has ended and waits for its parent: its "
		                "memory is gone",
		                (int)pid, process.comm);
	m = calloc(1, sizeof(*m));
	if (!m)
		return weir_err(err, -ENOMEM, "out of memory");
	m->pid = pid;
	m->start_time = process.start_time;
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	m->mem = open(path, O_RDONLY | O_CLOEXEC);
	if (m->mem < 0) {
		rc = -errno;
		free(m);
		return rights_explain(pid, RIGHTS_MEMORY, rc, err);
	}
	*ret = m;
	return 0;
}

void process_memory_close(struct process_memory *m)
{
	if (!m)
		return;
	close(m->mem);
	free(m);
}

/* The process that was opened, still with the program that was opened? */
static int still_there(struct process_memory *m)
{
	struct process process;
	int rc = process_read(m->pid, &process);

	if (rc || process.start_time != m->start_time || process.state == 'Z')
		return -ESRCH;
	return 0;
}

static int read_file(struct process_memory *m, uint64_t address, char *buf, size_t size)
{
	ssize_t n;

	/* A file offset is signed: the upper half has no process memory anyway. */
	if (address > INT64_MAX)
		return -EFAULT;
	while (size) {
		n = pread(m->mem, buf, size, (off_t)address);
		if (n == 0)
			return -ESRCH;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return still_there(m) ?: -EFAULT;
		buf += n;
		address += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

int process_memory_read(struct process_memory *m, uint64_t address, void *buf, size_t size)
{
	struct iovec local = { buf, size }, remote = { (void *)(uintptr_t)address, size };
	ssize_t n;

	if (!size)
		return 0;
	if (m->no_vm_readv || size <= SMALL)
		return read_file(m, address, buf, size);
	n = process_vm_readv(m->pid, &local, 1, &remote, 1, 0);
	if (n == (ssize_t)size)
		return 0;
	if (n < 0 && errno == ESRCH)
		return -ESRCH;
	if (n < 0 && (errno == ENOSYS || errno == EPERM))
		m->no_vm_readv = 1;
	return read_file(m, address, buf, size);
}

/* As many whole pieces as one call gets; the rest is for the caller. */
static size_t read_batch(struct process_memory *m, struct memory_piece *pieces, size_t count)
{
	struct iovec local[BATCH] = { 0 }, remote[BATCH] = { 0 };
	size_t n = count < BATCH ? count : BATCH, done = 0;
	ssize_t got;

	for (size_t i = 0; i < n; i++) {
		local[i] = (struct iovec){ pieces[i].buf, pieces[i].size };
		remote[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].address, pieces[i].size };
	}
	got = process_vm_readv(m->pid, local, n, remote, n, 0);
	for (; done < n && got >= (ssize_t)pieces[done].size; done++) {
		got -= (ssize_t)pieces[done].size;
		pieces[done].rc = 0;
	}
	return done;
}

int process_memory_readv(struct process_memory *m, struct memory_piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!m->no_vm_readv)
			i += read_batch(m, pieces + i, count - i);
		if (i == count)
			break;
		/* The first that failed, by itself; the next batch begins behind it. */
		pieces[i].rc =
		    process_memory_read(m, pieces[i].address, pieces[i].buf, pieces[i].size);
		if (pieces[i].rc == -ESRCH)
			return -ESRCH;
	}
	return 0;
}
