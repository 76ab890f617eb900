/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_EMBED_H
#define WEIR_TYPES_EMBED_H

#include <stddef.h>

#include <weir/weir.h>

/*
 * Put BTF into an ELF file as its .BTF section (replacing one that is there). Nothing that is
 * loaded moves; the file is written anew beside the old one and renamed, so other hard links keep the
 * old one. -ENOTSUP: 32-bit;
 * -EBUSY: its .BTF is part of the loaded image.
 */
int types_embed(const char *path, const void *btf, size_t size, struct weir_error *err);

#endif
