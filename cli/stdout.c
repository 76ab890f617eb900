/* SPDX-License-Identifier: MIT */
#include "cli/stdout.h"

#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void stdout_begin(void)
{
	for (int fd = 0; fd < 3; fd++) {
		/* The lowest number is given first. The wrong way round: using it is an error. */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
	}
}

int stdout_end(int status)
{
	int before = ferror(stdout), code = fflush(stdout) ? errno : 0;

	/* A reader that went away has seen enough. */
	if ((!before && !code) || code == EPIPE)
		return status;
	cli_fail("cannot write to standard output%s%s", code ? ": " : "",
	         code ? strerror(code) : "");
	return status ? status : 1;
}
