/* SPDX-License-Identifier: MIT */
/*
 * In: any file. Out: its probes. libelf does the decoding, and this file keeps it within bounds:
 * numbers of sections, sizes of notes and of what is kept are limited before libelf allocates for
 * them, and files are read with pread, since a mapped file that shrinks kills the reader.
 *
 * Notes are taken from the sections (.note.stapsdt is in no segment), or from the PT_NOTE segments
 * if there are no sections. A note that lies is counted and skipped: one bad note must not hide
 * the others.
 */
#include "reader/elf_notes.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader/cleanup.h"

#define SECTIONS_MAX   65535u
#define SEGMENTS_MAX   1024u
#define NOTES_SIZE_MAX (64u << 20)
#define PROBES_MAX     200000u

struct segment {
	uint64_t offset, address, size;
};

struct reading {
	Elf *elf;
	int fd; /* -1: in memory */
	unsigned word;
	uint64_t base; /* address of .stapsdt.base, 0 if there is none */
	struct segment *segments;
	size_t segments_count;
	struct elf_notes *notes;
	size_t room;
};

static uint64_t file_offset(const struct reading *r, uint64_t address)
{
	for (size_t i = 0; i < r->segments_count; i++) {
		const struct segment *s = &r->segments[i];

		if (address >= s->address && address - s->address < s->size)
			return s->offset + (address - s->address);
	}
	return ELF_NO_OFFSET;
}

static int read_segments(struct reading *r, struct weir_error *err)
{
	size_t count = 0;

	if (elf_getphdrnum(r->elf, &count) || count > SEGMENTS_MAX)
		return weir_err(err, -EINVAL, "damaged program headers");
	r->segments = calloc(count + 1, sizeof(*r->segments));
	if (!r->segments)
		return weir_err(err, -ENOMEM, "no memory for an ELF file's segments");
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(r->elf, i, &ph))
			return weir_err(err, -EINVAL, "damaged program headers");
		if (ph.p_type == PT_LOAD)
			r->segments[r->segments_count++] =
			    (struct segment){ ph.p_offset, ph.p_vaddr, ph.p_filesz };
	}
	return 0;
}

static void refuse(struct reading *r, const struct weir_error *why)
{
	if (!r->notes->refused++)
		r->notes->first_refused = *why;
}

static void read_code(const struct reading *r, struct elf_probe *p)
{
	ssize_t n;

	if (r->fd < 0 || p->site_offset == ELF_NO_OFFSET)
		return;
	n = pread(r->fd, p->code, sizeof(p->code), (off_t)p->site_offset);
	p->code_size = n > 0 ? n : 0;
}

static int add_probe(struct reading *r, struct probe_desc *desc, struct weir_error *err)
{
	struct elf_notes *notes = r->notes;
	struct elf_probe *p;
	uint64_t moved = 0;

	if (notes->count == r->room) {
		size_t room = r->room ? 2 * r->room : 64;

		p = room > PROBES_MAX ? NULL : reallocarray(notes->probes, room, sizeof(*p));
		if (!p) {
			free(desc);
			return weir_err(err, -ENOMEM, "no memory for more than %zu probes",
			                notes->count);
		}
		notes->probes = p;
		r->room = room;
	}
	/* prelink and the like move a file after its notes were written */
	if (desc->kind == PROBE_USDT && desc->base && r->base)
		moved = r->base - desc->base;
	p = &notes->probes[notes->count++];
	*p = (struct elf_probe){ .desc = desc, .usdt = desc->usdt };
	p->site = desc->site ? desc->site + moved : 0;
	p->semaphore = desc->semaphore ? desc->semaphore + moved : 0;
	p->site_offset = file_offset(r, p->site);
	p->semaphore_offset = p->semaphore ? file_offset(r, p->semaphore) : ELF_NO_OFFSET;
	read_code(r, p);
	return 0;
}

static bool owner_is(const char *data, const GElf_Nhdr *nh, size_t name, const char *owner)
{
	size_t length = strlen(owner) + 1;

	return nh->n_namesz == length && !memcmp(data + name, owner, length);
}

static int take_note(struct reading *r, const Elf_Data *data, const GElf_Nhdr *nh, size_t name,
                     size_t desc, struct weir_error *err)
{
	const char *bytes = data->d_buf;
	struct probe_desc *d;
	struct weir_error why;
	int code;

	if (owner_is(bytes, nh, name, WEIR_NOTE_OWNER) && nh->n_type == WEIR_NOTE_PROBE)
		code = probe_desc_parse_weir(bytes + desc, nh->n_descsz, &d, &why);
	else if (owner_is(bytes, nh, name, "stapsdt") && nh->n_type == 3)
		code = probe_desc_parse_usdt(bytes + desc, nh->n_descsz, r->word, &d, &why);
	else
		return 0;
	if (code == -ENOMEM)
		return weir_err(err, code, "%s", why.message);
	if (code) {
		refuse(r, &why);
		return 0;
	}
	return add_probe(r, d, err);
}

static void take_build_id(struct elf_notes *notes, const Elf_Data *data, const GElf_Nhdr *nh,
                          size_t desc, uint64_t offset)
{
	if (notes->build_id_size || !nh->n_descsz || nh->n_descsz > sizeof(notes->build_id))
		return;
	memcpy(notes->build_id, (const char *)data->d_buf + desc, nh->n_descsz);
	notes->build_id_size = nh->n_descsz;
	notes->build_id_offset = offset + desc;
}

/* `offset` is where the data begins in the file. */
static int take_notes(struct reading *r, Elf_Data *data, uint64_t offset, struct weir_error *err)
{
	size_t at = 0, next, name, desc;
	GElf_Nhdr nh;

	while (at < data->d_size && (next = gelf_getnote(data, at, &nh, &name, &desc))) {
		int code = 0;

		if (owner_is(data->d_buf, &nh, name, "GNU") && nh.n_type == NT_GNU_BUILD_ID)
			take_build_id(r->notes, data, &nh, desc, offset);
		else
			code = take_note(r, data, &nh, name, desc, err);
		if (code)
			return code;
		at = next;
	}
	if (at < data->d_size) {
		struct weir_error why;

		weir_err(&why, -EINVAL, "a section of notes that ends within one");
		refuse(r, &why);
	}
	return 0;
}

static int read_section(struct reading *r, Elf_Scn *section, struct weir_error *err)
{
	GElf_Shdr sh;
	Elf_Data *data;
	struct weir_error why;

	if (!gelf_getshdr(section, &sh) || sh.sh_type != SHT_NOTE || !sh.sh_size ||
	    (sh.sh_flags & SHF_COMPRESSED))
		return 0;
	if (sh.sh_size > NOTES_SIZE_MAX) {
		weir_err(&why, -EINVAL, "a section of notes of %llu bytes",
		         (unsigned long long)sh.sh_size);
		refuse(r, &why);
		return 0;
	}
	data = elf_getdata(section, NULL);
	if (!data || !data->d_buf) {
		weir_err(&why, -EINVAL, "a section of notes that lies outside of the file");
		refuse(r, &why);
		return 0;
	}
	return take_notes(r, data, sh.sh_offset, err);
}

static void find_base(struct reading *r, size_t names)
{
	Elf_Scn *section = NULL;
	GElf_Shdr sh;

	while ((section = elf_nextscn(r->elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, &sh))
			continue;
		name = elf_strptr(r->elf, names, sh.sh_name);
		if (name && !strcmp(name, ".stapsdt.base")) {
			r->base = sh.sh_addr;
			return;
		}
	}
}

static int read_sections(struct reading *r, struct weir_error *err)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (!elf_getshdrstrndx(r->elf, &names))
		find_base(r, names);
	while ((section = elf_nextscn(r->elf, section))) {
		int code = read_section(r, section, err);

		if (code)
			return code;
	}
	return 0;
}

static int read_note_segments(struct reading *r, struct weir_error *err)
{
	size_t count = 0;

	if (elf_getphdrnum(r->elf, &count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr ph;
		Elf_Data *data;
		int code;

		if (!gelf_getphdr(r->elf, i, &ph) || ph.p_type != PT_NOTE || !ph.p_filesz ||
		    ph.p_filesz > NOTES_SIZE_MAX)
			continue;
		data = elf_getdata_rawchunk(r->elf, (int64_t)ph.p_offset, ph.p_filesz,
		                            ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (!data || !data->d_buf)
			continue;
		code = take_notes(r, data, ph.p_offset, err);
		if (code)
			return code;
	}
	return 0;
}

static int compare_probes(const void *a, const void *b)
{
	const struct elf_probe *x = a, *y = b;
	int c = strcmp(x->desc->provider, y->desc->provider);

	if (!c)
		c = strcmp(x->desc->name, y->desc->name);
	if (!c)
		c = (int)x->desc->kind - (int)y->desc->kind;
	if (!c)
		c = x->site < y->site ? -1 : x->site > y->site;
	return c;
}

static bool same_name(const struct elf_probe *a, const struct elf_probe *b)
{
	return !strcmp(a->desc->provider, b->desc->provider) &&
	       !strcmp(a->desc->name, b->desc->name);
}

/*
 * Give each weir probe its USDT note. Sorted, the weir probes of a name stand before its USDT
 * probes, and each of both by site: one walk with two fingers joins them.
 */
static void join_twins(struct elf_notes *notes)
{
	size_t kept = 0, weir = 0;

	for (size_t i = 0; i < notes->count; i++) {
		struct elf_probe p = notes->probes[i], *w;

		if (p.desc->kind == PROBE_USDT) {
			while (weir < kept && (!same_name(&notes->probes[weir], &p) ||
			                       (notes->probes[weir].desc->kind == PROBE_WEIR &&
			                        notes->probes[weir].site < p.site)))
				weir++;
			w = weir < kept ? &notes->probes[weir] : NULL;
			if (w && w->desc->kind == PROBE_WEIR && w->site == p.site && !w->twin) {
				w->twin = p.desc;
				w->usdt = p.desc->usdt;
				continue;
			}
		}
		notes->probes[kept++] = p;
	}
	notes->count = kept;
}

/* What libelf would allocate for, and has not looked at yet. */
static int check_header(int fd, struct weir_error *err)
{
	union {
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
		unsigned char ident[EI_NIDENT];
	} eh = { 0 };
	union {
		Elf32_Shdr narrow;
		Elf64_Shdr wide;
	} sh = { 0 };
	uint64_t offset, count;
	bool wide;

	if (pread(fd, &eh, sizeof(eh), 0) < (ssize_t)sizeof(Elf32_Ehdr) ||
	    memcmp(eh.ident, ELFMAG, SELFMAG))
		return weir_err(err, -ENOEXEC, "not an ELF file");
	wide = eh.ident[EI_CLASS] == ELFCLASS64;
	offset = wide ? eh.wide.e_shoff : eh.narrow.e_shoff;
	count = wide ? eh.wide.e_shnum : eh.narrow.e_shnum;
	if (offset && !count && pread(fd, &sh, sizeof(sh), (off_t)offset) == sizeof(sh))
		count = wide ? sh.wide.sh_size : sh.narrow.sh_size;
	if (count > SECTIONS_MAX)
		return weir_err(err, -EINVAL, "an ELF file with %llu sections",
		                (unsigned long long)count);
	return 0;
}

static int check_ident(struct reading *r, struct weir_error *err)
{
	const char *ident = elf_kind(r->elf) == ELF_K_ELF ? elf_getident(r->elf, NULL) : NULL;
	GElf_Ehdr eh;
	const uint16_t one = 1;
	unsigned char ours = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;

	if (!ident || !gelf_getehdr(r->elf, &eh))
		return weir_err(err, -ENOEXEC, "not an ELF file");
	if (ident[EI_DATA] != ours)
		return weir_err(err, -ENOEXEC,
		                "an ELF file of another byte order than this machine");
	r->word = ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
	r->notes->type = eh.e_type;
	r->notes->machine = eh.e_machine;
	return 0;
}

static int read_elf(struct reading *r, struct weir_error *err)
{
	struct elf_notes *notes = r->notes;
	size_t sections = 0;
	int code = check_ident(r, err);

	if (!code)
		code = read_segments(r, err);
	if (code)
		return code;
	if (notes->type == ET_CORE)
		return 0; /* its notes are the kernel's: see core.c */
	if (!elf_getshdrnum(r->elf, &sections) && sections)
		code = read_sections(r, err);
	else
		code = read_note_segments(r, err);
	if (code)
		return code;
	if (notes->count)
		qsort(notes->probes, notes->count, sizeof(*notes->probes), compare_probes);
	join_twins(notes);
	return 0;
}

/* Takes `elf` over. */
static int read_and_end(Elf *elf, int fd, struct elf_notes **ret, struct weir_error *err)
{
	struct reading r = { .elf = elf, .fd = fd };
	int code;

	if (!elf)
		return weir_err(err, -ENOEXEC, "not an ELF file: %s", elf_errmsg(-1));
	r.notes = calloc(1, sizeof(*r.notes));
	if (r.notes)
		r.notes->build_id_offset = ELF_NO_OFFSET;
	code =
	    r.notes ? read_elf(&r, err) : weir_err(err, -ENOMEM, "no memory for a file's probes");
	free(r.segments);
	elf_end(elf);
	if (code) {
		elf_notes_free(r.notes);
		return code;
	}
	*ret = r.notes;
	return 0;
}

int elf_notes_read(int fd, struct elf_notes **ret, struct weir_error *err)
{
	int code = check_header(fd, err);

	if (code)
		return code;
	elf_version(EV_CURRENT);
	return read_and_end(elf_begin(fd, ELF_C_READ, NULL), fd, ret, err);
}

int elf_notes_parse(const void *image, size_t size, struct elf_notes **ret, struct weir_error *err)
{
	if (size < sizeof(Elf32_Ehdr) || memcmp(image, ELFMAG, SELFMAG))
		return weir_err(err, -ENOEXEC, "not an ELF file");
	elf_version(EV_CURRENT);
	/* libelf takes the image writable, and writes to it only if asked to */
	return read_and_end(elf_memory((char *)image, size), -1, ret, err);
}

void elf_notes_free(struct elf_notes *notes)
{
	if (!notes)
		return;
	for (size_t i = 0; i < notes->count; i++) {
		free(notes->probes[i].desc);
		free(notes->probes[i].twin);
	}
	free(notes->probes);
	free(notes);
}
