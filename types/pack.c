/* SPDX-License-Identifier: MIT */
/*
 * Packs: types of programs that come without debug information, as raw BTF, DIR/BUILD-ID.btf.
 * What `weir types build FILE -o BUILD-ID.btf` writes on a machine with debug symbols is one.
 */
#include "types/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "types/error.h"
#include "types/util.h"

#define PACK_DIRS "/usr/share/weir/types"
#define PACK_MAX  (1u << 30)

static int read_pack(struct source *s, int fd, const char *path, struct image *ret)
{
	struct stat st;
	void *data;
	int err;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size || st.st_size > PACK_MAX)
		return -ENODATA;
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	err = image_from_btf(s, data, st.st_size, path, TYPES_FROM_PACK, ret);
	munmap(data, st.st_size);
	return err;
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
			return read_pack(s, fd, path, ret);
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
