/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#define WIDTH 30
#define DELAY 0.5 /* s: what is over sooner needs no bar */

void progress_init(struct progress *p, const char *what)
{
	p->what = what;
	p->shown = false;
	p->next = 0;
	clock_gettime(CLOCK_MONOTONIC, &p->start);
}

static double seconds(const struct progress *p)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - p->start.tv_sec) +
	       (double)(now.tv_nsec - p->start.tv_nsec) / 1e9;
}

static void bar(const char *verb, const char *what, double share)
{
	int filled = (int)(share * WIDTH);

	fprintf(stderr, "\r\033[K%s %s [", verb, what);
	for (int i = 0; i < WIDTH; i++)
		fputc(i < filled ? '#' : ' ', stderr);
	fputc(']', stderr);
}

void progress_show(void *arg, size_t done, size_t total)
{
	struct progress *p = arg;

	if (!isatty(STDERR_FILENO) || seconds(p) < DELAY)
		return;
	bar("reading types of", p->what, total ? (double)done / (double)total : 0);
	fflush(stderr);
	p->shown = true;
}

void progress_events(struct progress *p, uint64_t done, uint64_t total, uint64_t events)
{
	double now, share = total ? (double)done / (double)total : 0;

	if (!isatty(STDERR_FILENO))
		return;
	now = seconds(p);
	if (now < DELAY || now < p->next)
		return;
	p->next = now + 0.1;
	/* A recording that grows meanwhile has more than its size was. */
	share = share > 1 ? 1 : share;
	bar("reading", p->what, share);
	fprintf(stderr, " %2.0f%%  %.1f M events/s", 100 * share, (double)events / now / 1e6);
	if (share > 0.02)
		fprintf(stderr, "  %.0f s left", now / share * (1 - share));
	fflush(stderr);
	p->shown = true;
}

void progress_done(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
