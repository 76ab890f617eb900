/* SPDX-License-Identifier: MIT */
#include "types/internal.h"

#include <errno.h>
#include <sys/mman.h>

int mapped_elf_open(int fd, struct mapped_elf *ret)
{
	struct stat st;
	void *data;
	Elf *elf;

	elf_version(EV_CURRENT);
	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < EI_NIDENT)
		return -ENOEXEC;
	data = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	elf = elf_memory(data, st.st_size);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		munmap(data, st.st_size);
		return -ENOEXEC;
	}
	*ret = (struct mapped_elf){ elf, data, st.st_size };
	return 0;
}

void mapped_elf_close(struct mapped_elf *m)
{
	if (!m->elf)
		return;
	elf_end(m->elf);
	munmap(m->data, m->size);
	*m = (struct mapped_elf){ 0 };
}
