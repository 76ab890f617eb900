/* SPDX-License-Identifier: MIT */
#include "types/btf_sort.h"

#include <linux/btf.h>

#include "types/builder.h"
#include "types/parallel.h"
#include "types/util.h"

static uint64_t prefix_of(const char *name)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++) {
		value = value << 8 | (uint8_t)*name;
		if (*name)
			name++;
	}
	return value;
}

struct btf_sort_key btf_sort_key(const char *name, uint64_t origin, uint32_t id)
{
	return (struct btf_sort_key){ prefix_of(name), origin, name, id };
}

static int by_key(const void *a, const void *b)
{
	const struct btf_sort_key *x = a, *y = b;
	int order;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	order = x->prefix & 0xff ? strcmp(x->name + 8, y->name + 8) : 0;
	return order ? order : (x->origin > y->origin) - (x->origin < y->origin);
}

/*
 * Several threads: some of a sample of the keys are where buckets begin; keys are dealt out, and
 * each bucket is sorted by one thread.
 */
#define BUCKETS     32
#define SAMPLES     (BUCKETS * 16)
#define THREADS_MIN (SAMPLES * 16) /* keys that are worth more threads than one */

struct buckets {
	struct btf_sort_key *keys, *sorted;
	struct btf_sort_key first[BUCKETS]; /* of each; first[0] is not used */
	uint8_t *bucket;                    /* by key */
	size_t begin[BUCKETS + 1];
};

static void choose_buckets(struct buckets *b, size_t count)
{
	struct btf_sort_key samples[SAMPLES];

	for (size_t i = 0; i < SAMPLES; i++)
		samples[i] = b->keys[count / SAMPLES * i];
	qsort(samples, SAMPLES, sizeof(*samples), by_key);
	for (size_t i = 1; i < BUCKETS; i++)
		b->first[i] = samples[i * (SAMPLES / BUCKETS)];
}

static int find_buckets(void *arg, size_t begin, size_t end)
{
	struct buckets *b = arg;

	for (size_t i = begin; i < end; i++) {
		size_t low = 0, high = BUCKETS;

		while (low + 1 < high) {
			size_t middle = (low + high) / 2;

			if (by_key(&b->first[middle], &b->keys[i]) <= 0)
				low = middle;
			else
				high = middle;
		}
		b->bucket[i] = low;
	}
	return 0;
}

static void deal_out(struct buckets *b, size_t count)
{
	size_t at[BUCKETS];

	for (size_t i = 0; i < count; i++)
		b->begin[b->bucket[i] + 1]++;
	for (size_t i = 0; i < BUCKETS; i++) {
		b->begin[i + 1] += b->begin[i];
		at[i] = b->begin[i];
	}
	for (size_t i = 0; i < count; i++)
		b->sorted[at[b->bucket[i]]++] = b->keys[i];
}

static int sort_bucket(void *arg, size_t i)
{
	struct buckets *b = arg;

	qsort(b->sorted + b->begin[i], b->begin[i + 1] - b->begin[i], sizeof(*b->sorted), by_key);
	return 0;
}

int btf_sort_keys(struct btf_sort_key **keys, size_t count, size_t threads)
{
	struct buckets b = { .keys = *keys };

	if (threads < 2 || count < THREADS_MIN) {
		qsort(*keys, count, sizeof(**keys), by_key);
		return 0;
	}
	b.sorted = malloc(count * sizeof(*b.sorted));
	b.bucket = malloc(count);
	if (!b.sorted || !b.bucket) {
		free(b.sorted);
		free(b.bucket);
		return -ENOMEM;
	}
	choose_buckets(&b, count);
	parallel_ranges(threads, count, find_buckets, &b);
	deal_out(&b, count);
	parallel_steps(threads, BUCKETS, sort_bucket, &b);
	free(b.bucket);
	free(b.keys);
	*keys = b.sorted;
	return 0;
}

static void renumber(uint32_t *id, void *arg)
{
	*id = ((const uint32_t *)arg)[*id];
}

static size_t count_records(const uint8_t *types, size_t size)
{
	size_t count = 0;

	for (size_t at = 0; at < size; count++)
		at += btf_record_size((const void *)(types + at));
	return count;
}

static void fill_keys(const uint8_t *types, size_t size, const char *names,
                      struct btf_sort_key *keys, const struct btf_type **records)
{
	uint32_t id = 1;

	for (size_t at = 0; at < size; id++) {
		const struct btf_type *t = (const void *)(types + at);
		const char *name = names + t->name_off;

		records[id] = t;
		keys[id - 1] = btf_sort_key(name, id, id);
		at += btf_record_size(t);
	}
}

int btf_sort(const void *data, void **ret, size_t *ret_size)
{
	const struct btf_header *h = data;
	const uint8_t *types = (const uint8_t *)data + h->hdr_len + h->type_off;
	const char *names = (const char *)data + h->hdr_len + h->str_off;
	size_t count = count_records(types, h->type_len);
	_cleanup_free_ struct btf_sort_key *keys = malloc((count + 1) * sizeof(*keys));
	_cleanup_free_ const struct btf_type **records = malloc((count + 1) * sizeof(*records));
	_cleanup_free_ uint32_t *map = calloc(count + 1, sizeof(*map));
	size_t total = sizeof(*h) + h->type_len + h->str_len;
	uint8_t *out = malloc(total), *at;

	if (!keys || !records || !map || !out) {
		free(out);
		return -ENOMEM;
	}
	fill_keys(types, h->type_len, names, keys, records);
	if (btf_sort_keys(&keys, count, 1)) {
		free(out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		map[keys[i].id] = i + 1;
	*(struct btf_header *)out = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(*h),
		.type_len = h->type_len,
		.str_off = h->type_len,
		.str_len = h->str_len,
	};
	at = out + sizeof(*h);
	for (size_t i = 0; i < count; i++) {
		size_t bytes = btf_record_size(records[keys[i].id]);

		memcpy(at, records[keys[i].id], bytes);
		btf_record_ids((void *)at, renumber, map);
		at += bytes;
	}
	memcpy(at, names, h->str_len);
	*ret = out;
	*ret_size = total;
	return 0;
}
