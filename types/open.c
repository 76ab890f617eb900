/* SPDX-License-Identifier: MIT */
#include "types/internal.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <gelf.h>

#include "types/cache.h"
#include "types/error.h"
#include "types/util.h"

static const struct types_options no_options;

static int check_options(const struct types_options **opts, struct weir_error *err)
{
	if (!*opts)
		*opts = &no_options;
	if ((*opts)->size > sizeof(**opts))
		return types_err(err, -E2BIG, "these options are of a newer version");
	return 0;
}

int types_new(const struct source *s, struct image *image, bool cached, struct types **ret)
{
	struct types *t = calloc(1, sizeof(*t));

	if (t)
		t->path = strdup(s->path ? s->path : "");
	if (!t || !t->path) {
		free(t);
		image_deinit(image);
		return types_err(s->err, -ENOMEM, "out of memory");
	}
	pthread_mutex_init(&t->lock, NULL);
	t->image = *image;
	t->view = (struct btf_view){
		.types = image->types,
		.names = image->names,
		.offsets = image->offsets,
		.count = image->types_count,
		.names_size = image->names_size,
		.pointer_size = image->header->pointer_size,
	};
	t->from_cache = cached;
	memcpy(t->build_id, s->build_id, sizeof(t->build_id));
	*ret = t;
	return 0;
}

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

/* The first source that has something; an error in one that has is the answer. */
static int from_sources(struct source *s, struct image *ret)
{
	int err = source_btf(s, s->elf, s->path, ret);

	if (err == -ENODATA)
		err = source_dwarf(s, ret);
	if (err == -ENODATA)
		err = source_pack(s, ret);
	if (err != -ENODATA)
		return err;
	if (s->opts->flags & TYPES_ALLOW_NONE)
		return symbols_only(s, ret);
	return types_err(
	    s->err, -ENODATA,
	    "%s has no type information: no .BTF, no DWARF, no debug file or pack for "
	    "its build-id (%s). Install its debug symbols, or give a header (--header)",
	    s->path ? s->path : "the file", s->build_id[0] ? s->build_id : "it has none");
}

static int open_elf(struct source *s, struct types **ret)
{
	bool use_cache = !(s->opts->flags & TYPES_NO_CACHE), named;
	char name[160];
	struct image image;
	int err;

	named = use_cache && cache_name(s, name, sizeof(name));
	if (named && !(s->opts->flags & TYPES_REBUILD) &&
	    !cache_get(s->opts, name, cache_key(s), &image))
		return types_new(s, &image, true, ret);
	err = from_sources(s, &image);
	if (err)
		return err;
	if (named && image.header->source != TYPES_FROM_NONE) {
		image_set_key(&image, cache_key(s));
		cache_put(s->opts, name, &image);
	}
	return types_new(s, &image, false, ret);
}

int types_open_fd(int fd, const char *path, const struct types_options *opts,
                  struct weir_error *err, struct types **ret)
{
	struct source s = { .fd = fd, .path = path, .err = err };
	int code = check_options(&opts, err);

	if (code)
		return code;
	s.opts = opts;
	if (fstat(fd, &s.stat))
		return types_err(err, -errno, "%s: %s", path ? path : "file", strerror(errno));
	code = mapped_elf_open(fd, &s.map);
	if (code == -ENOEXEC)
		return types_err(err, code, "%s is not an ELF file", path ? path : "it");
	if (code)
		return types_err(err, code, "%s: %s", path ? path : "file", strerror(-code));
	s.elf = s.map.elf;
	build_id_of(s.elf, s.build_id, sizeof(s.build_id));
	code = open_elf(&s, ret);
	mapped_elf_close(&s.map);
	return code;
}

int types_open(const char *path, const struct types_options *opts, struct weir_error *err,
               struct types **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return types_err(err, -errno, "%s: %s", path, strerror(errno));
	return types_open_fd(fd, path, opts, err, ret);
}

void types_close(struct types *t)
{
	if (!t)
		return;
	btf__free(t->btf);
	image_deinit(&t->image);
	pthread_mutex_destroy(&t->lock);
	free(t->losses);
	free(t->path);
	free(t);
}

void types_set_header(struct types *t, const char *header)
{
	char *path = strdup(header);

	if (path) {
		free(t->path);
		t->path = path;
	}
	t->header = true;
}

/* --- facts --- */

enum types_source types_source(const struct types *t)
{
	return t->header ? TYPES_FROM_HEADER : (enum types_source)t->image.header->source;
}

bool types_from_cache(const struct types *t)
{
	return t->from_cache;
}

const char *types_path(const struct types *t)
{
	return t->path;
}

const char *types_debug_path(const struct types *t)
{
	return t->image.strings + t->image.header->debug_path;
}

const char *types_build_id(const struct types *t)
{
	return t->build_id;
}

int types_pointer_size(const struct types *t)
{
	return t->image.header->pointer_size;
}

bool types_big_endian(const struct types *t)
{
	(void)t; /* files of the other byte order are refused */
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

const struct btf_view *types_view(const struct types *t)
{
	return &t->view;
}

struct btf *types_btf(struct types *t)
{
	pthread_mutex_lock(&t->lock);
	if (!t->btf) {
		size_t size;
		const void *raw = types_raw(t, &size);

		t->btf = btf__new(raw, size);
		if (t->btf)
			btf__set_pointer_size(t->btf, types_pointer_size(t));
	}
	pthread_mutex_unlock(&t->lock);
	return t->btf;
}

const void *types_raw(const struct types *t, size_t *ret_size)
{
	*ret_size = t->image.header->table[IMAGE_BTF].size;
	return t->image.data + t->image.header->table[IMAGE_BTF].offset;
}

size_t types_losses(const struct types *t, const struct types_loss **ret)
{
	const struct image *i = &t->image;

	if (!t->losses && i->losses_count) {
		struct types_loss *list = calloc(i->losses_count, sizeof(*list));

		if (!list)
			return 0;
		for (size_t k = 0; k < i->losses_count; k++)
			list[k] = (struct types_loss){
				.what = i->strings + i->losses[k].what,
				.example = i->strings + i->losses[k].example,
				.count = i->losses[k].count,
				.note = i->losses[k].note,
			};
		((struct types *)t)->losses = list;
	}
	*ret = t->losses;
	return i->losses_count;
}
