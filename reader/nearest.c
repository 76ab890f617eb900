/* SPDX-License-Identifier: MIT */
#include "reader/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "reader/error.h"

#define LONGEST 128

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance; three rows of the table are enough. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][LONGEST + 1];

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = rows[i % 3], *before = rows[(i - 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);

			now[j] = least(before[j - 1] + (x != y), least(before[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				now[j] = least(now[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t length = strlen(word);
	const char *best = NULL;
	unsigned best_distance;

	if (!length || length > LONGEST)
		return NULL;
	/* more than a third wrong is another word */
	best_distance = length / 3 + 2;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(names[i]);
		unsigned d;

		if (other > LONGEST || other >= length + best_distance ||
		    length >= other + best_distance)
			continue;
		d = distance(word, length, names[i], other);
		if (d < best_distance) {
			best_distance = d;
			best = names[i];
		}
	}
	return best;
}

int nearest_error(struct weir_error *err, const char *word, const char *where,
                  const char *const *names, size_t count, const char *command)
{
	const char *near = nearest_name(word, names, count);

	if (near)
		return weir_err(err, -ENOENT, "no probe %s in %s; nearest: %s; `%s` shows all",
		                word, where, near, command);
	if (count)
		return weir_err(err, -ENOENT,
		                "no probe %s in %s; it has %zu others: `%s` shows them", word,
		                where, count, command);
	return weir_err(err, -ENOENT, "no probe %s in %s: it has no probes at all", word, where);
}
