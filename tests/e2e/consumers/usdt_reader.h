/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TESTS_USDT_READER_H
#define WEIR_TESTS_USDT_READER_H

#define USDT_ARGS 12

struct usdt_event {
	unsigned int pid;
	unsigned int count;
	long args[USDT_ARGS];
	char string[64];
};

#endif
