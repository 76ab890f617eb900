/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CLI_LIST_TABLE_H
#define WEIR_CLI_LIST_TABLE_H

#include "reader/listing.h"

/*
 * Print a listing for a person: a branch for each provider of a file, whoever maps it, and its
 * probes below. Sorts the listing's rows. 0 or -ENOMEM.
 */
int list_table(struct listing *listing);

#endif
