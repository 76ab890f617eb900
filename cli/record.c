/* SPDX-License-Identifier: MIT */
/*
 * weir record: the events of live programs to disk, as CTF. Packets go from the target's memory to
 * a file as they are; nothing is decoded. Complete packets at once, and once a second what is
 * committed in the open ones.
 *
 * A keeper, a child process that does nothing but wait, writes what is missing if weir is killed.
 *
 * Flight recorder (--overwrite): the target keeps the newest events in its buffers and nobody
 * reads; they are written on a signal and at the end. With --until, weir reads along and keeps
 * them in its own memory, since it must look at each.
 */
#include "cli/record.h"

#include "cli/cmd.h"
#include "reader/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define UNTIL_PAUSE (20 * MS)

static volatile sig_atomic_t interrupted, asked;

static void on_end(int signal)
{
	interrupted = signal;
}

static void on_dump(int signal)
{
	asked = signal;
}

/* --- what the tracer calls */

static void on_begun(void *arg, struct target *target)
{
	keeper_begun(arg, target);
	threads_scan(&target->threads, clock_monotonic());
}

static int on_chunk(void *arg, struct target *target, const struct stream_chunk *chunk)
{
	struct record *record = arg;
	struct recording *r = target->user;
	int code;

	if (!r && !target->ending && room_wait(record))
		return -EAGAIN;
	code = record_trace(record, target, &r);
	if (code)
		return room_refused(record, target, chunk, code);
	if (target->schema.read_to !=
	    __atomic_load_n(&shm_header(&target->shm)->schema_end, __ATOMIC_ACQUIRE))
		schema_update(&target->schema, &target->shm);
	return record->until ? until_keep(record, target, r, chunk)
	                     : record_write(record, target, r, chunk);
}

static bool on_look(void *arg, struct target *target)
{
	struct record *record = arg;

	(void)target;
	return !record->options.overwrite || record->dump;
}

static void on_ended(void *arg, struct target *target, bool leaving)
{
	struct record *record = arg;
	struct recording *r = target->user;

	if (r && record->until)
		until_write(record, target, r);
	if (leaving) {
		record_trace_over(record, target);
		return;
	}
	if (r)
		record_session_over(record, target, r);
	keeper_over(record, target);
}

static void on_notice(void *arg, const char *text)
{
	record_notice(arg, "%s", text);
}

static void each_second(struct record *record, int64_t now)
{
	for (size_t i = 0; i < record->tracer->target_count; i++)
		record_refresh(record, record->tracer->targets[i], now);
	record_folder_check(record);
}

static bool is_over(const struct record *record, int64_t now)
{
	if (interrupted || record->failed || record->found)
		return true;
	if (record->options.duration && now - record->began >= record->options.duration)
		return true;
	return tracer_ended(record->tracer);
}

static void dump(struct record *record)
{
	uint64_t before = record_totals(record).events;

	asked = 0;
	if (!record->options.overwrite)
		return;
	record->dump = true;
	record->dumps++;
	for (int i = 0; i < 3; i++) /* a missing packet is believed in the second look */
		tracer_look(record->tracer);
	record->dump = false;
	if (!record->options.quiet && !record->room.refused)
		fprintf(stderr, "%sweir: wrote %" PRIu64 " events\n",
		        isatty(STDERR_FILENO) ? "\r\033[K" : "",
		        record_totals(record).events - before);
}

/* --until is asked of what there is in open packets, too: a slow target's are open for long. */
static bool looks_into_open(const struct record *record, int64_t now, int64_t looked_at)
{
	return record->options.overwrite || (record->until && now - looked_at >= UNTIL_PAUSE);
}

static void loop(struct record *record)
{
	struct tracer *tracer = record->tracer;
	int64_t now = record->began, active_at = now, open_at = now;

	while (!is_over(record, now)) {
		bool sync = now - record->synced_at >= SECOND;
		struct timespec ts = { 0 };
		int64_t pause;

		tracer->what = STREAM_COMPLETE;
		if (sync || looks_into_open(record, now, open_at)) {
			tracer->what = STREAM_ALL;
			open_at = now;
		}
		if (asked || record->room.short_since)
			dump(record);
		if (tracer_look(tracer) > 0)
			active_at = now;
		room_looked(record, now);
		if (sync) {
			each_second(record, now);
			record->synced_at = now;
		}
		launch_reap(&record->launch);
		now = clock_monotonic();
		record_progress(record, now);
		pause = now - active_at < SECOND / 10 ? MS / 2
		        : now - active_at < SECOND    ? 2 * MS
		                                      : 10 * MS;
		if (pause > tracer_patience(tracer))
			pause = tracer_patience(tracer);
		ts.tv_nsec = pause;
		if (!is_over(record, now))
			ppoll(tracer->polls, tracer_polls(tracer), &ts, NULL);
		now = clock_monotonic();
	}
}

/* --- beginning and end */

static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end, .sa_flags = (int)SA_RESETHAND };
	struct sigaction write_out = { .sa_handler = on_dump, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGQUIT, &write_out, NULL);
	sigaction(SIGUSR1, &write_out, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static int prepare(struct record *record, struct weir_error *err)
{
	const struct record_options *o = &record->options;
	struct tracer_options options = {
		.session = { .patterns = &record->patterns,
		             .mode = o->overwrite ? WEIR_MODE_OVERWRITE : o->mode,
		             .buffer = o->buffer,
		             .sized = o->sized,
		             .follow = o->selection.follow },
		.all = o->selection.all,
		.wait = o->selection.wait,
		.begun = on_begun,
		.chunk = on_chunk,
		.look = on_look,
		.ended = on_ended,
		.notice = on_notice,
		.arg = record,
	};
	int code = patterns_parse(o->selection.patterns, o->selection.pattern_count,
	                          &record->patterns, err);

	if (!code && o->until) {
		code = filter_parse(o->until, &record->until, err);
		until_rename(err);
	}
	if (code == -EINVAL)
		record->usage = true;
	if (!code)
		code = record_folder_open(record, err);
	if (!code)
		code = tracer_create(&options, &record->tracer);
	return code;
}

static int run(struct record *record)
{
	struct weir_error err = { 0 };
	int code = prepare(record, &err), status;

	if (!code) {
		record->keeper = keeper_start(record);
		code = selection_attach(&record->options.selection, &record->patterns,
		                        record->tracer, &record->launch, &err);
	}
	if (!code)
		record->usage = (code = until_check(record, &err)) == -EINVAL;
	if (code) {
		keeper_stop(record);
		tracer_destroy(record->tracer);
		record->tracer = NULL;
		launch_finish(&record->launch);
		record_folder_forget(record);
		cli_fail("%s", *err.message ? err.message : strerror(-code));
		return record->usage ? 2 : 1;
	}
	setpriority(PRIO_PROCESS, 0, -10);
	record->began = record->synced_at = clock_monotonic();
	loop(record);
	record->dump = true;
	record->dumps++;
	tracer_stop(record->tracer);
	room_over(record);
	record_summary(record);
	status = launch_finish(&record->launch); /* whatever happened to us */
	if (!record->failed)
		status = selection_missed(&record->options.selection, record->tracer,
		                          &record->launch, status);
	tracer_destroy(record->tracer);
	record->tracer = NULL;
	keeper_stop(record);
	if (room_lost(record))
		return cli_fail("%s. %" PRIu64 " events were lost for it", record->err.message,
		                room_lost(record));
	if (record->failed)
		return cli_fail("%s", record->err.message);
	if (until_in_vain(record))
		return cli_fail("%s", record->unbound.message);
	return status;
}

int cmd_record(int argc, char **argv)
{
	struct record record = { .folder = -1, .keeper = -1 };
	int status = record_parse(argc, argv, &record.options);

	if (status)
		return status - 1;
	record.newest = &record.oldest;
	if (gethostname(record.hostname, sizeof(record.hostname) - 1))
		strcpy(record.hostname, "localhost");
	catch_signals();
	status = run(&record);
	tracer_destroy(record.tracer);
	until_deinit(&record);
	filter_free(record.until);
	patterns_deinit(&record.patterns);
	if (record.folder >= 0)
		close(record.folder);
	return status;
}
