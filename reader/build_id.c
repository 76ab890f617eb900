/* SPDX-License-Identifier: MIT */
#include "reader/build_id.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MAX 65536
#define PHDRS_MAX 512

struct source {
	build_id_read_fn read;
	void *ctx;
	int mapped;
	uint64_t base; /* vaddr of the image's first byte */
};

static int read_header(build_id_read_fn read, void *ctx, Elf64_Ehdr *ret)
{
	int rc = read(ctx, 0, ret, sizeof(*ret));

	if (rc)
		return rc;
	if (memcmp(ret->e_ident, ELFMAG, SELFMAG) || ret->e_ident[EI_CLASS] != ELFCLASS64 ||
	    ret->e_phentsize != sizeof(Elf64_Phdr) || ret->e_phnum > PHDRS_MAX)
		return -EBADMSG;
	return 0;
}

static int read_phdr(build_id_read_fn read, void *ctx, const Elf64_Ehdr *eh, unsigned i,
                     Elf64_Phdr *ret)
{
	return read(ctx, eh->e_phoff + i * sizeof(*ret), ret, sizeof(*ret));
}

static int scan_notes(const struct source *s, const Elf64_Phdr *ph, struct build_id *ret)
{
	uint64_t at = s->mapped ? ph->p_vaddr - s->base : ph->p_offset;
	uint64_t end = at + (ph->p_filesz < NOTES_MAX ? ph->p_filesz : NOTES_MAX);
	uint64_t align = ph->p_align == 8 ? 8 : 4, name, desc;
	Elf64_Nhdr nh;
	char gnu[4];
	int rc;

	while (at + sizeof(nh) <= end) {
		rc = s->read(s->ctx, at, &nh, sizeof(nh));
		if (rc)
			return rc;
		name = at + sizeof(nh);
		desc = name + ((nh.n_namesz + align - 1) & ~(align - 1));
		if (nh.n_type == NT_GNU_BUILD_ID && nh.n_namesz == 4 &&
		    nh.n_descsz <= BUILD_ID_MAX && !s->read(s->ctx, name, gnu, 4) &&
		    !memcmp(gnu, "GNU", 4)) {
			ret->size = nh.n_descsz;
			return s->read(s->ctx, desc, ret->bytes, nh.n_descsz);
		}
		at = desc + ((nh.n_descsz + align - 1) & ~(align - 1));
	}
	return -ENOENT;
}

int build_id_read(build_id_read_fn read, void *ctx, int mapped, struct build_id *ret)
{
	struct source s = { .read = read, .ctx = ctx, .mapped = mapped };
	int rc, based = 0, found = -ENOENT;
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	rc = read_header(read, ctx, &eh);
	for (unsigned i = 0; !rc && i < eh.e_phnum; i++) {
		rc = read_phdr(read, ctx, &eh, i, &ph);
		if (!rc && ph.p_type == PT_LOAD && !based) {
			s.base = ph.p_vaddr - ph.p_offset;
			based = 1;
		}
	}
	for (unsigned i = 0; !rc && found && i < eh.e_phnum; i++) {
		rc = read_phdr(read, ctx, &eh, i, &ph);
		if (!rc && ph.p_type == PT_NOTE)
			found = scan_notes(&s, &ph, ret);
	}
	return rc ?: found;
}

/* The headers of most files are in their first page: it is read once. */
struct file {
	int fd;
	size_t size; /* of the head that was read */
	char head[4096];
};

static void file_init(struct file *f, int fd)
{
	ssize_t n = pread(fd, f->head, sizeof(f->head), 0);

	f->fd = fd;
	f->size = n > 0 ? (size_t)n : 0;
}

static int read_file(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct file *f = ctx;
	ssize_t n;

	if (offset <= f->size && size <= f->size - offset) {
		memcpy(buf, f->head + offset, size);
		return 0;
	}
	n = offset > INT64_MAX ? 0 : pread(f->fd, buf, size, (off_t)offset);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EBADMSG;
}

int build_id_of_fd(int fd, struct build_id *ret)
{
	struct file f;

	file_init(&f, fd);
	return build_id_read(read_file, &f, 0, ret);
}

int image_layout_of_fd(int fd, struct image_layout *ret)
{
	int rc, based = 0;
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	struct file f;

	file_init(&f, fd);
	rc = read_header(read_file, &f, &eh);
	for (unsigned i = 0; !rc && i < eh.e_phnum; i++) {
		rc = read_phdr(read_file, &f, &eh, i, &ph);
		if (rc || ph.p_type != PT_LOAD)
			continue;
		if (!based) {
			ret->offset = ph.p_offset;
			ret->vaddr = ph.p_vaddr;
			based = 1;
		}
		if (__builtin_add_overflow(ph.p_vaddr, ph.p_memsz, &ret->end))
			return -EBADMSG;
	}
	return rc ?: based ? 0 : -EBADMSG;
}
