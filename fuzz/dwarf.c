/* SPDX-License-Identifier: MIT */
/*
 * Whatever is called DWARF: no crash, no endless loop, memory in proportion to the file. An input
 * is an ELF file, or 'd', the length of .debug_abbrev in two bytes, .debug_abbrev, .debug_info,
 * from which an ELF file is made: a mutation then changes DWARF and not the wrapping.
 */
#include <bpf/libbpf.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "types/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

static const char section_names[] = "\0.debug_info\0.debug_abbrev\0.debug_str\0.shstrtab";
static const char strings[] = "\0int\0a\0list\0next\0f.c\0main\0unsigned int\0char";

struct wrapping {
	Elf64_Ehdr ehdr;
	Elf64_Shdr section[5];
};

static void set_section(Elf64_Shdr *s, uint32_t name, uint64_t offset, uint64_t size, uint32_t type)
{
	*s = (Elf64_Shdr){ .sh_name = name,
		           .sh_type = type,
		           .sh_offset = offset,
		           .sh_size = size,
		           .sh_addralign = 1 };
}

/* *ret is from malloc. */
static size_t wrap(const uint8_t *data, size_t size, uint8_t **ret)
{
	size_t abbrev = data[0] | data[1] << 8, head = sizeof(struct wrapping), total;
	struct wrapping *w;

	data += 2;
	size -= 2;
	if (abbrev > size)
		abbrev = size;
	total = head + size + sizeof(strings) + sizeof(section_names);
	*ret = calloc(1, total);
	w = (void *)*ret;
	memcpy(w->ehdr.e_ident, ELFMAG, SELFMAG);
	w->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	w->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	w->ehdr.e_ident[EI_VERSION] = w->ehdr.e_version = EV_CURRENT;
	w->ehdr.e_type = ET_EXEC;
	w->ehdr.e_machine = EM_X86_64;
	w->ehdr.e_ehsize = sizeof(w->ehdr);
	w->ehdr.e_shoff = sizeof(w->ehdr);
	w->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	w->ehdr.e_shnum = 5;
	w->ehdr.e_shstrndx = 4;
	set_section(&w->section[1], 1, head + abbrev, size - abbrev, SHT_PROGBITS);
	set_section(&w->section[2], 13, head, abbrev, SHT_PROGBITS);
	set_section(&w->section[3], 27, head + size, sizeof(strings), SHT_PROGBITS);
	set_section(&w->section[4], 38, head + size + sizeof(strings), sizeof(section_names),
	            SHT_STRTAB);
	memcpy(*ret + head, data, size);
	memcpy(*ret + head + size, strings, sizeof(strings));
	memcpy(*ret + head + size + sizeof(strings), section_names, sizeof(section_names));
	return total;
}

static void convert(const uint8_t *data, size_t size)
{
	struct types_options opts = {
		.size = sizeof(opts),
		.flags = TYPES_NO_CACHE | TYPES_ALLOW_NONE,
		.debug_dirs = "/nonexistent",
		.pack_dirs = "/nonexistent",
	};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct weir_error err;
	struct types *types;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (!types_open_fd(fd, NULL, &opts, &err, &types))
		types_close(types);
	else if (!memchr(err.message, 0, sizeof(err.message)) || !*err.message)
		abort(); /* an error says what is wrong */
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *elf;

	libbpf_set_print(quiet);
	if (size > 3 && *data == 'd') {
		size = wrap(data + 1, size - 1, &elf);
		convert(elf, size);
		free(elf);
	} else {
		convert(data, size);
	}
	return 0;
}
