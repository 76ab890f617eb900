/* SPDX-License-Identifier: MIT */
/*
 * A memfd lives as long as somebody refers to it: so a child that ends 10 us after its fork takes
 * its events along, unless another process has the memfd too. It goes to the tracer as a message on
 * a socket, where it waits for as long as it must. The child connects by itself and writes one
 * message; neither waits. If it cannot (no such socket in its network namespace, no descriptors, a
 * filter), the tracer has to find it in /proc, as it did the parent.
 *
 * The counters are the parent's, in memory that the child still shares. `forks` goes up before the
 * fork and `children` after the message, so that a tracer that sees them differ knows that a child
 * is under way, also one whose parent is gone already; and who armed itself and was never met has
 * been missed.
 */
#include "lib/follow.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/shm.h"

#define SESSIONS_SIZE (WEIR_SHM_SESSIONS * sizeof(struct weir_shm_session))

bool follow_wanted(const struct weir_shm_session *s)
{
	unsigned state = WEIR_SESSION_STATE(__atomic_load_n(&s->state, __ATOMIC_ACQUIRE));

	return (state == WEIR_SESSION_ACTIVE || state == WEIR_SESSION_PENDING) &&
	       (__atomic_load_n(&s->flags, __ATOMIC_RELAXED) & WEIR_SESSION_FOLLOW);
}

void follow_prepare(void)
{
	for (unsigned k = 0; shm.base && k < WEIR_SHM_SESSIONS; k++) {
		if (follow_wanted(&shm.sessions[k]))
			__atomic_fetch_add(&shm.sessions[k].forks, 1, __ATOMIC_RELEASE);
	}
}

void follow_begin(struct follow *ret)
{
	void *again = MAP_FAILED;
	bool any = false;

	memcpy(ret->sessions, shm.sessions, sizeof(ret->sessions));
	for (unsigned k = 0; k < WEIR_SHM_SESSIONS; k++)
		any |= follow_wanted(&ret->sessions[k]);
	/* The sessions fill a page; of size 0, a shared mapping is doubled. */
	_Static_assert(SESSIONS_SIZE == 4096, "sessions");
	if (any)
		again = mremap(shm.sessions, 0, SESSIONS_SIZE, MREMAP_MAYMOVE);
	ret->shared = again == MAP_FAILED ? NULL : again;
}

static int mailbox_connect(uint64_t mailbox)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int n = snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, WEIR_SHM_MAILBOX,
	                 (unsigned long long)mailbox);

	if (fd < 0)
		return -1;
	if (!connect(fd, (struct sockaddr *)&to,
	             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
		return fd;
	close(fd);
	return -1;
}

void follow_hand_over(uint64_t mailbox, uint64_t key)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct weir_shm_mail mail = { .key = key };
	struct iovec io = { &mail, sizeof(mail) };
	struct msghdr head = { .msg_iov = &io,
		               .msg_iovlen = 1,
		               .msg_control = control.bytes,
		               .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&head);
	int fd = mailbox_connect(mailbox);

	if (fd < 0)
		return;
	prctl(PR_GET_NAME, mail.name);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &shm.fd, sizeof(shm.fd));
	sendmsg(fd, &head, MSG_NOSIGNAL);
	close(fd);
}

void follow_end(struct follow *follow, bool armed)
{
	for (unsigned k = 0; k < WEIR_SHM_SESSIONS; k++) {
		const struct weir_shm_session *s = &follow->sessions[k];

		if (!follow_wanted(s))
			continue;
		if (armed && s->mailbox)
			follow_hand_over(s->mailbox, s->mailbox_key);
		/* release: partner is the tracer's load before it looks into its mailbox */
		if (follow->shared)
			__atomic_fetch_add(&follow->shared[k].children, 1, __ATOMIC_RELEASE);
	}
	if (follow->shared)
		munmap(follow->shared, SESSIONS_SIZE);
}
