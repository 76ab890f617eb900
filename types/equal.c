/* SPDX-License-Identifier: MIT */
/*
 * One hash table of a million keys is a cache miss for each of them, and nobody can help. So keys
 * are dealt out into shards first, and each has a table that fits into a core's cache.
 */
#include "types/equal.h"

#include "types/parallel.h"
#include "types/util.h"

#define SHARD_BITS_MAX 8
#define SHARD_KEYS     4096 /* about so many in each */

struct slot {
	uint64_t key;
	uint32_t index; /* plus 1; 0: free */
};

struct equal {
	const uint64_t *keys;
	size_t count;
	bool (*same)(const void *arg, uint32_t a, uint32_t b);
	const void *arg;
	uint32_t *first;
	unsigned int bits;
	uint32_t *list; /* indexes, those of a shard together and in order */
	size_t begin[(1u << SHARD_BITS_MAX) + 1];
};

static size_t shard_of(const struct equal *e, uint64_t key)
{
	return e->bits ? (key * 0x9e3779b97f4a7c15ULL) >> (64 - e->bits) : 0;
}

static void deal_out(struct equal *e)
{
	size_t shards = 1u << e->bits, at[1u << SHARD_BITS_MAX];

	for (size_t i = 0; i < e->count; i++)
		e->begin[shard_of(e, e->keys[i]) + 1]++;
	for (size_t s = 0; s < shards; s++) {
		e->begin[s + 1] += e->begin[s];
		at[s] = e->begin[s];
	}
	for (size_t i = 0; i < e->count; i++)
		e->list[at[shard_of(e, e->keys[i])]++] = i;
}

static bool is_same(const struct equal *e, const struct slot *s, uint32_t i)
{
	return s->key == e->keys[i] && (!e->same || e->same(e->arg, s->index - 1, i));
}

static int find_in_shard(void *arg, size_t shard)
{
	struct equal *e = arg;
	const uint32_t *list = e->list + e->begin[shard];
	size_t count = e->begin[shard + 1] - e->begin[shard], size = 64;
	_cleanup_free_ struct slot *table = NULL;

	while (size < count * 2)
		size *= 2;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (size_t k = 0; k < count; k++) {
		uint32_t i = list[k];
		size_t at = e->keys[i] & (size - 1);

		while (table[at].index && !is_same(e, &table[at], i))
			at = (at + 1) & (size - 1);
		if (!table[at].index)
			table[at] = (struct slot){ e->keys[i], i + 1 };
		e->first[i] = table[at].index - 1;
	}
	return 0;
}

int equal_find(const uint64_t *keys, size_t count, size_t threads,
               bool (*same)(const void *arg, uint32_t a, uint32_t b), const void *arg,
               uint32_t *first)
{
	struct equal e = { .keys = keys, .count = count, .same = same, .arg = arg, .first = first };
	_cleanup_free_ uint32_t *list = malloc((count + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	e.list = list;
	while (e.bits < SHARD_BITS_MAX && count >> e.bits > SHARD_KEYS)
		e.bits++;
	deal_out(&e);
	return parallel_steps(threads, 1u << e.bits, find_in_shard, &e);
}
