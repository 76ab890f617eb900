/* SPDX-License-Identifier: MIT */
/* Compressed sections: SHF_COMPRESSED (zlib, zstd) and GNU's older .zdebug_*. */
#ifndef WEIR_TYPES_INFLATE_H
#define WEIR_TYPES_INFLATE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/weir.h>

enum packed_kind { PACKED_NO, PACKED_ZLIB, PACKED_ZSTD };

struct packed {
	const uint8_t *data;
	size_t size;     /* compressed */
	size_t unpacked; /* size that it claims */
	enum packed_kind kind;
	bool mapped; /* data is a mapped file: what was read can be given back */
};

/* What is in a section. kind is PACKED_NO if it is not compressed. -EBADMSG: a bad header, or a
 * claim that cannot be (a bomb); -ENOTSUP: another compression. */
int packed_init(struct packed *p, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, const char *name,
                struct weir_error *err);

/* The whole, in memory from unpack_free(). -EBADMSG if it is not as long as it claims. */
int unpack(const struct packed *p, uint8_t **ret);
void unpack_free(const uint8_t *data, size_t size);

/* From the begin to the end, so much at a time as is asked for. */
struct unpack_stream;
int unpack_stream_open(const struct packed *p, struct unpack_stream **ret);
int unpack_stream_read(struct unpack_stream *s, uint8_t *to, size_t size);
/* 0 if there is nothing more, and the checksum is right. */
int unpack_stream_end(struct unpack_stream *s);
void unpack_stream_close(struct unpack_stream *s);

#endif
