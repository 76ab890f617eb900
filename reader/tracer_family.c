/* SPDX-License-Identifier: MIT */
/*
 * Which processes there are: the children of those that are traced, told by the kernel, found in
 * /proc, or known by the memory that they hand over; with `all`, everybody.
 */
#include "reader/tracer_private.h"
#include "reader/forks.h"
#include "reader/mailbox.h"
#include "reader/proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILDREN_EVERY (2 * MS)
/* A fork that is under way when its parent ends gets this long to become a child. */
#define FORK_PATIENCE SECOND

static bool kin_has(const struct tracer *tracer, pid_t pid)
{
	return pid > 0 && (uint32_t)pid < TRACER_PIDS && tracer->kin[pid / 8] >> (pid % 8) & 1;
}

void family_mark(struct tracer *tracer, pid_t pid, bool is)
{
	if (pid <= 0 || (uint32_t)pid >= TRACER_PIDS)
		return;
	tracer->kin[pid / 8] &= (uint8_t) ~(1u << pid % 8);
	tracer->kin[pid / 8] |= (uint8_t)(is << pid % 8);
}

/*
 * A process that may be of interest. Those that are not (there before, and nobody's child) are
 * remembered without a descriptor, so that each is looked at once only. false: it is over already; a
 * traced parent may leave a zombie for long, and that must not count each time.
 */
static bool meet(struct tracer *tracer, pid_t pid, bool family, int64_t now)
{
	struct tracer_process *process;

	if (tracer_process_add(tracer, pid, &process))
		return false;
	if (family && tracer_process_is_over(process)) {
		tracer_process_drop(tracer, tracer->process_count - 1);
		return false;
	}
	process->family = family;
	/* Of one that is just ending, the memory has been handed over. */
	process->unseen = family && proc_has_program(pid);
	if (family)
		family_mark(tracer, pid, true);
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
	const struct tracer_process *process = tracer_process_find(tracer, pid);

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
			tracer_process_drop(tracer, i);
	}
}

/* What a traced process's main thread has forked: cheap, so often, for children that live briefly.
 */
static void meet_children(struct tracer *tracer, pid_t pid, int64_t now)
{
	pid_t children[64];
	int n = proc_children(pid, children, 64);

	for (int i = 0; i < n; i++) {
		if (!tracer_process_find(tracer, children[i]))
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
	family_mark(tracer, child, family);
	if (!family || tracer_process_find(tracer, child) ||
	    meet(tracer, child, true, clock_monotonic()))
		return;
	if (!known) /* else its memory came before this did, and it is over and done with */
		tracer_process_add_ended(tracer, child, "?");
}

static void on_exec(void *arg, pid_t pid)
{
	struct tracer_process *process = tracer_process_find(arg, pid);
	int64_t now = clock_monotonic();

	if (!process || !process->family)
		return;
	if (process->targets)
		process->look_at = now; /* finds its memory gone */
	else
		tracer_process_ran(process, now);
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

void family_hear(struct tracer *tracer)
{
	if (tracer->follow && tracer->forks == FORKS_UNKNOWN) {
		tracer->forks = forks_open();
		if (tracer->forks < 0)
			tracer->forks = FORKS_UNTOLD;
	}
	if (tracer->forks >= 0 && !forks_read(tracer->forks, on_fork, on_exec, tracer))
		tracer->overrun = true;
}

bool family_lives(const struct tracer *tracer)
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
void family_meet_orphans(struct tracer *tracer, int64_t now)
{
	if (tracer->launched && !family_lives(tracer))
		meet_children(tracer, getpid(), now);
}

void family_walk(struct tracer *tracer, int64_t now)
{
	int64_t pace = tracer->follow ? CHILDREN_EVERY : TRACER_WALK_EVERY;

	if (now - tracer->children_at >= pace) {
		tracer->children_at = now;
		walk_programs(tracer, now);
		if (tracer->follow)
			walk_children(tracer, now);
	}
	if (!tracer->options.all && !tracer->follow)
		return;
	if (now - tracer->walked_at >= TRACER_WALK_EVERY) {
		tracer->walked_at = now;
		walk_all(tracer);
	}
}

bool family_is_growing(struct target *target, int64_t now)
{
	uint32_t under_way = 0;

	if (!target->left_at)
		target->left_at = now;
	if (now - target->left_at < FORK_PATIENCE)
		session_children(&target->session, &under_way);
	return under_way;
}

int tracer_follow(struct tracer *tracer, pid_t pid)
{
	struct tracer_process *process;
	pid_t own[64];
	int code, n = proc_children(getpid(), own, 64);

	/* Other children of this process are strangers; those that come later are not. */
	for (int i = 0; i < n; i++) {
		if (own[i] != pid && !tracer_process_add(tracer, own[i], &process))
			process->look_at = INT64_MAX;
	}
	code = tracer_process_add(tracer, pid, &process);
	if (code)
		return code;
	process->asked = process->family = true;
	family_mark(tracer, pid, true);
	tracer->follow = tracer->launched = true;
	return 0;
}

int64_t tracer_patience(const struct tracer *tracer)
{
	int64_t now = clock_monotonic();
	int64_t least = tracer->follow && tracer->forks < 0 ? CHILDREN_EVERY : INT64_MAX;

	for (size_t i = 0; tracer->follow && i < tracer->process_count; i++) {
		const struct tracer_process *p = tracer->processes[i];
		int64_t age = now - p->born;

		if (p->family && (!p->targets || p->unseen) && !p->ended && age < TRACER_YOUNG)
			least = age < TRACER_NEWBORN || least < MS ? MS / 10 : MS;
	}
	return least;
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
	struct tracer_process *process = tracer_process_find(tracer, mail->pid);

	for (size_t i = tracer->process_count; !process && i-- > 0;) {
		if (tracer->processes[i]->pid == mail->pid)
			process = tracer->processes[i];
	}
	if (!process)
		process = tracer_process_add_ended(tracer, mail->pid, mail->name);
	else if (!strcmp(process->name, "?"))
		snprintf(process->name, sizeof(process->name), "%s", mail->name);
	return process;
}

/* A walk may have met it as a stranger, whose parent was gone already. */
static void become_family(struct tracer *tracer, struct tracer_process *process)
{
	process->family = true;
	family_mark(tracer, process->pid, true);
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
	struct tracer_process *process;
	bool alive = shm_alive(shm), unseen;
	struct target *target;

	if (!alive && !session_pending(shm, options))
		return -ENOENT;
	if (alive && !tracer_process_find(tracer, mail->pid))
		meet(tracer, mail->pid, true, clock_monotonic());
	process = process_of_mail(tracer, mail);
	if (!process)
		return -ENOMEM;
	become_family(tracer, process);
	unseen = process->unseen;
	if (target_new(tracer, process, shm, &target))
		return -ENOMEM;
	if (alive && !process->ended)
		return 0;
	if (!process->ended && proc_has_program(mail->pid))
		process->unseen = unseen; /* what it runs now is not known */
	target_claim(target, NULL);
	target->leaving = true;
	return 0;
}

void family_take_mail(struct tracer *tracer)
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
