/* SPDX-License-Identifier: MIT */
#include "reader/lease.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct lease_keeper {
	pthread_t thread;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t wake;
	const struct session **sessions;
	size_t count;
	size_t room;
	bool stop;
};

static void *keep(void *arg)
{
	struct lease_keeper *keeper = arg;
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stop) {
		for (size_t i = 0; i < keeper->count; i++)
			session_renew(keeper->sessions[i]);
		next.tv_sec++;
		while (!keeper->stop &&
		       pthread_cond_timedwait(&keeper->wake, &keeper->lock, &next) != ETIMEDOUT)
			;
		clock_gettime(CLOCK_MONOTONIC, &next);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

int lease_keeper_create(struct lease_keeper **ret)
{
	struct lease_keeper *keeper = calloc(1, sizeof(*keeper));
	pthread_condattr_t attr;
	sigset_t all, old;
	int code;

	if (!keeper)
		return -ENOMEM;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attr);
	pthread_condattr_destroy(&attr);
	/* Signals are for the thread that ends the trace. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&keeper->thread, NULL, keep, keeper);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code) {
		free(keeper);
		return -code;
	}
	*ret = keeper;
	return 0;
}

void lease_keeper_destroy(struct lease_keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stop = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	pthread_cond_destroy(&keeper->wake);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper->sessions);
	free(keeper);
}

int lease_keeper_add(struct lease_keeper *keeper, const struct session *session)
{
	int code = 0;

	pthread_mutex_lock(&keeper->lock);
	if (keeper->count == keeper->room) {
		size_t room = keeper->room ? 2 * keeper->room : 16;
		const struct session **sessions =
		    realloc(keeper->sessions, room * sizeof(*sessions));

		if (sessions) {
			keeper->sessions = sessions;
			keeper->room = room;
		} else {
			code = -ENOMEM;
		}
	}
	if (!code)
		keeper->sessions[keeper->count++] = session;
	pthread_mutex_unlock(&keeper->lock);
	return code;
}

void lease_keeper_remove(struct lease_keeper *keeper, const struct session *session)
{
	pthread_mutex_lock(&keeper->lock);
	for (size_t i = 0; i < keeper->count; i++) {
		if (keeper->sessions[i] == session)
			keeper->sessions[i--] = keeper->sessions[--keeper->count];
	}
	pthread_mutex_unlock(&keeper->lock);
}
