/* SPDX-License-Identifier: MIT */
/*
 * DWARF 2-5 -> an image. The way:
 *
 *   dwarf_file/unit/abbrev.c  sections, units; inflate.c: compressed ones
 *   dwarf_work.c              units -> workers
 *   dwarf_scan.c              entries of a unit -> graph
 *   dwarf_lower.c             graph -> what BTF has words for
 *   intern.c, intern_emit.c   graph -> records, each once, whatever unit it is in
 *   dwarf_symbols.c           variables, functions, parameters
 *   merge_classes.c           what a unit saw declared only = what another one defines
 *   merge_variants.c          the same, where the name has several definitions
 *   merge_strings.c           one numbering of all workers' names and records
 *   merge.c, merge_write.c    all workers' records, each once, by name
 *   dwarf_finish.c            symbols, and all of it
 *   image.c                   into one block
 */
#ifndef WEIR_TYPES_DWARF_CONVERT_H
#define WEIR_TYPES_DWARF_CONVERT_H

#include <libelf.h>

#include "types/image.h"

struct dwarf_input {
	Elf *elf;           /* has the DWARF */
	Elf *alt;           /* dwz's alternate file, or NULL */
	Elf *loaded;        /* has the program: which addresses exist; may be `elf` */
	const char *path;   /* of elf: .dwp and .dwo files are looked for beside it */
	int fd;             /* of elf */
	const void *mapped; /* elf's mapping, if it is a plain one of the file; or NULL */
	size_t mapped_size;
	bool relocatable;
	bool declarations; /* keep variables that are only declared */
	uint32_t jobs;     /* workers; 0: as many as are of use */
	uint32_t source;
	uint64_t key;
	void (*progress)(void *arg, size_t done, size_t total);
	void *progress_arg;
};

/* -ENODATA: no DWARF in it. */
int dwarf_convert(const struct dwarf_input *input, struct weir_error *err, struct image *ret);
bool dwarf_present(Elf *elf);

#endif
