/* SPDX-License-Identifier: MIT */
/* Small things every file of types/ uses: cleanup attributes, growing arrays, hashes. */
#ifndef WEIR_TYPES_UTIL_H
#define WEIR_TYPES_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void free_pointer(void *p)
{
	free(*(void **)p);
}
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define _cleanup_free_  _cleanup_(free_pointer)
#define _cleanup_close_ _cleanup_(close_fd)
#define _cleanup_(fn)   __attribute__((cleanup(fn)))

/* Hand the value of a cleanup variable over to the caller. */
#define take_ptr(p)                         \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/* Make room for one more element of *array, which has `count` of `*room`; 0 or -ENOMEM. */
static inline int array_reserve(void *array, size_t count, size_t *room, size_t element)
{
	void **p = array, *bigger;
	size_t want;

	if (count < *room)
		return 0;
	want = *room ? *room + *room / 2 : 64;
	if (want <= count)
		want = count + 1;
	if (want > SIZE_MAX / 2 / element)
		return -ENOMEM;
	bigger = realloc(*p, want * element);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	*room = want;
	return 0;
}

/* Put bytes behind the `size` that *buffer has; 0 or -ENOMEM. */
static inline int bytes_append(void *buffer, size_t *size, size_t *room, const void *data,
                               size_t bytes)
{
	uint8_t **p = buffer, *bigger;
	size_t need = *size + bytes;

	if (need > *room) {
		bigger = realloc(*p, need + need / 2);
		if (!bigger)
			return -ENOMEM;
		*p = bigger;
		*room = need + need / 2;
	}
	memcpy(*p + *size, data, bytes);
	*size = need;
	return 0;
}

/* All of it; -EBADMSG: the file ends before. */
static inline int read_fully(int fd, void *to, size_t size, uint64_t at)
{
	for (uint8_t *p = to; size;) {
		ssize_t n = pread(fd, p, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EBADMSG;
		p += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static inline uint64_t hash_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ULL;
	h ^= h >> 29;
	return h;
}

static inline uint64_t hash_bytes(const void *data, size_t size, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t h = seed ^ (size * 0x9e3779b97f4a7c15ULL), word;

	for (; size >= 8; size -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdULL;
		h ^= h >> 32;
	}
	if (size) {
		word = 0;
		memcpy(&word, p, size);
		h = (h ^ word) * 0xff51afd7ed558ccdULL;
	}
	return hash_mix(h);
}

#endif
