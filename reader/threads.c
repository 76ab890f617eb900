/* SPDX-License-Identifier: MIT */
#include "reader/threads.h"
#include "reader/proc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX (1u << 16)
#define NAME_AGE    INT64_C(1000000000)
#define SCAN_AGE    INT64_C(50000000)

void threads_init(struct threads *threads, pid_t pid, bool translate)
{
	*threads = (struct threads){ .pid = pid, .translate = translate };
}

void threads_deinit(struct threads *threads)
{
	free(threads->table);
	threads->table = NULL;
	threads->room = threads->used = 0;
}

static struct thread *place(struct thread *table, size_t room, uint32_t tid)
{
	size_t i = (tid * UINT32_C(2654435761)) & (room - 1);

	while (table[i].read_at && table[i].tid != tid)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static bool grow(struct threads *threads)
{
	size_t room = threads->room ? 2 * threads->room : 64;
	struct thread *table;

	/* Numbers are a stranger's word: forget all rather than grow without end. */
	if (room > THREADS_MAX)
		room = 64;
	table = calloc(room, sizeof(*table));
	if (!table)
		return false;
	if (room > threads->room) {
		for (size_t i = 0; i < threads->room; i++) {
			if (threads->table[i].read_at)
				*place(table, room, threads->table[i].tid) = threads->table[i];
		}
	} else {
		threads->used = 0;
	}
	free(threads->table);
	threads->table = table;
	threads->room = room;
	return true;
}

static struct thread *slot_for(struct threads *threads, uint32_t tid)
{
	if (2 * (threads->used + 1) > threads->room && !grow(threads))
		return NULL;
	return place(threads->table, threads->room, tid);
}

static void remember(struct threads *threads, uint32_t tid, uint32_t outer, const char *name,
                     int64_t now)
{
	struct thread *t = slot_for(threads, tid);

	if (!t)
		return;
	if (!t->read_at)
		threads->used++;
	else if (!strcmp(name, "?") && t->outer == outer)
		name = t->name; /* it ended: what it was called still holds */
	if (name != t->name && strcmp(name, t->name))
		t->told = false;
	t->tid = tid;
	t->outer = outer;
	t->read_at = now ? now : 1;
	if (name != t->name)
		snprintf(t->name, sizeof(t->name), "%s", name);
}

void threads_scan(struct threads *threads, int64_t now)
{
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", threads->pid);
	dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		pid_t outer = atoi(e->d_name), inner;
		char name[16];

		if (outer <= 0 || proc_inner_pid(outer, &inner))
			continue;
		proc_comm(threads->pid, outer, name, sizeof(name));
		remember(threads, inner, outer, name, now);
	}
	closedir(dir);
	threads->scanned_at = now;
}

const struct thread *threads_find(struct threads *threads, uint32_t tid, int64_t now)
{
	static const struct thread nobody = { .name = "?" };
	struct thread *t = slot_for(threads, tid);
	char name[16];

	if (!t)
		return &nobody;
	if (t->read_at && now - t->read_at < NAME_AGE)
		return t;
	if (threads->translate && !t->read_at && now - threads->scanned_at > SCAN_AGE) {
		threads_scan(threads, now);
		t = slot_for(threads, tid);
		if (!t)
			return &nobody;
		if (t->read_at)
			return t;
	}
	if (threads->translate && !t->read_at)
		snprintf(name, sizeof(name), "?");
	else
		proc_comm(threads->pid, t->read_at ? t->outer : tid, name, sizeof(name));
	remember(threads, tid, t->read_at ? t->outer : tid, name, now);
	return slot_for(threads, tid);
}

void threads_each_new(struct threads *threads, int64_t now,
                      void (*call)(void *arg, const struct thread *thread), void *arg)
{
	threads_scan(threads, now);
	for (size_t i = 0; i < threads->room; i++) {
		struct thread *t = &threads->table[i];

		if (!t->read_at || t->told)
			continue;
		t->told = true;
		call(arg, t);
	}
}
