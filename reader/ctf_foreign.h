/* SPDX-License-Identifier: MIT */
/*
 * CTF traces that weir did not write, LTTng's above all, read by libbabeltrace2 into the callbacks of
 * a struct ctf_reading. Built in if the library was found; else reading one is an error that says so.
 *
 * An event's provider is what its name has before a colon, else "lttng". Its fields are those of its
 * payload, then of its contexts (vpid, procname, ...), as far as they are numbers, strings or
 * enumerations; the first 64 of them.
 */
#ifndef WEIR_READER_CTF_FOREIGN_H
#define WEIR_READER_CTF_FOREIGN_H

#include "reader/ctf_reader.h"

/* -ENOSYS: built without libbabeltrace2. */
int ctf_foreign_read(const char *path, struct ctf_reading *reading, struct weir_error *err);
bool ctf_foreign_is_built_in(void);

#endif
