/* SPDX-License-Identifier: MIT */
#include "types/embed.h"

#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "types/error.h"
#include "types/util.h"

static Elf_Scn *find_section(Elf *elf, size_t names, const char *wanted)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (name && !strcmp(name, wanted))
			return scn;
	}
	return NULL;
}

/* Append `name` to the section names; *ret is its offset. */
static int add_name(Elf *elf, size_t names, const char *name, size_t *ret, uint64_t *ret_grown)
{
	Elf_Scn *scn = elf_getscn(elf, names);
	Elf_Data *old = elf_getdata(scn, NULL), *data;
	GElf_Shdr shdr;

	if (!old || !gelf_getshdr(scn, &shdr) || shdr.sh_flags & SHF_ALLOC)
		return -EBADMSG;
	data = elf_newdata(scn);
	if (!data)
		return -ENOMEM;
	*ret = shdr.sh_size;
	data->d_buf = (void *)name;
	data->d_size = strlen(name) + 1;
	data->d_off = *ret;
	data->d_align = 1;
	shdr.sh_size += data->d_size;
	*ret_grown = shdr.sh_size;
	return gelf_update_shdr(scn, &shdr) ? 0 : -EBADMSG;
}

static uint64_t end_of_file(Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Ehdr ehdr;
	GElf_Phdr phdr;
	size_t count = 0;
	uint64_t end = 0;

	if (gelf_getehdr(elf, &ehdr))
		end = ehdr.e_ehsize;
	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, i, &phdr) && phdr.p_offset + phdr.p_filesz > end)
			end = phdr.p_offset + phdr.p_filesz;
	}
	while ((scn = elf_nextscn(elf, scn))) {
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type != SHT_NOBITS &&
		    shdr.sh_offset + shdr.sh_size > end)
			end = shdr.sh_offset + shdr.sh_size;
	}
	return end;
}

static uint64_t place(Elf_Scn *scn, uint64_t at)
{
	GElf_Shdr shdr;

	at = (at + 7) & ~7ULL;
	gelf_getshdr(scn, &shdr);
	shdr.sh_offset = at;
	gelf_update_shdr(scn, &shdr);
	return at + shdr.sh_size;
}

static int set_section(Elf *elf, const void *btf, size_t size)
{
	size_t names, name = 0;
	uint64_t end, grown = 0;
	Elf_Data *data;
	Elf_Scn *scn;
	GElf_Shdr shdr;
	GElf_Ehdr ehdr;
	int err;

	if (elf_getshdrstrndx(elf, &names))
		return -EBADMSG;
	elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT); /* what is loaded must not move */
	end = end_of_file(elf);
	scn = find_section(elf, names, ".BTF");
	if (scn) {
		data = elf_getdata(scn, NULL);
	} else {
		err = add_name(elf, names, ".BTF", &name, &grown);
		if (err)
			return err;
		scn = elf_newscn(elf);
		data = scn ? elf_newdata(scn) : NULL;
	}
	if (!data || !gelf_getshdr(scn, &shdr))
		return -ENOMEM;
	if (shdr.sh_flags & (SHF_ALLOC | SHF_COMPRESSED))
		return -EBUSY;
	data->d_buf = (void *)btf;
	data->d_size = size;
	data->d_type = ELF_T_BYTE;
	data->d_align = 1;
	elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
	if (grown)
		shdr.sh_name = name;
	shdr.sh_type = SHT_PROGBITS;
	shdr.sh_size = size;
	shdr.sh_addralign = 8;
	if (!gelf_update_shdr(scn, &shdr))
		return -EBADMSG;
	end = place(scn, end);
	if (grown)
		end = place(elf_getscn(elf, names), end);
	if (!gelf_getehdr(elf, &ehdr))
		return -EBADMSG;
	ehdr.e_shoff = (end + 7) & ~7ULL;
	return gelf_update_ehdr(elf, &ehdr) && elf_update(elf, ELF_C_WRITE) >= 0 ? 0 : -EIO;
}

static int copy_file(int from, int to)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < n;) {
			ssize_t m = write(to, buffer + at, n - at);

			if (m < 0)
				return -errno;
			at += m;
		}
	}
	return n < 0 ? -errno : 0;
}

static int embed_copy(const char *path, const char *copy, const void *btf, size_t size,
                      struct weir_error *err)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC), to = -1;
	struct stat st;
	Elf *elf;
	int code;

	if (from < 0 || fstat(from, &st))
		return types_err(err, -errno, "%s: %s", path, strerror(errno));
	to = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode & 07777);
	if (to < 0)
		return types_err(err, -errno, "%s: %s", copy, strerror(errno));
	code = copy_file(from, to);
	if (code)
		return types_err(err, code, "%s: %s", copy, strerror(-code));
	if (fchown(to, st.st_uid, st.st_gid)) {
		/* a user's own copy is the user's */
	}
	fchmod(to, st.st_mode & 07777);
	elf_version(EV_CURRENT);
	elf = elf_begin(to, ELF_C_RDWR, NULL);
	code = elf ? set_section(elf, btf, size) : -EBADMSG;
	if (code)
		types_err(err, code, "%s: .BTF cannot be put into it: %s", path, elf_errmsg(-1));
	elf_end(elf);
	return code;
}

int types_embed(const char *path, const void *btf, size_t size, struct weir_error *err)
{
	char copy[PATH_MAX];
	int code;

	if ((size_t)snprintf(copy, sizeof(copy), "%s.btf-%d", path, getpid()) >= sizeof(copy))
		return types_err(err, -ENAMETOOLONG, "%s: the name is too long", path);
	code = embed_copy(path, copy, btf, size, err);
	if (!code && rename(copy, path))
		code = types_err(err, -errno, "%s: %s", path, strerror(errno));
	if (code)
		unlink(copy);
	return code;
}
