/* SPDX-License-Identifier: MIT */
/*
 * What shopd lets others watch: the provider `shop`. The probes are fired with WEIR_FIRE where
 * things happen (main.c, routes.c); while nobody watches, that costs about as much as an `if`.
 */
#ifndef SHOPD_PROBES_H
#define SHOPD_PROBES_H

#include <weir/weir.h>

extern struct weir_probe *probe_request_start; /* id, method, path */
extern struct weir_probe *probe_request_done;  /* id, route, path, status, us, bytes, ms, method */
extern struct weir_probe *probe_query;         /* request, statement, us, rows */
extern struct weir_probe *probe_order;         /* id, path, sku, quantity, cents */

/* Declare and publish them. A shop that cannot be watched still sells: what does not work is
 * printed, and the probes stay off. */
void probes_start(void);
void probes_stop(void);

#endif
