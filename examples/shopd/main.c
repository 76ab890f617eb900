/* SPDX-License-Identifier: MIT */
/*
 * shopd: a small shop on libmicrohttpd, there to be watched with weir. It listens on the loopback
 * interface only; a pool of threads answers. SIGINT or SIGTERM ends it.
 *
 *   shopd [-p PORT] [-t THREADS]     port 0 (default): any free one; the first line says which
 */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probes.h"
#include "routes.h"

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
	static atomic_ullong last_id;
	uint64_t id = ++last_id;
	uint64_t start = now_us(), us;
	struct MHD_Response *response;
	struct reply reply;
	size_t size;
	enum MHD_Result ret;

	(void)context, (void)version, (void)upload, (void)request;
	if (*upload_size) { /* a shop that sells by GET has no use for bodies */
		*upload_size = 0;
		return MHD_YES;
	}
	WEIR_FIRE(probe_request_start, id, method, path);
	route(id, path, MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "q"),
	      &reply);
	size = strlen(reply.body);
	response = MHD_create_response_from_buffer(size, reply.body, MHD_RESPMEM_MUST_COPY);
	ret = MHD_queue_response(connection, reply.status, response);
	MHD_destroy_response(response);
	us = now_us() - start;
	WEIR_FIRE(probe_request_done, id, reply.route, path, reply.status, us, size,
	          (double)us / 1e3, method);
	return ret;
}

static int serve(uint16_t port, unsigned threads)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons(port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Daemon *daemon;
	sigset_t stop;
	int signal;

	/* Blocked in all threads, taken by sigwait below. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);

	probes_start();
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, port, NULL,
	                          NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
	                          MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "shopd: cannot listen on 127.0.0.1:%u: %s\n", port,
		        strerror(errno));
		probes_stop();
		return 1;
	}
	printf("shopd: pid %d, http://127.0.0.1:%u/\n", getpid(),
	       MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&stop, &signal);
	MHD_stop_daemon(daemon);
	probes_stop();
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long port = 0, threads = 8;
	int option;

	while ((option = getopt(argc, argv, "p:t:")) != -1) {
		switch (option) {
		case 'p':
			port = strtoul(optarg, NULL, 10);
			break;
		case 't':
			threads = strtoul(optarg, NULL, 10);
			break;
		default:
			fprintf(stderr, "usage: shopd [-p PORT] [-t THREADS]\n");
			return 2;
		}
	}
	if (port > 65535 || !threads || threads > 1024) {
		fprintf(stderr, "shopd: a port is 0 to 65535, threads are 1 to 1024\n");
		return 2;
	}
	return serve((uint16_t)port, (unsigned)threads);
}
