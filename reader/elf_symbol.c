/* SPDX-License-Identifier: MIT */
#include "reader/elf_symbol.h"

#include "reader/error.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

static void match(Elf *elf, Elf_Data *data, const GElf_Shdr *sh, const char *const *names,
                  size_t count, uint64_t *values)
{
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	const char *name;
	GElf_Sym sym;

	for (size_t i = 0; i < n && i <= INT32_MAX; i++) {
		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		for (size_t k = 0; name && k < count; k++)
			if (values[k] == UINT64_MAX && !strcmp(name, names[k]))
				values[k] = sym.st_value;
	}
}

int elf_dynamic_symbols(int fd, const char *const *names, size_t count, uint64_t *values,
                        struct weir_error *err)
{
	Elf_Scn *scn = NULL;
	Elf_Data *data;
	GElf_Shdr sh;
	Elf *elf;

	for (size_t k = 0; k < count; k++)
		values[k] = UINT64_MAX;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return weir_err(err, -ENOEXEC, "it is not an ELF file");
	}
	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &sh) ||
		    (sh.sh_type != SHT_DYNSYM && sh.sh_type != SHT_SYMTAB))
			continue;
		data = elf_getdata(scn, NULL);
		if (data)
			match(elf, data, &sh, names, count, values);
	}
	elf_end(elf);
	return 0;
}
