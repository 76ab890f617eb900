/* SPDX-License-Identifier: MIT */
#include "types/image.h"

#include <sys/mman.h>

#include "types/btf_check.h"
#include "types/builder.h"
#include "types/error.h"
#include "types/loss.h"
#include "types/parallel.h"
#include "types/types.h"
#include "types/util.h"

_Static_assert(sizeof(struct symbol) == 56, "part of the format");
_Static_assert(sizeof(struct symbol_param) == 16, "part of the format");
_Static_assert(sizeof(struct image_loss) == 24, "part of the format");

/* --- reading --- */

static bool take_table(struct image *i, enum image_table t, size_t element, const void **ret,
                       size_t *ret_count)
{
	uint64_t offset = i->header->table[t].offset, size = i->header->table[t].size;

	if (offset % 8 || offset > i->size || size > i->size - offset || size % element)
		return false;
	*ret = i->data + offset;
	*ret_count = size / element;
	return true;
}

static bool take_tables(struct image *i)
{
	size_t n, units;

	return take_table(i, IMAGE_OFFSETS, 4, (const void **)&i->offsets, &i->types_count) &&
	       take_table(i, IMAGE_UNITS_OF_TYPES, 4, (const void **)&i->type_units, &n) &&
	       n == i->types_count &&
	       take_table(i, IMAGE_SYMBOLS, sizeof(*i->symbols), (const void **)&i->symbols,
	                  &i->symbols_count) &&
	       take_table(i, IMAGE_BY_LINKAGE, 4, (const void **)&i->by_linkage,
	                  &i->linkage_count) &&
	       take_table(i, IMAGE_BY_ADDRESS, 4, (const void **)&i->by_address,
	                  &i->address_count) &&
	       take_table(i, IMAGE_PARAMS, sizeof(*i->params), (const void **)&i->params,
	                  &i->params_count) &&
	       take_table(i, IMAGE_UNITS, 4, (const void **)&i->units, &units) &&
	       ((i->units_count = units) || 1) &&
	       take_table(i, IMAGE_LOSSES, sizeof(*i->losses), (const void **)&i->losses,
	                  &i->losses_count) &&
	       take_table(i, IMAGE_STRINGS, 1, (const void **)&i->strings, &i->strings_size);
}

static bool check_symbol(const struct image *i, const struct symbol *s)
{
	return s->name < i->strings_size && s->linkage < i->strings_size &&
	       s->scope < i->strings_size && s->unit <= i->units_count &&
	       s->type < i->types_count && s->param <= i->params_count &&
	       s->params <= i->params_count - s->param;
}

static bool check_tables(const struct image *i)
{
	if (!i->strings_size || i->strings[i->strings_size - 1] ||
	    i->header->debug_path >= i->strings_size)
		return false;
	for (size_t k = 0; k < i->units_count; k++) {
		if (i->units[k] >= i->strings_size)
			return false;
	}
	for (size_t k = 0; k < i->symbols_count; k++) {
		if (!check_symbol(i, &i->symbols[k]))
			return false;
	}
	for (size_t k = 0; k < i->linkage_count; k++) {
		if (i->by_linkage[k] >= i->symbols_count)
			return false;
	}
	for (size_t k = 0; k < i->address_count; k++) {
		if (i->by_address[k] >= i->symbols_count)
			return false;
	}
	for (size_t k = 0; k < i->params_count; k++) {
		if (i->params[k].name >= i->strings_size || i->params[k].type >= i->types_count)
			return false;
	}
	for (size_t k = 0; k < i->losses_count; k++) {
		if (i->losses[k].what >= i->strings_size || i->losses[k].example >= i->strings_size)
			return false;
	}
	return true;
}

/* Its sections lie where its header says, which btf_check() believes. */
static bool take_btf(struct image *i, bool check)
{
	const struct btf_header *h;
	const void *data;
	size_t size;

	if (!take_table(i, IMAGE_BTF, 1, &data, &size) || (check && btf_check(data, size, NULL)))
		return false;
	h = data;
	i->types = (const uint8_t *)data + h->hdr_len + h->type_off;
	i->types_size = h->type_len;
	i->names = (const char *)data + h->hdr_len + h->str_off;
	i->names_size = h->str_len;
	return true;
}

/* That the tables beside the BTF agree with it. */
static bool check_types(const struct image *i)
{
	size_t offset = 0;

	if (!i->types_count || i->header->named > i->types_count || !i->header->named)
		return false;
	for (size_t id = 1; id < i->types_count; id++) {
		if (i->offsets[id] != offset || i->type_units[id] > i->units_count ||
		    offset >= i->types_size)
			return false;
		offset += btf_record_size(image_type(i, id));
	}
	return offset == i->types_size;
}

/* Words of a stripe; their keys differ, and from one stripe to the next. */
#define LANES 8
#define STEP  0x9e3779b97f4a7c15ULL

/*
 * Half of a first look at a variable would be this, if each step waited for the one before: lanes are
 * independent sums, which compilers turn into vectors. What it has to find is a file that was damaged.
 */
uint64_t image_checksum(const void *data, size_t size)
{
	uint64_t sum[LANES] = { 0 }, words[LANES];
	uint64_t key = STEP * IMAGE_VERSION;
	const uint8_t *p = data;
	size_t left = size;

	for (; left >= sizeof(words); left -= sizeof(words), p += sizeof(words), key += STEP) {
		memcpy(words, p, sizeof(words));
		for (int k = 0; k < LANES; k++) {
			uint64_t mixed = words[k] ^ (key << k);

			sum[k] += words[k] + (mixed & UINT32_MAX) * (mixed >> 32);
		}
	}
	return hash_bytes(p, left, hash_bytes(sum, sizeof(sum), size));
}

static void set_block(struct image *i, void *data, size_t size, bool mapped)
{
	memset(i, 0, sizeof(*i));
	i->data = data;
	i->size = size;
	i->mapped = mapped;
	i->header = data;
}

static bool is_whole(const struct image *i)
{
	const struct image_header *h = i->header;

	return i->size >= sizeof(*h) && h->magic == IMAGE_MAGIC && h->version == IMAGE_VERSION &&
	       h->header_size == sizeof(*h) && h->size == i->size &&
	       image_checksum(i->data + sizeof(*h), i->size - sizeof(*h)) == h->checksum;
}

static bool take_all(struct image *i, bool check)
{
	return take_tables(i) && take_btf(i, check) &&
	       (!check || (check_types(i) && check_tables(i)));
}

static int init(struct image *i, void *data, size_t size, bool mapped, bool check)
{
	set_block(i, data, size, mapped);
	if (is_whole(i) && take_all(i, check))
		return 0;
	image_deinit(i);
	return -EBADMSG;
}

int image_init(struct image *i, void *data, size_t size, bool mapped)
{
	return init(i, data, size, mapped, true);
}

int image_init_kept(struct image *i, void *data, size_t size, bool mapped)
{
	return init(i, data, size, mapped, false);
}

void image_set_key(struct image *i, uint64_t key)
{
	((struct image_header *)i->data)->key = key;
}

void image_deinit(struct image *i)
{
	if (i->mapped && i->data)
		munmap((void *)i->data, i->size);
	else
		free((void *)i->data);
	memset(i, 0, sizeof(*i));
}

/* --- making --- */

struct writer {
	uint8_t *data;
	size_t size, room;
	int err;
};

static void *put(struct writer *w, const void *data, size_t size)
{
	size_t need = w->size + size + 8;

	if (w->err)
		return NULL;
	if (need > w->room) {
		size_t room = need + need / 4;
		void *bigger = realloc(w->data, room);

		if (!bigger) {
			w->err = -ENOMEM;
			return NULL;
		}
		w->data = bigger;
		w->room = room;
	}
	if (data)
		memcpy(w->data + w->size, data, size);
	else
		memset(w->data + w->size, 0, size);
	w->size += size;
	return w->data + w->size - size;
}

static void begin_table(struct writer *w, enum image_table t)
{
	put(w, NULL, -w->size & 7);
	if (!w->err)
		((struct image_header *)w->data)->table[t].offset = w->size;
}

static void end_table(struct writer *w, enum image_table t)
{
	struct image_header *h = (void *)w->data;

	if (!w->err)
		h->table[t].size = w->size - h->table[t].offset;
}

static void put_table(struct writer *w, enum image_table t, const void *data, size_t size)
{
	begin_table(w, t);
	put(w, data, size);
	end_table(w, t);
}

/* The BTF is where the writer has it: what is put behind it may move all. */
static const struct btf_header *written_btf(const struct writer *w)
{
	return (const void *)(w->data + ((struct image_header *)w->data)->table[IMAGE_BTF].offset);
}

static void put_offsets(struct writer *w, const struct image_parts *p)
{
	const struct btf_header *h;
	const uint8_t *types;
	const char *names;
	uint32_t offset = 0, named = 0, id = 1, *out;

	begin_table(w, IMAGE_OFFSETS);
	out = put(w, NULL, (p->types_count + 1) * sizeof(*out));
	end_table(w, IMAGE_OFFSETS);
	if (w->err)
		return;
	h = written_btf(w);
	types = (const uint8_t *)h + h->hdr_len + h->type_off;
	names = (const char *)h + h->hdr_len + h->str_off;
	for (; id <= p->types_count; id++) {
		const struct btf_type *t = (const void *)(types + offset);

		out[id] = offset;
		if (!named && names[t->name_off])
			named = id;
		offset += btf_record_size(t);
	}
	((struct image_header *)w->data)->named = named ? named : id;
}

static void put_type_units(struct writer *w, const struct image_parts *p)
{
	begin_table(w, IMAGE_UNITS_OF_TYPES);
	put(w, NULL, 4);
	put(w, p->type_units, p->types_count * 4);
	end_table(w, IMAGE_UNITS_OF_TYPES);
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct symbol *x = a, *y = b;
	const char *strings = arg;
	int order = x->name == y->name ? 0 : strcmp(strings + x->name, strings + y->name);
	uint32_t mask = TYPES_SYMBOL_STATIC | TYPES_SYMBOL_LOCAL;

	if (order)
		return order;
	if ((x->kind == TYPES_FUNCTION) != (y->kind == TYPES_FUNCTION))
		return x->kind == TYPES_FUNCTION ? 1 : -1;
	if ((x->flags & mask) != (y->flags & mask))
		return (x->flags & mask) > (y->flags & mask) ? 1 : -1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	return x->type < y->type ? -1 : x->type > y->type;
}

/* The same function or variable is in every unit that a linker folded together. */
static size_t drop_doubles(struct symbol *s, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct symbol *last = kept ? &s[kept - 1] : NULL;

		if (last && last->name == s[i].name && last->kind == s[i].kind &&
		    last->address == s[i].address && last->scope == s[i].scope &&
		    (s[i].address || last->unit == s[i].unit)) {
			if (!last->params && s[i].params)
				*last = s[i];
			continue;
		}
		s[kept++] = s[i];
	}
	return kept;
}

struct index_context {
	const struct symbol *symbols;
	const char *strings;
};

static int by_linkage(const void *a, const void *b, void *arg)
{
	const struct index_context *c = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(c->strings + c->symbols[x].linkage, c->strings + c->symbols[y].linkage);

	return order ? order : (x > y) - (x < y);
}

static int by_address(const void *a, const void *b, void *arg)
{
	const struct index_context *c = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint64_t p = c->symbols[x].address, q = c->symbols[y].address;

	return p != q ? (p > q) - (p < q) : (x > y) - (x < y);
}

static void put_index(struct writer *w, const struct image_parts *p, enum image_table t)
{
	struct index_context c = { p->symbols, p->strings };
	struct image_header *h;

	begin_table(w, t);
	for (uint32_t i = 0; i < p->symbols_count; i++) {
		const struct symbol *s = &p->symbols[i];

		if (t == IMAGE_BY_LINKAGE
		        ? s->linkage != s->name
		        : (s->kind == TYPES_VARIABLE || s->kind == TYPES_FUNCTION) &&
		              !(s->flags & TYPES_SYMBOL_NO_PLACE))
			put(w, &i, 4);
	}
	end_table(w, t);
	if (w->err)
		return;
	h = (void *)w->data;
	if (h->table[t].size)
		qsort_r(w->data + h->table[t].offset, h->table[t].size / 4, 4,
		        t == IMAGE_BY_LINKAGE ? by_linkage : by_address, &c);
}

static void put_strings(struct writer *w, const struct image_parts *p)
{
	const char *path = p->debug_path ? p->debug_path : "";
	struct image_loss loss = { 0 };
	_cleanup_free_ struct image_loss *losses = calloc(LOSS_COUNT, sizeof(*losses));
	size_t count = 0, base, at = p->strings_size;

	if (!losses) {
		w->err = -ENOMEM;
		return;
	}
	begin_table(w, IMAGE_STRINGS);
	put(w, p->strings, p->strings_size);
	if (!p->strings_size)
		put(w, "", 1), at = 1;
	base = at;
	put(w, path, strlen(path) + 1);
	at += strlen(path) + 1;
	for (int i = 0; p->losses && i < LOSS_COUNT; i++) {
		const char *what = loss_text(i), *example = p->losses->list[i].example;

		if (!p->losses->list[i].count)
			continue;
		example = example ? example : "";
		loss.count = p->losses->list[i].count;
		loss.note = loss_is_note(i);
		loss.what = at;
		put(w, what, strlen(what) + 1);
		at += strlen(what) + 1;
		loss.example = at;
		put(w, example, strlen(example) + 1);
		at += strlen(example) + 1;
		losses[count++] = loss;
	}
	end_table(w, IMAGE_STRINGS);
	put_table(w, IMAGE_LOSSES, losses, count * sizeof(*losses));
	if (!w->err)
		((struct image_header *)w->data)->debug_path = base;
}

static void finish_header(struct writer *w, const struct image_parts *p)
{
	struct image_header *h;

	put(w, NULL, -w->size & 7);
	if (w->err)
		return;
	h = (void *)w->data;
	h->magic = IMAGE_MAGIC;
	h->version = IMAGE_VERSION;
	h->header_size = sizeof(*h);
	h->size = w->size;
	h->key = p->key;
	h->source = p->source;
	h->pointer_size = p->pointer_size;
	h->machine = p->machine;
	for (size_t i = 0; i < p->symbols_count; i++) {
		if (p->symbols[i].size > h->max_symbol_size)
			h->max_symbol_size = p->symbols[i].size;
	}
}

/* Of a finished block: its checksum, and whether all in it makes sense. */
enum { FINISH_CHECKSUM, FINISH_CHECK, FINISH_STEPS };

static int finish_step(void *arg, size_t step)
{
	struct image *i = arg;
	struct image_header *h = (void *)i->data;

	if (step == FINISH_CHECK)
		return take_all(i, true) ? 0 : -EBADMSG;
	h->checksum = image_checksum(i->data + sizeof(*h), i->size - sizeof(*h));
	return 0;
}

/* Strings and parameters that the kept symbols use, in the order in which they use them. */
struct compact {
	struct builder strings;
	struct symbol_param *params;
	size_t params_count, params_room;
	uint32_t *units;
};

static int compact_string(struct compact *c, const char *strings, uint32_t *offset)
{
	return builder_string(&c->strings, strings + *offset, offset);
}

static int compact_params(struct compact *c, const struct image_parts *p, struct symbol *s)
{
	uint32_t first = c->params_count;
	int err = 0;

	for (uint32_t i = 0; i < s->params && !err; i++) {
		err =
		    array_reserve(&c->params, c->params_count, &c->params_room, sizeof(*c->params));
		if (err)
			break;
		c->params[c->params_count] = p->params[s->param + i];
		err = compact_string(c, p->strings, &c->params[c->params_count++].name);
	}
	s->param = first;
	return err;
}

static int compact(struct compact *c, struct image_parts *p)
{
	int err = builder_init(&c->strings, 0);

	for (size_t i = 0; i < p->symbols_count && !err; i++) {
		struct symbol *s = &p->symbols[i];
		bool linked = s->linkage != s->name;

		err = compact_string(c, p->strings, &s->name);
		if (!linked)
			s->linkage = s->name;
		else if (!err)
			err = compact_string(c, p->strings, &s->linkage);
		if (!err)
			err = compact_string(c, p->strings, &s->scope);
		if (!err)
			err = compact_params(c, p, s);
	}
	c->units = malloc((p->units_count + 1) * sizeof(*c->units));
	if (!err && !c->units)
		err = -ENOMEM;
	for (size_t i = 0; i < p->units_count && !err; i++) {
		c->units[i] = p->units[i];
		err = compact_string(c, p->unit_strings, &c->units[i]);
	}
	p->params = c->params;
	p->params_count = c->params_count;
	p->units = c->units;
	p->strings = c->strings.strings;
	p->strings_size = c->strings.strings_size;
	return err;
}

static void compact_deinit(struct compact *c)
{
	builder_deinit(&c->strings);
	free(c->params);
	free(c->units);
}

/* The BTF comes first, where it is already if it came in a block of its own. */
static void put_btf(struct writer *w, const struct image_parts *p)
{
	if (p->block) {
		*w = (struct writer){ p->block, IMAGE_BTF_AT, IMAGE_BTF_AT + p->btf_size, w->err };
		memset(w->data, 0, IMAGE_BTF_AT);
	} else {
		put(w, NULL, IMAGE_BTF_AT);
	}
	begin_table(w, IMAGE_BTF);
	if (p->block)
		w->size += p->btf_size;
	else
		put(w, p->btf, p->btf_size);
	end_table(w, IMAGE_BTF);
}

int image_make(struct image_parts *p, struct weir_error *err, struct image *ret)
{
	struct writer w = { 0 };
	struct compact c = { 0 };

	if (p->symbols_count)
		qsort_r(p->symbols, p->symbols_count, sizeof(*p->symbols), by_name,
		        (void *)p->strings);
	p->symbols_count = drop_doubles(p->symbols, p->symbols_count);
	w.err = compact(&c, p);
	put_btf(&w, p);
	put_offsets(&w, p);
	put_type_units(&w, p);
	put_table(&w, IMAGE_SYMBOLS, p->symbols, p->symbols_count * sizeof(*p->symbols));
	put_index(&w, p, IMAGE_BY_LINKAGE);
	put_index(&w, p, IMAGE_BY_ADDRESS);
	put_table(&w, IMAGE_PARAMS, p->params, p->params_count * sizeof(*p->params));
	put_table(&w, IMAGE_UNITS, p->units, p->units_count * 4);
	put_strings(&w, p);
	finish_header(&w, p);
	compact_deinit(&c);
	if (w.err) {
		free(w.data);
		return types_err(err, w.err, "out of memory");
	}
	set_block(ret, w.data, w.size, false);
	if (!parallel_steps(p->threads, FINISH_STEPS, finish_step, ret))
		return 0;
	image_deinit(ret);
	return types_err(err, -ELOOP,
	                 "the converted types do not make sense (types that contain themselves, or "
	                 "a malformed file)");
}
