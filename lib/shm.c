/* SPDX-License-Identifier: MIT */
#include "lib/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/abi/note.h>

#include "lib/clock.h"
#include "lib/error.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

struct shm shm = { .fd = -1 };

#define SCHEMA_SIZE (UINT64_C(16) << 20) /* sparse: 10,000 probes use 2 MiB of it */
#define POOL_MIN    (16 * (uint64_t)WEIR_SHM_PACKET_SIZE)

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static uint32_t cpus_possible(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	return n < 1 ? 1 : n > 65535 ? 65535 : (uint32_t)n;
}

/* Where everything lies. Fills the offsets of `h`. */
static uint64_t layout(struct weir_shm_header *h)
{
	uint64_t at = sizeof(*h);

	h->off_session = at;
	at += sizeof(struct weir_shm_session) * WEIR_SHM_SESSIONS;
	h->off_stripe = at;
	at = align_up(at + sizeof(struct weir_shm_stripe) * h->cpus, 4096);
	h->off_mask = at;
	at += sizeof(uint32_t) * WEIR_SHM_PROBES;
	h->off_desc = at;
	at = align_up(at + sizeof(struct weir_shm_desc) * (uint64_t)h->packets, 4096);
	h->off_schema = at;
	h->schema_size = SCHEMA_SIZE;
	at += SCHEMA_SIZE;
	h->off_packet = align_up(at, WEIR_SHM_PACKET_SIZE);
	return h->off_packet + (uint64_t)h->packets * WEIR_SHM_PACKET_SIZE;
}

static void fill_header(struct weir_shm_header *h)
{
	struct clock clock;

	clock_init(&clock);
	h->major = WEIR_SHM_MAJOR;
	h->minor = WEIR_SHM_MINOR;
	h->pid = (uint32_t)getpid();
	h->generation = shm.generation;
	h->start_ns = clock_mono();
	h->clock = clock.kind;
	h->hz = clock.hz;
	h->tsc0 = clock.tick0;
	h->mono0 = clock.mono0;
	h->probes = shm.probes;
	h->packet_size = WEIR_SHM_PACKET_SIZE;
	h->sessions = WEIR_SHM_SESSIONS;
	h->features = shm.features;
	h->slots = shm.slots;
}

/*
 * Growing a memfd beyond RLIMIT_FSIZE raises SIGXFSZ, which kills a program that expects nothing
 * of the sort; so look first. RLIMIT_AS is seen by mmap.
 */
static int limit_check(uint64_t size, struct weir_error *err)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < size)
		return error_set(
		    err, -EFBIG,
		    "no buffers: they need %llu bytes and RLIMIT_FSIZE (ulimit -f) is %llu: "
		    "raise it, or lower WEIR_POOL",
		    (unsigned long long)size, (unsigned long long)limit.rlim_cur);
	return 0;
}

static int memfd_open(struct weir_error *err)
{
	int fd = memfd_create(WEIR_SHM_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	int high;

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create(WEIR_SHM_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		int e = errno;

		return error_set(err, -e, "no buffers: memfd_create failed: %s%s", strerror(e),
		                 e == EMFILE                 ? "; raise RLIMIT_NOFILE (ulimit -n)"
		                 : e == EPERM || e == ENOSYS ? "; a seccomp filter refuses it"
		                                             : "");
	}
	/* Out of the way of programs that close and reuse low numbers. */
	high = fcntl(fd, F_DUPFD_CLOEXEC, 512);
	if (high >= 0) {
		close(fd);
		fd = high;
	}
	return fd;
}

static int memfd_shape(int fd, uint64_t size, struct weir_error *err)
{
	if (ftruncate(fd, (off_t)size)) {
		int e = errno;

		return error_set(err, -e, "no buffers: cannot size a memfd to %llu bytes: %s",
		                 (unsigned long long)size, strerror(e));
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		int e = errno;

		return error_set(err, -e, "no buffers: cannot seal a memfd: %s", strerror(e));
	}
	return 0;
}

static void shm_bases(uint8_t *base, const struct weir_shm_header *h)
{
	shm.base = base;
	shm.header = (struct weir_shm_header *)base;
	shm.sessions = (struct weir_shm_session *)(base + h->off_session);
	shm.stripes = (struct weir_shm_stripe *)(base + h->off_stripe);
	shm.masks = (uint32_t *)(base + h->off_mask);
	shm.descs = (struct weir_shm_desc *)(base + h->off_desc);
	shm.schema = base + h->off_schema;
	shm.schema_size = h->schema_size;
	shm.pool = base + h->off_packet;
	shm.packets = h->packets;
	shm.cpus = h->cpus;
}

void shm_ready(void)
{
	/* release: partner is the tracer's first load of the magic */
	__atomic_store_n(&shm.header->magic, WEIR_SHM_MAGIC, __ATOMIC_RELEASE);
}

/* Makes a memfd of this header's layout and maps it, at `at` if that is not NULL. */
static int shm_map(struct weir_shm_header *h, void *at, struct weir_error *err)
{
	struct stat st;
	uint64_t size = layout(h);
	uint8_t *base;
	int fd, r = limit_check(size, err);

	if (r)
		return r;
	fd = memfd_open(err);
	if (fd < 0)
		return fd;
	r = memfd_shape(fd, size, err);
	if (r || fstat(fd, &st)) {
		close(fd);
		return r ? r : -EIO;
	}
	base = mmap(at, size, PROT_READ | PROT_WRITE,
	            MAP_SHARED | MAP_NORESERVE | (at ? MAP_FIXED : 0), fd, 0);
	if (base == MAP_FAILED) {
		r = -errno;
		close(fd);
		return error_set(
		    err, r, "no buffers: cannot map %llu bytes: %s%s", (unsigned long long)size,
		    strerror(-r),
		    r == -ENOMEM ? " (RLIMIT_AS?); make the pool smaller with WEIR_POOL" : "");
	}
	h->size = size;
	shm.size = size;
	shm.fd = fd;
	shm.ino = st.st_ino;
	shm_bases(base, h);
	return 0;
}

int shm_create(uint64_t pool_size, uint32_t features, uint32_t slots_per_cpu,
               struct weir_error *err)
{
	struct weir_shm_header h = { 0 };
	int r, shrunk = 0;

	shm.features = features;
	h.cpus = cpus_possible();
	shm.slots = h.cpus * slots_per_cpu;
	for (;; pool_size /= 4) {
		h.packets = (uint32_t)(pool_size / WEIR_SHM_PACKET_SIZE);
		r = shm_map(&h, NULL, err);
		if (!r)
			break;
		/* A limit may leave room for a smaller one. */
		if ((r != -ENOMEM && r != -EFBIG) || pool_size / 4 < POOL_MIN)
			return r;
		shrunk = r;
	}
	if (shrunk)
		error_set(
		    err, shrunk,
		    "buffers of %llu KiB only: RLIMIT_AS or RLIMIT_FSIZE leaves no room for more",
		    (unsigned long long)pool_size >> 10);
	fill_header(&h);
	h.magic = 0;
	*shm.header = h;
	return 0;
}

void shm_allow(uint32_t features)
{
	if (!shm.base)
		return;
	shm.features |= features;
	shm.header->features = shm.features;
}

static bool fd_is_ours(void)
{
	struct stat st;

	return shm.fd >= 0 && !fstat(shm.fd, &st) && st.st_ino == shm.ino;
}

bool shm_tracer_gone(unsigned session)
{
	struct flock fl = { .l_type = F_WRLCK,
		            .l_whence = SEEK_SET,
		            .l_start = WEIR_LOCK_OWNER(session),
		            .l_len = 1 };

	return fd_is_ours() && !fcntl(shm.fd, F_OFD_GETLK, &fl) && fl.l_type == F_UNLCK;
}

int shm_recreate(void)
{
	struct weir_shm_header h = { .cpus = shm.cpus, .packets = shm.packets };
	uint8_t *old = shm.base, *copy;
	uint64_t schema_end = shm.schema_end;
	int old_fd = fd_is_ours() ? shm.fd : -1;
	int r;

	/* The new mapping replaces the old one, so the schema takes a detour. */
	copy =
	    mmap(NULL, schema_end + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return -errno;
	memcpy(copy, shm.schema, schema_end);
	r = shm_map(&h, old, NULL);
	if (!r) {
		shm.generation++;
		fill_header(&h);
		memcpy(shm.schema, copy, schema_end);
		h.schema_end = schema_end;
		*shm.header = h;
		if (old_fd >= 0)
			close(old_fd);
	}
	munmap(copy, schema_end + 1);
	return r;
}

static int schema_append(uint16_t id, uint16_t kind, const void *bytes, uint32_t size)
{
	struct weir_shm_schema head = { .id = id, .kind = kind };
	uint8_t *to = shm.schema + shm.schema_end;

	head.length = (uint32_t)align_up(sizeof(head) + size, 8);
	if (head.length > shm.schema_size - shm.schema_end)
		return -ENOSPC;
	memcpy(to, &head, sizeof(head));
	if (size)
		memcpy(to + sizeof(head), bytes, size);
	shm.schema_end += head.length;
	if (id > shm.probes) {
		shm.probes = id;
		__atomic_store_n(&shm.header->probes, shm.probes, __ATOMIC_RELEASE);
	}
	/* release: partner is the tracer's load of schema_end before it reads the log */
	__atomic_store_n(&shm.header->schema_end, shm.schema_end, __ATOMIC_RELEASE);
	return 0;
}

int shm_schema_add(uint16_t id, const struct weir_note *note)
{
	return schema_append(id, WEIR_SCHEMA_ADD, note, note->size);
}

int shm_schema_withdraw(uint16_t id)
{
	return schema_append(id, WEIR_SCHEMA_WITHDRAW, NULL, 0);
}
