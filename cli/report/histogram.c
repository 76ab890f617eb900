/* SPDX-License-Identifier: MIT */
#include "cli/report/histogram.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

double histogram_edge(int step)
{
	int place = abs(step) - 1;
	uint64_t bits = (uint64_t)place << 48;
	double edge = DBL_MAX;

	if (!step)
		return 0;
	if (place < HISTOGRAM_LAST)
		memcpy(&edge, &bits, sizeof(edge));
	return step < 0 ? -edge : edge;
}

bool histogram_grow(struct histogram_side *side, uint32_t power)
{
	uint32_t first = power, end = power + 1;
	uint64_t **powers = side->powers;

	if (side->count) {
		first = side->first < first ? side->first : first;
		end = side->first + side->count > end ? side->first + side->count : end;
	}
	if (end - first > side->count) {
		powers = calloc(end - first, sizeof(uint64_t *));
		if (!powers)
			return false;
		if (side->count)
			memcpy(powers + (side->first - first), side->powers,
			       side->count * sizeof(uint64_t *));
		free(side->powers);
		*side = (struct histogram_side){ powers, first, end - first };
	}
	powers[power - first] = calloc(HISTOGRAM_STEPS, sizeof(uint64_t));
	return powers[power - first];
}

static bool each_of(const struct histogram_side *side, int sign, histogram_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < side->count; i++) {
		uint32_t at = sign < 0 ? side->count - 1 - i : i;

		for (uint32_t k = 0; side->powers[at] && k < HISTOGRAM_STEPS; k++) {
			uint32_t place = sign < 0 ? HISTOGRAM_STEPS - 1 - k : k;
			uint64_t count = side->powers[at][place];
			int step = (int)((side->first + at) * HISTOGRAM_STEPS + place + 1);

			if (count && !fn(arg, sign * step, count))
				return false;
		}
	}
	return true;
}

bool histogram_each(const struct histogram *h, histogram_fn *fn, void *arg)
{
	return each_of(&h->negative, -1, fn, arg) && (!h->zeros || fn(arg, 0, h->zeros)) &&
	       each_of(&h->positive, 1, fn, arg);
}

static bool merge_step(void *arg, int step, uint64_t count)
{
	return histogram_add_step(arg, step, count);
}

bool histogram_merge(struct histogram *into, const struct histogram *from)
{
	return histogram_each(from, merge_step, into);
}

static void free_side(struct histogram_side *side)
{
	for (uint32_t i = 0; i < side->count; i++)
		free(side->powers[i]);
	free(side->powers);
}

void histogram_deinit(struct histogram *h)
{
	free_side(&h->negative);
	free_side(&h->positive);
	*h = (struct histogram){ 0 };
}

/* Of the integers of a step, if they are, one in the middle: where there is but one, that one. */
static double middle(int step, bool integers)
{
	double low = histogram_edge(abs(step)), width = histogram_edge(abs(step) + 1) - low;
	double at = !integers ? low + width / 2 : width > 1 ? low + floor((width - 1) / 2) : low;

	return step < 0 ? -at : at;
}

struct ranking {
	uint64_t left;
	int step;
};

static bool rank_step(void *arg, int step, uint64_t count)
{
	struct ranking *ranking = arg;

	ranking->step = step;
	if (count >= ranking->left)
		return false;
	ranking->left -= count;
	return true;
}

double histogram_percentile(const struct histogram *h, uint64_t total, double p, bool integers)
{
	struct ranking ranking = { .left = (uint64_t)ceil(p * (double)total) };

	ranking.left = ranking.left ? ranking.left : 1;
	histogram_each(h, rank_step, &ranking);
	return ranking.step ? middle(ranking.step, integers) : 0;
}

/* --- scales */

static bool add_step(void *arg, int step, uint64_t count)
{
	struct scale_range *range = arg;
	int *low = step < 0 ? &range->negative_low : &range->positive_low;
	int *high = step < 0 ? &range->negative_high : &range->positive_high;
	int at = abs(step);

	(void)count;
	if (!step) {
		range->zero = true;
		return true;
	}
	*low = !*low || at < *low ? at : *low;
	*high = at > *high ? at : *high;
	return true;
}

void scale_range_add(struct scale_range *range, const struct histogram *h)
{
	histogram_each(h, add_step, range);
}

static int fit_side(int low, int high, int join, int *first)
{
	if (!high)
		return 0;
	*first = (low - 1) / join;
	return (high - 1) / join - *first + 1;
}

void scale_fit(struct scale *s, const struct scale_range *range, uint32_t most)
{
	for (uint32_t join = 1;; join *= 2) {
		*s = (struct scale){ .join = join, .zero = range->zero };
		s->negative = fit_side(range->negative_low, range->negative_high, (int)join,
		                       &s->negative_low);
		s->positive = fit_side(range->positive_low, range->positive_high, (int)join,
		                       &s->positive_low);
		s->count = (uint32_t)(s->negative + s->zero + s->positive);
		if (s->count <= most || join >= HISTOGRAM_LAST)
			return;
	}
}

void scale_bounds(const struct scale *s, uint32_t place, double *low, double *high)
{
	int at = (int)place, join = (int)s->join, magnitude;

	if (at < s->negative) {
		magnitude = s->negative_low + s->negative - 1 - at;
		*low = -histogram_edge((magnitude + 1) * join + 1);
		*high = -histogram_edge(magnitude * join + 1);
		return;
	}
	at -= s->negative;
	if (s->zero && !at--) {
		*low = *high = 0;
		return;
	}
	*low = histogram_edge((s->positive_low + at) * join + 1);
	*high = histogram_edge((s->positive_low + at + 1) * join + 1);
}
