/* SPDX-License-Identifier: MIT */
/* The build-id of an ELF image, from its bytes: a file's, or memory's. */
#ifndef WEIR_READER_BUILD_ID_H
#define WEIR_READER_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 64

struct build_id {
	uint8_t bytes[BUILD_ID_MAX];
	size_t size; /* 0: it has none */
};

/* Reads `size` bytes at `offset` from the image's first byte on. */
typedef int (*build_id_read_fn)(void *ctx, uint64_t offset, void *buf, size_t size);

/*
 * `mapped`: the bytes are as loaded (offsets are p_vaddr from the first PT_LOAD's page on), else
 * as in the file. -ENOENT: there is none; -EBADMSG: not an ELF image; or what `read` gave.
 */
int build_id_read(build_id_read_fn read, void *ctx, int mapped, struct build_id *ret);
int build_id_of_fd(int fd, struct build_id *ret);

/*
 * What of an image decides where it was loaded: the file offset and the address of its first
 * PT_LOAD, and where its memory ends.
 */
struct image_layout {
	uint64_t offset, vaddr; /* of the first PT_LOAD */
	uint64_t end;           /* p_vaddr + p_memsz of the last */
};
int image_layout_of_fd(int fd, struct image_layout *ret);

#endif
