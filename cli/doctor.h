/* SPDX-License-Identifier: MIT */
/* Within doctor*.c: what was found. */
#ifndef WEIR_CLI_DOCTOR_H
#define WEIR_CLI_DOCTOR_H

#include <stddef.h>

enum status { OK, LIMITED, MISSING };

struct finding {
	const char *check;
	enum status status;
	char reason[320];
	char remedy[240]; /* "": nothing is to be done, or nothing helps */
};

struct report {
	struct finding findings[32];
	size_t count;
};

void doctor_add(struct report *report, const char *check, enum status status, const char *remedy,
                const char *reason, ...) __attribute__((format(printf, 5, 6)));

/* The number in a file of /proc/sys, or -1. */
long doctor_sysctl(const char *path);

/* What libweir finds in a program that this user starts from here. */
void doctor_target(struct report *report);

#endif
