/* SPDX-License-Identifier: MIT */
/*
 * From argument words to payload bytes. The payload is packed on x86: one field behind the other.
 * Elsewhere every number is aligned naturally from the payload's start, which LTTng aligns to the
 * largest of them.
 *
 *   integer, float, pointer   its bytes
 *   bool                      one byte, 0 or 1
 *   string                    its bytes up to the limit, NUL; a null pointer is "(null)", as
 *                             LTTng's own macros write it
 *   bytes                     u16 length, its bytes up to the limit
 *
 * A string may change while it is copied. It is checked as it is copied, in one pass: a NUL inside
 * would shift all that follows in the event, and no reader would find its way again.
 */
#include "lib/lttng_layout.h"

#include <errno.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define NULL_STRING "(null)"

static unsigned int type_size(unsigned int type)
{
	switch (type) {
	case WEIR_I8:
	case WEIR_U8:
	case WEIR_BOOL:
		return 1;
	case WEIR_I16:
	case WEIR_U16:
		return 2;
	case WEIR_I32:
	case WEIR_U32:
	case WEIR_F32:
		return 4;
	case WEIR_I64:
	case WEIR_U64:
	case WEIR_F64:
	case WEIR_POINTER:
		return 8;
	default:
		return 0;
	}
}

/*
 * Words of 64 bits back to back are their own payload, and a smaller last one is its low bytes:
 * nothing has to be packed then.
 */
static uint8_t plain_words(const struct lttng_layout *layout)
{
	unsigned int bytes = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	for (unsigned int i = 0; i < layout->count; i++) {
		unsigned int size = type_size(layout->items[i].type);

		if (!size || layout->items[i].type == WEIR_BOOL ||
		    (size < 8 && i + 1u < layout->count))
			return 0;
		bytes += size;
	}
#endif
	return (uint8_t)bytes;
}

int lttng_layout_init(struct lttng_layout *layout, const struct weir_note *note)
{
	const char *at = (const char *)note + note->fixed;

	if (note->fields > WEIR_FIELDS_MAX)
		return -EINVAL;
	at += strlen(at) + 1; /* provider */
	at += strlen(at) + 1; /* probe */
	memset(layout, 0, sizeof(*layout));
	layout->pack = lttng_layout_pack;
	layout->pack_string = lttng_pack_string;
	layout->pack_bytes = lttng_pack_bytes;
	layout->align = 1;
	for (unsigned int i = 0; i < note->fields; i++) {
		const struct weir_note_field *field = (const void *)at;
		struct lttng_item *item = &layout->items[layout->count++];
		unsigned int size = type_size(field->type);

		item->type = field->type;
		item->arg = field->arg;
		if (field->type == WEIR_STRING || field->type == WEIR_BYTES) {
			item->limit = note->string_limit ? note->string_limit : WEIR_STRING_LIMIT;
			size = field->type == WEIR_STRING ? 1 : 2;
		} else if (!size) {
			return -EINVAL;
		}
		layout->fixed += size;
		if (!LTTNG_PACKED) {
			layout->fixed += size - 1;
			if (size > layout->align)
				layout->align = size;
		}
		at += sizeof(*field) + strlen(at + sizeof(*field)) + 1;
	}
	layout->words = plain_words(layout);
	return 0;
}

/*
 * Sixteen bytes at a time where that reads no page that the string may not reach into; what is read
 * and written behind the NUL is ignored.
 */
__attribute__((no_sanitize("address"))) uint8_t *lttng_pack_string(uint8_t *to, const char *from,
                                                                   size_t limit, uint8_t *end)
{
	if (!from)
		from = NULL_STRING;
#if defined(__SSE2__)
	while (limit >= 16 && end - to >= 16 && ((uintptr_t)from & 4095) <= 4096 - 16) {
		__m128i block = _mm_loadu_si128((const __m128i *)from);
		unsigned int zeros = _mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_setzero_si128()));

		_mm_storeu_si128((__m128i *)to, block);
		if (zeros)
			return to + __builtin_ctz(zeros) + 1;
		to += 16;
		from += 16;
		limit -= 16;
	}
#endif
	for (; limit; limit--) {
		char c = *(const volatile char *)from++;

		if (!c)
			break;
		if (to >= end)
			return NULL;
		*to++ = (uint8_t)c;
	}
	*to = 0; /* its place is counted in layout->fixed */
	return to + 1;
}

uint8_t *lttng_pack_bytes(uint8_t *to, const void *from, size_t size, size_t limit, uint8_t *end)
{
	uint16_t length;

	if (!from)
		size = 0;
	if (size > limit)
		size = limit;
	if (end - to < (ptrdiff_t)size)
		return NULL;
	length = (uint16_t)size;
	memcpy(to, &length, sizeof(length));
	if (size)
		memcpy(to + sizeof(length), from, size);
	return to + sizeof(length) + size;
}

/* The low bytes of a word, as a number of that size lies in memory. */
static const void *word_bytes(const uint64_t *word, unsigned int size)
{
	const uint8_t *bytes = (const uint8_t *)word;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bytes += sizeof(*word) - size;
#else
	(void)size;
#endif
	return bytes;
}

static uint64_t item_word(const struct lttng_item *item, const uint64_t *args)
{
	return item->type == WEIR_BOOL ? (uint8_t)args[item->arg] != 0 : args[item->arg];
}

/* `to` moved on to the next multiple of `align`, counted from the payload's start. */
static uint8_t *align_to(uint8_t *to, const uint8_t *start, unsigned int align)
{
	if (LTTNG_PACKED)
		return to;
	while ((size_t)(to - start) % align)
		*to++ = 0;
	return to;
}

uint8_t *lttng_layout_pack(const struct lttng_layout *layout, const uint64_t *args, uint8_t *to,
                           uint8_t *end)
{
	const uint8_t *start = to;

	for (unsigned int i = 0; i < layout->count; i++) {
		const struct lttng_item *item = &layout->items[i];
		unsigned int size;
		uint64_t word;

		switch (item->type) {
		case WEIR_STRING:
			to = lttng_pack_string(to, (const char *)(uintptr_t)args[item->arg],
			                       item->limit, end);
			break;
		case WEIR_BYTES:
			to = align_to(to, start, sizeof(uint16_t));
			to = lttng_pack_bytes(to, (const void *)(uintptr_t)args[item->arg],
			                      args[item->arg + 1], item->limit, end);
			break;
		default:
			size = type_size(item->type);
			to = align_to(to, start, size);
			word = item_word(item, args);
			memcpy(to, word_bytes(&word, size), size);
			to += size;
			break;
		}
		if (!to)
			return NULL;
	}
	return to;
}

size_t lttng_layout_measure(const struct lttng_layout *layout, const uint64_t *args,
                            uint16_t sizes[WEIR_FIELDS_MAX])
{
	size_t total = 0;

	for (unsigned int i = 0; i < layout->count; i++) {
		const struct lttng_item *item = &layout->items[i];
		const char *from = (const char *)(uintptr_t)args[item->arg];
		size_t size = type_size(item->type);

		switch (item->type) {
		case WEIR_STRING:
			sizes[i] = strnlen(from ? from : NULL_STRING, item->limit);
			total += sizes[i] + 1;
			break;
		case WEIR_BYTES:
			size = from ? args[item->arg + 1] : 0;
			sizes[i] = size < item->limit ? size : item->limit;
			if (!LTTNG_PACKED)
				total += total & 1;
			total += sizeof(uint16_t) + sizes[i];
			break;
		default:
			if (!LTTNG_PACKED)
				total = (total + size - 1) / size * size;
			total += size;
			break;
		}
	}
	return total;
}

void lttng_layout_write(const struct lttng_layout *layout, const uint64_t *args,
                        const uint16_t sizes[WEIR_FIELDS_MAX], const struct ust_buffer_ops *ops,
                        struct ust_ring_ctx *ctx)
{
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct lttng_item *item = &layout->items[i];
		const char *from = (const char *)(uintptr_t)args[item->arg];
		size_t size = type_size(item->type);
		uint64_t word;

		switch (item->type) {
		case WEIR_STRING:
			/* stops at a NUL that came since, and fills up */
			ops->event_strcpy(ctx, from ? from : NULL_STRING, sizes[i] + 1u);
			break;
		case WEIR_BYTES:
			ops->event_write(ctx, &sizes[i], sizeof(sizes[i]),
			                 LTTNG_PACKED ? 1 : sizeof(sizes[i]));
			if (sizes[i])
				ops->event_write(ctx, from, sizes[i], 1);
			break;
		default:
			word = item_word(item, args);
			ops->event_write(ctx, word_bytes(&word, size), size,
			                 LTTNG_PACKED ? 1 : size);
			break;
		}
	}
}

static uint64_t stack_word(unsigned int type, uint64_t word)
{
	union {
		double f64;
		uint64_t word;
	} wide;
	union {
		float f32;
		uint32_t word;
	} narrow;

	switch (type) {
	case WEIR_I8:
		return (uint64_t)(int64_t)(int8_t)word;
	case WEIR_I16:
		return (uint64_t)(int64_t)(int16_t)word;
	case WEIR_I32:
		return (uint64_t)(int64_t)(int32_t)word;
	case WEIR_U8:
		return (uint8_t)word;
	case WEIR_U16:
		return (uint16_t)word;
	case WEIR_U32:
		return (uint32_t)word;
	case WEIR_BOOL:
		return (uint8_t)word != 0;
	case WEIR_F32:
		narrow.word = (uint32_t)word;
		wide.f64 = narrow.f32;
		return wide.word;
	default:
		return word;
	}
}

void lttng_layout_stack(const struct lttng_layout *layout, const uint64_t *args,
                        uint64_t stack[LTTNG_STACK_WORDS])
{
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct lttng_item *item = &layout->items[i];
		uint64_t word = args[item->arg];

		switch (item->type) {
		case WEIR_STRING:
			*stack++ = word ? word : (uintptr_t)NULL_STRING;
			break;
		case WEIR_BYTES:
			*stack++ = word ? args[item->arg + 1] : 0;
			*stack++ = word;
			break;
		default:
			*stack++ = stack_word(item->type, word);
			break;
		}
	}
}
