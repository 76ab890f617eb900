/* SPDX-License-Identifier: MIT */
/*
 * A tracer on libbpf: usdt_reader OBJECT PID PATH PROVIDER PROBE STRING-ARGUMENT
 * (PID -1: all that have PATH loaded). Prints "attached", then a line per hit, and detaches at a
 * line on stdin, or its end.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usdt_reader.h"

static int on_event(void *context, void *data, size_t size)
{
	const struct usdt_event *event = data;

	(void)context;
	(void)size;
	printf("hit %u %u", event->pid, event->count);
	for (unsigned int i = 0; i < event->count && i < USDT_ARGS; i++)
		printf(" %ld", event->args[i]);
	printf(" '%s'\n", event->string);
	return 0;
}

static int fail(const char *what)
{
	fprintf(stderr, "usdt_reader: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_usdt_opts, options);
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct bpf_object *object;
	struct bpf_program *program;
	struct bpf_link *link;
	struct ring_buffer *ring;

	if (argc != 7)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object))
		return fail("load");
	program = bpf_object__find_program_by_name(object, "on_usdt");
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "events"), on_event, NULL,
	                        NULL);
	if (!program || !ring)
		return fail("ring buffer");
	options.usdt_cookie = (unsigned long)atol(argv[6]);
	link =
	    bpf_program__attach_usdt(program, atoi(argv[2]), argv[3], argv[4], argv[5], &options);
	if (!link)
		return fail("attach");
	printf("libbpf %u.%u attached\n", libbpf_major_version(), libbpf_minor_version());
	while (poll(&in, 1, 0) == 0)
		ring_buffer__poll(ring, 50);
	bpf_link__destroy(link);
	ring_buffer__free(ring);
	bpf_object__close(object);
	puts("detached");
	return 0;
}
