/* SPDX-License-Identifier: MIT */
#include "cli/record.h"

#include "cli/cmd.h"
#include "cli/loss.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void record_notice(const struct record *record, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (record->shown_at && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	cli_fail("%s", text);
}

void record_progress(struct record *record, int64_t now)
{
	struct ctf_totals t = record_totals(record);
	double seconds = (double)(now - record->shown_at) / 1e9;

	if (record->options.quiet || !isatty(STDERR_FILENO) || now - record->shown_at < SECOND / 2)
		return;
	if (record->options.overwrite && !record->done.events)
		fprintf(stderr,
		        "\r\033[K%.0f s  flight recorder: Ctrl-\\ writes, Ctrl-C writes and ends",
		        (double)(now - record->began) / 1e9);
	else
		fprintf(
		    stderr, "\r\033[K%.0f s  %" PRIu64 " events  %.0f/s  %.1f MiB  lost %" PRIu64,
		    (double)(now - record->began) / 1e9, t.events,
		    record->shown_at ? (double)(t.events - record->shown_events) / seconds : 0.0,
		    (double)t.bytes / 1048576.0,
		    tracer_lost(record->tracer) + record->room.unwritten);
	fflush(stderr);
	record->shown_at = now;
	record->shown_events = t.events;
}

void record_summary(const struct record *record)
{
	struct ctf_totals t = record_totals(record);
	double seconds = (double)(clock_monotonic() - record->began) / 1e9;
	uint64_t over = tracer_overwritten(record->tracer), unwritten = room_lost(record);
	uint64_t lost = tracer_lost(record->tracer) + record->room.unwritten;
	char time[CLI_TIME_ROOM];

	if (record->options.quiet)
		return;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	fprintf(stderr,
	        "weir: recorded %" PRIu64
	        " events of %zu process%s in %.2f s, %.1f MiB, lost %" PRIu64,
	        t.events, record->traces, record->traces == 1 ? "" : "es", seconds,
	        (double)t.bytes / 1048576.0, lost);
	if (unwritten)
		fprintf(stderr, " (%" PRIu64 " as they could not be written)", unwritten);
	if (over)
		fprintf(stderr, ", overwritten %" PRIu64, over);
	if (record->tracer->missing)
		fprintf(stderr,
		        record->options.overwrite ? ", packets overwritten %" PRIu64
		                                  : ", missing packets %" PRIu64,
		        record->tracer->missing);
	if (record->tracer->bad)
		fprintf(stderr, ", unreadable packets %" PRIu64, record->tracer->bad);
	fputc('\n', stderr);
	if (record->whole_from)
		fprintf(stderr,
		        "weir: dropped %" PRIu64
		        " events that fired before %s: from then on the recording is whole\n",
		        t.dropped, cli_time(record->whole_from, time));
	/* A full disk leaves what there was room for, a folder that was removed nothing. */
	if (record->traces && (!record->failed || (t.events && record->failed != -ENOENT)))
		fprintf(stderr, "weir: weir report %s%s\n", record->options.folder,
		        record->options.ctf.compress ? "" : "  (or babeltrace2)");
	if (lost > unwritten)
		loss_advise(record->tracer, "--compress for a slow disk, ");
	selection_summary(&record->options.selection, record->tracer);
	if (record->until && !record->found && !until_in_vain(record))
		fputs("weir: no event fitted --until\n", stderr);
}
