/* SPDX-License-Identifier: MIT */
/*
 * The object, by sections; the first segment is read-only, the second code, the third writable.
 *
 *   .hash .dynsym .dynstr | .text | .dynamic | .note.stapsdt .stapsdt.base .shstrtab (not loaded)
 *
 * Each function is `nop; ret`, padded to 16. Addresses equal file offsets, but for a page between
 * the segments.
 */
#include "bench/elf_stub.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE     4096u
#define FUNCTION 16u
#if defined(__x86_64__)
#define MACHINE   EM_X86_64
#define ARGUMENTS "8@%rdi 8@%rsi 4@%edx"
static const unsigned char code[FUNCTION] = { 0x90, 0xc3 };
#elif defined(__aarch64__)
#define MACHINE   EM_AARCH64
#define ARGUMENTS "8@x0 8@x1 4@x2"
static const unsigned char code[FUNCTION] = { 0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6 };
#else
#error "what are nop and ret here?"
#endif

struct buffer {
	char *bytes;
	size_t size, room;
};

static size_t put(struct buffer *b, const void *bytes, size_t size)
{
	size_t at = b->size;

	if (b->size + size > b->room) {
		b->room = 2 * (b->size + size);
		b->bytes = realloc(b->bytes, b->room);
		if (!b->bytes)
			abort();
	}
	memcpy(b->bytes + at, bytes, size);
	b->size += size;
	return at;
}

static size_t put_string(struct buffer *b, const char *s)
{
	return put(b, s, strlen(s) + 1);
}

enum { HASH, DYNSYM, DYNSTR, TEXT, DYNAMIC, NOTE, BASE, NAMES, SECTIONS };

static const struct {
	const char *name;
	Elf64_Word type, link, info; /* link: index of a section here, plus one */
	Elf64_Xword flags, entry, align;
} kinds[SECTIONS] = {
	[HASH] = { ".hash", SHT_HASH, DYNSYM + 1, 0, SHF_ALLOC, 4, 8 },
	[DYNSYM] = { ".dynsym", SHT_DYNSYM, DYNSTR + 1, 1, SHF_ALLOC, sizeof(Elf64_Sym), 8 },
	[DYNSTR] = { ".dynstr", SHT_STRTAB, 0, 0, SHF_ALLOC, 0, 1 },
	[TEXT] = { ".text", SHT_PROGBITS, 0, 0, SHF_ALLOC | SHF_EXECINSTR, 0, 16 },
	[DYNAMIC] = { ".dynamic", SHT_DYNAMIC, DYNSTR + 1, 0, SHF_ALLOC | SHF_WRITE,
	              sizeof(Elf64_Dyn), 8 },
	[NOTE] = { ".note.stapsdt", SHT_NOTE, 0, 0, 0, 0, 4 },
	[BASE] = { ".stapsdt.base", SHT_PROGBITS, 0, 0, 0, 0, 1 },
	[NAMES] = { ".shstrtab", SHT_STRTAB, 0, 0, 0, 0, 1 },
};

struct object {
	struct buffer data[SECTIONS];
	Elf64_Addr at[SECTIONS]; /* = offset in the file */
};

static void add_note(struct buffer *notes, uint64_t site, const char *provider, const char *probe)
{
	char desc[300] = { 0 };
	Elf64_Nhdr head = { .n_namesz = 8, .n_type = 3 };
	size_t length = 24;

	memcpy(desc, &site, 8); /* base and semaphore stay 0 */
	length += (size_t)sprintf(desc + length, "%s", provider) + 1;
	length += (size_t)sprintf(desc + length, "%s", probe) + 1;
	length += (size_t)sprintf(desc + length, "%s", ARGUMENTS) + 1;
	head.n_descsz = (Elf64_Word)length;
	put(notes, &head, sizeof(head));
	put(notes, "stapsdt", 8);
	put(notes, desc, (length + 3) & ~(size_t)3);
}

static void add_hash(struct buffer *hash, const struct buffer *symbols, const struct buffer *names)
{
	uint32_t count = (uint32_t)(symbols->size / sizeof(Elf64_Sym));
	uint32_t buckets = count / 2 + 1;
	uint32_t *words = calloc(2 + buckets + count, sizeof(*words));
	const Elf64_Sym *symbol = (const void *)symbols->bytes;

	if (!words)
		abort();
	words[0] = buckets;
	words[1] = count;
	for (uint32_t i = 1; i < count; i++) {
		uint32_t *bucket = &words[2 + elf_hash(names->bytes + symbol[i].st_name) % buckets];

		words[2 + buckets + i] = *bucket;
		*bucket = i;
	}
	put(hash, words, (2 + buckets + count) * sizeof(*words));
	free(words);
}

static void fill(struct object *o, const char *provider, unsigned probes)
{
	static const Elf64_Sym none;
	char name[32];

	put(&o->data[DYNSTR], "", 1);
	put(&o->data[DYNSYM], &none, sizeof(none));
	for (unsigned i = 0; i < probes; i++) {
		Elf64_Sym symbol = { .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			             .st_shndx = TEXT + 1,
			             .st_size = FUNCTION };

		snprintf(name, sizeof(name), "probe_%u", i);
		symbol.st_name = (Elf64_Word)put_string(&o->data[DYNSTR], name);
		symbol.st_value = put(&o->data[TEXT], code, sizeof(code));
		put(&o->data[DYNSYM], &symbol, sizeof(symbol));
	}
	add_hash(&o->data[HASH], &o->data[DYNSYM], &o->data[DYNSTR]);
	put(&o->data[BASE], "", 1);
	for (int i = HASH, at = sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr); i <= TEXT; i++) {
		at = i == TEXT ? (at + (int)PAGE - 1) / (int)PAGE * (int)PAGE : (at + 7) & ~7;
		o->at[i] = (Elf64_Addr)at;
		at += (int)o->data[i].size;
		o->at[DYNAMIC] = (Elf64_Addr)((at + (int)PAGE - 1) / (int)PAGE * (int)PAGE);
	}
	for (unsigned i = 0; i < probes; i++) {
		Elf64_Sym *symbol = (Elf64_Sym *)(void *)o->data[DYNSYM].bytes + 1 + i;

		symbol->st_value += o->at[TEXT];
		snprintf(name, sizeof(name), "probe_%u", i);
		add_note(&o->data[NOTE], symbol->st_value, provider, name);
	}
	Elf64_Dyn dynamic[] = {
		{ DT_HASH, { o->at[HASH] } },         { DT_STRTAB, { o->at[DYNSTR] } },
		{ DT_SYMTAB, { o->at[DYNSYM] } },     { DT_STRSZ, { o->data[DYNSTR].size } },
		{ DT_SYMENT, { sizeof(Elf64_Sym) } }, { DT_NULL, { 0 } },
	};
	put(&o->data[DYNAMIC], dynamic, sizeof(dynamic));
	o->at[NOTE] = o->at[DYNAMIC] + sizeof(dynamic);
	o->at[BASE] = o->at[NOTE] + o->data[NOTE].size;
	o->at[NAMES] = o->at[BASE] + 1;
}

static void segment(Elf *elf, int i, Elf64_Word type, Elf64_Word flags, uint64_t begin,
                    uint64_t end)
{
	GElf_Phdr p = { .p_type = type,
		        .p_flags = flags,
		        .p_offset = begin,
		        .p_vaddr = begin,
		        .p_paddr = begin,
		        .p_filesz = end - begin,
		        .p_memsz = end - begin,
		        .p_align = type == PT_LOAD ? PAGE : 8 };

	gelf_update_phdr(elf, i, &p);
}

static bool write_elf(int fd, struct object *o)
{
	GElf_Ehdr head;
	uint64_t text_end = o->at[TEXT] + o->data[TEXT].size;
	uint64_t dynamic_end = o->at[DYNAMIC] + o->data[DYNAMIC].size;
	bool ok;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!elf || !gelf_newehdr(elf, ELFCLASS64) || !gelf_newphdr(elf, 4) ||
	    !gelf_getehdr(elf, &head))
		return false;
	elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
	put(&o->data[NAMES], "", 1);
	for (int i = 0; i < SECTIONS; i++) {
		Elf_Scn *section = elf_newscn(elf);
		Elf_Data *data = elf_newdata(section);
		GElf_Shdr header = { .sh_type = kinds[i].type,
			             .sh_flags = kinds[i].flags,
			             .sh_addr = kinds[i].flags & SHF_ALLOC ? o->at[i] : 0,
			             .sh_offset = o->at[i],
			             .sh_link = kinds[i].link,
			             .sh_info = kinds[i].info,
			             .sh_addralign = kinds[i].align,
			             .sh_entsize = kinds[i].entry };

		header.sh_name = (Elf64_Word)put_string(&o->data[NAMES], kinds[i].name);
		header.sh_size = o->data[i].size;
		data->d_buf = o->data[i].bytes;
		data->d_size = o->data[i].size;
		data->d_align = kinds[i].align;
		data->d_version = EV_CURRENT;
		gelf_update_shdr(section, &header);
	}
	head.e_type = ET_DYN;
	head.e_machine = MACHINE;
	head.e_version = EV_CURRENT;
	head.e_phoff = sizeof(Elf64_Ehdr);
	head.e_shstrndx = NAMES + 1;
	head.e_shoff = (o->at[NAMES] + o->data[NAMES].size + 7) & ~(uint64_t)7;
	head.e_ident[EI_DATA] = ELFDATA2LSB;
	gelf_update_ehdr(elf, &head);
	segment(elf, 0, PT_LOAD, PF_R, 0, o->at[DYNSTR] + o->data[DYNSTR].size);
	segment(elf, 1, PT_LOAD, PF_R | PF_X, o->at[TEXT], text_end);
	segment(elf, 2, PT_LOAD, PF_R | PF_W, o->at[DYNAMIC], dynamic_end);
	segment(elf, 3, PT_DYNAMIC, PF_R | PF_W, o->at[DYNAMIC], dynamic_end);
	ok = elf_update(elf, ELF_C_WRITE) >= 0;
	elf_end(elf);
	return ok;
}

int elf_stub_publish(const char *dir, const char *provider, unsigned probes)
{
	struct object object = { 0 };
	char path[300], name[32];
	void *handle;
	int fd;

	snprintf(path, sizeof(path), "%s/%s-XXXXXX", dir, provider);
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	fill(&object, provider, probes);
	if (!write_elf(fd, &object)) {
		close(fd);
		return -EIO;
	}
	close(fd);
	for (int i = 0; i < SECTIONS; i++)
		free(object.data[i].bytes);
	handle = dlopen(path, RTLD_LAZY);
	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		return -ENOEXEC;
	}
	for (unsigned i = 0; i < probes; i++) {
		snprintf(name, sizeof(name), "probe_%u", i);
		if (!dlsym(handle, name))
			return -ENOENT;
	}
	return 0;
}
