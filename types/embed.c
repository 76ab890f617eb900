/* SPDX-License-Identifier: MIT */
/*
 * What is loaded keeps its place: BTF, section names and a new section table are put at the end,
 * and the file's header then points at that table. The old table and names stay as dead bytes; what
 * was put there by us is replaced.
 */
#include "types/embed.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "types/error.h"
#include "types/util.h"

struct file {
	const uint8_t *data;
	size_t size;
	const Elf64_Ehdr *ehdr;
	const Elf64_Shdr *sections;
	size_t count;
	const char *names;
	size_t names_size;
};

static bool inside(const struct file *f, uint64_t offset, uint64_t size)
{
	return offset <= f->size && size <= f->size - offset;
}

/* -ENOTSUP: not of a kind that is handled; -EBADMSG. */
static int read_tables(struct file *f)
{
	const Elf64_Ehdr *e = (const void *)f->data;
	const Elf64_Shdr *names;

	if (f->size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG))
		return -EBADMSG;
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_shentsize != sizeof(Elf64_Shdr) ||
	    !e->e_shnum || e->e_shnum >= SHN_LORESERVE - 1 || e->e_shstrndx >= e->e_shnum)
		return -ENOTSUP;
	if (e->e_shoff % 8 || !inside(f, e->e_shoff, (uint64_t)e->e_shnum * sizeof(Elf64_Shdr)))
		return -EBADMSG;
	f->ehdr = e;
	f->sections = (const void *)(f->data + e->e_shoff);
	f->count = e->e_shnum;
	names = &f->sections[e->e_shstrndx];
	if (!inside(f, names->sh_offset, names->sh_size) || !names->sh_size ||
	    f->data[names->sh_offset + names->sh_size - 1])
		return -EBADMSG;
	f->names = (const char *)f->data + names->sh_offset;
	f->names_size = names->sh_size;
	return 0;
}

static size_t find_btf(const struct file *f)
{
	for (size_t i = 1; i < f->count; i++) {
		if (f->sections[i].sh_name < f->names_size &&
		    !strcmp(f->names + f->sections[i].sh_name, ".BTF"))
			return i;
	}
	return f->count; /* one more */
}

static int put(int fd, const void *data, size_t size, uint64_t at)
{
	const uint8_t *p = data;

	while (size) {
		ssize_t n = pwrite(fd, p, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		at += n;
		size -= n;
	}
	return 0;
}

static uint64_t aligned(uint64_t at)
{
	return (at + 7) & ~7ULL;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Where the file ends without what was put behind it by us: BTF, names, table, and nothing else. */
static uint64_t end_of_rest(const struct file *f, size_t btf)
{
	const Elf64_Ehdr *e = f->ehdr;
	uint64_t end = 0, start;

	if (btf == f->count)
		return f->size;
	for (size_t i = 1; i < f->count; i++)
		if (i != btf && i != e->e_shstrndx && f->sections[i].sh_type != SHT_NOBITS)
			end = larger(end, f->sections[i].sh_offset + f->sections[i].sh_size);
	start = f->sections[btf].sh_offset;
	return start >= end && f->sections[e->e_shstrndx].sh_offset > start && e->e_shoff > start &&
	               e->e_shoff + f->count * sizeof(*f->sections) == f->size
	           ? start
	           : f->size;
}

static int write_copy(const struct file *f, int fd, const void *btf, size_t size)
{
	static const char name[] = ".BTF";
	size_t at = find_btf(f), count = at == f->count ? f->count + 1 : f->count;
	size_t added = at == f->count ? sizeof(name) : 0; /* to the names */
	uint64_t rest = end_of_rest(f, at), btf_at = aligned(rest),
	         names_at = aligned(btf_at + size);
	uint64_t table_at = aligned(names_at + f->names_size + added);
	_cleanup_free_ Elf64_Shdr *table = calloc(count, sizeof(*table));
	Elf64_Ehdr ehdr = *f->ehdr;
	int err;

	if (!table)
		return -ENOMEM;
	memcpy(table, f->sections, f->count * sizeof(*table));
	if (table[at].sh_flags & SHF_ALLOC)
		return -EBUSY; /* loaded, as the kernel's own is */
	table[at] = (Elf64_Shdr){
		.sh_name = added ? f->names_size : f->sections[at].sh_name,
		.sh_type = SHT_PROGBITS,
		.sh_offset = btf_at,
		.sh_size = size,
		.sh_addralign = 8,
	};
	table[ehdr.e_shstrndx].sh_offset = names_at;
	table[ehdr.e_shstrndx].sh_size = f->names_size + added;
	ehdr.e_shoff = table_at;
	ehdr.e_shnum = count;
	err = put(fd, f->data, rest, 0);
	if (!err)
		err = put(fd, btf, size, btf_at);
	if (!err)
		err = put(fd, f->names, f->names_size, names_at);
	if (!err)
		err = put(fd, name, added, names_at + f->names_size);
	if (!err)
		err = put(fd, table, count * sizeof(*table), table_at);
	return err ? err : put(fd, &ehdr, sizeof(ehdr), 0);
}

static int create_copy(const char *path, const struct stat *st, int *ret)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (fchown(fd, st->st_uid, st->st_gid)) {
		/* another's file becomes ours, without the rights that came with its owner */
		fchmod(fd, st->st_mode & 0777);
	} else {
		fchmod(fd, st->st_mode & 07777);
	}
	*ret = fd;
	return 0;
}

static int embed_copy(const char *path, const char *copy, const void *btf, size_t size)
{
	_cleanup_close_ int from = open(path, O_RDONLY | O_CLOEXEC), to = -1;
	struct file f = { 0 };
	struct stat st;
	void *data;
	int err;

	if (from < 0 || fstat(from, &st))
		return -errno;
	/* Who may write to the folder could replace a file that is not theirs to write to. */
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
		return -errno;
	if (!st.st_size)
		return -EBADMSG;
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, from, 0);
	if (data == MAP_FAILED)
		return -errno;
	f.data = data;
	f.size = st.st_size;
	err = read_tables(&f);
	if (!err)
		err = create_copy(copy, &st, &to);
	if (!err)
		err = write_copy(&f, to, btf, size);
	munmap(data, st.st_size);
	return err;
}

static const char *reason(int err)
{
	switch (err) {
	case -ENOTSUP:
		return "only 64-bit ELF files with a plain section table can be embedded into; use "
		       "-o";
	case -EBADMSG:
		return "its section table is malformed";
	case -EBUSY:
		return "it has a .BTF section that is loaded with the program";
	}
	return strerror(-err);
}

int types_embed(const char *path, const void *btf, size_t size, struct weir_error *err)
{
	char copy[PATH_MAX], real[PATH_MAX];
	int code;

	if (!realpath(path, real)) /* a symbolic link goes on leading there */
		return types_err(err, -errno, "%s: %s", path, strerror(errno));
	path = real;
	if ((size_t)snprintf(copy, sizeof(copy), "%s.btf-%d", path, getpid()) >= sizeof(copy))
		return types_err(err, -ENAMETOOLONG, "%s: the name is too long", path);
	code = embed_copy(path, copy, btf, size);
	if (!code && rename(copy, path))
		code = -errno;
	if (!code)
		return 0;
	unlink(copy);
	return types_err(err, code, "%s: .BTF cannot be put into it: %s", path, reason(code));
}
