/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TYPES_INTERNAL_H
#define WEIR_TYPES_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "types/btf_view.h"
#include "types/image.h"
#include "types/types.h"

struct types {
	struct image image;
	struct btf_view view; /* of the image */
	pthread_mutex_t lock; /* of btf */
	struct btf *btf;
	void (*free_btf)(struct btf *); /* who made it links libbpf */
	char *path;
	char build_id[129];
	bool from_cache, header;
	struct types_loss *losses; /* made at the first call */
};

/* An ELF file in a mapping of our own, so that its pages can be given back. */
struct mapped_elf {
	Elf *elf;
	void *data;
	size_t size;
};
int mapped_elf_open(int fd, struct mapped_elf *ret);
void mapped_elf_close(struct mapped_elf *m);

/* An ELF file that is being opened. */
struct source {
	int fd;
	struct mapped_elf map;
	Elf *elf;         /* map.elf */
	const char *path; /* for messages */
	const struct types_options *opts;
	struct weir_error *err;
	struct stat stat;
	char build_id[129]; /* hex, or "" */
};

/* What an image says; takes it over, also on failure. */
int types_new(const struct source *s, struct image *image, bool cached, struct types **ret);
/* The types are a header's: that is their source and path. */
void types_set_header(struct types *types, const char *header);
int build_id_of(Elf *elf, char *hex, size_t size);
/* The same of a file that is as usual (build_id.c); false: look properly. */
bool build_id_glance(int fd, char *hex, size_t size);

/* What a glance into the cache does not find (convert.c). In the command a module has this, and all
 * below, since it needs elfutils, libbpf and decompressors: cli/module.h. */
int source_convert(struct source *s, struct image *ret, bool *cached);
/* DWARF in the file or where its build-id or debug link says (debug_file.c). -ENOLINK, and said: a
 * part of it is in a file that is not there. */
int source_dwarf(struct source *s, struct image *ret);
/* .BTF sections (btf_section.c). -ENODATA: none. */
int source_btf(struct source *s, Elf *elf, const char *path, struct image *ret);
/* Packs by build-id (pack.c). */
int source_pack(struct source *s, struct image *ret);
/* A file of nothing but BTF. -ENODATA: it is none. */
int source_raw(struct source *s, int fd, const char *path, enum types_source kind,
               struct image *ret);
/* Raw BTF of any origin, of one or more units, plus the program's symbol table. */
int image_from_btf(struct source *s, const void *data, size_t size, const char *path,
                   enum types_source kind, struct image *ret);

#endif
