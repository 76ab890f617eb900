/* SPDX-License-Identifier: MIT */
#include "cli/loss.h"

#include <inttypes.h>
#include <stdio.h>

static void advise_slow(const struct tracer *tracer, const char *faster)
{
	bool block = tracer->options.session.mode == WEIR_MODE_BLOCK;

	fprintf(
	    stderr,
	    "weir: events were lost because weir could not take them as fast as they came. What "
	    "helps: a larger --buffer (now %" PRIu64
	    " MiB a process) for bursts, %s%s. --where does not help: it is applied "
	    "after an event was taken.\n",
	    tracer->buffer >> 20, faster,
	    block ? "fewer probes (--mode block makes a fire wait for 100 ms at most, and not "
	            "one in a signal handler that interrupts a fire which waits)"
	          : "fewer probes, or --mode block, where fires wait if the program allows it");
}

static void advise_idle(uint64_t lost)
{
	fprintf(
	    stderr,
	    "weir: %" PRIu64 " of these events were lost while buffers had room: weir was not too "
	    "slow. Such fires were in a signal handler that interrupted another fire, or in a "
	    "thread that found no slot; and leaving a handler by siglongjmp out of a fire takes a "
	    "packet away until weir ends, and without rseq a slot for good.\n",
	    lost);
}

void loss_advise(const struct tracer *tracer, const char *faster)
{
	uint64_t lost = tracer_lost(tracer), idle = tracer->lost_idle;

	if (lost > idle)
		advise_slow(tracer, faster);
	if (lost && idle)
		advise_idle(idle < lost ? idle : lost);
}
