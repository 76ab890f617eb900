/* SPDX-License-Identifier: MIT */
/*
 * A listening socket: the children wait in its queue, each on a connection of its own, so that none
 * has to wait for this process (a datagram socket would hold ten). Its name is abstract: any process
 * of the network namespace can connect. Only those that can read the target's memory know the key;
 * what they send is checked as any target's memory is.
 */
#include "reader/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/abi/shm.h>

#define QUEUE 4096

struct mailbox {
	int fd;
	uint64_t name, key;
	int waiting[64]; /* connections without a message yet */
	size_t count;
};

static int listen_at(struct mailbox *mailbox)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int n = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, WEIR_SHM_MAILBOX,
	                 (unsigned long long)mailbox->name);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);

	mailbox->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (mailbox->fd < 0)
		return -errno;
	if (bind(mailbox->fd, (struct sockaddr *)&at, size) || listen(mailbox->fd, QUEUE))
		return -errno;
	return 0;
}

int mailbox_create(struct mailbox **ret)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	uint64_t random[2];
	int code;

	if (!mailbox)
		return -ENOMEM;
	mailbox->fd = -1;
	code = getrandom(random, sizeof(random), 0) == sizeof(random) ? 0 : -EIO;
	mailbox->name = random[0] | 1;
	mailbox->key = random[1];
	if (!code)
		code = listen_at(mailbox);
	if (code) {
		mailbox_destroy(mailbox);
		return code;
	}
	*ret = mailbox;
	return 0;
}

void mailbox_destroy(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	while (mailbox->count)
		close(mailbox->waiting[--mailbox->count]);
	if (mailbox->fd >= 0)
		close(mailbox->fd);
	free(mailbox);
}

uint64_t mailbox_name(const struct mailbox *mailbox)
{
	return mailbox->name;
}

uint64_t mailbox_key(const struct mailbox *mailbox)
{
	return mailbox->key;
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

/*
 * The sender's description is not ours to use: locks belong to descriptions, and another tracer may
 * have been sent the same one. Takes `fd`.
 */
static int open_anew(int fd)
{
	struct stat st;
	char path[32];
	int own = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		own = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	close(fd);
	return own;
}

/* 1: it is there; 0: not yet; -1: nothing comes from this one. */
static int receive(const struct mailbox *mailbox, int connection, struct mail *ret)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct weir_shm_mail words = { 0 };
	struct iovec io = { &words, sizeof(words) };
	/* Room for one descriptor: the kernel closes others. */
	struct msghdr head = { .msg_iov = &io,
		               .msg_iovlen = 1,
		               .msg_control = control.bytes,
		               .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(connection, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&head) : NULL;
	struct ucred sender;
	socklen_t size = sizeof(sender);
	int fd;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	if (n != sizeof(words) || words.key != mailbox->key ||
	    getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &sender, &size) || sender.pid <= 0) {
		close(fd);
		return -1;
	}
	ret->pid = sender.pid;
	ret->fd = open_anew(fd);
	snprintf(ret->name, sizeof(ret->name), "%.15s", words.name);
	for (char *p = ret->name; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	}
	return ret->fd < 0 ? -1 : 1;
}

static bool take_waiting(struct mailbox *mailbox, struct mail *ret)
{
	for (size_t i = mailbox->count; i-- > 0;) {
		int got = receive(mailbox, mailbox->waiting[i], ret);

		if (!got)
			continue;
		close(mailbox->waiting[i]);
		mailbox->waiting[i] = mailbox->waiting[--mailbox->count];
		if (got > 0)
			return true;
	}
	return false;
}

static void let_wait(struct mailbox *mailbox, int connection)
{
	if (mailbox->count == sizeof(mailbox->waiting) / sizeof(mailbox->waiting[0]))
		close(mailbox->waiting[--mailbox->count]);
	mailbox->waiting[mailbox->count++] = connection;
}

bool mailbox_take(struct mailbox *mailbox, struct mail *ret)
{
	int connection;

	if (take_waiting(mailbox, ret))
		return true;
	while ((connection = accept4(mailbox->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		int got = receive(mailbox, connection, ret);

		if (!got) {
			let_wait(mailbox, connection);
			continue;
		}
		close(connection);
		if (got > 0)
			return true;
	}
	return false;
}
