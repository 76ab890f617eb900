/* SPDX-License-Identifier: MIT */
/* The sections of a file that DWARF is in: found, decompressed, and joined where there are several. */
#include "types/dwarf_file.h"

#include <gelf.h>

#include "types/error.h"
#include "types/parallel.h"
#include "types/util.h"

#define SECTIONS      13
#define THREADS_WORTH (1u << 20) /* bytes of compressed sections: less is unpacked at once */

static size_t string_limit(const struct dw_section *s)
{
	size_t n = s->size;

	while (n && s->data[n - 1])
		n--;
	return n;
}

static struct dw_section *section_of(struct dw_file *f, const char *name, bool *ret_split)
{
	static const struct {
		const char *name;
		size_t offset;
	} known[SECTIONS] = {
#define SECTION(n) { #n, offsetof(struct dw_file, n) }
		SECTION(info),     SECTION(types),       SECTION(abbrev),   SECTION(str),
		SECTION(line_str), SECTION(str_offsets), SECTION(addr),     SECTION(loc),
		SECTION(loclists), SECTION(ranges),      SECTION(rnglists), SECTION(cu_index),
		SECTION(tu_index),
#undef SECTION
	};
	size_t length = strlen(name);

	if (!strncmp(name, ".debug_", 7))
		name += 7, length -= 7;
	else if (!strncmp(name, ".zdebug_", 8))
		name += 8, length -= 8;
	else
		return NULL;
	*ret_split = length > 4 && !strcmp(name + length - 4, ".dwo");
	if (*ret_split)
		length -= 4;
	for (size_t i = 0; i < SECTIONS; i++) {
		if (strlen(known[i].name) == length && !strncmp(known[i].name, name, length))
			return (void *)((char *)f + known[i].offset);
	}
	return NULL;
}

/* The next section of that name behind `scn`, from the first if it is NULL; NULL. */
static Elf_Scn *next_named(Elf *elf, Elf_Scn *scn, size_t names, const char *wanted,
                           GElf_Shdr *shdr)
{
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name =
		    gelf_getshdr(scn, shdr) ? elf_strptr(elf, names, shdr->sh_name) : NULL;

		if (name && !strcmp(name, wanted))
			return scn;
	}
	return NULL;
}

static bool has_section(Elf *elf, Elf_Scn *behind, size_t names, const char *wanted)
{
	GElf_Shdr shdr;

	return next_named(elf, behind, names, wanted, &shdr);
}

bool dw_mapping_has(const struct dw_mapping *map, const void *data, size_t size)
{
	size_t at = (uintptr_t)data - (uintptr_t)map->data;

	return at <= map->size && size <= map->size - at;
}

/* A compressed section, until all are known. */
struct packed_section {
	struct dw_section *section;
	struct packed packed;
	const char *name;
	uint8_t *data;
	int result;
};

struct packed_sections {
	struct packed_section list[SECTIONS];
	size_t count, size; /* compressed */
};

static int unpack_one(void *arg, size_t i)
{
	struct packed_section *p = &((struct packed_sections *)arg)->list[i];

	p->result = unpack(&p->packed, &p->data);
	return 0;
}

static int take_unpacked(struct packed_section *p, struct weir_error *err)
{
	if (p->result == -ENOMEM)
		return types_err(err, p->result, "out of memory");
	if (p->result)
		return types_err(err, p->result, "section %s cannot be decompressed: it is damaged",
		                 p->name);
	p->section->data = p->data;
	p->section->size = p->packed.unpacked;
	p->section->unpacked = true;
	return 0;
}

/* Side by side: a large file has two that take long, of strings and of location lists. */
static int unpack_sections(struct packed_sections *all, size_t threads, struct weir_error *err)
{
	int ret = 0;

	parallel_steps(all->size < THREADS_WORTH ? 1 : threads, all->count, unpack_one, all);
	for (size_t i = 0; i < all->count; i++) {
		int one = take_unpacked(&all->list[i], ret ? NULL : err);

		ret = ret ? ret : one;
	}
	return ret;
}

/* ---- units in groups: a .o or .dwo may have a section for each of its type units ---- */

static bool is_grouped(const struct dw_file *f, const struct dw_section *section)
{
	return section == &f->info || section == &f->types;
}

static int append_section(struct dw_section *to, size_t *room, Elf *elf, Elf_Scn *scn,
                          const GElf_Shdr *shdr, const char *name, struct weir_error *err)
{
	struct packed packed;
	uint8_t *unpacked;
	Elf_Data *data;
	int ret = packed_init(&packed, elf, scn, shdr, name, err);

	if (ret)
		return ret;
	if (!packed.kind) {
		data = elf_getdata(scn, NULL);
		return data && data->d_buf
		           ? bytes_append(&to->data, &to->size, room, data->d_buf, data->d_size)
		           : 0;
	}
	ret = packed.unpacked ? unpack(&packed, &unpacked) : 0;
	if (ret == -EBADMSG)
		return types_err(err, ret, "section %s cannot be decompressed: it is damaged",
		                 name);
	if (ret || !packed.unpacked)
		return ret;
	ret = bytes_append(&to->data, &to->size, room, unpacked, packed.unpacked);
	unpack_free(unpacked, packed.unpacked);
	return ret;
}

/* All sections of that name, one behind the other: units refer to others by signature only. */
static int join(struct dw_section *section, Elf *elf, size_t names, const char *name,
                struct weir_error *err)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t room = 0;
	int ret = 0;

	while (!ret && (scn = next_named(elf, scn, names, name, &shdr)))
		ret = shdr.sh_type == SHT_NOBITS
		          ? 0
		          : append_section(section, &room, elf, scn, &shdr, name, err);
	section->joined = true;
	return ret == -ENOMEM ? types_err(err, ret, "out of memory") : ret;
}

static int section_load(struct dw_file *f, Elf_Scn *scn, size_t names, const struct dw_mapping *map,
                        struct packed_sections *packed_ones, struct weir_error *err)
{
	struct dw_section *section;
	struct packed packed;
	GElf_Shdr shdr;
	Elf_Data *data;
	const char *name;
	bool split;
	int ret;

	if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
		return 0;
	name = elf_strptr(f->elf, names, shdr.sh_name);
	if (!name)
		return 0;
	section = section_of(f, name, &split);
	/* .debug_addr is never split; the index sections of a .dwp have no suffix. */
	if (!section || (f->split && !split && section != &f->cu_index && section != &f->tu_index &&
	                 section != &f->addr))
		return 0;
	if (!f->split && split)
		return 0;
	if (section->size) /* the sections of groups are all taken with the first one */
		return 0;
	if (is_grouped(f, section) && has_section(f->elf, scn, names, name))
		return join(section, f->elf, names, name, err);
	ret = packed_init(&packed, f->elf, scn, &shdr, name, err);
	if (ret)
		return ret;
	packed.mapped = map && dw_mapping_has(map, packed.data, packed.size);
	if (packed.kind && section == &f->info) {
		f->packed_info = packed;
		section->size = packed.unpacked;
		return 0;
	}
	if (packed.kind && !packed.unpacked)
		return 0;
	if (packed.kind) {
		section->size = packed.unpacked;
		packed_ones->list[packed_ones->count++] =
		    (struct packed_section){ .section = section, .packed = packed, .name = name };
		packed_ones->size += packed.size;
		return 0;
	}
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf)
		return 0;
	section->data = data->d_buf;
	section->size = data->d_size;
	return 0;
}

int dw_sections_load(struct dw_file *f, const struct dw_mapping *map, size_t threads,
                     struct weir_error *err)
{
	struct packed_sections packed = { 0 };
	Elf_Scn *scn = NULL;
	size_t names;
	int ret;

	if (elf_getshdrstrndx(f->elf, &names))
		return types_err(err, -EBADMSG, "no section names: %s", elf_errmsg(-1));
	f->split = !has_section(f->elf, NULL, names, ".debug_info") &&
	           !has_section(f->elf, NULL, names, ".zdebug_info") &&
	           has_section(f->elf, NULL, names, ".debug_info.dwo");
	while ((scn = elf_nextscn(f->elf, scn))) {
		ret = section_load(f, scn, names, map, &packed, err);
		if (ret)
			return ret;
	}
	ret = unpack_sections(&packed, threads, err);
	if (ret)
		return ret;
	f->str_limit = string_limit(&f->str);
	f->line_str_limit = string_limit(&f->line_str);
	return 0;
}

int dw_file_unpack(struct dw_file *f, struct weir_error *err)
{
	struct packed_section info = { &f->info, f->packed_info, ".debug_info" };

	if (!f->packed_info.kind)
		return 0;
	f->packed_info.kind = PACKED_NO;
	f->info.size = 0;
	info.result = unpack(&info.packed, &info.data);
	return take_unpacked(&info, err);
}

void dw_sections_free(struct dw_file *f)
{
	struct dw_section *all[] = { &f->info,     &f->types,       &f->abbrev,   &f->str,
		                     &f->line_str, &f->str_offsets, &f->addr,     &f->loc,
		                     &f->loclists, &f->ranges,      &f->rnglists, &f->cu_index,
		                     &f->tu_index };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i]->unpacked)
			unpack_free(all[i]->data, all[i]->size);
		else if (all[i]->joined)
			free((void *)all[i]->data);
	}
}
