/* SPDX-License-Identifier: MIT */
/* A process that is watched, and the search for its shared memories. */
#include "reader/tracer_private.h"
#include "reader/proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct tracer_process *tracer_process_find(const struct tracer *tracer, pid_t pid)
{
	for (size_t i = 0; i < tracer->process_count; i++) {
		if (tracer->processes[i]->pid == pid && !tracer->processes[i]->ended)
			return tracer->processes[i];
	}
	return NULL;
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

int tracer_process_add(struct tracer *tracer, pid_t pid, struct tracer_process **ret)
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

struct tracer_process *tracer_process_add_ended(struct tracer *tracer, pid_t pid, const char *name)
{
	struct tracer_process *process;

	if (process_new(tracer, pid, &process))
		return NULL;
	snprintf(process->name, sizeof(process->name), "%s", name);
	process->family = process->unseen = process->ended = true;
	family_mark(tracer, pid, true);
	tracer->processes[tracer->process_count++] = process;
	return process;
}

void tracer_process_drop(struct tracer *tracer, size_t i)
{
	struct tracer_process *process = tracer->processes[i];

	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process);
	tracer->processes[i] = tracer->processes[--tracer->process_count];
}

bool tracer_process_is_over(const struct tracer_process *process)
{
	struct pollfd p = { .fd = process->pidfd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/*
 * After exec the new program's probes come within milliseconds, and it is not armed by anybody: the
 * search for its memory must not wait.
 */
void tracer_process_ran(struct tracer_process *process, int64_t now)
{
	process->born = now;
	process->look_at = now;
	process->unseen = true;
}

/* --- its memories */

struct finding {
	struct tracer *tracer;
	struct tracer_process *process;
	size_t opened;
};

static bool is_known(void *arg, dev_t dev, ino_t ino)
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

static int open_memory(void *arg, struct shm *shm)
{
	struct finding *finding = arg;
	struct target *target;
	int code = target_new(finding->tracer, finding->process, shm, &target);

	finding->opened += !code;
	return code;
}

int tracer_process_search(struct tracer *tracer, struct tracer_process *process, size_t *opened,
                          struct weir_error *err)
{
	struct finding finding = { .tracer = tracer, .process = process };
	int code;

	for (size_t i = 0; i < tracer->target_count; i++)
		tracer->targets[i]->met = false;
	code = shm_find(process->pid, is_known, open_memory, &finding, err);
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
		if (tracer_process_is_over(process))
			continue;
		if (!finding.opened)
			tracer_process_ran(process, clock_monotonic());
		if (t->claimed)
			tracer_notice(tracer, "process %d (%s) runs another program now (exec)",
			              process->pid, process->name);
	}
	if (opened)
		*opened = finding.opened;
	return code;
}

int tracer_process_claim(struct tracer *tracer, const struct tracer_process *process, bool wait,
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
		if (!wait && !target_is_wanted(t))
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

void tracer_process_forget(struct tracer *tracer, const struct tracer_process *process)
{
	for (size_t i = tracer->target_count; i-- > 0;) {
		if (tracer->targets[i]->process == process && !tracer->targets[i]->claimed)
			target_drop(tracer, i);
	}
}

/* --- looking again */

/* When to look again for the shared memories of a process that was found, not asked for. */
static int64_t next_search(const struct tracer_process *process, int64_t now)
{
	int64_t age = now - process->born;

	if (process->targets && !process->unseen)
		return now + SECOND;
	if (age < TRACER_NEWBORN)
		return now;
	if (age < TRACER_YOUNG)
		return now + MS;
	if (age < 2 * SECOND)
		return now + TRACER_WALK_EVERY;
	return now + (age < 60 * SECOND && process->family ? SECOND / 10 : 2 * SECOND);
}

/* When to look again for a memory that is just being made: its program may get no processor. */
static int64_t next_made(struct tracer_process *process, int64_t now)
{
	if (!process->unmade)
		process->unmade = now;
	return now + (now - process->unmade < SECOND ? MS : SECOND / 10);
}

void tracer_process_refresh(struct tracer *tracer, struct tracer_process *process, int64_t now)
{
	struct weir_error err = { 0 };
	size_t opened = 0, claimed = 0;
	int code;

	if (process->ended || process->denied || now < process->look_at)
		return;
	code = tracer_process_search(tracer, process, &opened, &err);
	if (code == -EAGAIN) {
		process->look_at = next_made(process, now);
		return;
	}
	process->unmade = 0;
	process->look_at = next_search(process, now);
	if ((code == -EACCES || code == -EPERM) && now - process->born < SECOND &&
	    !process->targets)
		return;
	if ((code == -EACCES || code == -EPERM) && !tracer_process_is_over(process)) {
		process->denied = true;
		tracer->denied++;
		if (process->asked)
			tracer_notice(tracer, "%s", err.message);
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
	code = tracer_process_claim(tracer, process, false, &claimed, &err);
	if (code)
		tracer_notice(tracer, "%s", err.message);
}
