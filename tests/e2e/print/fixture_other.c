/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static int shared = 22;
struct twin {
	long padding;
	int b;
} twin_b = { 1, 8 };
static struct point {
	double x, y;
} point = { 1.5, -2 };

int other_start(void)
{
	point.x += shared;
	return shared;
}
