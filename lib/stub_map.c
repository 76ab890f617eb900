/* SPDX-License-Identifier: MIT */
#include "lib/stub_map.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"

static int map_segment(int fd, const Elf64_Phdr *segment, uintptr_t base)
{
	int protection = (segment->p_flags & PF_R ? PROT_READ : 0) |
	                 (segment->p_flags & PF_W ? PROT_WRITE : 0) |
	                 (segment->p_flags & PF_X ? PROT_EXEC : 0);
	uint64_t head = segment->p_vaddr & ((uint64_t)sysconf(_SC_PAGESIZE) - 1);
	void *at = (void *)(base + segment->p_vaddr - head);

	if (mmap(at, segment->p_filesz + head, protection, MAP_PRIVATE | MAP_FIXED, fd,
	         (off_t)(segment->p_offset - head)) == MAP_FAILED)
		return -errno;
	return 0;
}

int stub_map(const char *path, const uint8_t *image, uintptr_t *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	const Elf64_Phdr *segments = (const Elf64_Phdr *)(image + header->e_phoff);
	uint64_t size = 0;
	void *base;
	int code = 0;

	if (fd < 0)
		return -errno;
	/* segments of a stub are in order of address, and hold all they need in the file */
	for (int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD)
			size = segments[i].p_vaddr + segments[i].p_memsz;
	base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	for (int i = 0; i < header->e_phnum && !code; i++)
		if (segments[i].p_type == PT_LOAD)
			code = map_segment(fd, &segments[i], (uintptr_t)base);
	if (code)
		munmap(base, size);
	else
		*ret = (uintptr_t)base;
	return code;
}
