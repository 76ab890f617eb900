/* SPDX-License-Identifier: MIT */
#include "cli/report/histogram.h"

#include <math.h>
#include <stdlib.h>

double histogram_edge(int step)
{
	int from_zero = (step < 0 ? -step : step) - 1;
	double edge;

	if (!step)
		return 0;
	edge = ldexp(1 + (double)(from_zero % HISTOGRAM_STEPS) / HISTOGRAM_STEPS,
	             from_zero / HISTOGRAM_STEPS - HISTOGRAM_EXPONENT);
	return step < 0 ? -edge : edge;
}

bool histogram_grow(struct histogram *h, int step)
{
	struct histogram_side *side = step < 0 ? &h->negative : &h->positive;
	uint32_t at = (uint32_t)(step < 0 ? -step : step) - 1;
	uint32_t first = at / HISTOGRAM_STEPS * HISTOGRAM_STEPS, end = first + HISTOGRAM_STEPS;
	uint64_t *counts;

	if (side->count) {
		first = side->first < first ? side->first : first;
		end = side->first + side->count > end ? side->first + side->count : end;
	}
	counts = calloc(end - first, sizeof(*counts));
	if (!counts)
		return false;
	if (side->count)
		memcpy(counts + (side->first - first), side->counts, side->count * sizeof(*counts));
	free(side->counts);
	*side = (struct histogram_side){ .counts = counts, .first = first, .count = end - first };
	return true;
}

static bool merge_side(struct histogram *into, const struct histogram_side *side, int sign)
{
	for (uint32_t i = 0; i < side->count; i++) {
		if (side->counts[i] &&
		    !histogram_add_step(into, sign * (int)(side->first + i + 1), side->counts[i]))
			return false;
	}
	return true;
}

bool histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->zeros += from->zeros;
	return merge_side(into, &from->negative, -1) && merge_side(into, &from->positive, 1);
}

void histogram_deinit(struct histogram *h)
{
	free(h->negative.counts);
	free(h->positive.counts);
	*h = (struct histogram){ 0 };
}

uint64_t histogram_count(const struct histogram *h, int step)
{
	const struct histogram_side *side = step < 0 ? &h->negative : &h->positive;
	uint32_t at = (uint32_t)(step < 0 ? -step : step) - 1 - side->first;

	if (!step)
		return h->zeros;
	return at < side->count ? side->counts[at] : 0;
}

static double middle(int step)
{
	int next = step < 0 ? step - 1 : step + 1;

	return step ? (histogram_edge(step) + histogram_edge(next)) / 2 : 0;
}

double histogram_percentile(const struct histogram *h, uint64_t total, double p)
{
	uint64_t rank = (uint64_t)ceil(p * (double)total), sum = 0;

	rank = rank ? rank : 1;
	for (uint32_t i = h->negative.count; i-- > 0;) {
		sum += h->negative.counts[i];
		if (sum >= rank)
			return middle(-(int)(h->negative.first + i + 1));
	}
	sum += h->zeros;
	if (sum >= rank)
		return 0;
	for (uint32_t i = 0; i < h->positive.count; i++) {
		sum += h->positive.counts[i];
		if (sum >= rank)
			return middle((int)(h->positive.first + i + 1));
	}
	return 0;
}

/* --- scales */

static void add_side(const struct histogram_side *side, int *low, int *high)
{
	for (uint32_t i = 0; i < side->count; i++) {
		int at = (int)(side->first + i + 1);

		if (!side->counts[i])
			continue;
		*low = !*low || at < *low ? at : *low;
		*high = at > *high ? at : *high;
	}
}

void scale_range_add(struct scale_range *range, const struct histogram *h)
{
	add_side(&h->negative, &range->negative_low, &range->negative_high);
	add_side(&h->positive, &range->positive_low, &range->positive_high);
	range->zero |= h->zeros != 0;
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
