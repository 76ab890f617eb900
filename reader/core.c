/* SPDX-License-Identifier: MIT */
/*
 * The file is read with pread: a truncated core (disk full, ulimit) then gives an
 * error where it ends, not a signal. A dump leaves out pages that have not changed
 * since they were mapped from a file; NT_FILE says from which, and the first page of
 * each ELF image, which is dumped, has the build-id to check that file with.
 */
#include "reader/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include "reader/build_id.h"
#include "reader/cleanup.h"

#define PHDRS_MAX (1u << 20)
#define NOTE_MAX  (64u << 20)

struct segment {
	uint64_t start, filled, end; /* [start, filled) is in the core */
	uint64_t offset;
};

struct file_state {
	int fd; /* -1: not opened; -2: cannot be */
};

struct core_file {
	int fd;
	char *path;
	struct segment *segments;
	size_t segments_count;
	struct core_thread *threads;
	size_t threads_count;
	struct maps maps;
	struct file_state *files;
};

static int read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	ssize_t n;

	while (size) {
		n = offset > INT64_MAX ? 0 : pread(fd, buf, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		buf = (char *)buf + n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

/* ---- notes ---- */

static int add_thread(struct core_file *c, const char *desc, size_t size)
{
	struct elf_prstatus status;
	struct core_thread *grown;

	if (size < sizeof(status))
		return 0;
	memcpy(&status, desc, sizeof(status));
	grown = realloc(c->threads, (c->threads_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->threads = grown;
	grown[c->threads_count].tid = status.pr_pid;
#ifdef __x86_64__
	struct user_regs_struct regs;

	memcpy(&regs, &status.pr_reg, sizeof(regs));
	grown[c->threads_count].thread_pointer = regs.fs_base;
#else
	grown[c->threads_count].thread_pointer = 0; /* aarch64 has it in NT_ARM_TLS */
#endif
	c->threads_count++;
	return 0;
}

static struct mapped_file *file_named(struct core_file *c, const char *path)
{
	struct mapped_file *grown;

	for (size_t i = 0; i < c->maps.count; i++)
		if (!strcmp(c->maps.files[i].path, path))
			return &c->maps.files[i];
	grown = realloc(c->maps.files, (c->maps.count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	c->maps.files = grown;
	grown[c->maps.count] = (struct mapped_file){ .path = strdup(path), .exec = true };
	if (!grown[c->maps.count].path)
		return NULL;
	return &grown[c->maps.count++];
}

static int add_mapping(struct core_file *c, const char *path, const uint64_t range[3],
                       uint64_t page)
{
	struct mapped_file *file = file_named(c, path);
	struct mapping *grown;

	if (!file)
		return -ENOMEM;
	grown = realloc(file->mappings, (file->mappings_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	file->mappings = grown;
	grown[file->mappings_count++] = (struct mapping){
		.start = range[0], .end = range[1], .offset = range[2] * page, .read = true
	};
	return 0;
}

/* count, page size, {start, end, page offset} x count, then the names. */
static int add_files(struct core_file *c, const char *desc, size_t size)
{
	const char *name, *end = desc + size, *nul;
	uint64_t head[2], range[3];
	int rc;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(head, desc, sizeof(head));
	if (head[0] > (size - sizeof(head)) / sizeof(range))
		return -EBADMSG;
	name = desc + sizeof(head) + head[0] * sizeof(range);
	for (uint64_t i = 0; i < head[0]; i++, name = nul + 1) {
		memcpy(range, desc + sizeof(head) + i * sizeof(range), sizeof(range));
		nul = name < end ? memchr(name, 0, (size_t)(end - name)) : NULL;
		if (!nul)
			return -EBADMSG;
		rc = add_mapping(c, name, range, head[1]);
		if (rc)
			return rc;
	}
	return 0;
}

static int scan_notes(struct core_file *c, const char *notes, size_t size)
{
	size_t at = 0, desc, after;
	Elf64_Nhdr nh;
	int rc = 0;

	while (!rc && at + sizeof(nh) <= size) {
		memcpy(&nh, notes + at, sizeof(nh));
		desc = at + sizeof(nh) + (((size_t)nh.n_namesz + 3) & ~(size_t)3);
		after = desc + (((size_t)nh.n_descsz + 3) & ~(size_t)3);
		if (desc > size || after > size + 3 || desc + nh.n_descsz > size)
			return -EBADMSG;
		if (nh.n_type == NT_PRSTATUS)
			rc = add_thread(c, notes + desc, nh.n_descsz);
		else if (nh.n_type == NT_FILE)
			rc = add_files(c, notes + desc, nh.n_descsz);
		at = after;
	}
	return rc;
}

static int read_notes(struct core_file *c, const Elf64_Phdr *ph)
{
	_cleanup_free_ char *notes = NULL;
	int rc;

	if (ph->p_filesz > NOTE_MAX)
		return -EBADMSG;
	notes = malloc(ph->p_filesz + 1);
	if (!notes)
		return -ENOMEM;
	rc = read_at(c->fd, ph->p_offset, notes, ph->p_filesz);
	return rc ?: scan_notes(c, notes, ph->p_filesz);
}

/* ---- the file ---- */

static int add_segment(struct core_file *c, const Elf64_Phdr *ph)
{
	struct segment s = { .start = ph->p_vaddr, .offset = ph->p_offset };

	if (__builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &s.end) || ph->p_filesz > ph->p_memsz)
		return -EBADMSG;
	s.filled = s.start + ph->p_filesz;
	c->segments[c->segments_count++] = s;
	return 0;
}

/* More than 65534 segments: the number is in the first section header. */
static int phdr_count(int fd, const Elf64_Ehdr *eh, size_t *ret)
{
	Elf64_Shdr sh;
	int rc;

	*ret = eh->e_phnum;
	if (eh->e_phnum != PN_XNUM)
		return 0;
	rc = read_at(fd, eh->e_shoff, &sh, sizeof(sh));
	*ret = sh.sh_info;
	return rc ?: *ret > PHDRS_MAX ? -EBADMSG : 0;
}

static int read_core(struct core_file *c, struct weir_error *err)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	size_t count;
	int rc = read_at(c->fd, 0, &eh, sizeof(eh));

	if (rc || memcmp(eh.e_ident, ELFMAG, SELFMAG) || eh.e_type != ET_CORE ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64)
		return weir_err(err, -ENOEXEC, "%s is not a core file of a 64-bit process",
		                c->path);
	rc = phdr_count(c->fd, &eh, &count);
	c->segments = rc ? NULL : calloc(count ?: 1, sizeof(*c->segments));
	if (!rc && !c->segments)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = read_at(c->fd, eh.e_phoff + i * sizeof(ph), &ph, sizeof(ph));
		if (!rc && ph.p_type == PT_LOAD)
			rc = add_segment(c, &ph);
		else if (!rc && ph.p_type == PT_NOTE)
			rc = read_notes(c, &ph);
	}
	if (rc)
		return weir_err(err, rc == -ENODATA ? -EBADMSG : rc, "%s: %s", c->path,
		                rc == -ENODATA   ? "the core file is truncated"
		                : rc == -EBADMSG ? "the core file is malformed"
		                                 : strerror(-rc));
	return 0;
}

int core_open(const char *path, struct weir_error *err, struct core_file **ret)
{
	struct core_file *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return weir_err(err, -ENOMEM, "out of memory");
	c->path = strdup(path);
	c->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (c->fd < 0)
		rc = weir_err(err, -errno, "%s: %s", path, strerror(errno));
	else
		rc = read_core(c, err);
	if (!rc) {
		c->files = calloc(c->maps.count + 1, sizeof(*c->files));
		rc = c->files ? 0 : weir_err(err, -ENOMEM, "out of memory");
	}
	if (rc) {
		core_close(c);
		return rc;
	}
	for (size_t i = 0; i < c->maps.count; i++)
		c->files[i].fd = -1;
	*ret = c;
	return 0;
}

void core_close(struct core_file *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->files && i < c->maps.count; i++)
		if (c->files[i].fd >= 0)
			close(c->files[i].fd);
	if (c->fd >= 0)
		close(c->fd);
	maps_deinit(&c->maps);
	free(c->files);
	free(c->segments);
	free(c->threads);
	free(c->path);
	free(c);
}

const struct maps *core_maps(const struct core_file *core)
{
	return &core->maps;
}

size_t core_threads(const struct core_file *core, const struct core_thread **ret)
{
	*ret = core->threads;
	return core->threads_count;
}

/* ---- memory ---- */

static const struct segment *segment_of(const struct core_file *c, uint64_t address)
{
	for (size_t i = 0; i < c->segments_count; i++)
		if (address >= c->segments[i].start && address < c->segments[i].end)
			return &c->segments[i];
	return NULL;
}

/* From the dump alone. Returns the bytes copied; fewer than asked where the dump has none. */
static size_t read_dumped(struct core_file *c, uint64_t address, void *buf, size_t size, int *rc)
{
	const struct segment *s = segment_of(c, address);
	size_t n;

	*rc = 0;
	if (!s || address >= s->filled)
		return 0;
	n = s->filled - address < size ? (size_t)(s->filled - address) : size;
	*rc = read_at(c->fd, s->offset + (address - s->start), buf, n);
	return *rc ? 0 : n;
}

struct image_source {
	struct core_file *core;
	uint64_t start;
};

static int read_image(void *ctx, uint64_t offset, void *buf, size_t size)
{
	struct image_source *source = ctx;
	int rc;

	if (read_dumped(source->core, source->start + offset, buf, size, &rc) != size)
		return -ENODATA;
	return 0;
}

int core_open_file(struct core_file *c, size_t i, int *fd, struct weir_error *err)
{
	const struct mapped_file *file = &c->maps.files[i];
	struct image_source source = { c, file->mappings_count ? file->mappings[0].start : 0 };
	struct build_id dumped = { 0 }, now = { 0 };
	int opened, rc;

	if (file->path[0] != '/')
		return weir_err(err, -ENOENT, "%s has no file", file->path);
	rc = open_regular(AT_FDCWD, file->path, &opened);
	if (rc)
		return weir_err(err, rc, "%s, which the core's process had mapped: %s", file->path,
		                strerror(-rc));
	if (!build_id_read(read_image, &source, 1, &dumped) &&
	    (build_id_of_fd(opened, &now) || now.size != dumped.size ||
	     memcmp(now.bytes, dumped.bytes, now.size))) {
		close(opened);
		return weir_err(err, -ESTALE,
		                "%s is not the file that the core's process had mapped "
		                "(another build-id): put the old one there",
		                file->path);
	}
	*fd = opened;
	return 0;
}

static int read_from_file(struct core_file *c, uint64_t address, void *buf, size_t size,
                          size_t *ret)
{
	for (size_t i = 0; i < c->maps.count; i++) {
		const struct mapped_file *file = &c->maps.files[i];

		for (size_t k = 0; k < file->mappings_count; k++) {
			const struct mapping *m = &file->mappings[k];

			if (address < m->start || address >= m->end)
				continue;
			if (c->files[i].fd == -1 && core_open_file(c, i, &c->files[i].fd, NULL))
				c->files[i].fd = -2;
			if (c->files[i].fd < 0)
				return -EFAULT;
			*ret = m->end - address < size ? (size_t)(m->end - address) : size;
			if (read_at(c->files[i].fd, m->offset + (address - m->start), buf, *ret))
				return -EFAULT;
			return 0;
		}
	}
	return -EFAULT;
}

int core_read(struct core_file *c, uint64_t address, void *buf, size_t size)
{
	const struct segment *s;
	size_t n;
	int rc;

	while (size) {
		n = read_dumped(c, address, buf, size, &rc);
		if (rc)
			return rc == -ENODATA ? rc : -EFAULT;
		if (!n) {
			/* Never beyond where the dump begins again. */
			s = segment_of(c, address);
			n = s && s->end - address < size ? (size_t)(s->end - address) : size;
			rc = read_from_file(c, address, buf, n, &n);
			if (rc)
				return rc;
		}
		buf = (char *)buf + n;
		address += n;
		size -= n;
	}
	return 0;
}

uint64_t core_cut(const struct core_file *c)
{
	uint64_t end = 0;
	struct stat st;

	for (size_t i = 0; i < c->segments_count; i++) {
		const struct segment *s = &c->segments[i];

		if (s->offset + (s->filled - s->start) > end)
			end = s->offset + (s->filled - s->start);
	}
	if (fstat(c->fd, &st) || (uint64_t)st.st_size >= end)
		return 0;
	return end - (uint64_t)st.st_size;
}
