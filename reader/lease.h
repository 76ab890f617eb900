/* SPDX-License-Identifier: MIT */
/* A thread that renews the leases of a tracer's sessions, once a second, and does nothing else. */
#ifndef WEIR_READER_LEASE_H
#define WEIR_READER_LEASE_H

#include "reader/session.h"

struct lease_keeper;

int lease_keeper_create(struct lease_keeper **ret);
void lease_keeper_destroy(struct lease_keeper *keeper);

/* Borrowed until it is removed; after that the thread does not touch it any more. */
int lease_keeper_add(struct lease_keeper *keeper, const struct session *session);
void lease_keeper_remove(struct lease_keeper *keeper, const struct session *session);

#endif
