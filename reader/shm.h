/* SPDX-License-Identifier: MIT */
/*
 * A target's shared memory as a tracer holds it: found, checked, mapped. The target may write
 * anything into it at any time. What bounds a memory access (offsets, counts) is copied once,
 * checked, and used from the copy `head` alone; the seals keep the file from shrinking under the
 * mapping.
 */
#ifndef WEIR_READER_SHM_H
#define WEIR_READER_SHM_H

#include <weir/abi/shm.h>
#include <weir/weir.h>

#include <stdbool.h>
#include <sys/types.h>

struct shm {
	uint8_t *base;
	uint64_t size;
	struct weir_shm_header
	    head; /* checked copy; of words that change only the bounds are used */
	int fd;
	pid_t pid; /* of the target, as the tracer sees it; 0: none (a file) */
	dev_t dev;
	ino_t ino;
	char where[64]; /* the link in /proc that it was found by; "": none */
};

/*
 * Check and map the memfd `fd` (opened for reading and writing; becomes the shm's on success).
 * `pid` is the target's, `inner` its pid in its own namespace; 0: do not compare.
 * -EPERM: not sealed, no memfd, or a size that does not fit: nothing to trust;
 * -EAGAIN: not initialised yet; -EPROTONOSUPPORT: another major version; -ESRCH: another
 * process's; -EBADMSG: an impossible header.
 */
int shm_map(int fd, pid_t pid, pid_t inner, struct shm *ret, struct weir_error *err);
void shm_unmap(struct shm *shm);

/*
 * Is this memfd held open or mapped by the process still? False after an exec, and when it ends. Sets
 * `where`.
 */
bool shm_alive(struct shm *shm);

/* Is it where it was found? One system call; if not, shm_alive() tells. */
bool shm_in_place(const struct shm *shm);

/*
 * All shared memories of a process, by its descriptors, else (a daemon closed them) by its
 * mappings. `seen` says whether one is known already, by device and inode. Calls `found` with each
 * new one, which owns it if it returns 0. Returns the number found, or -errno with a message:
 * -ENOENT: it has none; -EACCES: not allowed to look; -ESRCH: no such process.
 * Memories that are refused are skipped; if nothing else is found, the reason is the error.
 */
int shm_find(pid_t pid, bool (*seen)(void *arg, dev_t dev, ino_t ino),
             int (*found)(void *arg, struct shm *shm), void *arg, struct weir_error *err);

static inline struct weir_shm_header *shm_header(const struct shm *shm)
{
	return (struct weir_shm_header *)shm->base;
}

/* Slots of a CPU share its stripe's counters. At least 1. */
static inline uint32_t shm_slots_per_cpu(const struct shm *shm)
{
	uint32_t n = shm->head.slots / shm->head.cpus;

	return n ? n : 1;
}

static inline struct weir_shm_session *shm_session(const struct shm *shm, uint32_t i)
{
	return (struct weir_shm_session *)(shm->base + shm->head.off_session) + i;
}

static inline struct weir_shm_stripe *shm_stripe(const struct shm *shm, uint32_t cpu)
{
	return (struct weir_shm_stripe *)(shm->base + shm->head.off_stripe) + cpu;
}

static inline uint32_t *shm_mask(const struct shm *shm)
{
	return (uint32_t *)(shm->base + shm->head.off_mask);
}

static inline struct weir_shm_desc *shm_desc(const struct shm *shm, uint32_t i)
{
	return (struct weir_shm_desc *)(shm->base + shm->head.off_desc) + i;
}

static inline struct weir_shm_packet *shm_packet(const struct shm *shm, uint32_t i)
{
	return (struct weir_shm_packet *)(shm->base + shm->head.off_packet +
	                                  (uint64_t)i * WEIR_SHM_PACKET_SIZE);
}

/* Highest probe id in use now. */
static inline uint32_t shm_probes(const struct shm *shm)
{
	uint32_t probes = __atomic_load_n(&shm_header(shm)->probes, __ATOMIC_ACQUIRE);

	return probes < WEIR_SHM_PROBES ? probes : WEIR_SHM_PROBES - 1;
}

#endif
