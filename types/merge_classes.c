/* SPDX-License-Identifier: MIT */
/*
 * Which records are the same type.
 *
 * Interning stores a type once as long as units agree on everything it reaches. What is left are
 * types that differ in what a unit saw declared only, and everything that leads to one of those;
 * and what several workers have each on their own. Two records are the same type if they look
 * the same and their references lead to the same types: the coarsest partition of the records
 * for which that holds is the answer, circles included. It is found by refinement:
 *
 *   1. Records that look the same (names, offsets, values; not where references lead) are one
 *      class. A declaration ("struct s;") joins the class of the definition of that name, if all
 *      records that define the name look the same; else nobody knows which one it is, and it
 *      stays a declaration.
 *   2. A class whose members lead to different classes is split. When a class with a declaration
 *      in it is split, the definitions are different after all, and the declaration leaves.
 *   3. Until nothing changes. Only what refers to a record that changed its class is looked at
 *      again.
 *
 * The result does not depend on any order, so it is the same for any number of workers.
 *
 * Comparisons are by 64-bit hash; at the end, members of a class are compared with each other
 * byte for byte. If that fails, or refinement takes more work than any honest input, nothing is
 * merged: every record is a class of its own, which is right, only larger; that is told with what was
 * lost (NOTE_UNMERGED).
 *
 * libbpf's btf__dedup() answers the same question, one context at a time. It needs the BTF as a
 * whole, copies it three times, does not tell what became of a type (other than by a VAR for
 * each), and its answer depends on the order of the types.
 */
#include "types/merge.h"

#include "types/equal.h"
#include "types/parallel.h"
#include "types/util.h"

#define WORK_MAX 64 /* times the records */

uint64_t merge_hash_mask = UINT64_MAX;

struct entry {
	uint64_t sig;
	uint32_t class, g;
};

struct refine {
	const struct merge_records *r;
	size_t count;
	uint64_t *hash, *signature;
	uint32_t *class;
	uint32_t classes;
	uint64_t *class_sig;
	uint32_t *class_size; /* without declarations that joined */
	/* declarations that joined a definition */
	struct joined {
		uint32_t declaration, definition, next;
	} * joined;
	size_t joined_count, joined_room;
	uint32_t *declared; /* by class: first of those in it, plus 1 */
	/* who refers to a record */
	uint32_t *referer_at, *referer;
	/* what referred to a record that moved */
	uint8_t *dirty;
	uint32_t *queue;
	size_t queue_count;
	/* what is looked at, then what moves: `class` is where to */
	struct entry *list;
	size_t moves;
	uint64_t work;
};

struct record_shape record_shape(const struct btf_type *t)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_TYPE_TAG:
		return (struct record_shape){ .head = true };
	case BTF_KIND_INT:
		return (struct record_shape){ .words = 1 };
	case BTF_KIND_ARRAY:
		return (struct record_shape){ .refs = 2, .step = 1, .words = 3 };
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return (struct record_shape){
			.names = vlen, .refs = vlen, .ref_at = 1, .step = 3, .words = vlen * 3
		};
	case BTF_KIND_ENUM:
		return (struct record_shape){ .names = vlen, .step = 2, .words = vlen * 2 };
	case BTF_KIND_ENUM64:
		return (struct record_shape){ .names = vlen, .step = 3, .words = vlen * 3 };
	case BTF_KIND_FUNC_PROTO:
		return (struct record_shape){ .head = true,
			                      .names = vlen,
			                      .refs = vlen,
			                      .ref_at = 1,
			                      .step = 2,
			                      .words = vlen * 2 };
	}
	return (struct record_shape){ 0 };
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0xff51afd7ed558ccdULL;
	return h ^ h >> 32;
}

/* --- what a record looks like --- */

static uint64_t look_hash(const struct merge_records *r, uint32_t g)
{
	const struct btf_type *t = merge_record(r, g);
	const uint32_t *w = (const void *)(t + 1);
	struct record_shape s = record_shape(t);
	uint64_t h = mix(hash_mix(t->info), t->name_off);

	if (!s.head)
		h = mix(h, t->size);
	for (uint32_t i = 0, phase = 0; i < s.words; i++) {
		bool ref = s.refs && (s.step == 1 ? i < 2 : phase == s.ref_at);

		if (!ref)
			h = mix(h, w[i]);
		if (s.step && ++phase == s.step)
			phase = 0;
	}
	return h;
}

/* `to`: the record behind a reference. */
#define each_ref(r, g, to, body)                                \
	do {                                                    \
		const struct btf_type *t_ = merge_record(r, g); \
		const uint32_t *w_ = (const void *)(t_ + 1);    \
		struct record_shape s_ = record_shape(t_);      \
		uint32_t to;                                    \
		if (s_.head) {                                  \
			to = t_->type;                          \
			body;                                   \
		}                                               \
		for (uint32_t i_ = 0; i_ < s_.refs; i_++) {     \
			to = w_[s_.ref_at + i_ * s_.step];      \
			body;                                   \
		}                                               \
	} while (0)

static int hash_looks(void *arg, size_t begin, size_t end)
{
	struct refine *f = arg;

	for (size_t g = begin; g < end; g++)
		f->hash[g] = g ? look_hash(f->r, g) & merge_hash_mask : 0;
	return 0;
}

/* --- declarations --- */

/* Kinds whose declarations and definitions belong together; 0: has none. */
static uint32_t family(const struct btf_type *t)
{
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_STRUCT:
		return 1;
	case BTF_KIND_UNION:
		return 2;
	case BTF_KIND_FWD:
		return BTF_INFO_KFLAG(t->info) ? 2 : 1;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return 3;
	}
	return 0;
}

static bool is_declaration(const struct btf_type *t)
{
	uint32_t kind = BTF_INFO_KIND(t->info);

	return t->name_off &&
	       (kind == BTF_KIND_FWD ||
	        ((kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) && !BTF_INFO_VLEN(t->info)));
}

struct definition {
	uint64_t key; /* of name and family: no two have the same */
	uint32_t g;   /* 0: free */
	bool ambiguous;
};

static uint64_t definition_key(const struct refine *f, uint32_t g)
{
	const struct btf_type *t = merge_record(f->r, g);

	return hash_mix((uint64_t)t->name_off << 32 | family(t));
}

static struct definition *find_definition(struct definition *table, size_t mask, uint64_t key)
{
	size_t at = key & mask;

	while (table[at].g && table[at].key != key)
		at = (at + 1) & mask;
	return &table[at];
}

/* Each declared name is entered first, so that the table holds those and no others. */
static int join_declarations(struct refine *f)
{
	size_t declarations = 0, size = 64;
	struct definition *table, *d;

	for (uint32_t g = 1; g < f->count; g++)
		declarations += is_declaration(merge_record(f->r, g));
	while (size < declarations * 2)
		size *= 2;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (uint32_t g = 1; g < f->count; g++) {
		if (!is_declaration(merge_record(f->r, g)))
			continue;
		d = find_definition(table, size - 1, definition_key(f, g));
		*d = (struct definition){ definition_key(f, g), g, false };
	}
	for (uint32_t g = 1; g < f->count; g++) {
		const struct btf_type *t = merge_record(f->r, g);

		if (!t->name_off || !family(t) || is_declaration(t))
			continue;
		d = find_definition(table, size - 1, definition_key(f, g));
		if (!d->g)
			continue;
		if (is_declaration(merge_record(f->r, d->g)))
			d->g = g;
		else if (f->hash[d->g] != f->hash[g])
			d->ambiguous = true;
	}
	for (uint32_t g = 1; g < f->count; g++) {
		if (!is_declaration(merge_record(f->r, g)))
			continue;
		d = find_definition(table, size - 1, definition_key(f, g));
		if (d->ambiguous || is_declaration(merge_record(f->r, d->g)))
			continue;
		if (array_reserve(&f->joined, f->joined_count, &f->joined_room,
		                  sizeof(*f->joined))) {
			free(table);
			return -ENOMEM;
		}
		f->joined[f->joined_count++] = (struct joined){ g, d->g, 0 };
	}
	free(table);
	return 0;
}

/* --- the first classes --- */

/* Void is equal to none. */
static bool are_records(const void *arg, uint32_t a, uint32_t b)
{
	(void)arg;
	return a && b;
}

/* Records that look the same, by f->hash. */
static int classes_by_look(struct refine *f)
{
	int err = equal_find(f->hash, f->count, f->r->threads, are_records, NULL, f->class);

	if (err)
		return err;
	f->classes = 1;
	for (uint32_t g = 1; g < f->count; g++) {
		uint32_t first = f->class[g];

		f->class[g] = first == g ? f->classes++ : f->class[first];
		f->class_size[f->class[g]]++;
	}
	for (size_t i = 0; i < f->joined_count; i++) {
		struct joined *j = &f->joined[i];
		uint32_t class = f->class[j->definition];

		f->class_size[f->class[j->declaration]]--;
		f->class[j->declaration] = class;
		j->next = f->declared[class];
		f->declared[class] = i + 1;
	}
	return 0;
}

/* --- who refers to whom --- */

static int index_referers(struct refine *f)
{
	uint32_t *at = calloc(f->count + 2, sizeof(*at));
	uint64_t total = 0;

	if (!at)
		return -ENOMEM;
	f->referer_at = at;
	for (uint32_t g = 1; g < f->count; g++)
		each_ref(f->r, g, to, at[to + 1]++; total++);
	if (total > UINT32_MAX)
		return -EOVERFLOW;
	for (size_t i = 1; i < f->count + 2; i++)
		at[i] += at[i - 1];
	f->referer = malloc((total + 1) * sizeof(*f->referer));
	if (!f->referer)
		return -ENOMEM;
	/* at[to] moves from the begin of its list to its end, which is the next one's begin */
	for (uint32_t g = 1; g < f->count; g++)
		each_ref(f->r, g, to, f->referer[at[to]++] = g);
	memmove(at + 1, at, (f->count + 1) * sizeof(*at));
	at[0] = 0;
	return 0;
}

static void mark_referers(struct refine *f, uint32_t to)
{
	for (uint32_t i = f->referer_at[to]; i < f->referer_at[to + 1]; i++) {
		uint32_t g = f->referer[i];

		if (f->dirty[g])
			continue;
		f->dirty[g] = 1;
		f->queue[f->queue_count++] = g;
	}
}

/* --- splitting --- */

static uint64_t signature(const struct refine *f, uint32_t g)
{
	uint64_t h = 1;

	each_ref(f->r, g, to, h = mix(h, f->class[to]));
	return h | 1; /* 0: none yet */
}

/* The class was split: its declarations belong to none of the parts. */
static void release_declarations(struct refine *f, uint32_t class)
{
	uint32_t i = f->declared[class], own;

	if (!i)
		return;
	f->declared[class] = 0;
	own = f->classes++;
	for (; i; i = f->joined[i - 1].next) {
		uint32_t g = f->joined[i - 1].declaration;

		f->class[g] = own;
		mark_referers(f, g);
	}
}

/* All at once: only now numbers of classes change. */
static void move_records(struct refine *f)
{
	f->queue_count = 0;
	for (size_t i = 0; i < f->moves; i++) {
		uint32_t g = f->list[i].g, from = f->class[g], to = f->list[i].class;

		release_declarations(f, from);
		f->class_size[from]--;
		f->class_size[to]++;
		f->class[g] = to;
		mark_referers(f, g);
	}
}

static int sign(void *arg, size_t begin, size_t end)
{
	struct refine *f = arg;

	for (size_t g = begin; g < end; g++) {
		bool leads = g && !is_declaration(merge_record(f->r, g));

		f->signature[g] = leads ? signature(f, g) : 0;
	}
	return 0;
}

/* All records; the first signature of a class keeps its number. */
static int split_all(struct refine *f)
{
	_cleanup_free_ uint64_t *keys = NULL;
	_cleanup_free_ uint32_t *first = NULL;
	int err;

	parallel_ranges(f->r->threads, f->count, sign, f);
	f->moves = 0;
	for (uint32_t g = 1; g < f->count; g++) {
		uint64_t sig = f->signature[g], *kept = &f->class_sig[f->class[g]];

		if (!sig)
			continue;
		if (!*kept)
			*kept = sig;
		if (*kept != sig)
			f->list[f->moves++] = (struct entry){ sig, f->class[g], g };
	}
	keys = malloc((f->moves + 1) * sizeof(*keys));
	first = malloc((f->moves + 1) * sizeof(*first));
	if (!keys || !first)
		return -ENOMEM;
	for (size_t i = 0; i < f->moves; i++)
		keys[i] = mix(f->list[i].sig, f->list[i].class);
	err = equal_find(keys, f->moves, f->r->threads, NULL, NULL, first);
	if (err)
		return err;
	for (size_t i = 0; i < f->moves; i++) {
		struct entry *e = &f->list[i];

		if (first[i] == i) {
			e->class = f->classes++;
			f->class_sig[e->class] = e->sig;
		} else {
			e->class = f->list[first[i]].class;
		}
	}
	move_records(f);
	return 0;
}

static int by_class(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return (x->sig > y->sig) - (x->sig < y->sig);
}

/* The signature that keeps the number of the class whose entries these are. */
static uint64_t kept_signature(struct refine *f, const struct entry *e, size_t count)
{
	uint64_t kept = e[0].sig;
	size_t most = 0, run = 0;

	if (f->class_size[e->class] > count) /* members that nothing happened to */
		return f->class_sig[e->class];
	for (size_t i = 0; i < count; i++) {
		run = i && e[i].sig == e[i - 1].sig ? run + 1 : 1;
		if (run > most) {
			most = run;
			kept = e[i].sig;
		}
	}
	f->class_sig[e->class] = kept;
	return kept;
}

static void split_class(struct refine *f, const struct entry *e, size_t count)
{
	uint64_t kept = kept_signature(f, e, count), sig = kept;

	for (size_t i = 0; i < count; i++) {
		struct entry moved = e[i];

		if (moved.sig == kept)
			continue;
		if (moved.sig != sig || !i) {
			sig = moved.sig;
			f->class_sig[f->classes++] = sig;
		}
		moved.class = f->classes - 1;
		f->list[f->moves++] = moved; /* never ahead of e[i] */
	}
}

static int split_changed(struct refine *f)
{
	size_t count = f->queue_count, end;

	f->work += count;
	if (f->work > f->count * (uint64_t)WORK_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		uint32_t g = f->queue[i];

		f->dirty[g] = 0;
		f->list[i] = (struct entry){ signature(f, g), f->class[g], g };
	}
	qsort(f->list, count, sizeof(*f->list), by_class);
	f->moves = 0;
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1; end < count && f->list[end].class == f->list[i].class;)
			end++;
		split_class(f, f->list + i, end - i);
	}
	move_records(f);
	return 0;
}

/* --- the result --- */

static bool same_words(const uint32_t *v, const uint32_t *w, struct record_shape s)
{
	for (uint32_t i = 0, phase = 0; i < s.words; i++) {
		bool ref = s.refs && (s.step == 1 ? i < 2 : phase == s.ref_at);

		if (!ref && v[i] != w[i])
			return false;
		if (s.step && ++phase == s.step)
			phase = 0;
	}
	return true;
}

static bool same_record(const struct refine *f, uint32_t a, uint32_t b)
{
	const struct btf_type *x = merge_record(f->r, a), *y = merge_record(f->r, b);
	const uint32_t *v = (const void *)(x + 1), *w = (const void *)(y + 1);
	struct record_shape s = record_shape(x);

	if (x->info != y->info || x->name_off != y->name_off || !same_words(v, w, s))
		return false;
	if (s.head ? f->class[x->type] != f->class[y->type] : x->size != y->size)
		return false;
	for (uint32_t i = 0; i < s.refs; i++) {
		uint32_t at = s.ref_at + i * s.step;

		if (f->class[v[at]] != f->class[w[at]])
			return false;
	}
	return true;
}

/* Are all members of each class the same? Uses class_size[] for the first member of each. */
static bool verify(struct refine *f)
{
	uint32_t *first = f->class_size;

	memset(first, 0, f->classes * sizeof(*first));
	for (uint32_t g = 1; g < f->count; g++) {
		uint32_t class = f->class[g];

		if (is_declaration(merge_record(f->r, g)))
			continue;
		if (!first[class])
			first[class] = g;
		else if (!same_record(f, first[class], g))
			return false;
	}
	return true;
}

/* Numbers without gaps; the size of a class is not needed any more. */
static void renumber(struct refine *f)
{
	uint32_t *number = f->class_size, next = 1;

	memset(number, 0, f->classes * sizeof(*number));
	for (uint32_t g = 1; g < f->count; g++) {
		uint32_t class = f->class[g];

		if (!number[class])
			number[class] = next++;
		f->class[g] = number[class];
	}
	f->classes = next;
}

static int refine_init(struct refine *f)
{
	size_t n = f->count, classes = 2 * n + 2; /* a record has at most two of its own */

	f->hash = malloc(n * sizeof(*f->hash));
	f->signature = malloc(n * sizeof(*f->signature));
	f->class = calloc(n, sizeof(*f->class));
	f->class_sig = calloc(classes, sizeof(*f->class_sig));
	f->class_size = calloc(classes, sizeof(*f->class_size));
	f->declared = calloc(classes, sizeof(*f->declared));
	f->dirty = calloc(n, 1);
	f->queue = malloc(n * sizeof(*f->queue));
	f->list = malloc(n * sizeof(*f->list));
	if (!f->hash || !f->signature || !f->class || !f->class_sig || !f->class_size ||
	    !f->declared || !f->dirty || !f->queue || !f->list)
		return -ENOMEM;
	return 0;
}

static void refine_deinit(struct refine *f)
{
	free(f->hash);
	free(f->signature);
	free(f->class);
	free(f->class_sig);
	free(f->class_size);
	free(f->joined);
	free(f->declared);
	free(f->referer_at);
	free(f->referer);
	free(f->dirty);
	free(f->queue);
	free(f->list);
}

static int refine(struct refine *f)
{
	int err = refine_init(f);

	if (err)
		return err;
	parallel_ranges(f->r->threads, f->count, hash_looks, f);
	err = join_declarations(f);
	if (!err)
		err = classes_by_look(f);
	if (!err)
		err = index_referers(f);
	if (!err)
		err = split_all(f);
	while (!err && f->queue_count)
		err = split_changed(f);
	return err;
}

/* Every record a class of its own. */
static void merge_nothing(struct refine *f)
{
	for (uint32_t g = 0; g < f->count; g++)
		f->class[g] = g;
	f->classes = f->count;
}

int merge_classes(const struct merge_records *r, uint32_t **ret_class, size_t *ret_classes,
                  uint8_t **ret_rank, bool *ret_given_up)
{
	struct refine f = { .r = r, .count = r->count };
	_cleanup_free_ uint8_t *rank = calloc(r->count, 1);
	int err = rank ? refine(&f) : -ENOMEM;

	*ret_given_up = err == -E2BIG || (!err && !verify(&f));
	if (*ret_given_up) {
		merge_nothing(&f);
		err = 0;
	} else if (!err) {
		err = merge_variants(r, f.hash, f.class, f.classes, rank);
		if (!err)
			renumber(&f);
	}
	if (!err) {
		*ret_class = take_ptr(f.class);
		*ret_classes = f.classes;
		*ret_rank = take_ptr(rank);
	}
	refine_deinit(&f);
	return err;
}
