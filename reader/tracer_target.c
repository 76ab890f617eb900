/* SPDX-License-Identifier: MIT */
/* One shared memory: its session, its events, its end. */
#include "reader/tracer_private.h"
#include "reader/error.h"
#include "reader/explain.h"
#include "reader/lease.h"
#include "reader/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An adopted session that lives on gets its packets touched. */
#define POPULATE_AFTER (50 * MS)

int target_each_probe(const struct target *target, int (*fn)(void *arg, struct schema_probe *probe),
                      void *arg)
{
	int code = 0;

	for (uint32_t id = 1; !code && id < target->schema.ids; id++) {
		struct schema_probe *p = target->schema.probes[id];

		if (p && !p->withdrawn &&
		    patterns_match(target->tracer->options.session.patterns, p->provider, p->name))
			code = fn(arg, p);
	}
	return code;
}

static int is_one(void *arg, struct schema_probe *probe)
{
	(void)arg;
	(void)probe;
	return 1;
}

bool target_is_wanted(const struct target *target)
{
	return target_each_probe(target, is_one, NULL) ||
	       session_pending(&target->shm, &target->tracer->options.session);
}

void target_end_session(struct target *target)
{
	if (!target->claimed)
		return;
	target->ending = true;
	target->tracer->children += session_children(&target->session, NULL);
	stream_settle(&target->stream);
	target->lost += session_lost(&target->session);
	target->overwritten += session_overwritten(&target->session);
	/* Part of these had been handed out before the target took the packet back. */
	if (target->overwritten >= target->stream.partial)
		target->overwritten -= target->stream.partial;
	target->tracer->missing += target->stream.missing;
	target->tracer->bad += target->stream.bad;
	if (target->tracer->options.ended)
		target->tracer->options.ended(target->tracer->options.arg, target, false);
	lease_keeper_remove(target->tracer->keeper, &target->session);
	session_release(&target->session);
	stream_deinit(&target->stream);
	target->claimed = false;
}

static void target_free(struct target *target)
{
	struct tracer *tracer = target->tracer;

	target_end_session(target);
	schema_update(&target->schema, &target->shm);
	explain_keep(tracer, target);
	if (tracer->options.ended && target->user)
		tracer->options.ended(tracer->options.arg, target, true);
	tracer->lost += target->lost;
	tracer->overwritten += target->overwritten;
	for (uint32_t i = 0; target->sources && i < target->shm.head.slots; i++)
		merge_source_destroy(&tracer->merge, target->sources[i]);
	free(target->sources);
	threads_deinit(&target->threads);
	schema_deinit(&target->schema);
	shm_unmap(&target->shm);
	if (target->process)
		target->process->targets--;
	free(target);
}

int target_new(struct tracer *tracer, struct tracer_process *process, const struct shm *shm,
               struct target **ret)
{
	struct target **targets =
	    realloc(tracer->targets, (tracer->target_count + 1) * sizeof(*targets));
	struct target *target = calloc(1, sizeof(*target));

	if (targets)
		tracer->targets = targets;
	if (target)
		target->sources = calloc(shm->head.slots, sizeof(struct merge_source *));
	if (!targets || !target || !target->sources) {
		if (target)
			free(target->sources);
		free(target);
		return -ENOMEM;
	}
	target->tracer = tracer;
	target->process = process;
	target->shm = *shm;
	target->met = true;
	clock_init(&target->clock, &shm->head, proc_monotonic_offset(shm->pid));
	threads_init(&target->threads, shm->pid, (pid_t)shm->head.pid != shm->pid);
	schema_update(&target->schema, &target->shm);
	process->targets++;
	process->unseen = false;
	tracer->targets[tracer->target_count++] = target;
	*ret = target;
	return 0;
}

void target_drop(struct tracer *tracer, size_t i)
{
	target_free(tracer->targets[i]);
	tracer->targets[i] = tracer->targets[--tracer->target_count];
}

/* --- sessions */

/* What there is of --buffer, which the summary speaks of, and whether it is less than asked for. */
static void note_buffer(struct target *target)
{
	struct tracer *tracer = target->tracer;
	uint64_t got = (uint64_t)target->session.count * WEIR_SHM_PACKET_SIZE;
	uint64_t pool = (uint64_t)target->shm.head.packets * WEIR_SHM_PACKET_SIZE;

	if (!tracer->buffer || got < tracer->buffer)
		tracer->buffer = got;
	if (got >= tracer->options.session.buffer || target->scarce)
		return;
	/* An adopted session's is what the program took by itself, and a child has its parent's. */
	if (target->session.adopted && (!tracer->options.session.sized || tracer->scarce))
		return;
	target->scarce = tracer->scarce = true;
	tracer_notice(tracer,
	              "process %d (%s) has %" PRIu64 " MiB of buffer for this, not the %" PRIu64
	              " MiB that --buffer asks for: its pool has %" PRIu64
	              " MiB for all tracers (WEIR_POOL in its environment)",
	              target->process->pid, target->process->name, got >> 20,
	              tracer->options.session.buffer >> 20, pool >> 20);
}

/* The process was met when it was forked, or before it ran another program. */
static void name_anew(struct tracer_process *process)
{
	char name[sizeof(process->name)];

	proc_comm(process->pid, process->pid, name, sizeof(name));
	if (strcmp(name, "?"))
		memcpy(process->name, name, sizeof(name));
}

int target_claim(struct target *target, struct weir_error *err)
{
	const struct session_options *options = &target->tracer->options.session;
	int code = session_adopt(&target->shm, &target->clock, options, &target->session, NULL);

	if (code) {
		bool in_vain = session_in_vain(&target->shm, options);

		code = session_claim(&target->shm, &target->clock, options, &target->session, err);
		if (!code && in_vain)
			tracer_notice(
			    target->tracer,
			    "process %d (%s) waited for weir, which did not run for seconds: "
			    "its first events are lost, and not counted",
			    target->process->pid, target->process->name);
	}
	if (code)
		return code;
	code = stream_init(&target->stream, &target->session);
	if (!code)
		code = lease_keeper_add(target->tracer->keeper, &target->session);
	if (code) {
		session_stop(&target->session);
		session_release(&target->session);
		stream_deinit(&target->stream);
		return code;
	}
	target->claimed = true;
	target->ending = false;
	name_anew(target->process);
	target->tracer->adopted += target->session.adopted && target->shm.head.generation;
	target->populate_at = target->session.adopted ? clock_monotonic() + POPULATE_AFTER : 0;
	target->refused = 0;
	target->lost_seen = 0;
	target->had_room = true;
	target->tracer->attached++;
	note_buffer(target);
	if (!(target->shm.head.features & WEIR_FEATURE_RSEQ))
		target->tracer->rseq = false;
	if (target->tracer->options.begun)
		target->tracer->options.begun(target->tracer->options.arg, target);
	/*
	 * Probes that appear from now on are armed by the target if the patterns fit into the
	 * session, and else found by target_refresh(). Those before are in this update: the state
	 * ACTIVE was stored before it, as the target appends to the log before it looks for
	 * sessions.
	 */
	code = schema_update(&target->schema, &target->shm);
	session_arm(&target->session, &target->schema);
	return code < 0 ? code : 0;
}

/* --- events */

static int take_chunk(void *arg, const struct stream_chunk *chunk)
{
	struct target *target = arg;
	const struct tracer_options *options = &target->tracer->options;
	struct merge_source **source = &target->sources[chunk->slot];
	int code;

	if (options->chunk)
		return options->chunk(options->arg, target, chunk);

	if (!*source) {
		code = merge_source_create(&target->tracer->merge, &target->clock, target, source);
		if (code)
			return code;
	}
	return merge_push(&target->tracer->merge, *source, chunk);
}

/*
 * Losses are the tracer's doing only where the buffer is full of what it has not taken. If much of
 * it was not, at the beginning of this look and of the one before, there was another reason.
 */
static void judge_losses(struct target *target, uint64_t lost)
{
	const struct stream *stream = &target->stream;
	bool room = 2 * stream->waiting < target->session.count - stream->open;

	if (lost > target->lost_seen && room && target->had_room)
		target->tracer->lost_idle += lost - target->lost_seen;
	target->lost_seen = lost;
	target->had_room = room;
}

int64_t target_look(struct target *target, enum stream_what what)
{
	uint64_t lost = session_lost(&target->session);
	int64_t n = stream_look(&target->stream, what, take_chunk, target);

	judge_losses(target, lost);
	return n < 0 ? 0 : n; /* no memory: the packets stay where they are */
}

/* Twice, since a missing number needs two looks. */
void target_drain(struct target *target, bool grace)
{
	if (!target->claimed)
		return;
	target->ending = true;
	target_look(target, STREAM_ALL);
	if (grace)
		tracer_nap(TRACER_GRACE);
	for (int i = 0; i < 3; i++)
		target_look(target, STREAM_ALL);
}

bool target_empty(const struct target *target)
{
	for (uint32_t i = 0; i < target->shm.head.slots; i++) {
		if (target->sources[i] && !merge_source_empty(target->sources[i]))
			return false;
	}
	return true;
}

/* --- what happens to it */

static void report_gap(struct target *target, enum session_status status)
{
	struct tracer *tracer = target->tracer;
	int64_t now = clock_monotonic();
	int64_t from = status == SESSION_EXPIRED
	                   ? clock_ns(&target->clock, session_expired_at(&target->session))
	                   : tracer->previous_look;
	int64_t length = now - from;

	if (length < 0 || length > 366 * 86400 * SECOND)
		length = 0; /* the target's word */
	tracer->gaps++;
	tracer->gap_ns += length;
	tracer_notice(
	    tracer,
	    "process %d (%s): %s; its events of the last %" PRId64 ".%03d s were not recorded. "
	    "Recording goes on",
	    target->process->pid, target->process->name,
	    status == SESSION_EXPIRED
	        ? "weir did not run for longer than its lease of 3 s, so the probes went off"
	        : "another tracer took this session",
	    length / SECOND, (int)(length / MS % 1000));
}

void target_rearm(struct target *target, enum session_status status, int64_t now)
{
	struct weir_error err;

	if (status == SESSION_EXPIRED)
		target_drain(target, true);
	report_gap(target, status);
	target_end_session(target);
	target->claim_at = now + SECOND; /* a hostile target could do this for ever */
	if (target_claim(target, &err))
		tracer_notice(target->tracer, "%s", err.message);
}

void target_refresh(struct target *target, int64_t now)
{
	uint64_t end = __atomic_load_n(&shm_header(&target->shm)->schema_end, __ATOMIC_RELAXED);

	if (end != target->schema.read_to && !target->schema.broken) {
		schema_update(&target->schema, &target->shm);
		if (target->claimed)
			session_arm(&target->session, &target->schema);
	}
	if (!target->claimed) {
		struct weir_error err;
		int code;

		if (now < target->claim_at || target->leaving)
			return;
		target->claim_at = now + SECOND / 10;
		if (!target_is_wanted(target))
			return;
		code = target_claim(target, &err);
		if (code) {
			if (code != target->refused)
				tracer_notice(target->tracer, "%s", err.message);
			target->refused = code;
			target->claim_at = now + 10 * SECOND;
		}
		return;
	}
	if (target->populate_at && now >= target->populate_at && !target->leaving) {
		session_populate(&target->session);
		target->populate_at = 0;
	}
	if (now - target->checked_at > SECOND) {
		clock_update(&target->clock);
		target->checked_at = now;
	}
}
