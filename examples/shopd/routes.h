/* SPDX-License-Identifier: MIT */
/* What the shop sells, and how long it takes. */
#ifndef SHOPD_ROUTES_H
#define SHOPD_ROUTES_H

#include <stddef.h>
#include <stdint.h>

struct reply {
	unsigned status;
	const char *route; /* the pattern that matched: "/order/N" for "/order/17" */
	char body[512];
};

/* Answer `path` (and `query`, the q parameter of a search, or NULL) for request `id`. */
void route(uint64_t id, const char *path, const char *query, struct reply *reply);

#endif
