/* SPDX-License-Identifier: MIT */
/* weir doctor on what libweir finds in a program that this user starts from here. */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC        0x0010U
#endif

static bool can_map_exec(int fd)
{
	void *p = ftruncate(fd, 4096) ? MAP_FAILED
	                              : mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, 4096);
	return true;
}

/* libweir's candidates, in its order: 1 there is one, 0 there is none. */
static bool folder_candidate(int index, char *path, size_t size)
{
	static const char *const variables[] = { "WEIR_DIR", "XDG_RUNTIME_DIR" };
	const char *value = index < 2 ? getenv(variables[index]) : NULL;

	if (index == 2)
		snprintf(path, size, "/tmp/weir-%u", (unsigned)geteuid());
	else if (value && *value)
		snprintf(path, size, index == 1 ? "%s/weir" : "%s", value);
	else
		return false;
	return true;
}

/* May code be loaded from files of this folder? */
static bool folder_allows_exec(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) || !(fs.f_flag & ST_NOEXEC);
}

static bool others_may_replace(const struct stat *above)
{
	return (above->st_uid && above->st_uid != geteuid()) ||
	       ((above->st_mode & 022) && !(above->st_mode & S_ISVTX));
}

/* Looks as libweir does, but makes nothing. True: a stub could lie there. */
static bool folder_is_usable(const char *path, char *why, size_t size)
{
	char above[4096];
	struct stat st;
	bool exists = !lstat(path, &st);

	if (exists && !S_ISDIR(st.st_mode))
		snprintf(why, size, "%.200s is no folder, or a symlink", path);
	else if (exists && st.st_uid != geteuid())
		snprintf(why, size, "%.200s belongs to uid %u", path, st.st_uid);
	else if (exists && (st.st_mode & 07777) != 0700)
		snprintf(why, size, "%.200s has mode %04o, not 0700", path, st.st_mode & 07777);
	snprintf(above, sizeof(above), "%s", path);
	while (!*why && strrchr(above, '/')) {
		bool parent = strrchr(above, '/') != above && above[1];

		*(parent ? strrchr(above, '/') : above + 1) = '\0';
		if (stat(above, &st))
			snprintf(why, size, "%.160s: %.100s", above, strerror(errno));
		else if (others_may_replace(&st))
			snprintf(why, size, "%.200s, above it, is a folder that others may change",
			         above);
		else if (!exists && access(above, W_OK | X_OK))
			snprintf(why, size, "%.160s cannot be made: %.100s", path, strerror(errno));
		else if (!folder_allows_exec(exists ? path : above))
			snprintf(why, size, "%.200s is mounted noexec", path);
		exists = true; /* only what is directly above has to be written to */
		if (!parent)
			break;
	}
	return !*why;
}

static void check_stub_folder(struct report *r)
{
	char path[2048], why[280] = "", first[280] = "";

	for (int i = 0; i < 3; i++) {
		*why = '\0';
		if (!folder_candidate(i, path, sizeof(path)))
			continue;
		if (folder_is_usable(path, why, sizeof(why))) {
			if (!*first)
				doctor_add(r, "stub folder", OK, "", "%s", path);
			else
				doctor_add(r, "stub folder", LIMITED,
				           "export WEIR_DIR=FOLDER: of this user, mode 0700, not "
				           "mounted noexec",
				           "%s; %s is used instead", first, path);
			return;
		}
		if (!*first)
			snprintf(first, sizeof(first), "%s", why);
	}
	doctor_add(r, "stub folder", LIMITED,
	           "export WEIR_DIR=FOLDER: of this user, mode 0700, not mounted noexec",
	           "%s; stubs go to memfds, which perf cannot read", first);
}

/* Flags of Linux 6.3, without them where they are not known. */
static int make_memfd(unsigned flag)
{
	int fd = memfd_create("weir-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING | flag);

	return fd < 0 && errno == EINVAL
	           ? memfd_create("weir-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING)
	           : fd;
}

static void check_memfd(struct report *r)
{
	int fd = make_memfd(MFD_NOEXEC_SEAL);

	if (fd < 0) {
		doctor_add(
		    r, "memfd", MISSING, "allow memfd_create in the seccomp profile",
		    "memfd_create: %s; no buffers, so weir trace and weir record see nothing",
		    strerror(errno));
		return;
	}
	close(fd);
	fd = make_memfd(MFD_EXEC);
	if (fd < 0 || !can_map_exec(fd))
		doctor_add(r, "memfd", LIMITED, "sudo sysctl vm.memfd_noexec=1",
		           "buffers work; an executable memfd: %s (vm.memfd_noexec=%ld), so a stub "
		           "needs a folder",
		           strerror(errno), doctor_sysctl("/proc/sys/vm/memfd_noexec"));
	else
		doctor_add(r, "memfd", OK, "", "buffers work, and a stub without a folder");
	if (fd >= 0)
		close(fd);
}

extern const unsigned int __rseq_size __attribute__((weak));

static void check_rseq(struct report *r)
{
	if (&__rseq_size && __rseq_size)
		doctor_add(
		    r, "rseq", OK, "",
		    "threads are registered: a fire into a buffer is one restartable section");
	else
		doctor_add(r, "rseq", LIMITED,
		           "glibc 2.35 or later; GLIBC_TUNABLES without glibc.pthread.rseq=0",
		           "threads are not registered: fires take a lock per slot, and cost more");
}

static uint64_t elapsed(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - from->tv_sec) * 1000000000 + (uint64_t)now.tv_nsec -
	       (uint64_t)from->tv_nsec;
}

/* Does clock_gettime do without a system call? */
static bool clock_is_fast(void)
{
	uint64_t fast = UINT64_MAX, slow = UINT64_MAX;

	for (int i = 0; i < 64; i++) {
		struct timespec from, ts;
		uint64_t took;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int k = 0; k < 8; k++)
			clock_gettime(CLOCK_MONOTONIC, &ts);
		took = elapsed(&from);
		fast = took < fast ? took : fast;
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int k = 0; k < 8; k++)
			syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
		took = elapsed(&from);
		slow = took < slow ? took : slow;
	}
	return fast < slow / 2;
}

static void check_clock(struct report *r)
{
	char name[32] = "?", flags[8192] = "";
	int mode = PR_TSC_ENABLE, fd;
	ssize_t n;

	fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
	          O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		name[strcspn(name, "\n")] = '\0';
		close(fd);
	}
	fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, flags, sizeof(flags) - 1);
		flags[n > 0 ? n : 0] = '\0';
		close(fd);
	}
	prctl(PR_GET_TSC, &mode);
	if (mode != PR_TSC_ENABLE)
		doctor_add(r, "event clock", LIMITED, "",
		           "reading the TSC is forbidden (PR_SET_TSC): clock_gettime");
	else if (!strstr(flags, "constant_tsc") || !strstr(flags, "nonstop_tsc"))
		doctor_add(r, "event clock", LIMITED, "",
		           "the TSC of this processor is not invariant: clock_gettime");
	else if (!strcmp(name, "tsc") || !strcmp(name, "hyperv_clocksource_tsc_page"))
		doctor_add(r, "event clock", OK, "",
		           "TSC: invariant, and the kernel keeps time by it (%s)", name);
	else if (!strcmp(name, "kvm-clock") && clock_is_fast())
		doctor_add(r, "event clock", OK, "",
		           "TSC: invariant, and kvm-clock reads it without a system call");
	else
		doctor_add(
		    r, "event clock", LIMITED,
		    "boot with clocksource=tsc if the kernel log does not call the TSC unstable",
		    "the kernel keeps time by %s, not by the TSC: clock_gettime", name);
}

static void check_limits(struct report *r)
{
	struct rlimit files, size, space;

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_FSIZE, &size);
	getrlimit(RLIMIT_AS, &space);
	if (size.rlim_cur != RLIM_INFINITY && size.rlim_cur < (UINT64_C(160) << 20))
		doctor_add(
		    r, "limits", LIMITED, "ulimit -f unlimited",
		    "RLIMIT_FSIZE is %llu bytes: programs started from here have small or no "
		    "buffers",
		    (unsigned long long)size.rlim_cur);
	else if (space.rlim_cur != RLIM_INFINITY && space.rlim_cur < (UINT64_C(512) << 20))
		doctor_add(
		    r, "limits", LIMITED, "ulimit -v unlimited, or a smaller WEIR_POOL",
		    "RLIMIT_AS is %llu bytes: a pool of 128 MiB may not fit beside the program",
		    (unsigned long long)space.rlim_cur);
	else if (files.rlim_cur < 256)
		doctor_add(r, "limits", LIMITED, "ulimit -n 4096",
		           "RLIMIT_NOFILE is %llu: few processes at a time",
		           (unsigned long long)files.rlim_cur);
	else
		doctor_add(r, "limits", OK, "", "%llu descriptors, no limit on files or memory",
		           (unsigned long long)files.rlim_cur);
}

void doctor_target(struct report *report)
{
	check_stub_folder(report);
	check_memfd(report);
	check_rseq(report);
	check_clock(report);
	check_limits(report);
}
