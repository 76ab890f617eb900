/* SPDX-License-Identifier: MIT */
#include "types/btf_sort.h"

#include <linux/btf.h>

#include "types/builder.h"
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

int btf_sort_by_key(const void *a, const void *b)
{
	const struct btf_sort_key *x = a, *y = b;
	int order;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	order = x->prefix & 0xff ? strcmp(x->name + 8, y->name + 8) : 0;
	return order ? order : (x->origin > y->origin) - (x->origin < y->origin);
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
	qsort(keys, count, sizeof(*keys), btf_sort_by_key);
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
