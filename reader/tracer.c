/* SPDX-License-Identifier: MIT */
#include "reader/tracer_private.h"
#include "reader/error.h"
#include "reader/explain.h"
#include "reader/lease.h"
#include "reader/mailbox.h"
#include "reader/record.h"
#include "reader/rights.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Clocks of different kinds are converted with less error than this. */
#define CLOCK_SLACK INT64_C(1000)

void tracer_notice(const struct tracer *tracer, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (!tracer->options.notice)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	tracer->options.notice(tracer->options.arg, text);
}

void tracer_nap(int64_t ns)
{
	struct timespec ts = { ns / SECOND, ns % SECOND };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int tracer_create(const struct tracer_options *options, struct tracer **ret)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int code;

	if (!tracer)
		return -ENOMEM;
	tracer->options = *options;
	tracer->follow = options->session.follow;
	tracer->rseq = true;
	tracer->what = STREAM_ALL;
	tracer->forks = FORKS_UNKNOWN;
	merge_init(&tracer->merge);
	tracer->polls = calloc(TRACER_POLLS_MORE, sizeof(*tracer->polls));
	tracer->kin = calloc(TRACER_PIDS / 8, 1);
	code = tracer->polls && tracer->kin ? lease_keeper_create(&tracer->keeper) : -ENOMEM;
	if (code) {
		free(tracer->kin);
		free(tracer->polls);
		free(tracer);
		return code;
	}
	/* Without one, children are found in /proc. */
	if (tracer->follow && !mailbox_create(&tracer->mailbox)) {
		tracer->options.session.mailbox = mailbox_name(tracer->mailbox);
		tracer->options.session.mailbox_key = mailbox_key(tracer->mailbox);
	}
	*ret = tracer;
	return 0;
}

int tracer_each_probe(const struct tracer *tracer, int (*fn)(void *arg, struct schema_probe *probe),
                      void *arg)
{
	int code = 0;

	for (size_t i = 0; !code && i < tracer->target_count; i++)
		code = target_each_probe(tracer->targets[i], fn, arg);
	return code;
}

int tracer_add(struct tracer *tracer, pid_t pid, struct weir_error *err)
{
	struct tracer_process *process;
	size_t claimed = 0;
	int code;

	if (tracer_process_find(tracer, pid))
		return 0;
	code = tracer_process_add(tracer, pid, &process);
	if (code == -ESRCH || code == -EINVAL)
		return rights_explain(pid, RIGHTS_READ, -ESRCH, err);
	if (code)
		return weir_err(err, code, "cannot watch process %d: %s", pid, strerror(-code));
	process->asked = process->family = true;
	family_mark(tracer, pid, true);
	process->look_at = process->born + SECOND;
	do
		code = tracer_process_search(tracer, process, NULL, err);
	while (code == -EAGAIN && clock_monotonic() < process->look_at && (tracer_nap(MS), true));
	if (code == -ENOENT && tracer_process_is_over(process))
		code = rights_explain(pid, RIGHTS_READ, -ESRCH, err);
	if ((code == -ENOENT || code == -EAGAIN) && tracer->options.wait) {
		process->look_at = process->born + TRACER_WALK_EVERY;
		return 0;
	}
	if (code == -ENOENT)
		code = explain_no_memory(tracer, process, err);
	if (code >= 0) {
		code = tracer_process_claim(tracer, process, tracer->options.wait, &claimed, err);
		if (!code && !claimed)
			code = explain_no_match(tracer, process, err);
	}
	if (code < 0 && !claimed) {
		tracer_process_forget(tracer, process);
		tracer_process_drop(tracer, tracer->process_count - 1);
		return code;
	}
	return 0;
}

/* --- looking */

/* Ends of processes and memories: drained now, freed when their last event was handed out. */
static void retire(struct tracer *tracer, int64_t now)
{
	for (size_t i = tracer->target_count; i-- > 0;) {
		struct target *t = tracer->targets[i];

		if (!t->leaving || (t->claimed && family_is_growing(t, now)))
			continue;
		if (t->claimed) {
			session_stop(&t->session);
			target_drain(t, false);
			target_end_session(t);
		} else if (target_empty(t)) {
			target_drop(tracer, i);
		}
	}
	for (size_t i = tracer->process_count; i-- > 0;) {
		struct tracer_process *p = tracer->processes[i];

		if (!p->ended || p->targets)
			continue;
		tracer->unseen += p->unseen;
		tracer_process_drop(tracer, i);
	}
}

static void mark_ended(struct tracer *tracer)
{
	for (size_t i = 0; i < tracer->process_count; i++) {
		struct tracer_process *p = tracer->processes[i];

		tracer->polls[i] = (struct pollfd){ .fd = p->pidfd, .events = POLLIN };
	}
	if (poll(tracer->polls, tracer->process_count, 0) <= 0)
		return;
	for (size_t i = 0; i < tracer->process_count; i++) {
		struct tracer_process *p = tracer->processes[i];

		if (tracer->polls[i].revents)
			p->ended = true;
	}
	for (size_t i = 0; i < tracer->target_count; i++)
		tracer->targets[i]->leaving |= tracer->targets[i]->process->ended;
}

static int hand_on(void *arg, const struct event *event)
{
	struct tracer *tracer = arg;
	struct target *target = event->owner;
	struct record_value values[SCHEMA_FIELDS_MAX];
	struct tracer_event out = { .event = event, .target = target, .values = values };

	out.probe = schema_find(&target->schema, event->id);
	if (!out.probe || !record_decode(out.probe, event->record, event->length,
	                                 tracer->options.session.string_limit, values)) {
		tracer->undecoded++;
		return 0;
	}
	return tracer->options.event(tracer->options.arg, &out);
}

int64_t tracer_look(struct tracer *tracer)
{
	int64_t now = clock_monotonic();
	int64_t watermark = tracer->previous_look - CLOCK_SLACK;
	int64_t sum = 0;
	int code;

	if (tracer->previous_look && now - tracer->previous_look > tracer->longest_pause)
		tracer->longest_pause = now - tracer->previous_look;
	/* An end that is seen now happened after the last event of that process. */
	mark_ended(tracer);
	/* Their children, and before the events: those began after the memory was handed over. */
	family_hear(tracer);
	family_meet_orphans(tracer, now);
	family_take_mail(tracer);
	for (size_t i = 0; i < tracer->target_count; i++) {
		struct target *t = tracer->targets[i];
		enum session_status status;

		target_refresh(t, now);
		if (!t->claimed)
			continue;
		if (!tracer->options.look || tracer->options.look(tracer->options.arg, t))
			sum += target_look(t, tracer->what);
		if (t->leaving)
			continue;
		status = session_status(&t->session);
		if (status != SESSION_OK)
			target_rearm(t, status, now);
	}
	retire(tracer, now);
	tracer->previous_look = now;
	code = merge_release(&tracer->merge, watermark, hand_on, tracer);
	if (code)
		return code < 0 ? code : -code;
	family_walk(tracer, now);
	for (size_t i = 0; i < tracer->process_count; i++)
		tracer_process_refresh(tracer, tracer->processes[i], now);
	return sum;
}

/* False: none was there that a program could still write to. */
static bool tracer_stop_sessions(struct tracer *tracer)
{
	bool any = false;

	family_take_mail(tracer);
	for (size_t i = 0; i < tracer->target_count; i++) {
		struct target *t = tracer->targets[i];

		if (!t->claimed && session_pending(&t->shm, &tracer->options.session))
			target_claim(t, NULL);
		if (!t->claimed)
			continue;
		schema_update(&t->schema, &t->shm);
		session_stop(&t->session);
		any |= !t->leaving;
	}
	return any;
}

int tracer_stop(struct tracer *tracer)
{
	if (tracer_stop_sessions(tracer))
		tracer_nap(TRACER_GRACE);
	for (size_t i = 0; i < tracer->target_count; i++) {
		target_drain(tracer->targets[i], false);
		target_end_session(tracer->targets[i]);
	}
	return merge_release(&tracer->merge, INT64_MAX, hand_on, tracer);
}

bool tracer_ended(const struct tracer *tracer)
{
	if (tracer->options.all || tracer->target_count || tracer->merge.used)
		return false;
	return !family_lives(tracer);
}

size_t tracer_polls(struct tracer *tracer)
{
	size_t n = 0;

	if (tracer->mailbox)
		tracer->polls[n++] =
		    (struct pollfd){ .fd = mailbox_fd(tracer->mailbox), .events = POLLIN };
	if (tracer->forks >= 0)
		tracer->polls[n++] = (struct pollfd){ .fd = tracer->forks, .events = POLLIN };
	for (size_t i = 0; i < tracer->process_count; i++) {
		if (tracer->processes[i]->targets || tracer->processes[i]->asked)
			tracer->polls[n++] =
			    (struct pollfd){ .fd = tracer->processes[i]->pidfd, .events = POLLIN };
	}
	return n;
}

uint64_t tracer_lost(const struct tracer *tracer)
{
	uint64_t sum = tracer->lost;

	for (size_t i = 0; i < tracer->target_count; i++) {
		const struct target *t = tracer->targets[i];

		sum += t->lost + (t->claimed ? session_lost(&t->session) : 0);
	}
	return sum;
}

uint64_t tracer_overwritten(const struct tracer *tracer)
{
	uint64_t sum = tracer->overwritten;

	for (size_t i = 0; i < tracer->target_count; i++) {
		const struct target *t = tracer->targets[i];

		sum += t->overwritten;
		if (t->claimed)
			sum += session_overwritten(&t->session) - t->stream.partial;
	}
	return sum;
}

void tracer_destroy(struct tracer *tracer)
{
	if (!tracer)
		return;
	if (tracer_stop_sessions(tracer)) /* it never came to tracer_stop() */
		tracer_nap(TRACER_GRACE);
	while (tracer->target_count)
		target_drop(tracer, tracer->target_count - 1);
	while (tracer->process_count)
		tracer_process_drop(tracer, tracer->process_count - 1);
	if (tracer->forks >= 0)
		close(tracer->forks);
	mailbox_destroy(tracer->mailbox);
	lease_keeper_destroy(tracer->keeper);
	free(tracer->kin);
	merge_deinit(&tracer->merge);
	free(tracer->names.list);
	free(tracer->processes);
	free(tracer->targets);
	free(tracer->polls);
	free(tracer);
}
