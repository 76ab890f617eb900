/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_EQUAL_H
#define WEIR_TYPES_EQUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * For each of `count` keys the first one that is equal to it: first[i] <= i. Keys are hashes;
 * where `same` is given, it has the last word on two things whose keys are equal. -ENOMEM.
 */
int equal_find(const uint64_t *keys, size_t count, size_t threads,
               bool (*same)(const void *arg, uint32_t a, uint32_t b), const void *arg,
               uint32_t *first);

#endif
