/* SPDX-License-Identifier: MIT */
/*
 * Who forks whom, and who runs another program, told by the kernel's process events (the proc
 * connector) at once and in order: for children that live too briefly to be met by walking /proc.
 * Needs CAP_NET_ADMIN in the first namespaces; without it there is only the walking.
 */
#ifndef WEIR_READER_FORKS_H
#define WEIR_READER_FORKS_H

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor that becomes readable when any process forks or execs, or -errno. */
int forks_open(void);

/*
 * Call for each fork and exec since the last call; threads' forks are left out. False: some were
 * not told, for there were more than the socket holds.
 */
bool forks_read(int fd, void (*fork)(void *arg, pid_t parent, pid_t child),
                void (*exec)(void *arg, pid_t pid), void *arg);

#endif
