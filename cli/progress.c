/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#define WIDTH 30

void progress_init(struct progress *p, const char *what)
{
	p->what = what;
	p->shown = false;
	clock_gettime(CLOCK_MONOTONIC, &p->start);
}

void progress_show(void *arg, size_t done, size_t total)
{
	struct progress *p = arg;
	struct timespec now;
	int filled = total ? (int)(done * WIDTH / total) : 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!isatty(STDERR_FILENO) ||
	    (now.tv_sec - p->start.tv_sec) * 1000 + (now.tv_nsec - p->start.tv_nsec) / 1000000 <
	        500)
		return;
	fprintf(stderr, "\r\033[Kreading types of %s [", p->what);
	for (int i = 0; i < WIDTH; i++)
		fputc(i < filled ? '#' : ' ', stderr);
	fputc(']', stderr);
	fflush(stderr);
	p->shown = true;
}

void progress_done(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
