/* SPDX-License-Identifier: MIT */
/*
 * A sum of any numbers, whose mean is one of them or between them: large ones are summed up as so much
 * less, apart from the others, which would be lost in them.
 */
#ifndef WEIR_CLI_REPORT_SUM_H
#define WEIR_CLI_REPORT_SUM_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#define SUM_LARGE 0x1p900
#define SUM_LESS  0x1p-120 /* 2^64 of the largest are less than the largest */

struct sum {
	double small, large;
};

static inline void sum_add(struct sum *sum, double v)
{
	if (fabs(v) < SUM_LARGE)
		sum->small += v;
	else
		sum->large += v * SUM_LESS;
}

static inline void sum_merge(struct sum *into, const struct sum *from)
{
	into->small += from->small;
	into->large += from->large;
}

static inline double sum_mean(const struct sum *sum, uint64_t count)
{
	double n = (double)count, mean;

	if (!count)
		return 0;
	mean = sum->large / n / SUM_LESS + sum->small / n;
	return fmin(fmax(mean, -DBL_MAX), DBL_MAX); /* what rounding made of the largest */
}

#endif
