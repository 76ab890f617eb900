/* SPDX-License-Identifier: MIT */
/* libbpf recurses as deep as the types are linked, so it runs on a large stack of its own. */
#include "types/btf_sort.h"

#include <bpf/btf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct job {
	struct btf *btf;
	int err;
};

static void *run(void *arg)
{
	struct job *job = arg;
	struct btf_dedup_opts opts = { .sz = sizeof(opts) };

	job->err = btf__dedup(job->btf, &opts);
	return NULL;
}

#define STACK_PER_TYPE 512
#define STACK_MIN      (8u << 20)
#define STACK_MAX      (1u << 30)

/* Address space, not memory: pages of the stack that are not reached are never there. */
static int run_on_large_stack(struct job *job, size_t count)
{
	size_t stack = STACK_MIN + count * STACK_PER_TYPE;
	pthread_attr_t attr;
	pthread_t thread;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	if (stack > STACK_MAX)
		stack = STACK_MAX;
	pthread_attr_setstacksize(&attr, stack & ~0xffffUL);
	err = pthread_create(&thread, &attr, run, job);
	pthread_attr_destroy(&attr);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return job->err;
}

int btf_dedup(void *data, size_t size, void **ret, size_t *ret_size)
{
	struct job job = { .btf = size > UINT32_MAX ? NULL : btf__new(data, size) };
	int err = job.btf ? 0 : size > UINT32_MAX ? -ENOMEM : -errno;
	const void *raw;
	uint32_t raw_size;

	free(data);
	if (err)
		return err;
	err = run_on_large_stack(&job, btf__type_cnt(job.btf));
	if (!err) {
		raw = btf__raw_data(job.btf, &raw_size);
		*ret = raw ? malloc(raw_size) : NULL;
		err = *ret ? 0 : -ENOMEM;
	}
	if (!err) {
		memcpy(*ret, raw, raw_size);
		*ret_size = raw_size;
	}
	btf__free(job.btf);
	return err;
}
