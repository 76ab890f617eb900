/* SPDX-License-Identifier: MIT */
/*
 * A growing run of bytes that remembers that memory ran out: callers append a whole image and
 * look at `failed` once.
 */
#ifndef WEIR_LIB_BUFFER_H
#define WEIR_LIB_BUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
	uint8_t *data;
	size_t size;
	size_t room;
	bool failed;
};

/* Room for `size` more bytes, zeroed, or NULL. Valid until the next call. */
static inline void *buffer_reserve(struct buffer *b, size_t size)
{
	uint8_t *at;

	if (b->failed)
		return NULL;
	if (size > b->room - b->size) {
		size_t room = b->room + b->room / 2 + size + 4096;
		uint8_t *data = realloc(b->data, room);

		if (!data) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->room = room;
	}
	at = b->data + b->size;
	memset(at, 0, size);
	b->size += size;
	return at;
}

static inline void buffer_put(struct buffer *b, const void *data, size_t size)
{
	void *at = buffer_reserve(b, size);

	if (at)
		memcpy(at, data, size);
}

static inline void buffer_string(struct buffer *b, const char *s)
{
	buffer_put(b, s, strlen(s) + 1);
}

static inline void buffer_u32(struct buffer *b, uint32_t value)
{
	buffer_put(b, &value, sizeof(value));
}

static inline void buffer_u64(struct buffer *b, uint64_t value)
{
	buffer_put(b, &value, sizeof(value));
}

/* `alignment` is a power of two. Returns the aligned size. */
static inline size_t buffer_align(struct buffer *b, size_t alignment)
{
	buffer_reserve(b, -b->size & (alignment - 1));
	return b->size;
}

#endif
