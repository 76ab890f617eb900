/* SPDX-License-Identifier: MIT */
#include "types/parallel.h"

#include <pthread.h>
#include <stdbool.h>

#define THREADS_MAX       16
#define RANGES_PER_THREAD 4 /* so that one that takes longer is no thread's whole work */
#define RANGE_MIN         4096

struct steps {
	pthread_mutex_t lock;
	size_t next, count;
	int (*step)(void *arg, size_t step);
	void *arg;
	size_t failed; /* the first step that did; `count`: none */
	int err;
};

static bool take_step(struct steps *s, size_t *ret)
{
	bool got;

	pthread_mutex_lock(&s->lock);
	got = s->next < s->count && s->failed == s->count;
	if (got)
		*ret = s->next++;
	pthread_mutex_unlock(&s->lock);
	return got;
}

static void *work(void *arg)
{
	struct steps *s = arg;
	size_t step;

	while (take_step(s, &step)) {
		int err = s->step(s->arg, step);

		if (!err)
			continue;
		pthread_mutex_lock(&s->lock);
		if (step < s->failed) {
			s->failed = step;
			s->err = err;
		}
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

int parallel_steps(size_t threads, size_t count, int (*step)(void *arg, size_t step), void *arg)
{
	struct steps s = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.count = count,
		.step = step,
		.arg = arg,
		.failed = count,
	};
	pthread_t helpers[THREADS_MAX];
	size_t started = 0;

	/* one that cannot be started is missed by nobody */
	while (started < THREADS_MAX && started + 1 < threads && started + 1 < count &&
	       !pthread_create(&helpers[started], NULL, work, &s))
		started++;
	work(&s);
	while (started)
		pthread_join(helpers[--started], NULL);
	return s.err;
}

/* --- ranges --- */

struct ranges {
	size_t count, size;
	int (*range)(void *arg, size_t begin, size_t end);
	void *arg;
};

static int do_range(void *arg, size_t step)
{
	const struct ranges *r = arg;
	size_t begin = step * r->size, end = begin + r->size;

	return r->range(r->arg, begin, end < r->count ? end : r->count);
}

int parallel_ranges(size_t threads, size_t count, int (*range)(void *arg, size_t begin, size_t end),
                    void *arg)
{
	struct ranges r = { .count = count, .size = count, .range = range, .arg = arg };

	if (!count)
		return 0;
	if (threads > 1)
		r.size = count / (threads * RANGES_PER_THREAD) + 1;
	if (r.size < RANGE_MIN)
		r.size = RANGE_MIN;
	return parallel_steps(threads, (count + r.size - 1) / r.size, do_range, &r);
}
