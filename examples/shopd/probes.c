/* SPDX-License-Identifier: MIT */
#include "probes.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Off until published; never NULL, so that a fire needs no check. */
struct weir_probe *probe_request_start = weir_probe_off;
struct weir_probe *probe_request_done = weir_probe_off;
struct weir_probe *probe_query = weir_probe_off;
struct weir_probe *probe_order = weir_probe_off;

static const struct weir_field request_start_fields[] = {
	{ "id", WEIR_U64 },
	{ "method", WEIR_STRING },
	{ "path", WEIR_STRING },
};

/*
 * The time is there twice: weir knows f64, but tools that read USDT arguments know integers only.
 * What they are likely to ask for comes first, since bpftrace before 0.24 reads six arguments.
 */
static const struct weir_field request_done_fields[] = {
	{ "id", WEIR_U64 },     { "route", WEIR_STRING },  { "path", WEIR_STRING },
	{ "status", WEIR_U16 }, { "us", WEIR_U32 },        { "bytes", WEIR_U64 },
	{ "ms", WEIR_F64 },     { "method", WEIR_STRING },
};

static const struct weir_field query_fields[] = {
	{ "request", WEIR_U64 },
	{ "statement", WEIR_STRING },
	{ "us", WEIR_U32 },
	{ "rows", WEIR_U32 },
};

static const struct weir_field order_fields[] = {
	{ "id", WEIR_U64 },       { "path", WEIR_STRING }, { "sku", WEIR_STRING },
	{ "quantity", WEIR_U32 }, { "cents", WEIR_U64 },
};

static const struct {
	const char *name;
	const struct weir_field *fields;
	size_t count;
	struct weir_probe **probe;
} probes[] = {
	{ "request__start", request_start_fields, COUNT(request_start_fields),
	  &probe_request_start },
	{ "request__done", request_done_fields, COUNT(request_done_fields), &probe_request_done },
	{ "query", query_fields, COUNT(query_fields), &probe_query },
	{ "order", order_fields, COUNT(order_fields), &probe_order },
};

static struct weir_provider *shop;

void probes_start(void)
{
	struct weir_error error = { 0 };
	int err = weir_provider_create("shop", NULL, &shop);

	for (size_t i = 0; !err && i < COUNT(probes); i++)
		err = weir_probe_create(shop, probes[i].name, probes[i].fields, probes[i].count,
		                        NULL, probes[i].probe);
	if (!err)
		err = weir_provider_publish(shop);
	if (shop)
		weir_provider_error(shop, &error);
	if (error.code)
		fprintf(stderr, "shopd: probes: %s\n", error.message);
	else if (err)
		fprintf(stderr, "shopd: no probes: %s\n", strerror(-err));
}

void probes_stop(void)
{
	/* The probes go with their provider. */
	for (size_t i = 0; i < COUNT(probes); i++)
		*probes[i].probe = weir_probe_off;
	weir_provider_destroy(shop);
	shop = NULL;
}
