/* SPDX-License-Identifier: MIT */
/*
 * Raw BTF, and packs: types of programs that come without debug information, as raw BTF, DIR/BUILD-ID.btf.
 * What `weir types build FILE -o BUILD-ID.btf` writes on a machine with debug symbols is one.
 */
#include "types/internal.h"

#include <fcntl.h>
#include <stdio.h>

#include "types/error.h"
#include "types/util.h"

#define PACK_DIRS "/usr/share/weir/types"
#define RAW_MAX   (1u << 30)

int source_raw(struct source *s, int fd, const char *path, enum types_source kind,
               struct image *ret)
{
	_cleanup_free_ uint8_t *data = NULL; /* /sys/kernel/btf cannot be mapped everywhere */
	struct stat st;
	int err;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size || st.st_size > RAW_MAX)
		return -ENODATA;
	data = malloc(st.st_size);
	if (!data)
		return types_err(s->err, -ENOMEM, "out of memory");
	err = read_fully(fd, data, st.st_size, 0);
	if (err)
		return types_err(s->err, err, "%s: %s", path, strerror(-err));
	return image_from_btf(s, data, st.st_size, path, kind, ret);
}

static int look_in(struct source *s, const char *dirs, struct image *ret)
{
	while (dirs && *dirs) {
		size_t length = strcspn(dirs, ":");
		_cleanup_close_ int fd = -1;
		char path[4096];

		snprintf(path, sizeof(path), "%.*s/%s.btf", (int)length, dirs, s->build_id);
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0)
			return source_raw(s, fd, path, TYPES_FROM_PACK, ret);
		dirs += length + (dirs[length] == ':');
	}
	return -ENODATA;
}

int source_pack(struct source *s, struct image *ret)
{
	int err;

	if (!s->build_id[0])
		return -ENODATA;
	if (s->opts->pack_dirs)
		return look_in(s, s->opts->pack_dirs, ret);
	err = look_in(s, getenv("WEIR_TYPES_PATH"), ret);
	return err == -ENODATA ? look_in(s, PACK_DIRS, ret) : err;
}
