/* SPDX-License-Identifier: MIT */
/*
 * CTF traces that weir did not write, LTTng's above all, read by libbabeltrace2 into the callbacks of
 * a struct ctf_reading. Built if the library was found; else reading one is an error that says so. In the
 * command it is a module that is loaded when it is needed (cli/module.h).
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
/* Can it be done at all? If not, *err says why. */
int ctf_foreign_check(struct weir_error *err);

#endif
