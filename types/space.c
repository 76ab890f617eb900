/* SPDX-License-Identifier: MIT */
#include "types/space.h"

#include <bpf/btf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types/btf_view.h"
#include "types/enumerators.h"
#include "types/mangle.h"

#define IMAGES_NAMED 3 /* files that a message names; the program is the first */

struct image {
	char *name;
	uint64_t start, end, bias;
	bool tried;
	struct types *types; /* NULL before it is tried, or if it has none */
	bool table_tried;
	struct types *table; /* its symbol table */
};

struct space {
	space_open_fn open;
	void *ctx;
	struct image *images;
	size_t count;
	struct types **extra;
	size_t extra_count;
	struct expr_names names;
};

static struct types *opened(struct space *s, size_t i)
{
	struct image *image = &s->images[i];

	struct space_opened o = { 0 };

	if (image->tried)
		return image->types;
	image->tried = true;
	if (s->open(s->ctx, (uint32_t)i, false, &o))
		return NULL;
	image->types = o.types;
	image->bias = o.bias;
	image->end = o.end ?: image->end;
	return image->types;
}

/* Where the image's types are not from its symbol table themselves. */
static struct types *opened_table(struct space *s, size_t i)
{
	struct image *image = &s->images[i];
	struct space_opened o = { 0 };

	if (image->table_tried || !opened(s, i))
		return image->table;
	image->table_tried = true;
	if (types_source(image->types) == TYPES_FROM_DWARF &&
	    !s->open(s->ctx, (uint32_t)i, true, &o))
		image->table = o.types;
	return image->table;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "libx.so.1::name" asks one image: which, and the rest of the name. -1: all. */
static int chosen_image(struct space *s, const char **name)
{
	const char *colons = strstr(*name, "::");

	for (size_t i = 0; colons && i < s->count; i++) {
		const char *base = base_name(s->images[i].name);

		if (strlen(base) == (size_t)(colons - *name) &&
		    !memcmp(base, *name, (size_t)(colons - *name))) {
			*name = colons + 2;
			return (int)i;
		}
	}
	return -1;
}

/* ---- symbols ---- */

struct symbol_search {
	struct space *space;
	size_t image;
	struct types *types;
	struct expr_symbol *ret;
	int max, n;
	bool outermost; /* one that is in no function, class or namespace was found */
	bool objects;   /* no member functions: a constructor has its class's name */
	bool untyped;   /* something of that name without a type: only where nothing else is */
	struct expr_symbol plain;
};

static enum expr_symbol_kind kind_of(enum types_symbol_kind kind)
{
	switch (kind) {
	case TYPES_TLS_VARIABLE:
		return EXPR_SYM_THREAD;
	case TYPES_FUNCTION:
		return EXPR_SYM_FUNCTION;
	case TYPES_CONSTANT:
		return EXPR_SYM_CONSTANT;
	default:
		return EXPR_SYM_MEMORY;
	}
}

static struct expr_symbol symbol_of(struct symbol_search *q, const struct types_symbol *t)
{
	struct expr_symbol s = { .kind = kind_of(t->kind), .address = t->address };

	s.module = (uint32_t)q->image;
	if (s.kind == EXPR_SYM_MEMORY || s.kind == EXPR_SYM_FUNCTION)
		s.address += q->space->images[q->image].bias;
	if (t->type_id)
		s.type = ctype_of(q->space->names.types, types_view(q->types), t->type_id);
	s.scope = t->scope;
	s.image = base_name(q->space->images[q->image].name);
	s.unit = t->unit[0] ? t->unit : base_name(q->space->images[q->image].name);
	if (t->flags & TYPES_SYMBOL_NO_PLACE)
		s.missing = "the debug information does not say where it is (optimised out?)";
	return s;
}

static bool is_same(const struct expr_symbol *a, const struct expr_symbol *b)
{
	return a->kind == b->kind && a->address == b->address && a->module == b->module;
}

static int add_symbol(const struct types_symbol *t, void *arg)
{
	struct symbol_search *q = arg;
	struct expr_symbol s = symbol_of(q, t);

	if (q->objects && t->kind == TYPES_FUNCTION && t->scope[0])
		return 0;
	if (t->flags & TYPES_SYMBOL_NO_TYPE || !t->type_id) {
		if (!q->untyped)
			q->plain = s;
		q->untyped = true;
		return 0;
	}
	/* As in C, what is in a function or class does not hide what is in none, seen from
	   outside. A declaration without a place hides nothing. */
	if (s.scope[0] && q->outermost)
		return 0;
	if (!s.scope[0] && !s.missing && !q->outermost) {
		q->outermost = true;
		q->n = 0;
	}
	for (int i = 0; i < q->n && i < q->max; i++) {
		/* A declaration without a place is no rival of a definition. */
		if (is_same(&q->ret[i], &s) || (s.missing && !q->ret[i].missing))
			return 0;
		if (q->ret[i].missing && !s.missing) {
			q->ret[i] = s;
			return 0;
		}
	}
	if (q->n < q->max)
		q->ret[q->n] = s;
	q->n++;
	return 0;
}

static void search_types_of(struct symbol_search *q, size_t i, struct types *types,
                            const char *name)
{
	q->types = types;
	q->image = i;
	if (types)
		types_find_symbol(types, name, add_symbol, q);
}

static void search_image(struct symbol_search *q, size_t i, const char *name)
{
	search_types_of(q, i, opened(q->space, i), name);
}

/* The names of what has no debug information, among others that have some. */
static void search_tables(struct symbol_search *q, int only, const char *name)
{
	for (size_t i = 0; i < q->space->count && !q->untyped; i++)
		if (only < 0 || (size_t)only == i)
			search_types_of(q, i, opened_table(q->space, i), name);
}

/* ---- constants ---- */

/* The enumerators of that name; how many of different values there are. */
static int find_constant(struct space *s, const struct btf_view *btf, size_t image,
                         const char *name, struct expr_symbol *ret, int max)
{
	struct enumerator_search q = { .types = s->names.types,
		                       .name = name,
		                       .ret = ret,
		                       .max = max,
		                       .module = (uint32_t)image };
	char scope[MANGLED_MAX];

	for (const char *c; (c = strstr(q.name, "::"));)
		q.name = c + 2;
	if (q.name > name) {
		if (q.name - name - 2 >= (ptrdiff_t)sizeof(scope))
			return 0;
		snprintf(scope, sizeof(scope), "%.*s", (int)(q.name - name - 2), name);
		mangle(scope, q.scope);
	}
	enumerators_find(&q, btf);
	return q.n;
}

struct declared {
	struct space *space;
	struct types *types;
	const struct ctype *type;
};

static int take_type(const struct types_symbol *t, void *arg)
{
	struct declared *d = arg;

	if (!t->type_id)
		return 0;
	d->type = ctype_of(d->space->names.types, types_view(d->types), t->type_id);
	return 1;
}

/* The symbol has an address but no type: a header may declare it. */
static bool declare_by_header(struct space *s, const char *name, struct expr_symbol *symbol)
{
	struct declared d = { .space = s };
	uint32_t id;

	for (size_t i = 0; i < s->extra_count && !d.type; i++) {
		d.types = s->extra[i];
		types_find_symbol(d.types, name, take_type, &d);
		id = d.type ? 0 : types_declared(d.types, name);
		if (id)
			d.type = ctype_of(s->names.types, types_view(d.types), id);
	}
	symbol->type = d.type;
	return d.type;
}

/* The same by another image that knows its type. */
static void declare_by_image(struct space *s, const char *name, struct expr_symbol *symbol)
{
	struct declared d = { .space = s };

	for (size_t i = 0; i < s->count && !d.type; i++) {
		d.types = s->images[i].types;
		if (d.types)
			types_find_symbol(d.types, name, take_type, &d);
	}
	symbol->type = d.type;
}

/* What one image has of that name: a variable, a function or an enumerator. */
static void search_one(struct symbol_search *q, size_t i, const char *name)
{
	struct space *s = q->space;
	int before = q->n;

	search_image(q, i, name);
	if (!before && !q->n && s->images[i].types)
		q->n = find_constant(s, types_view(s->images[i].types), i, name, q->ret, q->max);
}

/* A library's variable that was optimised out hides nobody's; the program's is what is meant. */
static void forgive_missing(struct symbol_search *q, size_t i, struct expr_symbol *missing)
{
	if (!i || q->n != 1 || !q->ret[0].missing)
		return;
	if (!missing->missing)
		*missing = q->ret[0];
	q->n = 0;
	q->outermost = false;
}

static int names_symbol(void *ctx, const char *name, struct expr_symbol *ret, int max)
{
	struct space *s = ctx;
	struct symbol_search q = { .space = s, .ret = ret, .max = max };
	struct expr_symbol missing = { 0 };
	int only = chosen_image(s, &name);

	for (size_t i = 0; i < s->count && (!q.n || types_names_unit(name)); i++) {
		if (only >= 0 && (size_t)only != i)
			continue;
		search_one(&q, i, name);
		if (q.untyped && !q.n && s->extra_count && declare_by_header(s, name, &q.plain)) {
			ret[0] = q.plain;
			return 1;
		}
		forgive_missing(&q, i, &missing);
	}
	/* The program's copy of a library's variable (a copy relocation) has no type; the library's
	   own, found behind it, has. The address is the program's. */
	if (q.untyped && q.n == 1 && q.plain.module < ret[0].module &&
	    q.plain.kind == EXPR_SYM_MEMORY && ret[0].kind == EXPR_SYM_MEMORY)
		ret[0].address = q.plain.address;
	for (size_t i = 0; i < s->extra_count && !q.n && only < 0; i++)
		q.n = find_constant(s, types_view(s->extra[i]), 0, name, ret, max);
	if (!q.n && missing.missing && !q.untyped)
		ret[q.n++] = missing;
	if (q.n)
		return q.n;
	if (!q.untyped)
		search_tables(&q, only, name);
	if (!q.untyped)
		return 0;
	ret[0] = q.plain;
	declare_by_image(s, name, &ret[0]);
	return 1;
}

/* ---- types ---- */

struct type_search {
	struct space *space;
	const struct btf_view *btf;
	const char *image; /* NULL: of a header */
	struct expr_candidate *ret;
	const char *tag;
	int max, n;
	int others; /* how many of the n are of other images */
};

static int add_type(const struct types_type *t, void *arg)
{
	struct type_search *q = arg;
	const struct ctype *type = ctype_of(q->space->names.types, q->btf, t->id);

	if (type->kind == CTYPE_BAD)
		return 0;
	/* Complete ones come first; a declaration beside them says nothing. */
	if (q->n && type->kind == CTYPE_INCOMPLETE)
		return 0;
	/* C: a typedef and a struct may share a name, and are mostly the same. */
	if (!q->tag[0] && q->n > q->others && t->kind != BTF_KIND_TYPEDEF &&
	    t->kind != BTF_KIND_INT)
		return 0;
	if (q->n < q->max)
		q->ret[q->n] = (struct expr_candidate){ type, t->unit, q->image };
	q->n++;
	return 0;
}

static void search_types(struct type_search *q, struct types *types, const char *name)
{
	char full[320];

	if (!types)
		return;
	q->btf = types_view(types);
	snprintf(full, sizeof(full), "%s%s%s", q->tag, q->tag[0] ? " " : "", name);
	types_find_type(types, full, add_type, q);
}

static int names_type(void *ctx, const char *tag, const char *name, struct expr_candidate *ret,
                      int max)
{
	struct space *s = ctx;
	struct type_search q = { .space = s, .ret = ret, .max = max, .tag = tag };
	struct expr_candidate declared = { 0 }; /* if nobody defines it */
	int only = chosen_image(s, &name);

	for (size_t i = 0; i < s->count; i++) {
		if (only >= 0 && (size_t)only != i)
			continue;
		if (q.n && ret[0].type->kind == CTYPE_INCOMPLETE) {
			declared = ret[0];
			q.n = 0;
		}
		if (q.n && !types_names_unit(name))
			break;
		q.others = q.n;
		q.image = base_name(s->images[i].name);
		search_types(&q, opened(s, i), name);
	}
	q.image = NULL;
	for (size_t i = 0; i < s->extra_count && !q.n; i++)
		search_types(&q, s->extra[i], name);
	if (!q.n && declared.type && max > 0)
		ret[q.n++] = declared;
	return q.n;
}

/* Asks only what is open already (and the program): a cast must not open every library. */
static bool is_symbol_nearby(struct space *s, const char *name)
{
	struct expr_symbol found[1];
	struct symbol_search q = { .space = s, .ret = found, .max = 1, .objects = true };

	for (size_t i = 0; i < s->count; i++)
		if (i == 0 || s->images[i].types)
			search_image(&q, i, name);
	return q.n || q.untyped;
}

bool space_is_type(void *space, const char *name)
{
	struct expr_candidate type[1];

	if (is_symbol_nearby(space, name))
		return false;
	return expr_standard_type(name) || names_type(space, "", name, type, 1) > 0;
}

/* ---- the rest ---- */

static void names_near(void *ctx, const char *name, bool symbol, char *buf, size_t size)
{
	struct space *s = ctx;
	const char *near = NULL;

	buf[0] = 0;
	if (strlen(name) < 3) /* everything is near to it */
		return;
	for (size_t i = 0; i < s->count && !near; i++)
		if (s->images[i].types)
			near = types_nearest(s->images[i].types, name, symbol);
	for (size_t i = 0; i < s->extra_count && !near; i++)
		near = types_nearest(s->extra[i], name, symbol);
	snprintf(buf, size, "%s", near ?: "");
}

static int names_at(void *ctx, uint64_t address, char *buf, size_t size)
{
	struct space *s = ctx;
	struct types_symbol t;
	uint64_t offset;

	for (size_t i = 0; i < s->count; i++) {
		struct image *image = &s->images[i];

		if (address < image->start || address >= image->end || !opened(s, i))
			continue;
		if (types_symbol_by_address(image->types, address - image->bias, &t))
			return -ENOENT;
		offset = address - image->bias - t.address;
		if (offset)
			snprintf(buf, size, "%s+%" PRIu64, t.name, offset);
		else
			snprintf(buf, size, "%s", t.name);
		return 0;
	}
	return -ENOENT;
}

int space_find_symbol(struct space *space, const char *name, struct expr_symbol *ret)
{
	return names_symbol(space, name, ret, 1) >= 1 ? 0 : -ENOENT;
}

static bool is_untyped(const struct image *image)
{
	return !image->types || types_source(image->types) == TYPES_FROM_NONE;
}

static bool has_lost(const struct image *image)
{
	const struct types_loss *losses;
	size_t count = image->types ? types_losses(image->types, &losses) : 0;

	for (size_t i = 0; i < count; i++)
		if (!losses[i].note)
			return true;
	return false;
}

static void list_images(struct space *space, bool (*wanted)(const struct image *), char *buf,
                        size_t size)
{
	size_t at = 0, n = 0;

	if (size)
		buf[0] = 0;
	for (size_t i = 0; i < space->count && at < size; i++) {
		struct image *image = &space->images[i];

		if (!image->tried || !wanted(image))
			continue;
		if (n++ < IMAGES_NAMED)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "",
			                       base_name(image->name));
	}
	if (n > IMAGES_NAMED && at < size)
		snprintf(buf + at, size - at, " and %zu more", n - IMAGES_NAMED);
}

void space_untyped(struct space *space, char *buf, size_t size)
{
	list_images(space, is_untyped, buf, size);
}

void space_lost(struct space *space, char *buf, size_t size)
{
	list_images(space, has_lost, buf, size);
}

int space_create(space_open_fn open, void *ctx, struct space **ret)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->open = open;
	s->ctx = ctx;
	if (ctypes_create(&s->names.types)) {
		free(s);
		return -ENOMEM;
	}
	s->names.ctx = s;
	s->names.symbol = names_symbol;
	s->names.type = names_type;
	s->names.near = names_near;
	s->names.at = names_at;
	*ret = s;
	return 0;
}

void space_destroy(struct space *s)
{
	if (!s)
		return;
	ctypes_destroy(s->names.types);
	for (size_t i = 0; i < s->count; i++) {
		free(s->images[i].name);
		types_close(s->images[i].types);
		types_close(s->images[i].table);
	}
	for (size_t i = 0; i < s->extra_count; i++)
		types_close(s->extra[i]);
	free(s->images);
	free(s->extra);
	free(s);
}

int space_add(struct space *s, const struct space_image *image)
{
	struct image *grown = realloc(s->images, (s->count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->images = grown;
	grown[s->count] =
	    (struct image){ .name = strdup(image->name), .start = image->start, .end = image->end };
	if (!grown[s->count].name)
		return -ENOMEM;
	return (int)s->count++;
}

int space_add_types(struct space *s, struct types *types)
{
	struct types **grown = realloc(s->extra, (s->extra_count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->extra = grown;
	grown[s->extra_count++] = types;
	return 0;
}

const struct expr_names *space_names(struct space *space)
{
	return &space->names;
}
