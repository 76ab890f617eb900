/* SPDX-License-Identifier: MIT */
#include "types/dwarf_split.h"

#include <dwarf.h>
#include <fcntl.h>
#include <stdio.h>

#include "types/error.h"
#include "types/util.h"

void dwarf_split_init(struct dwarf_split *s, const char *path, struct dw_file *skeletons)
{
	memset(s, 0, sizeof(*s));
	s->path = path;
	s->skeletons = skeletons;
}

static void file_free(struct dw_file *f)
{
	Elf *elf = f->elf;

	dw_file_deinit(f);
	elf_end(elf);
	free(f);
}

void dwarf_split_deinit(struct dwarf_split *s)
{
	if (s->package)
		file_free(s->package);
	s->package = NULL;
}

/* libelf maps the file, so its descriptor is not needed afterwards. */
static int file_open(const char *path, struct weir_error *err, struct dw_file **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct dw_file *f;
	uint32_t end;
	Elf *elf;
	int code;

	if (fd < 0)
		return -ENOENT;
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return -ENOENT;
	elf_cntl(elf, ELF_C_FDREAD);
	f = calloc(1, sizeof(*f));
	if (!f) {
		elf_end(elf);
		return types_err(err, -ENOMEM, "out of memory");
	}
	code = dw_file_init(f, elf, NULL, 1, err);
	if (!code && !f->split)
		code = -ENOENT;
	if (!code)
		code = dw_file_units(f, 0, err, &end);
	if (code) {
		f->elf = elf;
		file_free(f);
		return code;
	}
	*ret = f;
	return 0;
}

/* A split unit and its skeleton have the same signature. */
static struct dw_unit *unit_of(struct dw_file *f, const struct dw_unit *skeleton)
{
	for (size_t i = 0; i < f->units_count; i++) {
		struct dw_unit *u = &f->units[i];

		if (u->type != DW_UT_type && u->type != DW_UT_split_type &&
		    u->signature == skeleton->signature)
			return u;
	}
	return NULL;
}

static void look_for_package(struct dwarf_split *s, struct weir_error *err)
{
	char path[4096];

	s->looked = true;
	if (s->path && (size_t)snprintf(path, sizeof(path), "%s.dwp", s->path) < sizeof(path))
		file_open(path, err, &s->package);
}

static void adopt(struct dw_unit *unit, struct dw_unit *skeleton)
{
	unit->skeleton = skeleton;
	if (!unit->name)
		unit->name = skeleton->name;
}

static int try_path(const char *path, struct dw_unit *skeleton, struct weir_error *err,
                    struct dw_file **ret)
{
	struct dw_file *f;
	struct dw_unit *u;
	int code = file_open(path, err, &f);

	if (code)
		return code;
	u = unit_of(f, skeleton);
	if (!u) { /* of another build */
		file_free(f);
		return -ENOENT;
	}
	adopt(u, skeleton);
	*ret = f;
	return 0;
}

int dwarf_split_open(struct dwarf_split *s, struct dw_unit *skeleton, struct weir_error *err,
                     struct dw_file **ret)
{
	const char *name = skeleton->dwo_name, *slash;
	struct dw_unit *u;
	char path[4096];
	int code;

	if (!s->looked)
		look_for_package(s, err);
	u = s->package ? unit_of(s->package, skeleton) : NULL;
	if (u) {
		adopt(u, skeleton);
		*ret = NULL;
		return 0;
	}
	if (!name)
		return -ENOENT;
	if (*name == '/' || !skeleton->comp_dir)
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s", skeleton->comp_dir, name);
	code = try_path(path, skeleton, err, ret);
	if (code != -ENOENT || !s->path)
		return code;
	/* moved together with the program */
	slash = strrchr(s->path, '/');
	name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - s->path) : 0, s->path,
	         name);
	return try_path(path, skeleton, err, ret);
}

void dwarf_split_close(struct dwarf_split *s, struct dw_file *f)
{
	(void)s;
	file_free(f);
}
