/* SPDX-License-Identifier: MIT */
/*
 * A log-linear histogram, 16 steps for each power of two and for each sign, as an f64 has its bits:
 * what it says of a percentile is within 3% of the truth (but of numbers below 2^-1022, which have
 * fewer bits), and it takes the same room for ten values and ten billion.
 *
 * A step has a number: 1 and up for positive values, -1 and down for negative ones, 0 for zero.
 */
#ifndef WEIR_CLI_REPORT_HISTOGRAM_H
#define WEIR_CLI_REPORT_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HISTOGRAM_STEPS 16
#define HISTOGRAM_LAST  (2047 * HISTOGRAM_STEPS)

/* The steps of one sign: of each power of two that was ever needed, HISTOGRAM_STEPS counts. */
struct histogram_side {
	uint64_t **powers;     /* NULL: none */
	uint32_t first, count; /* `first`: from 0, which has step 1 */
};

struct histogram {
	struct histogram_side negative, positive;
	uint64_t zeros;
};

/* `v` is a number. */
static inline int histogram_step(double v)
{
	uint64_t bits;
	int step;

	memcpy(&bits, &v, sizeof(bits));
	if (!(bits << 1))
		return 0;
	step = (int)(bits << 1 >> 49) + 1; /* exponent and the first four bits behind it */
	return bits >> 63 ? -step : step;
}

/* Where a step begins, seen from zero. */
double histogram_edge(int step);

bool histogram_grow(struct histogram_side *side, uint32_t power);

/* false: no memory. */
static inline bool histogram_add_step(struct histogram *h, int step, uint64_t count)
{
	struct histogram_side *side = step < 0 ? &h->negative : &h->positive;
	uint32_t at = (uint32_t)(step < 0 ? -step : step) - 1, power = at / HISTOGRAM_STEPS;

	if (!step) {
		h->zeros += count;
		return true;
	}
	if ((power - side->first >= side->count || !side->powers[power - side->first]) &&
	    !histogram_grow(side, power))
		return false;
	side->powers[power - side->first][at % HISTOGRAM_STEPS] += count;
	return true;
}

/* Every step that has values, from the least to the greatest, until `fn` says false. */
typedef bool histogram_fn(void *arg, int step, uint64_t count);
bool histogram_each(const struct histogram *h, histogram_fn *fn, void *arg);

bool histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_deinit(struct histogram *h);

/*
 * The value that the share `p` of `total` values does not exceed; the middle of its step. If all values
 * are integers, an integer.
 */
double histogram_percentile(const struct histogram *h, uint64_t total, double p, bool integers);

/*
 * Steps as places side by side, from the least value to the greatest, joined so that there are at
 * most so many of them.
 */
struct scale {
	uint32_t join;              /* steps in a place; a power of two */
	int negative_low, negative; /* of places of magnitudes: the least, and how many */
	int positive_low, positive;
	bool zero;
	uint32_t count; /* 0: there are no values */
};

/* Begin with zeros, add every histogram, fit. */
struct scale_range {
	int negative_low, negative_high, positive_low, positive_high; /* 0: none */
	bool zero;
};
void scale_range_add(struct scale_range *range, const struct histogram *h);
void scale_fit(struct scale *scale, const struct scale_range *range, uint32_t most);

static inline uint32_t scale_place(const struct scale *s, int step)
{
	if (step > 0)
		return (uint32_t)(s->negative + s->zero + (step - 1) / (int)s->join -
		                  s->positive_low);
	if (!step)
		return (uint32_t)s->negative;
	return (uint32_t)(s->negative_low + s->negative - 1 - (-step - 1) / (int)s->join);
}

/* The values that a place stands for. */
void scale_bounds(const struct scale *scale, uint32_t place, double *low, double *high);

#endif
