/* SPDX-License-Identifier: MIT */
/*
 * Where a thread's thread-local variables are, found from outside without stopping
 * it: the C library's own list of threads, read with the descriptors that glibc
 * carries for its libthread_db (so no offset of any version is known here).
 *
 * Works for dynamically linked glibc programs (2.34 and later). Others give -ENOTSUP
 * and a sentence.
 */
#ifndef WEIR_READER_TLS_H
#define WEIR_READER_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reader/error.h"

/* What is needed of a process or core file. */
struct tls_source {
	void *ctx;
	int (*read)(void *ctx, uint64_t address, void *buf, size_t size);
	/* Addresses (in the process) of symbols of the image whose path's last component begins
	   with `image`; UINT64_MAX: not there. -ENOENT: no such image; else *err says why. */
	int (*symbols)(void *ctx, const char *image, const char *const *names, size_t count,
	               uint64_t *values, struct weir_error *err);
};

struct tls;

int tls_open(const struct tls_source *source, struct weir_error *err, struct tls **ret);
void tls_close(struct tls *tls);

/* The thread pointer of thread `tid` (as the process itself numbers it). -ESRCH: no such thread. */
int tls_thread_pointer(struct tls *tls, pid_t tid, struct weir_error *err, uint64_t *ret);

/* Where the image loaded with `bias` has its block in that thread. -ENODATA: the thread has not
   touched any of its variables yet, so they have no memory; they hold their initial values. */
int tls_block(struct tls *tls, uint64_t thread_pointer, uint64_t bias, struct weir_error *err,
              uint64_t *ret);

#endif
