/* SPDX-License-Identifier: MIT */
/* A program with a plain USDT probe, plain:tick, and nothing of weir. */
#include <stdio.h>
#include <sys/sdt.h>
#include <unistd.h>

int main(void)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
	for (int i = 0;; i++) {
		DTRACE_PROBE1(plain, tick, i);
		sleep(1);
	}
}
