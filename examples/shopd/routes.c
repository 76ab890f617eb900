/* SPDX-License-Identifier: MIT */
/*
 * The pages. A page waits for a database that is not there: query() sleeps for as long as one might
 * take, so that routes differ in their latency and some of them have a tail worth finding:
 *
 *   /          0.2 ms
 *   /cart      1 ms
 *   /order/N   2 ms; one order in 53 waits for a lock, 40 ms longer
 *   /search    exponential around 4 ms
 */
#include "routes.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "probes.h"

static const char *const skus[] = { "kettle", "lamp", "rope", "sieve", "wheel" };

/* xorshift64*, one a thread */
static double random_unit(void)
{
	static _Thread_local uint64_t state;

	if (!state)
		state = (uint64_t)(uintptr_t)&state * UINT64_C(0x9e3779b97f4a7c15) | 1;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (double)(state * UINT64_C(0x2545f4914f6cdd1d) >> 11) * 0x1p-53;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void query(uint64_t request, const char *statement, double ms, uint32_t rows)
{
	uint64_t start = now_us();
	struct timespec wait = { (time_t)(ms / 1000), (long)(fmod(ms, 1000) * 1e6) };

	nanosleep(&wait, NULL);
	WEIR_FIRE(probe_query, request, statement, now_us() - start, rows);
}

static void front_page(uint64_t id, struct reply *reply)
{
	query(id, "SELECT * FROM offer LIMIT 10", 0.1 + 0.2 * random_unit(), 10);
	snprintf(reply->body, sizeof(reply->body), "Welcome. Today: %s.\n",
	         skus[(size_t)(random_unit() * 5)]);
}

static void cart(uint64_t id, struct reply *reply)
{
	query(id, "SELECT * FROM cart WHERE session = ?", 0.5 + random_unit(), 3);
	snprintf(reply->body, sizeof(reply->body), "3 things in your cart.\n");
}

static void order(uint64_t id, const char *path, struct reply *reply)
{
	uint64_t number = strtoull(path + strlen("/order/"), NULL, 10);
	const char *sku = skus[number % 5];
	uint32_t quantity = 1 + (uint32_t)(number % 4);

	query(id, "SELECT * FROM orders WHERE id = ?", 0.5 + random_unit(), 1);
	if (number % 53 == 0)
		query(id, "SELECT * FROM stock WHERE sku = ? FOR UPDATE", 40, 1);
	query(id, "UPDATE orders SET state = 'paid' WHERE id = ?", 0.5 + random_unit(), 1);
	WEIR_FIRE(probe_order, number, path, sku, quantity, quantity * UINT64_C(1999));
	snprintf(reply->body, sizeof(reply->body), "Order %llu: %u x %s.\n",
	         (unsigned long long)number, quantity, sku);
}

static void search(uint64_t id, const char *text, struct reply *reply)
{
	double ms = -4 * log(1 - random_unit());
	uint32_t rows = (uint32_t)(random_unit() * 40);

	query(id, "SELECT * FROM item WHERE name ILIKE ?", ms, rows);
	snprintf(reply->body, sizeof(reply->body), "%u things look like `%.100s`.\n", rows,
	         text ? text : "");
}

void route(uint64_t id, const char *path, const char *text, struct reply *reply)
{
	reply->status = 200;
	if (!strcmp(path, "/")) {
		reply->route = "/";
		front_page(id, reply);
	} else if (!strcmp(path, "/cart")) {
		reply->route = "/cart";
		cart(id, reply);
	} else if (!strncmp(path, "/order/", strlen("/order/"))) {
		reply->route = "/order/N";
		order(id, path, reply);
	} else if (!strcmp(path, "/search")) {
		reply->route = "/search";
		search(id, text, reply);
	} else {
		reply->route = "(none)";
		reply->status = 404;
		snprintf(reply->body, sizeof(reply->body), "There is no such page.\n");
	}
}
