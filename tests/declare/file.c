/* SPDX-License-Identifier: MIT */
#include "shop.h"

struct weir_probe **file_order(void)
{
	return &shop_weir_order;
}

void file_fire_all(const char *bytes, const void *pointer)
{
	WEIR_PROBE_FIRE(shop, all, -1, -2, -3, -4, 251, 65531, 4294967291u, 1.5, -2.25, true, bytes,
	                5, pointer);
}
