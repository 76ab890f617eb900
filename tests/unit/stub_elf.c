/* SPDX-License-Identifier: MIT */
/* The stub's bytes: read again by libelf, and run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>

#include "lib/stub.h"
#include "tests/unit/stub_notes.h"

#define MANY 10000

struct fixture {
	struct stub_probe *probes;
	size_t count;
	uint8_t *image;
	size_t size;
};

static void fixture_make(struct fixture *f, const char *provider, size_t count, const char *types)
{
	struct weir_error err = { 0 };

	f->count = count;
	f->probes = calloc(count, sizeof(*f->probes));
	for (size_t i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "probe%zu", i);
		f->probes[i].note = note_make(provider, name, types);
		f->probes[i].semaphore = i % 2;
	}
	if (stub_build(f->probes, count, &f->image, &f->size, &err))
		fail_msg("%s", err.message);
}

static void fixture_free(struct fixture *f)
{
	for (size_t i = 0; i < f->count; i++)
		free((void *)f->probes[i].note);
	free(f->probes);
	free(f->image);
}

static Elf *fixture_elf(struct fixture *f)
{
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)f->image, f->size);
	assert_non_null(elf);
	return elf;
}

static Elf_Scn *section(Elf *elf, const char *name, GElf_Shdr *header)
{
	size_t names;
	Elf_Scn *scn = NULL;

	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while ((scn = elf_nextscn(elf, scn))) {
		assert_non_null(gelf_getshdr(scn, header));
		if (!strcmp(elf_strptr(elf, names, header->sh_name), name))
			return scn;
	}
	fail_msg("no section %s", name);
	return NULL;
}

static void test_segments(void **state)
{
	struct fixture f;
	Elf *elf;
	GElf_Phdr load[3], header;
	size_t count, loads = 0;

	(void)state;
	fixture_make(&f, "shop", 300, NOTE_ALL_TYPES);
	elf = fixture_elf(&f);
	assert_int_equal(elf_getphdrnum(elf, &count), 0);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(gelf_getphdr(elf, (int)i, &header));
		assert_int_equal(header.p_vaddr, header.p_offset);
		assert_true(header.p_offset + header.p_filesz <= f.size);
		assert_int_equal(header.p_filesz, header.p_memsz);
		if (header.p_type == PT_LOAD) {
			assert_true(loads < 3);
			load[loads++] = header;
		} else if (header.p_type == PT_GNU_STACK) {
			assert_int_equal(header.p_flags, PF_R | PF_W);
		}
	}
	assert_int_equal(loads, 3);
	assert_int_equal(load[0].p_flags, PF_R);
	assert_int_equal(load[1].p_flags, PF_R | PF_X);
	assert_int_equal(load[2].p_flags, PF_R | PF_W);
	for (size_t i = 0; i < f.count; i++) {
		struct stub_probe *p = &f.probes[i];

		assert_in_range(p->site, load[1].p_vaddr, load[1].p_vaddr + load[1].p_memsz - 16);
		assert_in_range(p->thunk, load[1].p_vaddr, load[1].p_vaddr + load[1].p_memsz - 16);
		assert_in_range(p->block, load[2].p_vaddr, load[2].p_vaddr + load[2].p_memsz - 16);
		assert_int_equal(p->site % 16, 0);
		assert_int_equal(p->thunk % 16, 0);
		assert_int_equal(p->block % 16, 0);
		assert_int_equal(!!p->semaphore_at, i % 2);
		if (p->semaphore_at)
			assert_in_range(p->semaphore_at, p->block + 16,
			                load[2].p_vaddr + load[2].p_memsz - 2);
	}
	elf_end(elf);
	fixture_free(&f);
}

static void test_sections(void **state)
{
	struct fixture f;
	Elf *elf;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	uint64_t stop = 0;

	(void)state;
	fixture_make(&f, "shop", 3, NOTE_ALL_TYPES);
	elf = fixture_elf(&f);
	while ((scn = elf_nextscn(elf, scn))) {
		assert_non_null(gelf_getshdr(scn, &header));
		assert_true(header.sh_offset >= stop);
		stop = header.sh_offset + header.sh_size;
		assert_true(stop <= f.size);
		assert_int_equal(header.sh_offset % (header.sh_addralign ? header.sh_addralign : 1),
		                 0);
		if (header.sh_flags & SHF_ALLOC)
			assert_int_equal(header.sh_addr, header.sh_offset);
		if (header.sh_entsize)
			assert_int_equal(header.sh_size % header.sh_entsize, 0);
	}
	section(elf, ".note.stapsdt", &header);
	assert_int_equal(header.sh_flags, 0);
	assert_int_equal(header.sh_type, SHT_NOTE);
	section(elf, ".note.weir", &header);
	assert_int_equal(header.sh_flags, 0);
	elf_end(elf);
	fixture_free(&f);
}

/* Finds note number `index` and returns its description. */
static const uint8_t *note(Elf *elf, const char *name, size_t index, const char *owner,
                           GElf_Word type, size_t *size)
{
	GElf_Shdr header;
	Elf_Data *data = elf_getdata(section(elf, name, &header), NULL);
	size_t at = 0, owner_at, desc_at;
	GElf_Nhdr head;

	for (size_t i = 0;; i++) {
		at = gelf_getnote(data, at, &head, &owner_at, &desc_at);
		if (!at)
			fail_msg("%s has %zu notes", name, i);
		assert_string_equal((char *)data->d_buf + owner_at, owner);
		assert_int_equal(head.n_type, type);
		if (i == index) {
			*size = head.n_descsz;
			return (uint8_t *)data->d_buf + desc_at;
		}
	}
}

static void check_sdt(Elf *elf, struct fixture *f, size_t index, const char *name, const char *args)
{
	GElf_Shdr base;
	size_t size;
	const uint8_t *desc = note(elf, ".note.stapsdt", index, "stapsdt", 3, &size);
	uint64_t words[3];
	const char *at = (const char *)desc + sizeof(words);

	section(elf, ".stapsdt.base", &base);
	memcpy(words, desc, sizeof(words));
	assert_int_equal(words[0], f->probes[index].site);
	assert_int_equal(words[1], base.sh_addr);
	assert_int_equal(words[2], f->probes[index].semaphore_at);
	assert_string_equal(at, "shop");
	at += strlen(at) + 1;
	assert_string_equal(at, name);
	at += strlen(at) + 1;
	assert_string_equal(at, args);
	assert_int_equal(at + strlen(at) + 1 - (const char *)desc, size);
}

static void test_sdt_notes(void **state)
{
	struct fixture f;
	Elf *elf;

	(void)state;
	fixture_make(&f, "shop", 3, NOTE_ALL_TYPES);
	elf = fixture_elf(&f);
	for (size_t i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "probe%zu", i);
		check_sdt(elf, &f, i, name,
		          "-4@%edi -4@%esi -4@%edx -8@%rcx 1@%r8d 2@%r9w 4@24(%rsp) 8@32(%rsp) "
		          "4@40(%rsp) 8@48(%rsp) 1@56(%rsp) 8@64(%rsp)");
	}
	elf_end(elf);
	fixture_free(&f);

	/* bytes take two; what is beyond twelve is not said */
	fixture_make(&f, "shop", 1, "\15\14\16\15\15\15\15\15\15\1");
	elf = fixture_elf(&f);
	check_sdt(elf, &f, 0, "probe0",
	          "8@%rdi 8@%rsi 8@%rdx 8@%rcx 8@%r8 8@%r9 8@24(%rsp) 8@32(%rsp) 8@40(%rsp) "
	          "8@48(%rsp) 8@56(%rsp) 8@64(%rsp)");
	elf_end(elf);
	fixture_free(&f);

	fixture_make(&f, "shop", 1, "");
	elf = fixture_elf(&f);
	check_sdt(elf, &f, 0, "probe0", "");
	elf_end(elf);
	fixture_free(&f);
}

static void test_weir_notes(void **state)
{
	struct fixture f;
	Elf *elf;

	(void)state;
	fixture_make(&f, "shop", 4, NOTE_MORE_TYPES);
	elf = fixture_elf(&f);
	for (size_t i = 0; i < f.count; i++) {
		struct weir_note expected = *f.probes[i].note, got;
		size_t size;
		const uint8_t *desc = note(elf, ".note.weir", i, "weir", WEIR_NOTE_PROBE, &size);

		assert_int_equal(size, expected.size);
		memcpy(&got, desc, sizeof(got));
		expected.site = f.probes[i].site;
		expected.semaphore = f.probes[i].semaphore_at;
		assert_memory_equal(&got, &expected, sizeof(got));
		assert_memory_equal(desc + sizeof(got), f.probes[i].note + 1, size - sizeof(got));
	}
	elf_end(elf);
	fixture_free(&f);
}

static void test_symbols(void **state)
{
	struct fixture f;
	Elf *elf;
	GElf_Shdr header;
	Elf_Data *data;
	GElf_Sym sym;

	(void)state;
	fixture_make(&f, "shop", 2, "");
	elf = fixture_elf(&f);
	data = elf_getdata(section(elf, ".symtab", &header), NULL);
	assert_int_equal(header.sh_size / header.sh_entsize, 5);
	for (int i = 0; i < 2; i++) {
		char name[64];

		gelf_getsym(data, 1 + 2 * i, &sym);
		snprintf(name, sizeof(name), "weir_fire_shop_probe%d", i);
		assert_string_equal(elf_strptr(elf, header.sh_link, sym.st_name), name);
		assert_int_equal(sym.st_value, f.probes[i].thunk);
		assert_int_equal(GELF_ST_TYPE(sym.st_info), STT_FUNC);
		gelf_getsym(data, 2 + 2 * i, &sym);
		snprintf(name, sizeof(name), "weir_site_shop_probe%d", i);
		assert_string_equal(elf_strptr(elf, header.sh_link, sym.st_name), name);
		assert_int_equal(sym.st_value, f.probes[i].site);
		assert_int_equal(sym.st_size, 16);
	}
	elf_end(elf);
	fixture_free(&f);
}

static void test_build_id(void **state)
{
	struct fixture f;
	Elf *elf;
	size_t size;
	char name[STUB_NAME_SIZE];
	GElf_Shdr header;
	Elf_Data *data;

	(void)state;
	fixture_make(&f, "shop", 2, "\1");
	elf = fixture_elf(&f);
	assert_ptr_equal(note(elf, ".note.gnu.build-id", 0, "GNU", NT_GNU_BUILD_ID, &size),
	                 stub_id(f.image));
	assert_int_equal(size, STUB_ID_SIZE);
	stub_name("shop", f.image, name);
	data = elf_getdata(section(elf, ".dynstr", &header), NULL);
	assert_string_equal((char *)data->d_buf + 1, name);
	elf_end(elf);
	fixture_free(&f);
}

static void test_deterministic(void **state)
{
	struct fixture a, b;

	(void)state;
	fixture_make(&a, "shop", 50, NOTE_ALL_TYPES);
	fixture_make(&b, "shop", 50, NOTE_ALL_TYPES);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.image, b.image, a.size);
	fixture_free(&b);

	/* one type, one name, one semaphore less: another build-id */
	fixture_make(&b, "shop", 50, "\1\2\3\4\5\6\7\10\11\12\13\16");
	assert_memory_not_equal(stub_id(a.image), stub_id(b.image), STUB_ID_SIZE);
	fixture_free(&b);
	fixture_make(&b, "shot", 50, NOTE_ALL_TYPES);
	assert_memory_not_equal(stub_id(a.image), stub_id(b.image), STUB_ID_SIZE);
	free(b.image);
	b.probes[1].semaphore = false;
	assert_int_equal(stub_build(b.probes, b.count, &b.image, &b.size, NULL), 0);
	assert_memory_not_equal(stub_id(a.image), stub_id(b.image), STUB_ID_SIZE);
	fixture_free(&b);
	fixture_free(&a);
}

static int refused(struct stub_probe *probes, size_t count, const char *reason)
{
	uint8_t *image = NULL;
	size_t size;
	struct weir_error err = { 0 };
	int ret = stub_build(probes, count, &image, &size, &err);

	assert_null(image);
	assert_int_equal(ret, err.code);
	if (!strstr(err.message, reason))
		fail_msg("'%s' does not say '%s'", err.message, reason);
	return ret;
}

static void test_refusals(void **state)
{
	static const char *const bad_names[] = { "", "1a", "a-b", "a b", "a:b", "\xc3\xa4" };
	char long_name[WEIR_NAME_MAX + 2];
	struct stub_probe probes[2] = { 0 };

	(void)state;
	assert_int_equal(refused(probes, 0, "without probes"), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
		struct weir_note *probe = note_make("shop", bad_names[i], "");
		struct weir_note *provider = note_make(bad_names[i], "order", "");

		probes[0].note = probe;
		assert_int_equal(refused(probes, 1, "name"), -EINVAL);
		probes[0].note = provider;
		assert_int_equal(refused(probes, 1, "name"), -EINVAL);
		free(probe);
		free(provider);
	}
	memset(long_name, 'a', sizeof(long_name));
	long_name[WEIR_NAME_MAX + 1] = '\0';
	struct weir_note *too_long = note_make("shop", long_name, "");
	probes[0].note = too_long;
	assert_int_equal(refused(probes, 1, "63"), -EINVAL);
	long_name[WEIR_NAME_MAX] = '\0';
	free(too_long);

	struct weir_note *one = note_make(long_name, long_name, "\1");
	struct weir_note *other = note_make("other", "order", "\1");
	uint8_t *image;
	size_t size;
	probes[0].note = one;
	assert_int_equal(stub_build(probes, 1, &image, &size, NULL), 0);
	free(image);
	probes[1].note = other;
	assert_int_equal(refused(probes, 2, "provider"), -EINVAL);

	one->fields = 2;
	assert_int_equal(refused(probes, 1, "field"), -EINVAL);
	one->fields = 1;
	one->args = 3;
	assert_int_equal(refused(probes, 1, "disagree"), -EINVAL);
	one->args = 1;
	one->version = 2;
	assert_int_equal(refused(probes, 1, "version"), -EINVAL);
	free(one);
	free(other);

	one = note_make("shop", "order", "\17");
	probes[0].note = one;
	assert_int_equal(refused(probes, 1, "unknown type 15"), -EINVAL);
	free(one);
}

static void test_many(void **state)
{
	struct fixture f;
	Elf *elf;
	size_t size;
	const uint8_t *desc;
	uint64_t site;

	(void)state;
	fixture_make(&f, "shop", MANY, "\10\10\14");
	elf = fixture_elf(&f);
	desc = note(elf, ".note.stapsdt", MANY - 1, "stapsdt", 3, &size);
	memcpy(&site, desc, sizeof(site));
	assert_int_equal(site, f.probes[MANY - 1].site);
	elf_end(elf);
	fixture_free(&f);
}

/* Given functions: enough of them that the unwind tables do not fit the first page. */
static void test_code(void **state)
{
	static const uint8_t cfi[] = { 0x41, 0x0e, 16, 0x86, 2 };
	static uint8_t bytes[MANY / 100][40];
	static char names[MANY / 100][16];
	struct stub_code codes[MANY / 100] = { 0 };
	const size_t count = MANY / 100;
	struct fixture f = { 0 };
	GElf_Shdr symbols, text, table, frames;
	const uint32_t *rows;
	GElf_Sym sym;
	Elf *elf;
	Elf_Data *data;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		memset(bytes[i], (int)i, sizeof(bytes[i]));
		snprintf(names[i], sizeof(names[i]), "pack%zu", i);
		codes[i] = (struct stub_code){ names[i], bytes[i], 1 + i % 40, cfi, 5, 0 };
	}
	assert_int_equal(stub_build_code("some", codes, count, &f.image, &f.size), 0);
	elf = fixture_elf(&f);
	section(elf, ".text", &text);
	section(elf, ".eh_frame", &frames);
	section(elf, ".eh_frame_hdr", &table);
	assert_true(frames.sh_addr + frames.sh_size > 4096);
	assert_true(frames.sh_addr + frames.sh_size <= text.sh_addr);
	rows = (const uint32_t *)(f.image + table.sh_offset + 8);
	assert_int_equal(rows[0], count);
	data = elf_getdata(section(elf, ".symtab", &symbols), NULL);
	assert_int_equal(symbols.sh_size / symbols.sh_entsize, 1 + count);
	for (size_t i = 0; i < count; i++) {
		const uint32_t *fde;

		gelf_getsym(data, (int)(1 + i), &sym);
		assert_string_equal(elf_strptr(elf, symbols.sh_link, sym.st_name), names[i]);
		assert_int_equal(sym.st_value, codes[i].at);
		assert_int_equal(sym.st_size, codes[i].size);
		assert_int_equal(codes[i].at % 16, 0);
		assert_in_range(codes[i].at, text.sh_addr,
		                text.sh_addr + text.sh_size - codes[i].size);
		assert_memory_equal(f.image + codes[i].at, bytes[i], codes[i].size);
		/* the row of the table: the function, and its FDE */
		assert_int_equal((uint32_t)(rows[1 + 2 * i] + table.sh_addr), codes[i].at);
		fde = (const uint32_t *)(f.image + table.sh_addr + rows[2 + 2 * i]);
		assert_int_equal((uint32_t)(fde[2] + ((const uint8_t *)&fde[2] - f.image)),
		                 codes[i].at);
		assert_int_equal(fde[3], codes[i].size);
		assert_memory_equal((const uint8_t *)fde + 17, cfi, sizeof(cfi));
	}
	elf_end(elf);
	free(f.image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments),      cmocka_unit_test(test_sections),
		cmocka_unit_test(test_sdt_notes),     cmocka_unit_test(test_weir_notes),
		cmocka_unit_test(test_symbols),       cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_deterministic), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many),          cmocka_unit_test(test_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
