/* SPDX-License-Identifier: MIT */
/* Publishes shop.h's probes, says so, and waits for its input to end. */
#include "shop.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
	int ret = WEIR_PUBLISH(shop);

	if (ret) {
		fprintf(stderr, "WEIR_PUBLISH: %s\n", strerror(-ret));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		WEIR_PROBE_FIRE(shop, order, 42, "/cart");
	return 0;
}
