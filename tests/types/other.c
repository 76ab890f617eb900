/* SPDX-License-Identifier: MIT */
#include "all.h"

struct later_on {
	int now, known;
	struct t_list *back;
};

struct private
{
	char of_other;
};

struct later_on later;
struct t_list in_other = { .later = &later };
static volatile struct private hidden;
int twice(int);

int twice(int x)
{
	hidden.of_other = x;
	return 2 * x + hidden.of_other + later.now;
}
