/* SPDX-License-Identifier: MIT */
/*
 * What is looked at in any order (strings, lists) is unpacked as a whole, by libdeflate, which is
 * three times as fast as zlib. .debug_info is three times as large as all of that and is read
 * once, from the begin to the end: it is unpacked by zlib unit by unit into one buffer, since the
 * first touch of so much fresh memory costs more time than libdeflate saves.
 */
#include "types/inflate.h"

#include <libdeflate.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "types/error.h"
#include "types/util.h"

/* A section that claims to inflate to more than this times its size is a bomb. */
#define INFLATE_MAX 2048
#define ZSTD_TYPE   2 /* ELFCOMPRESS_ZSTD, which older elf.h lacks */
/* Larger ones are worth huge pages, and their pages can be given back. */
#define MAP_MIN (4u << 20)

static int set_kind(struct packed *p, uint32_t type)
{
	if (type == ELFCOMPRESS_ZLIB)
		p->kind = PACKED_ZLIB;
	else if (type == ZSTD_TYPE)
		p->kind = PACKED_ZSTD;
	else
		return -ENOTSUP;
	return 0;
}

static int standard_header(struct packed *p, int class)
{
	Elf64_Chdr wide;
	Elf32_Chdr narrow;
	size_t size = class == ELFCLASS32 ? sizeof(narrow) : sizeof(wide);

	if (p->size < size)
		return -EBADMSG;
	memcpy(&wide, p->data, class == ELFCLASS32 ? 0 : sizeof(wide));
	memcpy(&narrow, p->data, class == ELFCLASS32 ? sizeof(narrow) : 0);
	p->data += size;
	p->size -= size;
	p->unpacked = class == ELFCLASS32 ? narrow.ch_size : wide.ch_size;
	return set_kind(p, class == ELFCLASS32 ? narrow.ch_type : wide.ch_type);
}

/* "ZLIB" and the size, big-endian. */
static int gnu_header(struct packed *p)
{
	if (p->size < 12 || memcmp(p->data, "ZLIB", 4))
		return -EBADMSG;
	p->unpacked = 0;
	for (int i = 4; i < 12; i++)
		p->unpacked = p->unpacked << 8 | p->data[i];
	p->data += 12;
	p->size -= 12;
	p->kind = PACKED_ZLIB;
	return 0;
}

int packed_init(struct packed *p, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, const char *name,
                struct weir_error *err)
{
	bool gnu = !strncmp(name, ".zdebug", 7);
	Elf_Data *data;
	int ret;

	memset(p, 0, sizeof(*p));
	if (!gnu && !(shdr->sh_flags & SHF_COMPRESSED))
		return 0;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf)
		return types_err(err, -EBADMSG, "section %s has no content", name);
	p->data = data->d_buf;
	p->size = data->d_size;
	ret = gnu && !(shdr->sh_flags & SHF_COMPRESSED) ? gnu_header(p)
	                                                : standard_header(p, gelf_getclass(elf));
	if (ret == -ENOTSUP)
		return types_err(err, ret, "section %s is compressed in an unknown way", name);
	if (ret)
		return types_err(err, ret, "section %s has a bad compression header", name);
	if (p->unpacked / INFLATE_MAX > p->size)
		return types_err(err, -EBADMSG,
		                 "section %s claims to inflate from %zu to %zu bytes", name,
		                 p->size, p->unpacked);
	return 0;
}

/* Pages of a mapped file that nobody reads again: they stay in the page cache. */
static void give_back(const uint8_t *data, size_t size)
{
	uintptr_t page = sysconf(_SC_PAGESIZE), begin = ((uintptr_t)data + page - 1) & -page,
	          end = ((uintptr_t)data + size) & -page;

	if (begin < end)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* --- as a whole --- */

static uint8_t *memory_for(size_t size)
{
	uint8_t *p;

	if (size < MAP_MIN)
		return malloc(size + 1);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void unpack_free(const uint8_t *data, size_t size)
{
	if (data && size >= MAP_MIN)
		munmap((void *)data, size);
	else
		free((void *)data);
}

static bool inflate_all(const struct packed *p, uint8_t *to)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	enum libdeflate_result result = LIBDEFLATE_BAD_DATA;

	if (d) /* without the last argument: exactly so much, or it fails */
		result = libdeflate_zlib_decompress(d, p->data, p->size, to, p->unpacked, NULL);
	libdeflate_free_decompressor(d);
	return result == LIBDEFLATE_SUCCESS;
}

int unpack(const struct packed *p, uint8_t **ret)
{
	uint8_t *to = memory_for(p->unpacked);
	bool ok;

	if (!to)
		return -ENOMEM;
	if (p->kind == PACKED_ZLIB)
		ok = inflate_all(p, to);
	else
		ok = ZSTD_decompress(to, p->unpacked, p->data, p->size) == p->unpacked;
	if (p->mapped)
		give_back(p->data, p->size);
	if (!ok) {
		unpack_free(to, p->unpacked);
		return -EBADMSG;
	}
	*ret = to;
	return 0;
}

/* --- as a stream --- */

#define INPUT ((size_t)4 << 20)

struct unpack_stream {
	enum packed_kind kind;
	z_stream z;
	const uint8_t *begin, *rest; /* of the input, which is handed to zlib in parts */
	size_t rest_size;
	bool mapped;
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer in;
};

int unpack_stream_open(const struct packed *p, struct unpack_stream **ret)
{
	struct unpack_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->kind = p->kind;
	s->begin = s->rest = p->data;
	s->mapped = p->mapped;
	s->rest_size = p->size;
	s->in = (ZSTD_inBuffer){ p->data, p->size, 0 };
	if (p->kind == PACKED_ZSTD ? !(s->zstd = ZSTD_createDCtx()) : inflateInit(&s->z) != Z_OK) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

void unpack_stream_close(struct unpack_stream *s)
{
	if (!s)
		return;
	if (s->kind == PACKED_ZSTD)
		ZSTD_freeDCtx(s->zstd);
	else
		inflateEnd(&s->z);
	free(s);
}

static int read_zlib(struct unpack_stream *s, uint8_t *to, size_t size)
{
	while (size) {
		size_t chunk = size < (1u << 30) ? size : 1u << 30, before;
		int ret;

		if (!s->z.avail_in) {
			size_t more = s->rest_size < INPUT ? s->rest_size : INPUT;

			if (s->mapped && s->rest > s->begin)
				give_back(s->rest - INPUT, INPUT);

			s->z.next_in = (uint8_t *)s->rest;
			s->z.avail_in = more;
			s->rest += more;
			s->rest_size -= more;
		}
		s->z.next_out = to;
		s->z.avail_out = before = chunk;
		ret = inflate(&s->z, Z_NO_FLUSH);
		to += before - s->z.avail_out;
		size -= before - s->z.avail_out;
		if (ret == Z_STREAM_END)
			return size ? -EBADMSG : 0;
		if (ret != Z_OK || (!s->z.avail_in && !s->rest_size && size))
			return -EBADMSG;
	}
	return 0;
}

static int read_zstd(struct unpack_stream *s, uint8_t *to, size_t size)
{
	ZSTD_outBuffer out = { to, size, 0 };

	while (out.pos < out.size) {
		size_t before = out.pos, in = s->in.pos;

		if (ZSTD_isError(ZSTD_decompressStream(s->zstd, &out, &s->in)) ||
		    (out.pos == before && s->in.pos == in))
			return -EBADMSG;
	}
	return 0;
}

int unpack_stream_read(struct unpack_stream *s, uint8_t *to, size_t size)
{
	return s->kind == PACKED_ZSTD ? read_zstd(s, to, size) : read_zlib(s, to, size);
}

int unpack_stream_end(struct unpack_stream *s)
{
	uint8_t byte;
	ZSTD_outBuffer out = { &byte, 1, 0 };

	if (s->kind == PACKED_ZSTD)
		return ZSTD_isError(ZSTD_decompressStream(s->zstd, &out, &s->in)) || out.pos
		           ? -EBADMSG
		           : 0;
	s->z.next_out = &byte;
	s->z.avail_out = 1;
	return inflate(&s->z, Z_FINISH) == Z_STREAM_END && s->z.avail_out ? 0 : -EBADMSG;
}
