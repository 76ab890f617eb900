/* SPDX-License-Identifier: MIT */
/*
 * Several copies of this library in one process: a shared one, others linked into plugins. LTTng
 * must be told of a fork once; twice is a deadlock. The copies export nothing and know nothing of
 * each other, but each is part of an object that the dynamic loader knows, and has a note there
 * which leads to a word: whether it is the one that tells.
 *
 * dl_iterate_phdr() holds the loader's lock while it calls, so only one copy looks and claims at a
 * time. What has claimed is never unloaded.
 */
#include <elf.h>
#include <link.h>
#include <string.h>

#include "lib/lttng_event.h"

#define OWNER "weir-lttng"
#define TYPE  1

/* Hidden, but known to the assembler. */
__attribute__((used)) uint32_t lttng_fork_claimed;

__asm__(".pushsection .note.weir_lttng, \"a\", %note\n"
        ".balign 4\n"
        ".long 11, 4, 1\n" /* sizes of owner and content; TYPE */
        ".ascii \"" OWNER "\\0\"\n"
        ".balign 4\n"
        ".long lttng_fork_claimed - .\n"
        ".popsection\n");

/* The word of the copy in this note segment, or NULL. */
static uint32_t *word_find(const uint8_t *at, size_t size, size_t align)
{
	const uint8_t *end = at + size;

	align = align == 8 ? 8 : 4;
	while ((size_t)(end - at) >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const void *)at;
		const uint8_t *content;
		int32_t distance;

		at += sizeof(*note);
		content = at + ((note->n_namesz + align - 1) & ~(align - 1));
		if (note->n_type == TYPE && note->n_namesz == sizeof(OWNER) &&
		    note->n_descsz == sizeof(distance) && memcmp(at, OWNER, sizeof(OWNER)) == 0) {
			memcpy(&distance, content, sizeof(distance));
			return (uint32_t *)(uintptr_t)(content + distance);
		}
		at = content + ((note->n_descsz + align - 1) & ~(align - 1));
		if (at > end)
			return NULL;
	}
	return NULL;
}

static int is_claimed(struct dl_phdr_info *object, size_t size, void *argument)
{
	(void)size;
	(void)argument;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uint32_t *word;

		if (segment->p_type != PT_NOTE)
			continue;
		word = word_find((const uint8_t *)(object->dlpi_addr + segment->p_vaddr),
		                 segment->p_memsz, segment->p_align);
		if (word && *word)
			return 1;
	}
	return 0;
}

/* Called for the first object only, whatever it is: for the loader's lock, which nests. */
static int claim(struct dl_phdr_info *object, size_t size, void *argument)
{
	(void)object;
	(void)size;
	(void)argument;
	if (!dl_iterate_phdr(is_claimed, NULL))
		lttng_fork_claimed = 1;
	return 1;
}

bool lttng_fork_claim(void)
{
	dl_iterate_phdr(claim, NULL);
	return lttng_fork_claimed;
}
