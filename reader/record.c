/* SPDX-License-Identifier: MIT */
#include "reader/record.h"

#include <stddef.h>
#include <string.h>

static uint64_t load(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void decode_fixed(uint8_t type, uint64_t word, struct record_value *value)
{
	float f32;

	switch (type) {
	case WEIR_I8:
		value->i64 = (int8_t)word;
		break;
	case WEIR_I16:
		value->i64 = (int16_t)word;
		break;
	case WEIR_I32:
		value->i64 = (int32_t)word;
		break;
	case WEIR_U8:
		value->u64 = (uint8_t)word;
		break;
	case WEIR_U16:
		value->u64 = (uint16_t)word;
		break;
	case WEIR_U32:
		value->u64 = (uint32_t)word;
		break;
	case WEIR_BOOL:
		value->u64 = (uint8_t)word != 0;
		break;
	case WEIR_F32:
		memcpy(&f32, &word, sizeof(f32));
		value->f64 = f32;
		break;
	case WEIR_F64:
		memcpy(&value->f64, &word, sizeof(value->f64));
		break;
	default: /* i64, u64, pointer */
		value->u64 = word;
		break;
	}
}

static bool any_null(const void *bytes)
{
	uint16_t flags;

	memcpy(&flags, (const uint8_t *)bytes + offsetof(struct weir_shm_record, flags),
	       sizeof(flags));
	return flags & WEIR_RECORD_FAULT;
}

/* Contents at `at`, `padded` bytes. What is stored in them follows from the lengths and limits. */
static void decode_bytes(uint8_t type, const uint8_t *at, uint32_t padded, uint32_t original,
                         uint32_t limit, struct record_value *value)
{
	value->data = (const char *)at;
	value->original = original;
	if (type == WEIR_STRING) {
		value->size = strnlen((const char *)at, padded);
		return;
	}
	value->size = original < padded ? original : padded;
	if (original > limit && value->size > limit)
		value->size = limit;
}

/* The fields whose bits are set in `wanted`, up to the last of them. */
static inline bool decode(const struct schema_probe *probe, const void *bytes, uint32_t length,
                          uint64_t wanted, uint32_t limit, struct record_value *values)
{
	const uint8_t *fixed = (const uint8_t *)bytes + sizeof(struct weir_shm_record);
	const uint8_t *end = (const uint8_t *)bytes + length;
	const uint8_t *tail;
	bool null = any_null(bytes);

	if ((size_t)(end - fixed) < probe->count * sizeof(uint64_t))
		return false;
	tail = fixed + probe->count * sizeof(uint64_t);
	for (uint32_t i = 0; wanted; i++, wanted >>= 1) {
		uint64_t word = load(fixed + i * sizeof(uint64_t));
		uint8_t type = probe->fields[i].type;
		uint32_t padded = word & 0xffff;

		if (!schema_type_is_bytes(type)) {
			if (wanted & 1)
				decode_fixed(type, word, &values[i]);
			continue;
		}
		if (padded % 8 || padded > (size_t)(end - tail))
			return false;
		if (wanted & 1) {
			decode_bytes(type, tail, padded, (word >> 16) & 0xffff, limit, &values[i]);
			values[i].null = null && !values[i].original;
		}
		tail += padded;
	}
	return true;
}

bool record_decode(const struct schema_probe *probe, const void *bytes, uint32_t length,
                   uint32_t string_limit, struct record_value *values)
{
	uint32_t limit = probe->string_limit;

	if (string_limit && string_limit < limit)
		limit = string_limit;
	return decode(probe, bytes, length, record_all_fields(probe), limit, values);
}

bool record_decode_some(const struct schema_probe *probe, const void *bytes, uint32_t length,
                        uint64_t wanted, struct record_value *values)
{
	return decode(probe, bytes, length, wanted, probe->string_limit, values);
}
