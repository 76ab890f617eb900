/* SPDX-License-Identifier: MIT */
/* A shared object that declares a probe of the program's provider, and one of its own. */
#include "shop.h"

WEIR_PROBE(plugin, load, (u64, n))

#define EXPORT __attribute__((visibility("default")))

EXPORT struct weir_probe **plugin_order(void)
{
	return &shop_weir_order;
}

EXPORT int plugin_publish(void)
{
	return WEIR_PUBLISH_ALL();
}

EXPORT int plugin_withdraw(void)
{
	return WEIR_WITHDRAW_ALL();
}

EXPORT void plugin_fire(uint64_t n)
{
	WEIR_PROBE_FIRE(plugin, load, n);
	WEIR_PROBE_FIRE(shop, order, n, "/plugin");
}
