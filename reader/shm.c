/* SPDX-License-Identifier: MIT */
#include "reader/shm.h"
#include "reader/error.h"
#include "reader/proc.h"
#include "reader/rights.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MEMFD_LINK "/memfd:" WEIR_SHM_NAME " (deleted)"

/* Far above what a target makes; keeps a hostile header from costing this process memory. */
#define SHM_PACKETS_MAX (1u << 20)
#define SHM_SLOTS_MAX   (1u << 16)

static bool table_fits(const struct weir_shm_header *h, uint64_t off, uint64_t count,
                       uint64_t element, uint64_t align)
{
	uint64_t bytes;

	return off >= sizeof(*h) && off % align == 0 && off <= h->size &&
	       !__builtin_mul_overflow(count, element, &bytes) && bytes <= h->size - off;
}

static int check_header(const struct weir_shm_header *h, uint64_t size, pid_t inner,
                        struct weir_error *err)
{
	if (!h->magic)
		return weir_err(err, -EAGAIN, "the shared memory is still being made; try again");
	if (h->magic == __builtin_bswap64(WEIR_SHM_MAGIC))
		return weir_err(err, -EPROTONOSUPPORT, "the target has the other byte order");
	if (h->magic != WEIR_SHM_MAGIC)
		return weir_err(err, -EBADMSG, "a memfd named `weir` does not hold weir's memory");
	if (h->major != WEIR_SHM_MAJOR)
		return weir_err(
		    err, -EPROTONOSUPPORT,
		    "the target's libweir speaks shared memory version %u.%u, this weir "
		    "version %u.x: use the weir that came with that libweir",
		    h->major, h->minor, WEIR_SHM_MAJOR);
	if (h->size != size)
		return weir_err(err, -EPERM,
		                "the memfd has %" PRIu64 " bytes, its header says %" PRIu64, size,
		                h->size);
	if (inner && h->pid != (uint32_t)inner)
		return weir_err(
		    err, -ESRCH,
		    "the shared memory belongs to another process (pid %u in its namespace)",
		    h->pid);
	if (!h->sessions || h->sessions > WEIR_SHM_SESSIONS || !h->cpus ||
	    h->cpus > SHM_SLOTS_MAX || !h->slots || h->slots > SHM_SLOTS_MAX || !h->packets ||
	    h->packets > SHM_PACKETS_MAX || h->packet_size != WEIR_SHM_PACKET_SIZE ||
	    (h->clock != WEIR_CLOCK_TSC && h->clock != WEIR_CLOCK_MONOTONIC) || h->hz < 1000000 ||
	    h->hz > UINT64_C(100000000000))
		return weir_err(err, -EBADMSG, "the shared memory's header has impossible counts");
	if (!table_fits(h, h->off_session, h->sessions, sizeof(struct weir_shm_session), 64) ||
	    !table_fits(h, h->off_stripe, h->cpus, sizeof(struct weir_shm_stripe), 8) ||
	    !table_fits(h, h->off_mask, WEIR_SHM_PROBES, sizeof(uint32_t), 4) ||
	    !table_fits(h, h->off_desc, h->packets, sizeof(struct weir_shm_desc), 8) ||
	    !table_fits(h, h->off_packet, h->packets, WEIR_SHM_PACKET_SIZE, 4096) ||
	    !table_fits(h, h->off_schema, h->schema_size, 1, 8))
		return weir_err(err, -EBADMSG, "a table of the shared memory lies outside of it");
	return 0;
}

static int check_file(int fd, struct stat *st, struct weir_error *err)
{
	struct statfs fs;
	int seals;

	if (fstat(fd, st) || fstatfs(fd, &fs))
		return weir_err(err, -errno, "cannot look at the memfd: %s", strerror(errno));
	if (!S_ISREG(st->st_mode) || fs.f_type != TMPFS_MAGIC)
		return weir_err(err, -EPERM, "what is named `weir` is no memfd");
	seals = fcntl(fd, F_GET_SEALS);
	/* Its seals come at once, the last one too: without that one, it may just be being made. */
	if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) !=
	                     (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return weir_err(
		    err, seals >= 0 && !(seals & F_SEAL_SEAL) ? -EAGAIN : -EPERM,
		    "the memfd is not sealed: its owner could cut it off under the reader");
	if (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return weir_err(err, -EPERM, "the memfd is sealed against writing");
	if (st->st_size < (off_t)sizeof(struct weir_shm_header) || st->st_size % 4096)
		return weir_err(err, -EPERM,
		                "the memfd's size, %jd bytes, is none of a shared memory",
		                (intmax_t)st->st_size);
	return 0;
}

int shm_map(int fd, pid_t pid, pid_t inner, struct shm *ret, struct weir_error *err)
{
	struct weir_shm_header head;
	struct stat st;
	void *base;
	int code = check_file(fd, &st, err);

	if (code)
		return code;
	base = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return weir_err(err, -errno, "cannot map the shared memory: %s", strerror(errno));
	/* The magic is stored last: after this load all else of a well-meant header is there. */
	head.magic = __atomic_load_n(&((struct weir_shm_header *)base)->magic, __ATOMIC_ACQUIRE);
	memcpy((char *)&head + sizeof(head.magic), (char *)base + sizeof(head.magic),
	       sizeof(head) - sizeof(head.magic));
	code = check_header(&head, st.st_size, inner, err);
	if (code) {
		munmap(base, st.st_size);
		return code;
	}
	*ret = (struct shm){
		.base = base,
		.size = st.st_size,
		.head = head,
		.fd = fd,
		.pid = pid,
		.dev = st.st_dev,
		.ino = st.st_ino,
	};
	return 0;
}

void shm_unmap(struct shm *shm)
{
	if (!shm->base)
		return;
	munmap(shm->base, shm->size);
	close(shm->fd);
	shm->base = NULL;
	shm->fd = -1;
}

/* Open what the magic link names, without side effects if it is no regular file. */
static int open_link(int dir, const char *name, struct stat *st)
{
	char path[64];
	int fd, file;

	fd = openat(dir, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, st)) {
		close(fd);
		return -errno;
	}
	if (!S_ISREG(st->st_mode)) {
		close(fd);
		return -EPERM;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		file = -errno;
	close(fd);
	return file;
}

struct finder {
	pid_t pid;
	pid_t inner;
	bool (*seen)(void *arg, dev_t dev, ino_t ino);
	int (*found)(void *arg, struct shm *shm);
	void *arg;
	struct weir_error *err;
	int count;   /* found, new or known */
	int refused; /* -errno of the last memory that was refused */
	dev_t dev[16];
	ino_t ino[16];
	int done;
};

/* The same memfd often has several descriptors, and several mappings. */
static bool finder_repeats(struct finder *f, const struct stat *st)
{
	for (int i = 0; i < f->done; i++) {
		if (f->dev[i] == st->st_dev && f->ino[i] == st->st_ino)
			return true;
	}
	if (f->done < (int)(sizeof(f->ino) / sizeof(f->ino[0]))) {
		f->dev[f->done] = st->st_dev;
		f->ino[f->done++] = st->st_ino;
	}
	return false;
}

static void finder_take(struct finder *f, int dir, const char *what, const char *name)
{
	struct stat st;
	struct shm shm;
	int fd = open_link(dir, name, &st);
	int code;

	if (fd < 0) {
		f->refused = weir_err(f->err, fd, "cannot open the shared memory of process %d: %s",
		                      f->pid, strerror(-fd));
		return;
	}
	if (finder_repeats(f, &st)) {
		close(fd);
		return;
	}
	if (f->seen && f->seen(f->arg, st.st_dev, st.st_ino)) {
		f->count++;
		close(fd);
		return;
	}
	code = shm_map(fd, f->pid, f->inner, &shm, f->err);
	if (code) {
		/* A parent's memory, inherited: neither ours nor an error. */
		if (code != -ESRCH)
			f->refused = code;
		close(fd);
		return;
	}
	snprintf(shm.where, sizeof(shm.where), "/proc/%d/%s/%s", f->pid, what, name);
	if (f->found(f->arg, &shm))
		shm_unmap(&shm);
	else
		f->count++;
}

static int finder_scan(struct finder *f, const char *what)
{
	char path[64], link[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/%s", f->pid, what);
	dir = opendir(path);
	if (!dir)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));) {
		ssize_t n;

		if (e->d_name[0] == '.')
			continue;
		n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = 0;
		if (!strcmp(link, MEMFD_LINK))
			finder_take(f, dirfd(dir), what, e->d_name);
	}
	closedir(dir);
	return 0;
}

static bool maps_name_memfd(pid_t pid, ino_t ino)
{
	char path[64], line[512];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps)) {
		uintmax_t inode = 0;

		if (!strstr(line, MEMFD_LINK))
			continue;
		if (sscanf(line, "%*s %*s %*s %*s %ju", &inode) == 1)
			found = !ino || inode == ino;
	}
	fclose(maps);
	return found;
}

int shm_find(pid_t pid, bool (*seen)(void *arg, dev_t dev, ino_t ino),
             int (*found)(void *arg, struct shm *shm), void *arg, struct weir_error *err)
{
	struct finder f = {
		.pid = pid,
		.seen = seen,
		.found = found,
		.arg = arg,
		.err = err,
	};
	int code = proc_inner_pid(pid, &f.inner);

	if (code)
		return rights_explain(pid, RIGHTS_READ, code == -ENOENT ? -ESRCH : code, err);
	code = finder_scan(&f, "fd");
	if (code == -EACCES || code == -EPERM)
		return rights_explain(pid, RIGHTS_READ, code, err);
	if (code)
		return weir_err(err, code == -ENOENT ? -ESRCH : code,
		                "cannot look at process %d: %s", pid, strerror(-code));
	/* It may have closed the descriptor; then only the mapping is left. */
	if (!f.count && !f.refused && maps_name_memfd(pid, 0)) {
		code = finder_scan(&f, "map_files");
		if (!f.count && (code == -EPERM || code == -EACCES || f.refused == -EPERM))
			return weir_err(
			    err, -EACCES,
			    "process %d has weir's memory mapped but closed its descriptor; "
			    "opening it "
			    "from the mapping needs CAP_CHECKPOINT_RESTORE: run weir as root",
			    pid);
	}
	if (f.count)
		return f.count;
	if (f.refused)
		return f.refused;
	return weir_err(err, -ENOENT, "process %d has no weir probes", pid);
}

bool shm_in_place(const struct shm *shm)
{
	struct stat st;

	return !*shm->where ||
	       (!stat(shm->where, &st) && st.st_dev == shm->dev && st.st_ino == shm->ino);
}

bool shm_alive(struct shm *shm)
{
	char path[32];
	DIR *dir;
	bool found = false;

	*shm->where = 0; /* mapped only: shm_in_place() has nothing to tell */

	snprintf(path, sizeof(path), "/proc/%d/fd", shm->pid);
	dir = opendir(path);
	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		struct stat st;

		found = !fstatat(dirfd(dir), e->d_name, &st, 0) && st.st_dev == shm->dev &&
		        st.st_ino == shm->ino;
		if (found)
			snprintf(shm->where, sizeof(shm->where), "%s/%.20s", path, e->d_name);
	}
	if (dir)
		closedir(dir);
	return found || maps_name_memfd(shm->pid, shm->ino);
}
