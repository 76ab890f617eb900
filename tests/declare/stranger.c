/* SPDX-License-Identifier: MIT */
/* A shared object that was built against another shop.h. */
#include <weir/probe.h>

WEIR_PROBE(shop, order, (string, id), (u64, path))
WEIR_PROBE(shop, other, (u8, n))

#define EXPORT __attribute__((visibility("default")))

EXPORT int stranger_publish(struct weir_error *error);
EXPORT bool stranger_other_is_there(void);

int stranger_publish(struct weir_error *error)
{
	const struct weir_provider_options options = { .size = sizeof(options), .error = error };

	return WEIR_PUBLISH_WITH(shop, &options);
}

bool stranger_other_is_there(void)
{
	return shop_weir_other != weir_probe_off && shop_weir_order == weir_probe_off;
}
