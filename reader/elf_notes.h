/* SPDX-License-Identifier: MIT */
/*
 * The probes of an ELF file: weir's and plain USDT's, each with the address and the file offset of
 * its site. A weir stub describes a probe twice, once for each kind of tool: here it is one probe
 * of kind PROBE_WEIR.
 */
#ifndef WEIR_READER_ELF_NOTES_H
#define WEIR_READER_ELF_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reader/probe_desc.h"

#define ELF_NO_OFFSET UINT64_MAX
#define ELF_CODE_SIZE 10

struct elf_probe {
	struct probe_desc *desc;
	uint64_t site;             /* link address; 0: none */
	uint64_t site_offset;      /* in the file, or ELF_NO_OFFSET */
	uint64_t semaphore;        /* link address; 0: none */
	uint64_t semaphore_offset; /* likewise */
	/* A weir probe's argument string, from its USDT note; "" if it has none. Owned by `twin`.
	 */
	const char *usdt;
	struct probe_desc *twin;
	uint8_t code[ELF_CODE_SIZE]; /* the site's bytes in the file */
	uint8_t code_size;           /* how many of them could be read */
};

struct elf_notes {
	struct elf_probe *probes; /* sorted by provider, name, kind, site */
	size_t count;
	uint8_t build_id[64];
	size_t build_id_size;     /* 0: none */
	uint64_t build_id_offset; /* in the file; ELF_NO_OFFSET if it is in no loaded segment */
	unsigned type;            /* ET_EXEC, ET_DYN, ET_CORE ... */
	unsigned machine;         /* EM_X86_64, ... */
	size_t refused;           /* notes that are not what they claim; the first one's reason: */
	struct weir_error first_refused;
};

/*
 * -ENOEXEC: not an ELF file of this machine's byte order; -EINVAL: one that is damaged. `fd` is
 * read with pread only and stays the caller's. Free *ret with elf_notes_free.
 */
int elf_notes_read(int fd, struct elf_notes **ret, struct weir_error *err);

/* The same for an image in memory, which must stay unchanged; sites' code is not looked at. */
int elf_notes_parse(const void *image, size_t size, struct elf_notes **ret, struct weir_error *err);

void elf_notes_free(struct elf_notes *notes);

#endif
