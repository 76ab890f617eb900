// SPDX-License-Identifier: MIT
#include "shop.h"

WEIR_PROBE(shop, cc, (u32, n))

struct weir_probe **cc_order(void)
{
	return &shop_weir_order;
}

void cc_fire_all(const char *bytes, const void *pointer)
{
	if (WEIR_PROBE_ENABLED(shop, cc))
		shop_cc_fire(1);
	shop_all_fire(-1, -2, -3, -4, 251, 65531, 4294967291u, 1.5, -2.25, true, bytes, 5, pointer);
}
