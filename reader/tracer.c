/* SPDX-License-Identifier: MIT */
#include "reader/tracer.h"
#include "reader/error.h"
#include "reader/explain.h"
#include "reader/forks.h"
#include "reader/lease.h"
#include "reader/mailbox.h"
#include "reader/proc.h"
#include "reader/record.h"
#include "reader/rights.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Clocks of different kinds are converted with less error than this. */
#define CLOCK_SLACK INT64_C(1000)
/* Fires that are under way when a session ends get this long to commit. */
#define GRACE      (10 * MS)
#define WALK_EVERY (20 * MS)
/* A fork that is under way when its parent ends gets this long to become a child. */
#define FORK_PATIENCE SECOND
/* More than the kernel gives. */
#define PIDS           (UINT32_C(1) << 22)
#define CHILDREN_EVERY (2 * MS)
/* Instead of a descriptor: not asked yet; the kernel does not tell this user. */
#define FORKS_UNKNOWN (-1)
#define FORKS_UNTOLD  (-2)
/* A child makes its memory in its first moments; one that lives on gets its packets touched. */
#define NEWBORN        (5 * MS)
#define YOUNG          (100 * MS)
#define POPULATE_AFTER (50 * MS)

static void notice(const struct tracer *tracer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void notice(const struct tracer *tracer, const char *format, ...)
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

static void nap(int64_t ns)
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
	tracer->kin = calloc(PIDS / 8, 1);
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

/* --- processes */

static struct tracer_process *process_find(const struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->process_count; i++) {
		if (tracer->processes[i]->pid == pid && !tracer->processes[i]->ended)
			return tracer->processes[i];
	}
	return NULL;
}

static bool kin_has(const struct tracer *tracer, pid_t pid)
{
	return pid > 0 && (uint32_t)pid < PIDS && tracer->kin[pid / 8] >> (pid % 8) & 1;
}

static void kin_set(struct tracer *tracer, pid_t pid, bool is)
{
	if (pid <= 0 || (uint32_t)pid >= PIDS)
		return;
	tracer->kin[pid / 8] &= (uint8_t) ~(1u << pid % 8);
	tracer->kin[pid / 8] |= (uint8_t)(is << pid % 8);
}

/* Room for one more. */
static int process_new(struct tracer *tracer, pid_t pid, struct tracer_process **ret)
{
	size_t n = tracer->process_count + 1;
	struct tracer_process *process = calloc(1, sizeof(*process));
	struct tracer_process **processes = realloc(tracer->processes, n * sizeof(*processes));
	struct pollfd *polls;

	if (processes)
		tracer->processes = processes;
	polls = realloc(tracer->polls, (n + TRACER_POLLS_MORE) * sizeof(*polls));
	if (polls)
		tracer->polls = polls;
	if (!process || !processes || !polls) {
		free(process);
		return -ENOMEM;
	}
	process->pid = pid;
	process->pidfd = -1;
	process->born = clock_monotonic();
	*ret = process;
	return 0;
}

static int process_add(struct tracer *tracer, pid_t pid, struct tracer_process **ret)
{
	struct tracer_process *process;
	int code = process_new(tracer, pid, &process);

	if (code)
		return code;
	/* The descriptor first: what is read after it belongs to the same process. */
	process->pidfd = syscall(SYS_pidfd_open, pid, 0);
	code = process->pidfd < 0 ? -errno : proc_start(pid, &process->start, NULL);
	if (code) {
		if (process->pidfd >= 0)
			close(process->pidfd);
		free(process);
		return code == -ENOENT ? -ESRCH : code;
	}
	proc_comm(pid, pid, process->name, sizeof(process->name));
	tracer->processes[tracer->process_count++] = process;
	*ret = process;
	return 0;
}

/* A member of the family that is known to be over. */
static struct tracer_process *process_add_ended(struct tracer *tracer, pid_t pid, const char *name)
{
	struct tracer_process *process;

	if (process_new(tracer, pid, &process))
		return NULL;
	snprintf(process->name, sizeof(process->name), "%s", name);
	process->family = process->unseen = process->ended = true;
	kin_set(tracer, pid, true);
	tracer->processes[tracer->process_count++] = process;
	return process;
}

static void process_drop(struct tracer *tracer, size_t i)
{
	struct tracer_process *process = tracer->processes[i];

	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process);
	tracer->processes[i] = tracer->processes[--tracer->process_count];
}

static bool process_is_over(const struct tracer_process *process)
{
	struct pollfd p = { .fd = process->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* --- targets */

static int target_each_probe(const struct target *target,
                             int (*fn)(void *arg, struct schema_probe *probe), void *arg)
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

int tracer_each_probe(const struct tracer *tracer, int (*fn)(void *arg, struct schema_probe *probe),
                      void *arg)
{
	int code = 0;

	for (size_t i = 0; !code && i < tracer->target_count; i++)
		code = target_each_probe(tracer->targets[i], fn, arg);
	return code;
}

static int is_one(void *arg, struct schema_probe *probe)
{
	(void)arg;
	(void)probe;
	return 1;
}

static bool target_matches(const struct target *target)
{
	return target_each_probe(target, is_one, NULL);
}

static void target_end_session(struct target *target)
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
	notice(tracer,
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

static int target_claim(struct target *target, struct weir_error *err)
{
	const struct session_options *options = &target->tracer->options.session;
	int code = session_adopt(&target->shm, &target->clock, options, &target->session, NULL);

	if (code) {
		bool in_vain = session_in_vain(&target->shm, options);

		code = session_claim(&target->shm, &target->clock, options, &target->session, err);
		if (!code && in_vain)
			notice(target->tracer,
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

struct finding {
	struct tracer *tracer;
	struct tracer_process *process;
	size_t opened;
};

static bool target_seen(void *arg, dev_t dev, ino_t ino)
{
	const struct finding *finding = arg;
	const struct tracer *tracer = finding->tracer;

	for (size_t i = 0; i < tracer->target_count; i++) {
		struct target *t = tracer->targets[i];

		if (t->shm.dev == dev && t->shm.ino == ino && t->process == finding->process) {
			t->met = true;
			return true;
		}
	}
	return false;
}

/* Map a memory and read its probes; not claimed yet. */
static int target_open(void *arg, struct shm *shm)
{
	struct finding *finding = arg;
	struct tracer *tracer = finding->tracer;
	struct target **targets =
	    realloc(tracer->targets, (tracer->target_count + 1) * sizeof(*targets));
	struct target *target = calloc(1, sizeof(*target));

	if (targets)
		tracer->targets = targets;
	if (target)
		target->sources = calloc(shm->head.slots, sizeof(struct merge_source *));
	if (!targets || !target || !target->sources) {
		free(target);
		return -ENOMEM;
	}
	target->tracer = tracer;
	target->process = finding->process;
	target->shm = *shm;
	target->met = true;
	clock_init(&target->clock, &shm->head, proc_monotonic_offset(shm->pid));
	threads_init(&target->threads, shm->pid, (pid_t)shm->head.pid != shm->pid);
	schema_update(&target->schema, &target->shm);
	finding->process->targets++;
	finding->process->unseen = false;
	finding->opened++;
	tracer->targets[tracer->target_count++] = target;
	return 0;
}

static void target_drop(struct tracer *tracer, size_t i)
{
	target_free(tracer->targets[i]);
	tracer->targets[i] = tracer->targets[--tracer->target_count];
}

/* --- attaching */

/*
 * After exec the new program's probes come within milliseconds, and it is not armed by anybody: the
 * search for its memory must not wait.
 */
static void notice_exec(struct tracer_process *process, int64_t now)
{
	process->born = now;
	process->look_at = now;
	process->unseen = true;
}

/* Look for shared memories of a process that are not known yet. */
static int process_search(struct tracer *tracer, struct tracer_process *process, size_t *opened,
                          struct weir_error *err)
{
	struct finding finding = { .tracer = tracer, .process = process };
	int code;

	for (size_t i = 0; i < tracer->target_count; i++)
		tracer->targets[i]->met = false;
	code = shm_find(process->pid, target_seen, target_open, &finding, err);
	for (size_t i = 0; i < tracer->target_count; i++) {
		struct target *t = tracer->targets[i];

		/* A daemon that closed its descriptors still has the mapping; after exec it has
		 * not. */
		if (t->process != process || t->leaving || (t->met && shm_in_place(&t->shm)) ||
		    shm_alive(&t->shm))
			continue;
		/* Not because of an exec? Then its end comes next; or its main thread has ended
		 * before the others. The pidfd tells. */
		if (t->met || !proc_has_program(process->pid))
			continue;
		t->leaving = true;
		if (process_is_over(process))
			continue;
		t->leaving = true;
		if (!finding.opened)
			notice_exec(process, clock_monotonic());
		if (t->claimed)
			notice(tracer, "process %d (%s) runs another program now (exec)",
			       process->pid, process->name);
	}
	if (opened)
		*opened = finding.opened;
	return code;
}

/* Claim those targets of a process that have a probe that matches, or, if `wait`, all. */
static int process_claim(struct tracer *tracer, const struct tracer_process *process, bool wait,
                         size_t *claimed, struct weir_error *err)
{
	int code = 0;

	for (size_t i = 0; i < tracer->target_count; i++) {
		struct target *t = tracer->targets[i];
		int one;

		if (t->process != process || t->leaving)
			continue;
		if (t->claimed) {
			++*claimed;
			continue;
		}
		if (!wait && !target_matches(t) &&
		    !session_pending(&t->shm, &tracer->options.session))
			continue;
		one = target_claim(t, err);
		if (one) {
			code = one;
			t->refused = one;
			t->claim_at = clock_monotonic() + 10 * SECOND;
		} else {
			++*claimed;
		}
	}
	return code;
}

static void drop_unclaimed(struct tracer *tracer, const struct tracer_process *process)
{
	for (size_t i = tracer->target_count; i-- > 0;) {
		if (tracer->targets[i]->process == process && !tracer->targets[i]->claimed)
			target_drop(tracer, i);
	}
}

int tracer_add(struct tracer *tracer, pid_t pid, struct weir_error *err)
{
	struct tracer_process *process;
	size_t claimed = 0;
	int code;

	if (process_find(tracer, pid))
		return 0;
	code = process_add(tracer, pid, &process);
	if (code == -ESRCH || code == -EINVAL)
		return rights_explain(pid, RIGHTS_READ, -ESRCH, err);
	if (code)
		return weir_err(err, code, "cannot watch process %d: %s", pid, strerror(-code));
	process->asked = process->family = true;
	kin_set(tracer, pid, true);
	process->look_at = process->born + SECOND;
	do
		code = process_search(tracer, process, NULL, err);
	while (code == -EAGAIN && clock_monotonic() < process->look_at && (nap(MS), true));
	if (code == -ENOENT && process_is_over(process))
		code = rights_explain(pid, RIGHTS_READ, -ESRCH, err);
	if ((code == -ENOENT || code == -EAGAIN) && tracer->options.wait) {
		process->look_at = process->born + WALK_EVERY;
		return 0;
	}
	if (code == -ENOENT)
		code = explain_no_memory(tracer, process, err);
	if (code >= 0) {
		code = process_claim(tracer, process, tracer->options.wait, &claimed, err);
		if (!code && !claimed)
			code = explain_no_match(tracer, process, err);
	}
	if (code < 0 && !claimed) {
		drop_unclaimed(tracer, process);
		process_drop(tracer, tracer->process_count - 1);
		return code;
	}
	return 0;
}

int tracer_follow(struct tracer *tracer, pid_t pid)
{
	struct tracer_process *process;
	pid_t own[64];
	int code, n = proc_children(getpid(), own, 64);

	/* Other children of this process are strangers; those that come later are not. */
	for (int i = 0; i < n; i++) {
		if (own[i] != pid && !process_add(tracer, own[i], &process))
			process->look_at = INT64_MAX;
	}
	code = process_add(tracer, pid, &process);
	if (code)
		return code;
	process->asked = process->family = true;
	kin_set(tracer, pid, true);
	tracer->follow = tracer->launched = true;
	return 0;
}

/* When to look again for the shared memories of a process that was found, not asked for. */
static int64_t next_search(const struct tracer_process *process, int64_t now)
{
	int64_t age = now - process->born;

	if (process->targets && !process->unseen)
		return now + SECOND;
	if (age < NEWBORN)
		return now;
	if (age < YOUNG)
		return now + MS;
	if (age < 2 * SECOND)
		return now + WALK_EVERY;
	return now + (age < 60 * SECOND && process->family ? SECOND / 10 : 2 * SECOND);
}

/* When to look again for a memory that is just being made: its program may get no processor. */
static int64_t next_made(struct tracer_process *process, int64_t now)
{
	if (!process->unmade)
		process->unmade = now;
	return now + (now - process->unmade < SECOND ? MS : SECOND / 10);
}

static void process_refresh(struct tracer *tracer, struct tracer_process *process, int64_t now)
{
	struct weir_error err = { 0 };
	size_t opened = 0, claimed = 0;
	int code;

	if (process->ended || process->denied || now < process->look_at)
		return;
	code = process_search(tracer, process, &opened, &err);
	if (code == -EAGAIN) {
		process->look_at = next_made(process, now);
		return;
	}
	process->unmade = 0;
	process->look_at = next_search(process, now);
	if ((code == -EACCES || code == -EPERM) && now - process->born < SECOND &&
	    !process->targets)
		return;
	if ((code == -EACCES || code == -EPERM) && !process_is_over(process)) {
		process->denied = true;
		tracer->denied++;
		if (process->asked)
			notice(tracer, "%s", err.message);
		return;
	}
	if (!opened)
		return;
	/* An orphan that nobody led here: only if it waits for this tracer. */
	if (!process->family && !tracer->options.all) {
		for (size_t i = tracer->target_count; i-- > 0;) {
			struct target *t = tracer->targets[i];

			if (t->process == process && !t->claimed &&
			    !session_pending(&t->shm, &tracer->options.session))
				target_drop(tracer, i);
		}
	}
	code = process_claim(tracer, process, false, &claimed, &err);
	if (code)
		notice(tracer, "%s", err.message);
}

/*
 * A process that may be of interest. Those that are not (there before, and nobody's child) are
 * remembered without a descriptor, so that each is looked at once only. false: it is over already; a
 * traced parent may leave a zombie for long, and that must not count each time.
 */
static bool meet(struct tracer *tracer, pid_t pid, bool family, int64_t now)
{
	struct tracer_process *process;

	if (process_add(tracer, pid, &process))
		return false;
	if (family && process_is_over(process)) {
		process_drop(tracer, tracer->process_count - 1);
		return false;
	}
	process->family = family;
	/* Of one that is just ending, the memory has been handed over. */
	process->unseen = family && proc_has_program(pid);
	if (family)
		kin_set(tracer, pid, true);
	process->look_at = now;
	if (tracer->round == 1 && !process->family)
		process->born -= 3600 * SECOND; /* was there before: no reason for haste */
	if (!tracer->options.all && !process->family && tracer->round == 1) {
		close(process->pidfd);
		process->pidfd = -1;
		process->look_at = INT64_MAX;
	}
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct tracer_process *x = *(struct tracer_process *const *)a,
	                            *y = *(struct tracer_process *const *)b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Of the first `n` processes, which are sorted. */
static struct tracer_process *find_sorted(const struct tracer *tracer, size_t n, pid_t pid)
{
	struct tracer_process key = { .pid = pid }, *at = &key;
	struct tracer_process **found =
	    n ? bsearch(&at, tracer->processes, n, sizeof(at), by_pid) : NULL;

	return found && !(*found)->ended ? *found : NULL;
}

/* Are the children of this process to be followed? */
static bool is_family(const struct tracer *tracer, pid_t pid)
{
	const struct tracer_process *process = process_find(tracer, pid);

	return process ? process->family : tracer->launched && pid == getpid();
}

/* All of /proc. */
static void walk_all(struct tracer *tracer)
{
	DIR *dir = opendir("/proc");
	int64_t now = clock_monotonic();
	size_t known = tracer->process_count;

	if (!dir)
		return;
	tracer->round++;
	qsort(tracer->processes, known, sizeof(*tracer->processes), by_pid);
	for (struct dirent *e; (e = readdir(dir));) {
		pid_t pid = atoi(e->d_name), parent = 0;
		struct tracer_process *process = pid > 0 ? find_sorted(tracer, known, pid) : NULL;
		unsigned long long start;

		if (process)
			process->round = tracer->round;
		if (process || pid <= 0 || pid == getpid() || proc_start(pid, &start, &parent))
			continue;
		meet(tracer, pid, is_family(tracer, parent), now);
	}
	closedir(dir);
	/* Those without a descriptor do not tell when they end. */
	for (size_t i = known; i-- > 0;) {
		const struct tracer_process *p = tracer->processes[i];

		if (p->pidfd < 0 && !p->ended && p->round != tracer->round)
			process_drop(tracer, i);
	}
}

/* What a traced process's main thread has forked: cheap, so often, for children that live briefly.
 */
static void meet_children(struct tracer *tracer, pid_t pid, int64_t now)
{
	pid_t children[64];
	int n = proc_children(pid, children, 64);

	for (int i = 0; i < n; i++) {
		if (!process_find(tracer, children[i]))
			meet(tracer, children[i], true, now);
	}
}

static void walk_children(struct tracer *tracer, int64_t now)
{
	for (size_t i = 0; i < tracer->process_count; i++) {
		const struct tracer_process *process = tracer->processes[i];

		if (process->family && !process->ended)
			meet_children(tracer, process->pid, now);
	}
}

static void on_fork(void *arg, pid_t parent, pid_t child)
{
	struct tracer *tracer = arg;
	bool family = kin_has(tracer, parent), known = kin_has(tracer, child);

	/* Told in order: the parent may be over, and the number may have been another's. */
	kin_set(tracer, child, family);
	if (!family || process_find(tracer, child) || meet(tracer, child, true, clock_monotonic()))
		return;
	if (!known) /* else its memory came before this did, and it is over and done with */
		process_add_ended(tracer, child, "?");
}

static void on_exec(void *arg, pid_t pid)
{
	struct tracer_process *process = process_find(arg, pid);
	int64_t now = clock_monotonic();

	if (!process || !process->family)
		return;
	if (process->targets)
		process->look_at = now; /* finds its memory gone */
	else
		notice_exec(process, now);
}

/* Which processes run another program now? Their memory is no longer where it was found. */
static void walk_programs(struct tracer *tracer, int64_t now)
{
	for (size_t i = 0; i < tracer->target_count; i++) {
		const struct target *t = tracer->targets[i];

		if (t->process->family && !t->leaving && !shm_in_place(&t->shm))
			t->process->look_at = now;
	}
}

/* What the kernel tells of the family, in order. */
static void read_forks(struct tracer *tracer)
{
	if (tracer->follow && tracer->forks == FORKS_UNKNOWN) {
		tracer->forks = forks_open();
		if (tracer->forks < 0)
			tracer->forks = FORKS_UNTOLD;
	}
	if (tracer->forks >= 0 && !forks_read(tracer->forks, on_fork, on_exec, tracer))
		tracer->overrun = true;
}

static bool family_lives(const struct tracer *tracer)
{
	for (size_t i = 0; i < tracer->process_count; i++) {
		if (tracer->processes[i]->family && !tracer->processes[i]->ended)
			return true;
	}
	return false;
}

/*
 * What a command leaves behind becomes this process's child in the moment in which its parent ends:
 * so if all the family that is known is over, those that are left are here.
 */
static void meet_orphans(struct tracer *tracer, int64_t now)
{
	if (tracer->launched && !family_lives(tracer))
		meet_children(tracer, getpid(), now);
}

/* --- memories that children hand over */

static bool memory_known(const struct tracer *tracer, const struct shm *shm)
{
	for (size_t i = 0; i < tracer->target_count; i++) {
		if (tracer->targets[i]->shm.dev == shm->dev &&
		    tracer->targets[i]->shm.ino == shm->ino)
			return true;
	}
	return false;
}

/* An entry of this number that is not over, or was found over in this look. */
static struct tracer_process *process_of_mail(struct tracer *tracer, const struct mail *mail)
{
	struct tracer_process *process = process_find(tracer, mail->pid);

	for (size_t i = tracer->process_count; !process && i-- > 0;) {
		if (tracer->processes[i]->pid == mail->pid)
			process = tracer->processes[i];
	}
	if (!process)
		process = process_add_ended(tracer, mail->pid, mail->name);
	else if (!strcmp(process->name, "?"))
		snprintf(process->name, sizeof(process->name), "%s", mail->name);
	return process;
}

/* A walk may have met it as a stranger, whose parent was gone already. */
static void become_family(struct tracer *tracer, struct tracer_process *process)
{
	process->family = true;
	kin_set(tracer, process->pid, true);
	if (process->pidfd >= 0 || process->ended)
		return;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	process->ended = process->pidfd < 0;
	process->born = clock_monotonic();
	process->look_at = process->born + SECOND;
}

/*
 * The child may live on with this memory; may have run another program since, or ended, and another
 * process may have its number. Then the memory is all there is, and is claimed at once to be drained.
 */
static int take_memory(struct tracer *tracer, const struct mail *mail, struct shm *shm)
{
	const struct session_options *options = &tracer->options.session;
	struct finding finding = { .tracer = tracer };
	bool alive = shm_alive(shm), unseen;
	struct target *target;

	if (!alive && !session_pending(shm, options))
		return -ENOENT;
	if (alive && !process_find(tracer, mail->pid))
		meet(tracer, mail->pid, true, clock_monotonic());
	finding.process = process_of_mail(tracer, mail);
	if (!finding.process)
		return -ENOMEM;
	become_family(tracer, finding.process);
	unseen = finding.process->unseen;
	if (target_open(&finding, shm))
		return -ENOMEM;
	target = tracer->targets[tracer->target_count - 1];
	if (alive && !finding.process->ended)
		return 0;
	if (!finding.process->ended && proc_has_program(mail->pid))
		finding.process->unseen = unseen; /* what it runs now is not known */
	target_claim(target, NULL);
	target->leaving = true;
	return 0;
}

static void take_mail(struct tracer *tracer)
{
	struct mail mail;
	struct shm shm;

	while (tracer->mailbox && mailbox_take(tracer->mailbox, &mail)) {
		if (shm_map(mail.fd, mail.pid, 0, &shm, NULL))
			close(mail.fd);
		else if (memory_known(tracer, &shm) || take_memory(tracer, &mail, &shm))
			shm_unmap(&shm);
	}
}

static void walk(struct tracer *tracer, int64_t now)
{
	int64_t pace = tracer->follow ? CHILDREN_EVERY : WALK_EVERY;

	if (now - tracer->children_at >= pace) {
		tracer->children_at = now;
		walk_programs(tracer, now);
		if (tracer->follow)
			walk_children(tracer, now);
	}
	if (!tracer->options.all && !tracer->follow)
		return;
	if (now - tracer->walked_at >= WALK_EVERY) {
		tracer->walked_at = now;
		walk_all(tracer);
	}
}

/* --- looking */

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

static int64_t target_look(struct target *target, enum stream_what what)
{
	uint64_t lost = session_lost(&target->session);
	int64_t n = stream_look(&target->stream, what, take_chunk, target);

	judge_losses(target, lost);
	return n < 0 ? 0 : n; /* no memory: the packets stay where they are */
}

/* Read what a session that is over still holds: twice, since a missing number needs two looks. */
static void target_drain(struct target *target, bool grace)
{
	if (!target->claimed)
		return;
	target->ending = true;
	target_look(target, STREAM_ALL);
	if (grace)
		nap(GRACE);
	for (int i = 0; i < 3; i++)
		target_look(target, STREAM_ALL);
}

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
	notice(tracer,
	       "process %d (%s): %s; its events of the last %" PRId64 ".%03d s were not recorded. "
	       "Recording goes on",
	       target->process->pid, target->process->name,
	       status == SESSION_EXPIRED
	           ? "weir did not run for longer than its lease of 3 s, so the probes went off"
	           : "another tracer took this session",
	       length / SECOND, (int)(length / MS % 1000));
}

/* The session was ended from the other side: fetch what it holds, report, begin another one. */
static void target_rearm(struct target *target, enum session_status status, int64_t now)
{
	struct weir_error err;

	if (status == SESSION_EXPIRED)
		target_drain(target, true);
	report_gap(target, status);
	target_end_session(target);
	target->claim_at = now + SECOND; /* a hostile target could do this for ever */
	if (target_claim(target, &err))
		notice(target->tracer, "%s", err.message);
}

static void target_refresh(struct target *target, int64_t now)
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
		if (!target_matches(target) &&
		    !session_pending(&target->shm, &target->tracer->options.session))
			return;
		code = target_claim(target, &err);
		if (code) {
			if (code != target->refused)
				notice(target->tracer, "%s", err.message);
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

static bool sources_empty(const struct target *target)
{
	for (uint32_t i = 0; i < target->shm.head.slots; i++) {
		if (target->sources[i] && !merge_source_empty(target->sources[i]))
			return false;
	}
	return true;
}

/* Its child may be about to hand over its memory, and nothing else leads there. */
static bool fork_under_way(struct target *target, int64_t now)
{
	uint32_t under_way = 0;

	if (!target->left_at)
		target->left_at = now;
	if (now - target->left_at < FORK_PATIENCE)
		session_children(&target->session, &under_way);
	return under_way;
}

/* Ends of processes and memories: drained now, freed when their last event was handed out. */
static void retire(struct tracer *tracer, int64_t now)
{
	for (size_t i = tracer->target_count; i-- > 0;) {
		struct target *t = tracer->targets[i];

		if (!t->leaving || (t->claimed && fork_under_way(t, now)))
			continue;
		if (t->claimed) {
			session_stop(&t->session);
			target_drain(t, false);
			target_end_session(t);
		} else if (sources_empty(t)) {
			target_drop(tracer, i);
		}
	}
	for (size_t i = tracer->process_count; i-- > 0;) {
		struct tracer_process *p = tracer->processes[i];

		if (!p->ended || p->targets)
			continue;
		tracer->unseen += p->unseen;
		process_drop(tracer, i);
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
	read_forks(tracer);
	meet_orphans(tracer, now);
	take_mail(tracer);
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
	walk(tracer, now);
	for (size_t i = 0; i < tracer->process_count; i++)
		process_refresh(tracer, tracer->processes[i], now);
	return sum;
}

/* False: none was there that a program could still write to. */
static bool tracer_stop_sessions(struct tracer *tracer)
{
	bool any = false;

	take_mail(tracer);
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
		nap(GRACE);
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

uint64_t tracer_missed(const struct tracer *tracer)
{
	uint64_t children = tracer->children;

	for (size_t i = 0; i < tracer->target_count; i++) {
		if (tracer->targets[i]->claimed)
			children += session_children(&tracer->targets[i]->session, NULL);
	}
	return children > tracer->adopted ? children - tracer->adopted : 0;
}

int64_t tracer_patience(const struct tracer *tracer)
{
	int64_t now = clock_monotonic();
	int64_t least = tracer->follow && tracer->forks < 0 ? CHILDREN_EVERY : INT64_MAX;

	for (size_t i = 0; tracer->follow && i < tracer->process_count; i++) {
		const struct tracer_process *p = tracer->processes[i];
		int64_t age = now - p->born;

		if (p->family && (!p->targets || p->unseen) && !p->ended && age < YOUNG)
			least = age < NEWBORN || least < MS ? MS / 10 : MS;
	}
	return least;
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
		nap(GRACE);
	while (tracer->target_count)
		target_drop(tracer, tracer->target_count - 1);
	while (tracer->process_count)
		process_drop(tracer, tracer->process_count - 1);
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
