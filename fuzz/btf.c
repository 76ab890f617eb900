/* SPDX-License-Identifier: MIT */
/*
 * Whatever bytes are called BTF: refused with a sentence, or sound enough that they can be
 * deduplicated, sorted, looked up and written as C. The first byte says whether they come as a
 * .BTF section ('b') or as a file of the cache ('i', whose checksum is made right first).
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types/c_write.h"
#include "types/internal.h"
#include "types/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

static int count_type(const struct types_type *t, void *arg)
{
	*(size_t *)arg += strlen(t->name) + strlen(t->unit);
	return 0;
}

static int count_symbol(const struct types_symbol *s, void *arg)
{
	*(size_t *)arg += strlen(s->name) + strlen(s->scope) + strlen(s->unit);
	return 0;
}

static void write_c(const struct btf *btf)
{
	FILE *out = fopen("/dev/null", "we");
	struct c_losses losses;

	for (uint32_t id = 1; out && id < btf__type_cnt(btf) && id < 16; id++)
		c_write(btf, &id, 1, out, &losses);
	if (out) {
		c_write(btf, NULL, 0, out, &losses);
		fclose(out);
	}
}

static void use(struct types *t)
{
	struct btf *btf = types_btf(t);
	struct types_symbol s;
	struct types_param p;
	size_t n = 0;

	if (btf)
		write_c(btf);
	types_glob_type(t, "*", count_type, &n);
	types_glob_symbol(t, "*", count_symbol, &n);
	types_find_type(t, "struct t_list", count_type, &n);
	types_nearest(t, "t_lisd", true);
	if (!types_symbol_by_address(t, 0x1234, &s)) {
		for (uint32_t i = 0; i < s.params && i < 64; i++)
			types_param(t, &s, i, &p);
	}
}

static void try_image(const uint8_t *data, size_t size)
{
	struct types t = { .lock = PTHREAD_MUTEX_INITIALIZER };
	uint8_t *copy = malloc(size ? size : 1);
	struct image_header *h = (void *)copy;

	if (!copy)
		return;
	memcpy(copy, data, size);
	if (size >= sizeof(*h)) {
		h->size = size;
		h->checksum = image_checksum(copy + sizeof(*h), size - sizeof(*h));
	}
	if (image_init(&t.image, copy, size, false))
		return;
	use(&t);
	btf__free(t.btf);
	image_deinit(&t.image);
}

static void try_section(const uint8_t *data, size_t size)
{
	struct types t = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct types_options opts = { 0 };
	struct weir_error err;
	struct source s = { .opts = &opts, .err = &err };

	if (image_from_btf(&s, data, size, "fuzz", TYPES_FROM_BTF, &t.image))
		return;
	use(&t);
	btf__free(t.btf);
	image_deinit(&t.image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	libbpf_set_print(quiet);
	if (!size)
		return 0;
	if (*data == 'i')
		try_image(data + 1, size - 1);
	else
		try_section(data + 1, size - 1);
	return 0;
}
