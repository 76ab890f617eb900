/* SPDX-License-Identifier: MIT */
/*
 * Threads of a target by the number that its records carry: the number in its own pid namespace.
 * Names and the numbers outside are remembered, since a thread may be gone when its event is
 * printed.
 */
#ifndef WEIR_READER_THREADS_H
#define WEIR_READER_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct thread {
	uint32_t tid; /* in the target's pid namespace */
	uint32_t
	    outer; /* as the tracer sees it; `tid` if it was gone before it could be looked up */
	int64_t read_at; /* 0: an empty place */
	bool told;       /* to threads_each_new's caller */
	char name[16];
};

struct threads {
	pid_t pid;
	bool translate;       /* the target has a pid namespace of its own */
	struct thread *table; /* open addressing; power of two */
	size_t room, used;
	int64_t scanned_at;
};

void threads_init(struct threads *threads, pid_t pid, bool translate);
void threads_deinit(struct threads *threads);

/* Never NULL; valid until the next call. `now`: CLOCK_MONOTONIC, ns. */
const struct thread *threads_find(struct threads *threads, uint32_t tid, int64_t now);

/*
 * Read the names and numbers, inside and outside, of all threads that are there. What is known of
 * others stays.
 */
void threads_scan(struct threads *threads, int64_t now);

/* Look at all threads that are there; call for each that is new or has another name now. */
void threads_each_new(struct threads *threads, int64_t now,
                      void (*call)(void *arg, const struct thread *thread), void *arg);

/* The number outside; cheap without a namespace. */
static inline uint32_t threads_outer(struct threads *threads, uint32_t tid, int64_t now)
{
	return threads->translate ? threads_find(threads, tid, now)->outer : tid;
}

#endif
