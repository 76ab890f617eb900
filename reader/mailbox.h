/* SPDX-License-Identifier: MIT */
/*
 * Where forked children of followed processes hand over their shared memory (struct weir_shm_mail),
 * before their first event: it waits here however soon they end.
 */
#ifndef WEIR_READER_MAILBOX_H
#define WEIR_READER_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mailbox;

struct mail {
	int fd; /* of the memfd, opened anew: the taker's */
	pid_t
	    pid; /* who sent it, as this process sees it; it may be over, and its number another's */
	char name[16];
};

int mailbox_create(struct mailbox **ret);
void mailbox_destroy(struct mailbox *mailbox);

/* The words for the session: the address, and what proves that a sender has read them. */
uint64_t mailbox_name(const struct mailbox *mailbox);
uint64_t mailbox_key(const struct mailbox *mailbox);

/* Readable when somebody hands over. */
int mailbox_fd(const struct mailbox *mailbox);

/* The next memory; false: there is none now. */
bool mailbox_take(struct mailbox *mailbox, struct mail *ret);

#endif
