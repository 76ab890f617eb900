/* SPDX-License-Identifier: MIT */
/* What a trace of weir's says of itself in `.weir`: its process, its clock and its probes. */
#ifndef WEIR_READER_CTF_TRACE_H
#define WEIR_READER_CTF_TRACE_H

#include "reader/ctf_reader.h"

/* Open the trace in one folder. -ENOENT: there is none that weir wrote; -EBADMSG: damaged. */
int ctf_trace_open(const char *path, struct ctf_trace **ret, struct weir_error *err);
void ctf_trace_close(struct ctf_trace *trace);

#endif
