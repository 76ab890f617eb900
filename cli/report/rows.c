/* SPDX-License-Identifier: MIT */
#include "cli/report/rows.h"

#include <math.h>
#include <stdlib.h>

static uint64_t hash_of(const char *key, size_t size)
{
	uint64_t h = size + 1, word;

	for (; size >= sizeof(word); key += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	word = 0;
	for (size_t i = 0; i < size; i++)
		word = word << 8 | (unsigned char)key[i];
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static struct row **place(struct row **table, size_t room, uint64_t hash, const char *key,
                          size_t size)
{
	size_t i = hash & (room - 1);

	for (; table[i]; i = (i + 1) & (room - 1)) {
		if (table[i]->hash == hash && table[i]->size == size &&
		    !memcmp(table[i]->key, key, size))
			break;
	}
	return &table[i];
}

static bool grow(struct rows *rows)
{
	size_t room = rows->room ? 2 * rows->room : 256;
	struct row **table = calloc(room, sizeof(struct row *));
	struct row **list = realloc(rows->list, room / 2 * sizeof(struct row *));

	rows->list = list ? list : rows->list;
	if (!table || !list) {
		free(table);
		return false;
	}
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = rows->list[i];

		*place(table, room, row->hash, row->key, row->size) = rows->list[i];
	}
	free(rows->table);
	rows->table = table;
	rows->room = room;
	return true;
}

struct row *row_create(const char *key, size_t size)
{
	struct row *row = calloc(1, sizeof(*row) + size + 1);

	if (!row)
		return NULL;
	memcpy(row->key, key, size);
	row->size = (uint32_t)size;
	row->slot = -1;
	row->min = INFINITY;
	row->max = -INFINITY;
	row->first = INT64_MAX;
	row->last = INT64_MIN;
	return row;
}

static struct row *beyond(struct rows *rows)
{
	if (!rows->beyond)
		rows->beyond = row_create("", 0);
	rows->no_memory |= !rows->beyond;
	return rows->beyond;
}

struct row *rows_find(struct rows *rows, const char *key, size_t size)
{
	uint64_t hash = hash_of(key, size);
	struct row **found = NULL;

	if (rows->room) {
		found = place(rows->table, rows->room, hash, key, size);
		if (*found)
			return *found;
	}
	if (rows->count == ROWS_MAX)
		return beyond(rows);
	if (2 * (rows->count + 1) > rows->room) {
		if (!grow(rows)) {
			rows->no_memory = true;
			return NULL;
		}
		found = place(rows->table, rows->room, hash, key, size);
	}
	*found = row_create(key, size);
	if (!*found) {
		rows->no_memory = true;
		return NULL;
	}
	(*found)->hash = hash;
	rows->list[rows->count++] = *found;
	return *found;
}

bool row_merge(struct row *into, const struct row *from)
{
	into->count += from->count;
	sum_merge(&into->sum, &from->sum);
	into->fractions |= from->fractions;
	row_add_range(into, from->min, from->max, from->least, from->greatest);
	into->first = from->first < into->first ? from->first : into->first;
	into->last = from->last > into->last ? from->last : into->last;
	return histogram_merge(&into->values, &from->values);
}

static double within(const struct row *row, double v)
{
	return v < row->min ? row->min : v > row->max ? row->max : v;
}

double row_mean(const struct row *row)
{
	return within(row, sum_mean(&row->sum, row->count));
}

double row_percentile(const struct row *row, double p)
{
	return within(row, histogram_percentile(&row->values, row->count, p, !row->fractions));
}

static int by_count(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : strcmp(x->key, y->key);
}

void rows_sort(struct rows *rows)
{
	if (rows->count)
		qsort(rows->list, rows->count, sizeof(*rows->list), by_count);
}

void rows_deinit(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		histogram_deinit(&rows->list[i]->values);
		free(rows->list[i]);
	}
	if (rows->beyond)
		histogram_deinit(&rows->beyond->values);
	free(rows->beyond);
	free(rows->table);
	free(rows->list);
	*rows = (struct rows){ 0 };
}
