/* SPDX-License-Identifier: MIT */
/*
 * btf__dedup() does not tell which type became which. But a VAR is never merged with another, and
 * its type id is renumbered: so every type gets a VAR of its own, after all types; afterwards they
 * are in the same order at the end, and are read and cut off again.
 */
#include "types/btf_sort.h"

#include <bpf/btf.h>
#include <pthread.h>

#include "types/builder.h"
#include "types/util.h"

struct var_record {
	struct btf_type t;
	struct btf_var var;
};

static size_t count_types(const struct btf_header *h, const uint8_t *types)
{
	size_t count = 0;

	for (size_t at = 0; at < h->type_len; count++)
		at += btf_record_size((const void *)(types + at));
	return count;
}

/* The same BTF with a VAR for each type. */
static void *with_vars(const void *data, size_t *size, size_t *ret_count)
{
	const struct btf_header *h = data;
	const uint8_t *types = (const uint8_t *)data + h->hdr_len + h->type_off;
	const uint8_t *names = (const uint8_t *)data + h->hdr_len + h->str_off;
	size_t count = count_types(h, types), vars = count * sizeof(struct var_record);
	size_t total = sizeof(*h) + h->type_len + vars + h->str_len;
	uint8_t *out = total > UINT32_MAX ? NULL : malloc(total);
	struct var_record *v;

	if (!out)
		return NULL;
	*(struct btf_header *)out = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(*h),
		.type_len = h->type_len + vars,
		.str_off = h->type_len + vars,
		.str_len = h->str_len,
	};
	memcpy(out + sizeof(*h), types, h->type_len);
	v = (void *)(out + sizeof(*h) + h->type_len);
	for (size_t i = 0; i < count; i++)
		v[i] = (struct var_record){ .t = { .info = BTF_KIND_VAR << 24, .type = i + 1 } };
	memcpy(v + count, names, h->str_len);
	*size = total;
	*ret_count = count;
	return out;
}

/* What is left without the VARs, and where they point. */
static int without_vars(const void *data, size_t count, void **ret, size_t *ret_size,
                        uint32_t **ret_map)
{
	const struct btf_header *h = data;
	const uint8_t *types = (const uint8_t *)data + h->hdr_len + h->type_off;
	const uint8_t *names = (const uint8_t *)data + h->hdr_len + h->str_off;
	size_t kept = h->type_len - count * sizeof(struct var_record);
	const struct var_record *v = (const void *)(types + kept);
	size_t total = sizeof(*h) + kept + h->str_len;
	_cleanup_free_ uint32_t *map = calloc(count + 1, sizeof(*map));
	uint8_t *out = malloc(total);

	if (!out || !map) {
		free(out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		map[i + 1] = v[i].t.type;
	*(struct btf_header *)out = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(*h),
		.type_len = kept,
		.str_off = kept,
		.str_len = h->str_len,
	};
	memcpy(out + sizeof(*h), types, kept);
	memcpy(out + sizeof(*h) + kept, names, h->str_len);
	*ret = out;
	*ret_size = total;
	*ret_map = take_ptr(map);
	return 0;
}

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

int btf_dedup(void *data, size_t size, void **ret, size_t *ret_size, uint32_t **ret_map)
{
	struct job job = { 0 };
	size_t count = 0;
	uint32_t raw_size;
	const void *raw;
	void *more = with_vars(data, &size, &count);
	int err;

	free(data);
	if (!more)
		return -ENOMEM;
	job.btf = btf__new(more, size);
	err = job.btf ? 0 : -errno;
	free(more);
	if (err)
		return err;
	err = run_on_large_stack(&job, count);
	raw = err ? NULL : btf__raw_data(job.btf, &raw_size);
	if (!err)
		err = raw ? without_vars(raw, count, ret, ret_size, ret_map) : -ENOMEM;
	btf__free(job.btf);
	return err;
}
