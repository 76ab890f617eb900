/* SPDX-License-Identifier: MIT */
#include "types/internal.h"

#include <fcntl.h>

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

/* Most often it is in the cache, and finding it takes neither libelf nor more of the file than its
 * first page. */
static bool is_cached(struct source *s, struct image *ret)
{
	char name[160];

	return !(s->opts->flags & (TYPES_NO_CACHE | TYPES_REBUILD | TYPES_SYMBOL_TABLE)) &&
	       build_id_glance(s->fd, s->build_id, sizeof(s->build_id)) &&
	       cache_name(s, name, sizeof(name)) && !cache_get_types(s, name, ret);
}

int types_open_fd(int fd, const char *path, const struct types_options *opts,
                  struct weir_error *err, struct types **ret)
{
	struct source s = { .fd = fd, .path = path, .err = err };
	struct image image;
	int code = check_options(&opts, err);
	bool cached = true;

	if (code)
		return code;
	s.opts = opts;
	if (fstat(fd, &s.stat))
		return types_err(err, -errno, "%s: %s", path ? path : "file", strerror(errno));
	if (!is_cached(&s, &image))
		code = source_convert(&s, &image, &cached);
	return code ?: types_new(&s, &image, cached, ret);
}

int types_open(const char *path, const struct types_options *opts, struct weir_error *err,
               struct types **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return types_err(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode)) /* a FIFO would be waited for */
		return types_err(err, -ENOEXEC, "%s is not a regular file", path);
	return types_open_fd(fd, path, opts, err, ret);
}

void types_close(struct types *t)
{
	if (!t)
		return;
	if (t->btf)
		t->free_btf(t->btf);
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
