/* SPDX-License-Identifier: MIT */
/*
 * A thread that has one of these locks waits for none above it:
 *
 *   the dynamic loader's   its owner is in dlopen or dlclose, maybe in a plugin's constructor or
 *                          destructor, which may call any function of this library
 *   lock in declare.c      one thread works on the objects that declare probes
 *   publish_lock           one thread makes probes known or takes them away
 *   LTTng's                fork() may have it when it calls our handlers
 *   list_lock in declare.c
 *   weir_lock              all providers and probes
 *   load_lock              what lttng_load.c has found
 *
 * The first line is the one to remember: nothing is loaded, unloaded or looked up (dlopen, dlclose,
 * dlsym, dladdr, dl_iterate_phdr) under a lock of ours. Nor does a thread wait in another way until
 * one that loads is done, for it may be in a constructor itself: two that publish the same probes
 * both load the stub, and the first to come back makes them known (publish.c). Likewise a fork, which
 * may be a constructor's, and those who let a fork go first, wait for a limited time.
 *
 * One exception below: of several copies of this library, the one that tells LTTng of forks takes
 * LTTng's lock under weir_lock in its fork handler. No owner of LTTng's lock waits for that copy's
 * weir_lock then: see lttng_load.c.
 */
#include "lib/lock.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t publishing = PTHREAD_MUTEX_INITIALIZER;
static unsigned int workers; /* under weir_lock */
static unsigned int forks_waiting;

#define NAPS_FOR_FORKS 50

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

void weir_lock(void)
{
	pthread_mutex_lock(&lock);
}

void weir_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void publish_lock(void)
{
	pthread_mutex_lock(&publishing);
	weir_lock();
}

void publish_unlock(void)
{
	weir_unlock();
	pthread_mutex_unlock(&publishing);
}

void work_begin(void)
{
	/* or those who publish in a loop would leave a fork no gap */
	for (int i = 0; i < NAPS_FOR_FORKS && __atomic_load_n(&forks_waiting, __ATOMIC_RELAXED);
	     i++)
		nap();
	weir_lock();
	workers++;
	weir_unlock();
}

void work_end(void)
{
	weir_lock();
	workers--;
	weir_unlock();
}

void locks_fork_prepare(int naps)
{
	__atomic_fetch_add(&forks_waiting, 1, __ATOMIC_RELAXED);
	weir_lock();
	while (workers && naps-- > 0) {
		weir_unlock();
		nap();
		weir_lock();
	}
	__atomic_fetch_sub(&forks_waiting, 1, __ATOMIC_RELAXED);
}

void locks_fork_parent(void)
{
	weir_unlock();
}

void locks_fork_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

	/* other threads of the parent may have been there */
	publishing = fresh;
	workers = 0;
	forks_waiting = 0;
	weir_unlock();
}
