/* SPDX-License-Identifier: MIT */
#include "types/internal.h"

#include <gelf.h>
#include <stdio.h>

#include "types/util.h"

static bool find_in(Elf_Data *data, char *hex, size_t size)
{
	size_t at = 0, name, desc;
	GElf_Nhdr nh;

	while (data && (at = gelf_getnote(data, at, &nh, &name, &desc))) {
		const char *bytes = data->d_buf;

		if (nh.n_type != NT_GNU_BUILD_ID || nh.n_namesz != 4 ||
		    memcmp(bytes + name, "GNU", 4) || !nh.n_descsz ||
		    (size_t)nh.n_descsz * 2 >= size)
			continue;
		for (size_t i = 0; i < nh.n_descsz; i++)
			sprintf(hex + i * 2, "%02x", (uint8_t)bytes[desc + i]);
		return true;
	}
	return false;
}

/* Segments, which strip leaves; sections, of what is not linked. */
int build_id_of(Elf *elf, char *hex, size_t size)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Phdr phdr;
	size_t count;

	hex[0] = 0;
	if (elf_getphdrnum(elf, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, (int)i, &phdr) && phdr.p_type == PT_NOTE &&
		    find_in(elf_getdata_rawchunk(elf, (int64_t)phdr.p_offset, phdr.p_filesz,
		                                 phdr.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
		            hex, size))
			return 0;
	}
	while (!count && (scn = elf_nextscn(elf, scn))) {
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_NOTE &&
		    find_in(elf_getdata(scn, NULL), hex, size))
			return 0;
	}
	return -ENODATA;
}
