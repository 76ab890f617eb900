/* SPDX-License-Identifier: MIT */
/*
 * A program that forks while it is traced: forks:step(kid u64, i u64).
 *
 *   forks [-w] [-S] [-g NS] burst KIDS EVENTS    KIDS children fire EVENTS each, and end at once
 *   forks [-w] [-S] [-g NS] daemon KIDS EVENTS   the same by a daemon that forked twice
 *   forks [-w] close EVENTS                      EVENTS, all descriptors closed, EVENTS
 *
 *   -w  wait until the probe is on    -g  nap between fires
 *   -S  refuse itself sockets, by a seccomp filter
 *
 * Prints "ready PID".
 */
#include <weir/probe.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

WEIR_PROBE(forks, step, (u64, kid), (u64, i))

static long gap;

static void nap(long ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&ts, NULL);
}

static void fire(unsigned long kid, unsigned long events)
{
	for (unsigned long i = 0; i < events; i++) {
		WEIR_PROBE_FIRE(forks, step, kid, i);
		if (gap)
			nap(gap);
	}
}

static void refuse_sockets(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("seccomp");
		exit(77);
	}
}

static void fork_all(unsigned long kids, unsigned long events)
{
	for (unsigned long kid = 1; kid <= kids; kid++) {
		if (!fork()) {
			fire(kid, events);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
}

static void become_daemon(void)
{
	if (fork())
		_exit(0);
	setsid();
	if (fork())
		_exit(0);
}

int main(int argc, char **argv)
{
	int wait_on = 0, refuse = 0;
	unsigned long count, events;
	const char *mode;

	for (int c; (c = getopt(argc, argv, "+wSg:")) >= 0;) {
		wait_on |= c == 'w';
		refuse |= c == 'S';
		if (c == 'g')
			gap = atol(optarg);
	}
	if (argc - optind < 2)
		return 2;
	mode = argv[optind];
	count = strtoul(argv[optind + 1], NULL, 0);
	events = argc - optind > 2 ? strtoul(argv[optind + 2], NULL, 0) : 0;
	if (WEIR_PUBLISH(forks))
		return 1;
	if (refuse)
		refuse_sockets();
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (wait_on && !WEIR_PROBE_ENABLED(forks, step))
		nap(1000000);
	if (!strcmp(mode, "close")) {
		fire(0, count);
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		fire(0, count);
		return 0;
	}
	if (!strcmp(mode, "daemon"))
		become_daemon();
	fork_all(count, events);
	return 0;
}
