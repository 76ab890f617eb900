/* SPDX-License-Identifier: MIT */
/* A stranger's whole program: one probe, fired until stdin ends. Says when it is published. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <weir/weir.h>

int main(void)
{
	static const struct weir_field fields[] = {
		{ .name = "id", .type = WEIR_U64 },
		{ .name = "path", .type = WEIR_STRING },
	};
	struct pollfd input = { .fd = 0, .events = POLLIN };
	struct weir_provider *provider;
	struct weir_probe *probe;
	int err = weir_provider_create("stranger", NULL, &provider);

	if (!err)
		err = weir_probe_create(provider, "tick", fields, 2, NULL, &probe);
	if (!err)
		err = weir_provider_publish(provider);
	if (err) {
		fprintf(stderr, "stranger: %s\n", strerror(-err));
		return 1;
	}
	puts("published");
	fflush(stdout);
	for (uint64_t id = 1; poll(&input, 1, 10) == 0; id++) {
		if (WEIR_FIRE(probe, id, "/a/path"))
			return 1;
	}
	weir_provider_destroy(provider);
	return 0;
}
