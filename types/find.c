/* SPDX-License-Identifier: MIT */
/* Types and symbols by name: binary searches in the image. */
#include "types/internal.h"

#include <fnmatch.h>
#include <stdio.h>

#include "types/mangle.h"
#include "types/util.h"

/* --- "unit.c::name" --- */

static bool unit_matches(const char *unit, const char *wanted, size_t length)
{
	size_t n = strlen(unit);

	return n >= length && !memcmp(unit + n - length, wanted, length) &&
	       (n == length || unit[n - length - 1] == '/');
}

/* What is before the last "::" that is a file name ("x.c"), or 0 characters. */
static size_t unit_prefix(const char *name)
{
	const char *colons = strstr(name, "::");
	const char *dot;

	if (!colons)
		return 0;
	dot = memchr(name, '.', colons - name);
	return dot && dot + 1 < colons && !memchr(name, '<', colons - name) ? colons - name : 0;
}

bool types_names_unit(const char *name)
{
	return unit_prefix(name) != 0;
}

static const char *unit_name(const struct image *i, uint32_t unit)
{
	return unit ? i->strings + i->units[unit - 1] : "";
}

/* --- types --- */

static const uint32_t kinds_of[][3] = {
	{ BTF_KIND_STRUCT, BTF_KIND_FWD, 0 },
	{ BTF_KIND_UNION, BTF_KIND_FWD, 0 },
	{ BTF_KIND_ENUM, BTF_KIND_ENUM64, 0 },
};

struct type_query {
	const uint32_t *kinds; /* NULL: all */
	bool want_union;
	const char *unit;
	size_t unit_length;
	const char *text; /* the name as it was written */
	char name[MANGLED_MAX];
};

static const char *parse_kind(const char *text, struct type_query *q)
{
	static const char *const words[] = { "struct ", "union ", "enum " };

	for (int k = 0; k < 3; k++) {
		size_t n = strlen(words[k]);

		if (strncmp(text, words[k], n))
			continue;
		q->kinds = kinds_of[k];
		q->want_union = k == 1;
		return text + n + strspn(text + n, " ");
	}
	return text;
}

/* "struct unit.c::name", or "unit.c::struct name". */
static void parse_type_query(const char *text, struct type_query *q)
{
	memset(q, 0, sizeof(*q));
	text = parse_kind(text, q);
	q->unit = text;
	q->unit_length = unit_prefix(text);
	if (q->unit_length)
		text = parse_kind(text + q->unit_length + 2, q);
	q->text = text;
	mangle(text, q->name);
}

static bool kind_matches(const struct type_query *q, const struct btf_type *t)
{
	uint32_t kind = BTF_INFO_KIND(t->info);

	if (kind == BTF_KIND_FUNC || kind == BTF_KIND_VAR || kind == BTF_KIND_DATASEC ||
	    kind == BTF_KIND_TYPE_TAG || kind == BTF_KIND_DECL_TAG)
		return false; /* not types */
	if (!q->kinds)
		return true;
	if (kind == BTF_KIND_FWD)
		return BTF_INFO_KFLAG(t->info) == q->want_union && q->kinds[1] == BTF_KIND_FWD;
	return kind == q->kinds[0] || kind == q->kinds[1];
}

static uint32_t first_named(const struct image *i, const char *name)
{
	uint32_t low = i->header->named, high = i->types_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(image_type_name(i, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_complete(const struct btf_type *t)
{
	uint32_t kind = BTF_INFO_KIND(t->info);

	return kind != BTF_KIND_FWD && !(kind == BTF_KIND_ENUM && !BTF_INFO_VLEN(t->info));
}

static int report_type(const struct image *i, uint32_t id, types_type_fn fn, void *arg)
{
	struct types_type t = {
		.name = image_type_name(i, id),
		.id = id,
		.kind = BTF_INFO_KIND(image_type(i, id)->info),
		.unit = unit_name(i, i->type_units[id]),
	};

	return fn(&t, arg);
}

int types_find_type(struct types *types, const char *name, types_type_fn fn, void *arg)
{
	const struct image *i = &types->image;
	struct type_query q;
	uint32_t first;
	int ret = 0;

	parse_type_query(name, &q);
	first = first_named(i, q.name);
	for (int complete = 1; complete >= 0 && !ret; complete--) {
		for (uint32_t id = first; id < i->types_count && !ret; id++) {
			const struct btf_type *t = image_type(i, id);

			if (strcmp(i->names + t->name_off, q.name))
				break;
			if (!kind_matches(&q, t) || is_complete(t) != complete)
				continue;
			if (q.unit_length &&
			    !unit_matches(unit_name(i, i->type_units[id]), q.unit, q.unit_length))
				continue;
			ret = report_type(i, id, fn, arg);
		}
	}
	return ret;
}

uint32_t types_declared(struct types *types, const char *name)
{
	const struct image *i = &types->image;

	for (uint32_t id = first_named(i, name); id < i->types_count; id++) {
		const struct btf_type *t = image_type(i, id);

		if (strcmp(i->names + t->name_off, name))
			break;
		if (BTF_INFO_KIND(t->info) == BTF_KIND_VAR)
			return t->type;
	}
	return 0;
}

/* A pattern as people write C++ and Rust: what is between its wildcards is mangled. */
static void mangle_glob(const char *glob, char *to, size_t size)
{
	size_t used = 0;

	while (*glob && used + MANGLED_MAX < size) {
		char piece[MANGLED_MAX], mangled[MANGLED_MAX];
		size_t n = strcspn(glob, "*?[]\\");
		bool digit = *glob >= '0' && *glob <= '9';

		snprintf(piece, sizeof(piece), "%.*s", (int)n, glob);
		if (n)
			mangle(piece, mangled);
		/* only a name as a whole must not begin with a digit */
		used +=
		    (size_t)snprintf(to + used, size - used, "%s%.*s",
		                     n ? mangled + (digit && used) : "", glob[n] != 0, glob + n);
		glob += n + (glob[n] != 0);
	}
	to[used] = 0;
}

int types_glob_type(struct types *types, const char *glob, types_type_fn fn, void *arg)
{
	const struct image *i = &types->image;
	char mangled[4 * MANGLED_MAX];
	struct type_query q;
	int ret = 0;

	parse_type_query(glob, &q);
	mangle_glob(q.text, mangled, sizeof(mangled));
	for (uint32_t id = i->header->named; id < i->types_count && !ret; id++) {
		const char *name = image_type_name(i, id);

		if (kind_matches(&q, image_type(i, id)) &&
		    (!fnmatch(q.text, name, 0) || !fnmatch(mangled, name, 0)))
			ret = report_type(i, id, fn, arg);
	}
	return ret;
}

/* --- symbols --- */

static void fill_symbol(const struct image *i, uint32_t index, struct types_symbol *ret)
{
	const struct symbol *s = &i->symbols[index];

	*ret = (struct types_symbol){
		.name = i->strings + s->name,
		.linkage_name = i->strings + s->linkage,
		.kind = s->kind,
		.flags = s->flags,
		.type_id = s->type,
		.params = s->params,
		.address = s->address,
		.size = s->size,
		.unit = unit_name(i, s->unit),
		.scope = i->strings + s->scope,
		.index = index,
	};
}

struct symbol_query {
	const char *unit, *scope;
	size_t unit_length, scope_length;
	const char *name;
};

static void parse_symbol_query(const char *text, struct symbol_query *q)
{
	const char *colons;

	memset(q, 0, sizeof(*q));
	q->unit = text;
	q->unit_length = unit_prefix(text);
	if (q->unit_length)
		text += q->unit_length + 2;
	q->scope = text;
	q->name = text;
	while ((colons = strstr(q->name, "::"))) {
		q->scope_length = colons - text;
		q->name = colons + 2;
	}
}

/* "cls" is enough for "ns::cls". */
static bool scope_matches(const char *scope, const struct symbol_query *q)
{
	size_t n = strlen(scope), want = q->scope_length;

	if (!want)
		return true;
	return n >= want && !memcmp(scope + n - want, q->scope, want) &&
	       (n == want || (n >= want + 2 && !memcmp(scope + n - want - 2, "::", 2)));
}

static bool symbol_matches(const struct image *i, const struct symbol *s,
                           const struct symbol_query *q)
{
	return scope_matches(i->strings + s->scope, q) &&
	       (!q->unit_length || unit_matches(unit_name(i, s->unit), q->unit, q->unit_length));
}

static size_t first_symbol(const struct image *i, const char *name)
{
	size_t low = 0, high = i->symbols_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(i->strings + i->symbols[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t first_linkage(const struct image *i, const char *name)
{
	size_t low = 0, high = i->linkage_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct symbol *s = &i->symbols[i->by_linkage[middle]];

		if (strcmp(i->strings + s->linkage, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int types_find_symbol(struct types *types, const char *name, types_symbol_fn fn, void *arg)
{
	const struct image *i = &types->image;
	struct symbol_query q;
	struct types_symbol symbol;
	int ret = 0;

	parse_symbol_query(name, &q);
	for (size_t k = first_symbol(i, q.name); k < i->symbols_count && !ret; k++) {
		const struct symbol *s = &i->symbols[k];

		if (strcmp(i->strings + s->name, q.name))
			break;
		if (!symbol_matches(i, s, &q))
			continue;
		fill_symbol(i, k, &symbol);
		ret = fn(&symbol, arg);
	}
	for (size_t k = first_linkage(i, name); k < i->linkage_count && !ret; k++) {
		const struct symbol *s = &i->symbols[i->by_linkage[k]];

		if (strcmp(i->strings + s->linkage, name))
			break;
		fill_symbol(i, i->by_linkage[k], &symbol);
		ret = fn(&symbol, arg);
	}
	return ret;
}

int types_glob_symbol(struct types *types, const char *glob, types_symbol_fn fn, void *arg)
{
	const struct image *i = &types->image;
	struct symbol_query q;
	struct types_symbol symbol;
	int ret = 0;

	parse_symbol_query(glob, &q);
	for (size_t k = 0; k < i->symbols_count && !ret; k++) {
		const struct symbol *s = &i->symbols[k];

		if (fnmatch(q.name, i->strings + s->name, 0) || !symbol_matches(i, s, &q))
			continue;
		fill_symbol(i, k, &symbol);
		ret = fn(&symbol, arg);
	}
	return ret;
}

int types_symbol_by_address(struct types *types, uint64_t address, struct types_symbol *ret)
{
	const struct image *i = &types->image;
	size_t low = 0, high = i->address_count;

	while (low < high) { /* the first one beyond it */
		size_t middle = (low + high) / 2;

		if (i->symbols[i->by_address[middle]].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low) {
		const struct symbol *s = &i->symbols[i->by_address[--low]];

		if (address - s->address < (s->size ? s->size : 1)) {
			fill_symbol(i, i->by_address[low], ret);
			return 0;
		}
		if (address - s->address > i->header->max_symbol_size)
			break;
	}
	return -ENOENT;
}

/* --- "did you mean" --- */

#define NEAR_MAX 64 /* longer names are not compared */

/* Levenshtein's distance, given up beyond `limit`. */
static unsigned int distance(const char *a, size_t n, const char *b, size_t m, unsigned int limit)
{
	unsigned int row[NEAR_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int diagonal = row[0], best = row[0] = i;

		for (size_t j = 1; j <= m; j++) {
			unsigned int above = row[j], cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = above;
			if (above + 1 < cost)
				cost = above + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			if (cost < best)
				best = cost;
		}
		if (best > limit)
			return best;
	}
	return row[m];
}

struct nearest {
	const char *wanted;
	size_t length;
	const char *best;
	unsigned int limit;
};

static void consider(struct nearest *n, const char *name)
{
	size_t length = strnlen(name, NEAR_MAX + 1);
	unsigned int d;

	if (length > NEAR_MAX || length > n->length + n->limit || n->length > length + n->limit)
		return;
	d = distance(n->wanted, n->length, name, length, n->limit);
	if (d < n->limit || (d == n->limit && !n->best)) {
		n->best = name;
		n->limit = d;
	}
}

const char *types_nearest(struct types *types, const char *name, bool want_symbol)
{
	const struct image *i = &types->image;
	struct nearest n = { .wanted = name, .length = strlen(name) };

	if (!n.length || n.length > NEAR_MAX)
		return NULL;
	n.limit = n.length < 4 ? 1 : n.length < 12 ? 2 : 3;
	if (want_symbol) {
		for (size_t k = 0; k < i->symbols_count; k++)
			consider(&n, i->strings + i->symbols[k].name);
	} else {
		struct type_query any = { 0 };

		for (uint32_t id = i->header->named; id < i->types_count; id++) {
			if (kind_matches(&any, image_type(i, id)))
				consider(&n, image_type_name(i, id));
		}
	}
	return n.best;
}
