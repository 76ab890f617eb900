/* SPDX-License-Identifier: MIT */
/*
 * Steps that do not depend on each other, on several threads. What comes out must not depend on
 * which thread does which step, nor on how many threads there are.
 */
#ifndef WEIR_TYPES_PARALLEL_H
#define WEIR_TYPES_PARALLEL_H

#include <stddef.h>

/*
 * Calls step(arg, 0) to step(arg, count - 1) on at most `threads` threads, of which the caller's
 * is one. After a step has failed no other one begins. 0, or what the first of those that failed
 * returned.
 */
int parallel_steps(size_t threads, size_t count, int (*step)(void *arg, size_t step), void *arg);

/* The same for all of 0 to count - 1 in ranges, with begin < end. */
int parallel_ranges(size_t threads, size_t count, int (*range)(void *arg, size_t begin, size_t end),
                    void *arg);

#endif
