/* SPDX-License-Identifier: MIT */
#include "lib/slot.h"

/* glibc 2.35 and later register every thread; weak, so that older ones and musl link. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

bool rseq_probe(void)
{
	if (!&__rseq_size || !&__rseq_offset || __rseq_size == 0)
		return false;
	weir_hot.rseq = __rseq_offset;
	return rseq_cpu() >= 0;
}
