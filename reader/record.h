/* SPDX-License-Identifier: MIT */
/*
 * One record against its probe's schema. The bytes must be the reader's own copy; they may say
 * anything.
 */
#ifndef WEIR_READER_RECORD_H
#define WEIR_READER_RECORD_H

#include "reader/schema.h"

#include <weir/abi/shm.h>

/* A field's value; which member counts says the field's type. */
struct record_value {
	union {
		uint64_t u64;     /* u8..u64, bool, pointer: narrowed */
		int64_t i64;      /* i8..i64: sign extended */
		double f64;       /* f32, f64 */
		const char *data; /* string, bytes: not NUL terminated */
	};
	uint32_t size;     /* of data */
	uint32_t original; /* bytes that the caller passed; 65535: that or more */
	/*
	 * Of a string or bytes: its pointer was NULL. The record tells only that one was: where
	 * several are empty, all of them are taken for it.
	 */
	bool null;
};

/*
 * The length of the record at `bytes`, or 0 if none of at most `size` bytes can be there.
 */
static inline uint32_t record_length(const void *bytes, uint64_t size)
{
	uint64_t head;
	uint32_t length;

	if (size < sizeof(struct weir_shm_record))
		return 0;
	__builtin_memcpy(&head, bytes, sizeof(head));
	length = WEIR_RECORD_LENGTH(head);
	return length >= sizeof(struct weir_shm_record) && length <= size ? length : 0;
}

/*
 * Decode a record of `length` bytes (record_length()). `values` has room for probe->count.
 * `string_limit`: the session's, 0: none. false: the lengths inside do not add up.
 */
bool record_decode(const struct schema_probe *probe, const void *bytes, uint32_t length,
                   uint32_t string_limit, struct record_value *values);

/* As `wanted` below: every field. */
static inline uint64_t record_all_fields(const struct schema_probe *probe)
{
	return probe->count < SCHEMA_FIELDS_MAX ? (UINT64_C(1) << probe->count) - 1 : UINT64_MAX;
}

/*
 * The same for those fields alone whose bits are set in `wanted`, without a session's limit; what
 * lies behind the last of them is not looked at.
 */
bool record_decode_some(const struct schema_probe *probe, const void *bytes, uint32_t length,
                        uint64_t wanted, struct record_value *values);

#endif
