/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static int shared = 22;
static struct point {
	double x, y;
} point = { 1.5, -2 };

int other_start(void)
{
	point.x += shared;
	return shared;
}
