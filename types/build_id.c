/* SPDX-License-Identifier: MIT */
/*
 * The build-id of a file as nearly all have it: 64-bit, this machine's byte order, in a note segment,
 * near the begin. That is enough to look into the cache; convert.c reads any ELF file, with libelf.
 */
#include "types/internal.h"

#include <elf.h>
#include <stdio.h>

#include "types/util.h"

#define GLANCE 4096 /* bytes that are read of the file, and of a segment elsewhere */

#define NATIVE (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB : ELFDATA2LSB)

struct glance {
	int fd;
	size_t size; /* of the bytes */
	uint8_t bytes[GLANCE];
};

static bool is_native(const Elf64_Ehdr *eh)
{
	return !memcmp(eh->e_ident, ELFMAG, SELFMAG) && eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh->e_ident[EI_DATA] == NATIVE && eh->e_phentsize == sizeof(Elf64_Phdr);
}

static bool find_in(const uint8_t *notes, size_t size, size_t align, char *hex, size_t hex_size)
{
	Elf64_Nhdr nh;

	while (size >= sizeof(nh)) {
		size_t name = sizeof(nh), desc, end;

		memcpy(&nh, notes, sizeof(nh));
		desc = (name + nh.n_namesz + align - 1) & -align;
		end = (desc + nh.n_descsz + align - 1) & -align;
		if (nh.n_namesz > size || nh.n_descsz > size || desc + nh.n_descsz > size)
			return false;
		if (nh.n_type == NT_GNU_BUILD_ID && nh.n_namesz == 4 &&
		    !memcmp(notes + name, "GNU", 4) && nh.n_descsz && nh.n_descsz * 2 < hex_size) {
			for (size_t i = 0; i < nh.n_descsz; i++)
				sprintf(hex + i * 2, "%02x", notes[desc + i]);
			return true;
		}
		if (end > size)
			return false;
		notes += end;
		size -= end;
	}
	return false;
}

static bool look_at(const struct glance *g, const Elf64_Phdr *ph, char *hex, size_t size)
{
	size_t align = ph->p_align == 8 ? 8 : 4;
	uint8_t elsewhere[GLANCE];
	ssize_t n;

	if (ph->p_offset <= g->size && ph->p_filesz <= g->size - ph->p_offset)
		return find_in(g->bytes + ph->p_offset, ph->p_filesz, align, hex, size);
	if (ph->p_offset > INT64_MAX)
		return false;
	n = pread(g->fd, elsewhere, ph->p_filesz < GLANCE ? ph->p_filesz : GLANCE,
	          (off_t)ph->p_offset);
	return n > 0 && find_in(elsewhere, (size_t)n, align, hex, size);
}

bool build_id_glance(int fd, char *hex, size_t size)
{
	struct glance g = { .fd = fd };
	ssize_t n = pread(fd, g.bytes, sizeof(g.bytes), 0);
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	g.size = n > 0 ? (size_t)n : 0;
	if (g.size < sizeof(eh))
		return false;
	memcpy(&eh, g.bytes, sizeof(eh));
	if (!is_native(&eh))
		return false;
	for (size_t i = 0; i < eh.e_phnum; i++) {
		size_t at = i * sizeof(ph);

		if (eh.e_phoff > g.size || at + sizeof(ph) > g.size - eh.e_phoff)
			return false;
		memcpy(&ph, g.bytes + eh.e_phoff + at, sizeof(ph));
		if (ph.p_type == PT_NOTE && look_at(&g, &ph, hex, size))
			return true;
	}
	return false;
}
