/* SPDX-License-Identifier: MIT */
/*
 * BTF that is there already: a .BTF section, or a file of raw BTF.
 *
 * A linker that knows nothing of BTF puts the sections of all units behind each other: each has
 * its own header, so they can be told apart, are given consecutive ids, and deduplicated. What
 * is dropped on the way: DATASEC (its offsets are those of the unit, before linking) and the
 * linkage of functions where it makes no sense (gcc 12 leaves a wrong one). Where symbols are
 * comes from the symbol table.
 */
#include "types/internal.h"

#include <gelf.h>

#include "types/btf_check.h"
#include "types/btf_sizeless.h"
#include "types/btf_sort.h"
#include "types/builder.h"
#include "types/error.h"
#include "types/loss.h"
#include "types/util.h"

struct merge {
	uint8_t *types;
	size_t types_size, types_room;
	char *names;
	size_t names_size, names_room;
	uint32_t count; /* types so far */
	uint32_t base;  /* of the unit being added */
	struct losses losses;
	const char *unit_names;
	bool unit_tells_signs; /* of its enums */
};

static int append(void *buffer, size_t *size, size_t *room, const void *data, size_t bytes)
{
	return *size + bytes > UINT32_MAX / 2 ? -EFBIG
	                                      : bytes_append(buffer, size, room, data, bytes);
}

static void shift(uint32_t *id, void *arg)
{
	if (*id)
		*id += *(const uint32_t *)arg;
}

static void shift_names(struct btf_type *t, uint32_t by)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info), *words = (void *)(t + 1);
	size_t step = 0;

	t->name_off += by;
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM64:
		step = 3;
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		step = 2;
		break;
	}
	for (uint32_t i = 0; step && i < vlen; i++)
		words[i * step] += by;
}

static bool is_dropped(const struct btf_type *t)
{
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_DATASEC: /* a compiler does not know where its variables will be */
		return true;
	case BTF_KIND_FUNC:
		return !t->name_off; /* gcc 12 writes such */
	}
	return false;
}

/* The kernel wants one property of an integer; gcc gives a char two. */
static void fix_encoding(uint32_t *word)
{
	uint32_t encoding = BTF_INT_ENCODING(*word);

	if (encoding & (encoding - 1))
		encoding = encoding & BTF_INT_SIGNED ? BTF_INT_SIGNED : 0;
	else if (encoding & ~(BTF_INT_SIGNED | BTF_INT_CHAR | BTF_INT_BOOL))
		encoding = 0;
	*word = (*word & 0xffffff) | encoding << 24;
}

/*
 * kind_flag says whether an enum is signed. gcc 12 never sets it (and leaves out what does not fit an
 * int): a negative value says it there. A unit that has the flag anywhere knows of it; so does
 * whoever sorts by name, as we do.
 */
static bool tells_signs(const uint8_t *types, size_t size, const char *names)
{
	const char *last = "";
	bool sorted = true;

	for (size_t at = 0; at < size;) {
		const struct btf_type *t = (const void *)(types + at);
		uint32_t kind = BTF_INFO_KIND(t->info);

		if ((kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) && BTF_INFO_KFLAG(t->info))
			return true;
		sorted = sorted && strcmp(last, names + t->name_off) <= 0;
		last = names + t->name_off;
		at += btf_record_size(t);
	}
	return sorted;
}

static void fix_sign(struct btf_type *t)
{
	const struct btf_enum *e = (const void *)(t + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(t->info); i++)
		if (e[i].val < 0)
			t->info |= 1u << 31;
}

static int add_record(struct merge *m, const struct btf_type *from, uint32_t name_base)
{
	size_t at = m->types_size, bytes = btf_record_size(from);
	struct btf_type *t;
	int err;

	if (is_dropped(from)) {
		if (BTF_INFO_KIND(from->info) == BTF_KIND_DATASEC)
			loss_add(&m->losses, NOTE_SECTION, m->unit_names + from->name_off);
		/* ids are places: something has to stay, and this is deduplicated away */
		struct btf_type none = { .info = BTF_KIND_CONST << 24 };

		return append(&m->types, &m->types_size, &m->types_room, &none, sizeof(none));
	}
	err = append(&m->types, &m->types_size, &m->types_room, from, bytes);
	if (err)
		return err;
	t = (void *)(m->types + at);
	btf_record_ids(t, shift, &m->base);
	shift_names(t, name_base);
	if (BTF_INFO_KIND(t->info) == BTF_KIND_FWD)
		t->type = 0;
	if (BTF_INFO_KIND(t->info) == BTF_KIND_INT)
		fix_encoding((void *)(t + 1));
	if (BTF_INFO_KIND(t->info) == BTF_KIND_ENUM && !m->unit_tells_signs)
		fix_sign(t);
	if (BTF_INFO_KIND(t->info) == BTF_KIND_FLOAT &&
	    !strncmp(m->unit_names + from->name_off, "complex", 7)) {
		/* gcc 12 calls a complex number a float of twice the size */
		loss_add(&m->losses, LOSS_BASE_TYPE, m->unit_names + from->name_off);
		t->info = BTF_KIND_STRUCT << 24;
		t->name_off = 0;
	}
	if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC && BTF_INFO_VLEN(t->info) > BTF_FUNC_GLOBAL)
		t->info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL;
	return 0;
}

static int add_unit(struct merge *m, const uint8_t *data, size_t size, struct weir_error *err)
{
	const struct btf_header *h = (const void *)data;
	const uint8_t *types;
	uint32_t name_base = m->names_size;
	int ret = btf_check(data, size, err);

	if (ret)
		return ret;
	types = data + h->hdr_len + h->type_off;
	m->base = m->count;
	m->unit_names = (const char *)data + h->hdr_len + h->str_off;
	m->unit_tells_signs = tells_signs(types, h->type_len, m->unit_names);
	for (size_t at = 0; at < h->type_len && !ret; m->count++) {
		ret = add_record(m, (const void *)(types + at), name_base);
		at += btf_record_size((const void *)(types + at));
	}
	if (!ret)
		ret = append(&m->names, &m->names_size, &m->names_room,
		             data + h->hdr_len + h->str_off, h->str_len);
	return ret ? types_err(err, ret, "out of memory, or more BTF than fits") : 0;
}

static size_t unit_size(const uint8_t *data, size_t size)
{
	const struct btf_header *h = (const void *)data;
	uint64_t types, names, end;

	if (size < sizeof(*h))
		return size;
	types = (uint64_t)h->type_off + h->type_len;
	names = (uint64_t)h->str_off + h->str_len;
	end = h->hdr_len + (types > names ? types : names);
	return end > size || end < sizeof(*h) ? size : end;
}

static int add_units(struct merge *m, const uint8_t *data, size_t size, struct weir_error *err)
{
	while (size) {
		_cleanup_free_ uint8_t *aligned = NULL;
		size_t bytes;
		int ret;

		if (!*data) { /* padding */
			data++, size--;
			continue;
		}
		bytes = unit_size(data, size);
		aligned = malloc(bytes); /* a unit may begin at an odd place */
		if (!aligned)
			return types_err(err, -ENOMEM, "out of memory");
		memcpy(aligned, data, bytes);
		ret = add_unit(m, aligned, bytes, err);
		if (ret)
			return ret;
		data += bytes;
		size -= bytes;
	}
	return 0;
}

static bool has_unnamed_argument(const struct btf_type *proto)
{
	const struct btf_param *p = (const void *)(proto + 1);

	if (BTF_INFO_KIND(proto->info) != BTF_KIND_FUNC_PROTO)
		return true;
	for (uint32_t i = 0; i < BTF_INFO_VLEN(proto->info); i++) {
		if (p[i].type && !p[i].name_off)
			return true;
	}
	return false;
}

/* gcc writes a FUNC for what is only declared, without names; the kernel wants them. */
static int drop_unnamed(struct merge *m)
{
	_cleanup_free_ uint32_t *offsets = malloc((m->count + 1) * sizeof(*offsets));
	_cleanup_free_ bool *tagged = calloc(m->count + 1, sizeof(*tagged));
	uint32_t id = 1;

	if (!offsets || !tagged)
		return -ENOMEM;
	for (size_t at = 0; at < m->types_size; id++) {
		const struct btf_type *t = (const void *)(m->types + at);

		if (BTF_INFO_KIND(t->info) == BTF_KIND_DECL_TAG)
			tagged[t->type] = true;
		offsets[id] = at;
		at += btf_record_size(t);
	}
	for (uint32_t i = 1; i < id; i++) {
		struct btf_type *t = (void *)(m->types + offsets[i]);

		if (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC && !tagged[i] && t->type &&
		    has_unnamed_argument((const void *)(m->types + offsets[t->type])))
			*t = (struct btf_type){ .info = BTF_KIND_CONST << 24 };
	}
	return 0;
}

static int finish_merge(struct merge *m, void **ret, size_t *ret_size)
{
	size_t size = sizeof(struct btf_header) + m->types_size + m->names_size;
	uint8_t *raw = malloc(size);

	if (!raw)
		return -ENOMEM;
	*(struct btf_header *)raw = (struct btf_header){
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(struct btf_header),
		.type_len = m->types_size,
		.str_off = m->types_size,
		.str_len = m->names_size,
	};
	if (m->types_size)
		memcpy(raw + sizeof(struct btf_header), m->types, m->types_size);
	if (m->names_size)
		memcpy(raw + sizeof(struct btf_header) + m->types_size, m->names, m->names_size);
	*ret = raw;
	*ret_size = size;
	return 0;
}

/* --- the symbol table --- */

struct table {
	struct symbol *list;
	size_t count, room;
	char *strings;
	size_t strings_size, strings_room;
};

static int add_elf_symbol(struct table *t, const GElf_Sym *sym, const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);
	struct symbol *s;
	int err;

	if (!name || !*name || sym->st_shndx == SHN_UNDEF)
		return 0;
	if (type != STT_FUNC && type != STT_OBJECT && type != STT_TLS && type != STT_GNU_IFUNC)
		return 0;
	err = array_reserve(&t->list, t->count, &t->room, sizeof(*t->list));
	if (err)
		return err;
	s = &t->list[t->count];
	memset(s, 0, sizeof(*s));
	s->name = s->linkage = t->strings_size;
	err = append(&t->strings, &t->strings_size, &t->strings_room, name, strlen(name) + 1);
	if (err)
		return err;
	s->address = sym->st_value;
	s->size = sym->st_size;
	s->kind = type == STT_OBJECT ? TYPES_VARIABLE
	          : type == STT_TLS  ? TYPES_TLS_VARIABLE
	                             : TYPES_FUNCTION;
	s->flags = TYPES_SYMBOL_NO_TYPE;
	if (GELF_ST_BIND(sym->st_info) == STB_LOCAL)
		s->flags |= TYPES_SYMBOL_STATIC;
	t->count++;
	return 0;
}

static int read_symbols(struct table *t, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && shdr->sh_entsize ? data->d_size / shdr->sh_entsize : 0;

	for (size_t i = 1; i < n; i++) {
		GElf_Sym sym;
		int err;

		if (!gelf_getsym(data, i, &sym))
			break;
		err = add_elf_symbol(t, &sym, elf_strptr(elf, shdr->sh_link, sym.st_name));
		if (err)
			return err;
	}
	return 0;
}

/* .symtab has all that .dynsym has. */
static int symbol_table(struct table *t, Elf *elf)
{
	Elf_Scn *scn = NULL, *best = NULL;
	GElf_Shdr shdr, best_shdr;
	int err = append(&t->strings, &t->strings_size, &t->strings_room, "", 1);

	while (!err && (scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr))
			continue;
		if (shdr.sh_type == SHT_SYMTAB || (shdr.sh_type == SHT_DYNSYM && !best)) {
			best = scn;
			best_shdr = shdr;
		}
	}
	return !err && best ? read_symbols(t, elf, best, &best_shdr) : err;
}

struct named {
	const char *name;
	uint32_t id;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* FUNC and VAR records of sorted BTF give the symbols their types. */
static int type_symbols(struct table *t, const void *btf)
{
	const struct btf_header *h = btf;
	const uint8_t *types = (const uint8_t *)btf + h->hdr_len + h->type_off;
	const char *names = (const char *)btf + h->hdr_len + h->str_off;
	_cleanup_free_ struct named *list = NULL;
	size_t count = 0, room = 0;

	for (size_t at = 0; at < h->type_len;) {
		const struct btf_type *r = (const void *)(types + at);
		uint32_t kind = BTF_INFO_KIND(r->info);

		at += btf_record_size(r);
		if (kind != BTF_KIND_FUNC && kind != BTF_KIND_VAR)
			continue;
		if (array_reserve(&list, count, &room, sizeof(*list)))
			return -ENOMEM;
		list[count++] = (struct named){ names + r->name_off, r->type };
	}
	if (count)
		qsort(list, count, sizeof(*list), by_name);
	for (size_t i = 0; i < t->count && count; i++) {
		struct symbol *s = &t->list[i];
		struct named key = { t->strings + s->name, 0 };
		size_t low = 0, high = count;

		while (low < high) {
			size_t middle = (low + high) / 2;

			if (strcmp(list[middle].name, key.name) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		/* two of one name are of two units, and nobody knows which is which */
		if (low < count && !strcmp(list[low].name, key.name) &&
		    (low + 1 == count || strcmp(list[low + 1].name, key.name) ||
		     list[low + 1].id == list[low].id)) {
			s->type = list[low].id;
			s->flags &= ~TYPES_SYMBOL_NO_TYPE;
		}
	}
	return 0;
}

static int make_image(struct source *s, const void *btf, size_t size, const char *path,
                      enum types_source kind, const struct losses *losses, struct image *ret)
{
	struct table t = { 0 };
	struct image_parts p;
	int err = s->elf ? symbol_table(&t, s->elf)
	                 : append(&t.strings, &t.strings_size, &t.strings_room, "", 1);

	if (!err)
		err = type_symbols(&t, btf);
	if (err) {
		err = types_err(s->err, err, "out of memory");
	} else {
		p = (struct image_parts){
			.btf = btf,
			.btf_size = size,
			.symbols = t.list,
			.symbols_count = t.count,
			.strings = t.strings,
			.strings_size = t.strings_size,
			.losses = losses,
			.debug_path = path,
			.source = kind,
		};
		image_describe(&p, s->elf);
		err = image_make(&p, s->err, ret);
	}
	free(t.list);
	free(t.strings);
	return err;
}

int image_from_btf(struct source *s, const void *data, size_t size, const char *path,
                   enum types_source kind, struct image *ret)
{
	_cleanup_free_ void *deduped = NULL, *sorted = NULL;
	struct merge m = { 0 };
	void *raw = NULL;
	int err = add_units(&m, data, size, s->err);

	if (!err) {
		err = drop_unnamed(&m);
		if (!err)
			err = finish_merge(&m, &raw, &size);
		if (!err) {
			err = btf_leave_out_sizeless(raw, &size, &m.losses);
			if (err)
				free(raw);
		}
		if (!err)
			err = btf_dedup(raw, size, &deduped, &size);
		if (!err)
			err = btf_sort(deduped, &sorted, &size);
		if (err)
			types_err(s->err, err, "deduplication failed: %s", strerror(-err));
	}
	free(m.types);
	free(m.names);
	if (!err)
		err = make_image(s, sorted, size, path, kind, &m.losses, ret);
	losses_deinit(&m.losses);
	return err;
}

int source_btf(struct source *s, Elf *elf, const char *path, struct image *ret)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return -ENODATA;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(elf, names, shdr.sh_name);
		if (!name || strcmp(name, ".BTF"))
			continue;
		if (shdr.sh_flags & SHF_COMPRESSED)
			elf_compress(scn, 0, 0);
		data = elf_getdata(scn, NULL);
		if (!data || !data->d_buf || !data->d_size)
			continue;
		return image_from_btf(s, data->d_buf, data->d_size, path, TYPES_FROM_BTF, ret);
	}
	return -ENODATA;
}
