/* SPDX-License-Identifier: MIT */
/* What open.c does not find at a glance: the file is read with libelf, and converted. */
#include "types/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "types/cache.h"
#include "types/error.h"

/* An image without types: what .symtab has. */
static int symbols_only(struct source *s, struct image *ret)
{
	struct {
		struct btf_header h;
		char name;
	} empty = {
		.h = { .magic = BTF_MAGIC,
		       .version = BTF_VERSION,
		       .hdr_len = sizeof(empty.h),
		       .str_len = 1 },
	};

	return image_from_btf(s, &empty, sizeof(empty.h) + 1, s->path, TYPES_FROM_NONE, ret);
}

/*
 * The first source that has something; an error in one that has is the answer. DWARF comes before the
 * .BTF that was made of it, which has no variables, units and scopes.
 */
static int from_sources(struct source *s, struct image *ret)
{
	int err = source_dwarf(s, ret);
	bool half = err == -ENOLINK;

	if (err == -ENODATA || half)
		err = source_btf(s, s->elf, s->path, ret);
	if (err == -ENODATA)
		err = source_pack(s, ret);
	if (err != -ENODATA)
		return err;
	if (s->opts->flags & TYPES_ALLOW_NONE)
		return symbols_only(s, ret);
	if (half) /* it was said what is missing */
		return -ENOLINK;
	return types_err(
	    s->err, -ENODATA,
	    "%s has no type information: no .BTF, no DWARF, no debug file or pack for "
	    "its build-id (%s). Install its debug symbols, or give a header (--header)",
	    s->path ? s->path : "the file", s->build_id[0] ? s->build_id : "it has none");
}

static int open_elf(struct source *s, struct image *ret, bool *cached)
{
	bool use_cache = !(s->opts->flags & TYPES_NO_CACHE), named;
	char name[160];
	int err;

	*cached = false;
	if (s->opts->flags & TYPES_SYMBOL_TABLE)
		return symbols_only(s, ret);
	named = use_cache && cache_name(s, name, sizeof(name));
	*cached = named && !(s->opts->flags & TYPES_REBUILD) && !cache_get_types(s, name, ret);
	if (*cached)
		return 0;
	err = from_sources(s, ret);
	if (!err && named && ret->header->source != TYPES_FROM_NONE) {
		image_set_key(ret, cache_key(s, ret->header->source));
		cache_put(s->opts, name, ret);
	}
	return err;
}

/* What `weir types build` writes, or /sys/kernel/btf/vmlinux. */
static bool is_raw(int fd)
{
	uint16_t magic = 0;

	return pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) && magic == BTF_MAGIC;
}

int source_convert(struct source *s, struct image *ret, bool *cached)
{
	int code;

	if (is_raw(s->fd)) {
		*cached = false;
		return source_raw(s, s->fd, s->path ? s->path : "", TYPES_FROM_BTF, ret);
	}
	code = mapped_elf_open(s->fd, &s->map);
	if (code == -ENOEXEC)
		return types_err(s->err, code, "%s is not an ELF file", s->path ? s->path : "it");
	if (code)
		return types_err(s->err, code, "%s: %s", s->path ? s->path : "file",
		                 strerror(-code));
	s->elf = s->map.elf;
	build_id_of(s->elf, s->build_id, sizeof(s->build_id));
	code = open_elf(s, ret, cached);
	mapped_elf_close(&s->map);
	return code;
}
