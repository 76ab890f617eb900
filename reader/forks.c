/* SPDX-License-Identifier: MIT */
#include "reader/forks.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
	struct nlmsghdr head;
	struct cn_msg message;
	enum proc_cn_mcast_op op;
} __attribute__((packed, aligned(4)));

static int subscribe(int fd)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	struct request request = {
		.head = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(request.op) },
		.op = PROC_CN_MCAST_LISTEN,
	};

	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

int forks_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
	int code, room = 4 << 20;

	if (fd < 0)
		return -errno;
	/* Every process of the machine is told of: some thousand between two looks. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	code = subscribe(fd);
	if (!code)
		return fd;
	close(fd);
	return code;
}

static void read_one(const char *bytes, size_t size,
                     void (*fork)(void *arg, pid_t parent, pid_t child),
                     void (*exec)(void *arg, pid_t pid), void *arg)
{
	const size_t before = NLMSG_HDRLEN + sizeof(struct cn_msg);
	struct proc_event event = { 0 };

	if (size < before + sizeof(event.what))
		return;
	size -= before;
	memcpy(&event, bytes + before, size < sizeof(event) ? size : sizeof(event));
	if (event.what == PROC_EVENT_EXEC)
		exec(arg, event.event_data.exec.process_tgid);
	if (event.what != PROC_EVENT_FORK ||
	    event.event_data.fork.child_pid != event.event_data.fork.child_tgid)
		return;
	fork(arg, event.event_data.fork.parent_tgid, event.event_data.fork.child_tgid);
}

bool forks_read(int fd, void (*fork)(void *arg, pid_t parent, pid_t child),
                void (*exec)(void *arg, pid_t pid), void *arg)
{
	char bytes[1024] __attribute__((aligned(8)));
	bool all = true;
	ssize_t n;

	/* ENOBUFS: there were more than the socket holds. */
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
		if (n > 0)
			read_one(bytes, (size_t)n, fork, exec, arg);
		else
			all = false;
	}
	return all;
}
