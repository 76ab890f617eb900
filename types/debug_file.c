/* SPDX-License-Identifier: MIT */
/*
 * Where a file's DWARF is: in it; in DIR/.build-id/xx/yyy.debug; where its .gnu_debuglink says
 * (beside it, in .debug/, in DIR + its path). A debug file is believed if its build-id is the
 * same, or, where there is none, if the link's checksum is right.
 */
#include "types/internal.h"

#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>

#include "types/dwarf_convert.h"
#include "types/error.h"
#include "types/util.h"

#define DEBUG_DIRS "/usr/lib/debug"

struct debug_elf {
	int fd;
	struct mapped_elf map;
	Elf *elf;                  /* map.elf */
	char path[PATH_MAX + 512]; /* a directory, and a name in it */
};

static void debug_elf_close(struct debug_elf *d)
{
	mapped_elf_close(&d->map);
	if (d->fd >= 0)
		close(d->fd);
	d->elf = NULL;
	d->fd = -1;
}

static bool debug_elf_open(struct debug_elf *d)
{
	d->fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (d->fd < 0)
		return false;
	if (!mapped_elf_open(d->fd, &d->map)) {
		d->elf = d->map.elf;
		return true;
	}
	debug_elf_close(d);
	return false;
}

static uint32_t crc32_of(int fd)
{
	uint32_t crc = ~0u, table[256];
	uint8_t buffer[65536];
	ssize_t n;
	off_t at = 0;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			crc = table[(crc ^ buffer[i]) & 0xff] ^ crc >> 8;
		at += n;
	}
	return ~crc;
}

static bool belongs(const struct source *s, struct debug_elf *d, const uint32_t *crc)
{
	char id[129];

	if (s->build_id[0] && !build_id_of(d->elf, id, sizeof(id)))
		return !strcmp(id, s->build_id);
	return crc && crc32_of(d->fd) == *crc;
}

static bool try_debug(const struct source *s, struct debug_elf *d, const uint32_t *crc)
{
	if (!debug_elf_open(d))
		return false;
	if (belongs(s, d, crc))
		return true;
	debug_elf_close(d);
	return false;
}

static const char *sysroot(const struct source *s)
{
	return s->opts->sysroot ? s->opts->sysroot : "";
}

/* Calls fn for each directory of a colon-separated list, until it returns true. */
static bool each_dir(const char *dirs, bool (*fn)(const char *dir, size_t length, void *arg),
                     void *arg)
{
	while (*dirs) {
		size_t length = strcspn(dirs, ":");

		if (length && fn(dirs, length, arg))
			return true;
		dirs += length + (dirs[length] == ':');
	}
	return false;
}

struct look {
	const struct source *s;
	struct debug_elf *d;
	const char *id; /* build-id, or NULL: by link */
	const char *link;
	uint32_t crc;
	const char *dir; /* of the program, absolute */
};

static bool look_by_id(const char *dir, size_t length, void *arg)
{
	struct look *l = arg;

	snprintf(l->d->path, sizeof(l->d->path), "%s%.*s/.build-id/%.2s/%s.debug", sysroot(l->s),
	         (int)length, dir, l->id, l->id + 2);
	return try_debug(l->s, l->d, NULL);
}

static bool look_by_link(const char *dir, size_t length, void *arg)
{
	struct look *l = arg;

	snprintf(l->d->path, sizeof(l->d->path), "%s%.*s%s/%s", sysroot(l->s), (int)length, dir,
	         l->dir, l->link);
	return try_debug(l->s, l->d, &l->crc);
}

static const char *debug_dirs(const struct source *s)
{
	return s->opts->debug_dirs ? s->opts->debug_dirs : DEBUG_DIRS;
}

static bool find_by_link(struct source *s, struct debug_elf *d)
{
	char real[PATH_MAX], *slash;
	GElf_Word crc;
	struct look l = { .s = s, .d = d };

	l.link = dwelf_elf_gnu_debuglink(s->elf, &crc);
	if (!l.link || !s->path || strchr(l.link, '/') || strlen(l.link) > 255 ||
	    !realpath(s->path, real))
		return false;
	l.crc = crc;
	slash = strrchr(real, '/');
	*slash = 0;
	l.dir = real;
	snprintf(d->path, sizeof(d->path), "%s/%s", real, l.link);
	if (try_debug(s, d, &l.crc))
		return true;
	snprintf(d->path, sizeof(d->path), "%s/.debug/%s", real, l.link);
	if (try_debug(s, d, &l.crc))
		return true;
	return each_dir(debug_dirs(s), look_by_link, &l);
}

static bool find_debug(struct source *s, struct debug_elf *d)
{
	struct look l = { .s = s, .d = d, .id = s->build_id };

	if (strlen(s->build_id) > 2 && each_dir(debug_dirs(s), look_by_id, &l))
		return true;
	return find_by_link(s, d);
}

/* --- dwz's alternate file --- */

struct alt_link {
	const char *name;
	char id[129];
};

static bool read_alt_link(Elf *elf, struct alt_link *ret)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		Elf_Data *data;
		size_t length, id;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, strings, shdr.sh_name);
		if (!name || strcmp(name, ".gnu_debugaltlink"))
			continue;
		data = elf_getdata(scn, NULL);
		if (!data || !data->d_buf)
			return false;
		ret->name = data->d_buf;
		length = strnlen(ret->name, data->d_size);
		if (length == data->d_size)
			return false;
		id = data->d_size - length - 1;
		if (!id || id * 2 >= sizeof(ret->id))
			return false;
		for (size_t i = 0; i < id; i++)
			sprintf(ret->id + i * 2, "%02x", (uint8_t)ret->name[length + 1 + i]);
		return true;
	}
	return false;
}

static bool try_alt(struct debug_elf *d, const char *id)
{
	char own[129];

	if (!debug_elf_open(d))
		return false;
	if (!build_id_of(d->elf, own, sizeof(own)) && !strcmp(own, id))
		return true;
	debug_elf_close(d);
	return false;
}

struct alt_look {
	const struct source *s;
	struct debug_elf *d;
	const char *id;
};

static bool look_alt(const char *dir, size_t length, void *arg)
{
	struct alt_look *l = arg;

	snprintf(l->d->path, sizeof(l->d->path), "%s%.*s/.build-id/%.2s/%s.debug", sysroot(l->s),
	         (int)length, dir, l->id, l->id + 2);
	return try_alt(l->d, l->id);
}

static bool find_alt(struct source *s, const struct alt_link *link, const char *path,
                     struct debug_elf *d)
{
	struct alt_look l = { s, d, link->id };
	char real[PATH_MAX];
	const char *slash;

	if (*link->name == '/') {
		snprintf(d->path, sizeof(d->path), "%s%s", sysroot(s), link->name);
		if (try_alt(d, link->id))
			return true;
	} else if (path && realpath(path, real)) {
		slash = strrchr(real, '/');
		snprintf(d->path, sizeof(d->path), "%.*s%s", (int)(slash + 1 - real), real,
		         link->name);
		if (try_alt(d, link->id))
			return true;
	}
	return each_dir(debug_dirs(s), look_alt, &l);
}

/* --- conversion --- */

/* libdwfl relocates the debug sections of a .o in memory. */
static int convert_relocatable(struct source *s, struct dwarf_input *in, struct image *ret)
{
	static const Dwfl_Callbacks callbacks = {
		.section_address = dwfl_offline_section_address,
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	const char *name = s->path ? s->path : "(no name)";
	Dwfl *dwfl = dwfl_begin(&callbacks);
	Dwfl_Module *module;
	Dwarf *dwarf;
	Dwarf_Addr bias;
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3); /* becomes libdwfl's */
	int err;

	module = dwfl ? dwfl_report_offline(dwfl, name, name, fd) : NULL;
	if (!module) {
		if (fd >= 0)
			close(fd);
		dwfl_end(dwfl);
		return types_err(s->err, -EBADMSG, "%s: not readable as a relocatable file: %s",
		                 name, dwfl_errmsg(-1));
	}
	dwfl_report_end(dwfl, NULL, NULL);
	dwarf = dwfl_module_getdwarf(module, &bias);
	if (dwarf) {
		in->elf = in->loaded = dwarf_getelf(dwarf);
		in->mapped = NULL; /* libdwfl's, and relocated */
		err = dwarf_convert(in, s->err, ret);
	} else {
		err = types_err(s->err, -EBADMSG, "%s: its DWARF cannot be relocated: %s", name,
		                dwfl_errmsg(-1));
	}
	dwfl_end(dwfl);
	return err;
}

static int convert(struct source *s, int fd, const struct mapped_elf *map, const char *path,
                   struct image *ret)
{
	struct dwarf_input in = {
		.elf = map->elf,
		.fd = fd,
		.mapped = map->data,
		.mapped_size = map->size,
		.loaded = s->elf,
		.path = path,
		.jobs = s->opts->jobs,
		.source = TYPES_FROM_DWARF,
		.progress = s->opts->progress,
		.progress_arg = s->opts->progress_arg,
	};
	struct debug_elf alt = { .fd = -1 };
	struct alt_link link;
	GElf_Ehdr ehdr;
	int err;

	in.declarations = s->opts->flags & TYPES_DECLARATIONS;
	in.relocatable = gelf_getehdr(map->elf, &ehdr) && ehdr.e_type == ET_REL;
	if (in.relocatable && map->elf == s->elf)
		return convert_relocatable(s, &in, ret);
	if (read_alt_link(map->elf, &link)) {
		if (!find_alt(s, &link, path, &alt))
			return types_err(s->err, -ENOLINK,
			                 "%s: half of its debug information is in %s, which is not "
			                 "there (build-id %s): install the package's debug symbols",
			                 path ? path : "?", link.name, link.id);
		in.alt = alt.elf;
	}
	err = dwarf_convert(&in, s->err, ret);
	debug_elf_close(&alt);
	return err;
}

int source_dwarf(struct source *s, struct image *ret)
{
	struct debug_elf d = { .fd = -1 };
	int err;

	if (dwarf_present(s->elf))
		return convert(s, s->fd, &s->map, s->path, ret);
	if (!find_debug(s, &d))
		return -ENODATA;
	err = dwarf_present(d.elf) ? convert(s, d.fd, &d.map, d.path, ret) : -ENODATA;
	if (err == -ENODATA)
		err = source_btf(s, d.elf, d.path, ret);
	debug_elf_close(&d);
	return err;
}
