/* SPDX-License-Identifier: MIT */
#include "types/printers/ruby.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* st.c: an entry of a table; a deleted one has all bits of its hash set. */
struct st_entry {
	uint64_t hash, key, record;
};
#define ST_DELETED UINT64_MAX

/* hash.c: a small Hash is an array of pairs; a deleted one has the key Qundef. */
struct ar_pair {
	uint64_t key, value;
};

/* symbol.c: ids[serial / 512][serial % 512 * 2] is the name; a serial is an ID without its scope. */
#define ID_UNIT        512
#define ID_SCOPE_SHIFT 4

#define ENTRIES_MAX (1u << 24) /* of a table, before it is taken for garbage */

int ruby_number(struct format *f, uint64_t value, const char *expr, uint64_t *ret)
{
	return printer_number(f, value, expr, ret);
}

static bool is_heap(struct format *f, uint64_t value)
{
	uint64_t immediate = 1;

	if (ruby_number(f, value, "i & RUBY_IMMEDIATE_MASK", &immediate))
		return false;
	return !immediate && value >= 4096;
}

int ruby_type(struct format *f, uint64_t value, uint64_t *ret)
{
	uint64_t nil = 0;

	*ret = 0;
	if (!is_heap(f, value) || ruby_number(f, value, "RUBY_Qnil", &nil) || value == nil)
		return 0;
	return ruby_number(f, value, "((struct RBasic *)i)->flags & RUBY_T_MASK", ret);
}

bool ruby_is(struct format *f, uint64_t value, const char *type)
{
	uint64_t is, wanted;

	return !ruby_type(f, value, &is) && is && !ruby_number(f, 0, type, &wanted) && is == wanted;
}

/* ---- strings and arrays ---- */

/* 3.3 has `len` for all, 3.2 `embed.len`, and before it was in the flags. */
static int embedded_length(struct format *f, uint64_t value, uint64_t *ret)
{
	if (!ruby_number(f, value, "((struct RString *)i)->len", ret) ||
	    !ruby_number(f, value, "((struct RString *)i)->as.embed.len", ret))
		return 0;
	return ruby_number(f, value,
	                   "(((struct RString *)i)->basic.flags & RSTRING_EMBED_LEN_MASK) / "
	                   "(RSTRING_EMBED_LEN_MASK & -RSTRING_EMBED_LEN_MASK)",
	                   ret);
}

int ruby_string(struct format *f, uint64_t value, uint64_t *address, uint64_t *length)
{
	uint64_t heap;
	int rc;

	if (!ruby_is(f, value, "RUBY_T_STRING"))
		return -EBADMSG;
	rc = ruby_number(f, value, "((struct RString *)i)->basic.flags & RSTRING_NOEMBED", &heap);
	if (rc)
		return rc;
	if (!heap)
		return embedded_length(f, value, length)
		           ?: ruby_number(f, value,
		                          "(unsigned long)&((struct RString *)i)->as.embed.ary",
		                          address);
	rc = ruby_number(f, value, "((struct RString *)i)->len", length);
	if (rc)
		rc = ruby_number(f, value, "((struct RString *)i)->as.heap.len", length);
	return rc ?: ruby_number(f, value, "((struct RString *)i)->as.heap.ptr", address);
}

int ruby_text(struct format *f, uint64_t value, char *buf, size_t size)
{
	uint64_t address, length;
	int rc = ruby_string(f, value, &address, &length);

	if (rc)
		return rc;
	if (length >= size)
		length = size - 1;
	buf[length] = 0;
	return format_read(f, address, buf, length);
}

int ruby_array(struct format *f, uint64_t value, uint64_t *address, uint64_t *length)
{
	uint64_t embedded;
	int rc;

	if (!ruby_is(f, value, "RUBY_T_ARRAY"))
		return -EBADMSG;
	rc = ruby_number(f, value, "((struct RArray *)i)->basic.flags & RARRAY_EMBED_FLAG",
	                 &embedded);
	if (rc)
		return rc;
	if (embedded)
		return ruby_number(f, value,
		                   "(((struct RArray *)i)->basic.flags & RARRAY_EMBED_LEN_MASK) / "
		                   "(RARRAY_EMBED_LEN_MASK & -RARRAY_EMBED_LEN_MASK)",
		                   length)
		           ?: ruby_number(f, value, "(unsigned long)&((struct RArray *)i)->as.ary",
		                          address);
	return ruby_number(f, value, "((struct RArray *)i)->as.heap.len", length)
	           ?: ruby_number(f, value, "((struct RArray *)i)->as.heap.ptr", address);
}

int ruby_array_at(struct format *f, uint64_t array, uint64_t i, uint64_t *ret)
{
	uint64_t address, length;
	int rc = ruby_array(f, array, &address, &length);

	if (rc)
		return rc;
	return i < length ? format_read(f, address + 8 * i, ret, sizeof(*ret)) : -ENOENT;
}

/* ---- names ---- */

static int name_of_serial(struct format *f, uint64_t ids, uint64_t serial, char *buf, size_t size)
{
	uint64_t unit, name;
	int rc = ruby_array_at(f, ids, serial / ID_UNIT, &unit);

	rc = rc ?: ruby_array_at(f, unit, serial % ID_UNIT * 2, &name);
	return rc ?: ruby_text(f, name, buf, size);
}

/*
 * The table of names is a variable that only debug symbols tell. But the interpreter
 * also keeps it from being collected, on a list that the VM's struct leads to: the
 * array there whose entry for the ID '+' says "+" and for '-' says "-" is it.
 */
static int search_ids(struct format *f, uint64_t *ret)
{
	uint64_t buckets, bucket, object, address, count, n;
	char plus[4], minus[4];
	int rc = ruby_number(f, 0, "((struct rb_vm_struct *)ruby_current_vm_ptr)->mark_object_ary",
	                     &buckets);

	rc = rc ?: ruby_array(f, buckets, &address, &count);
	for (uint64_t i = 0; !rc && i < count && i < 64; i++) {
		rc = ruby_array_at(f, buckets, i, &bucket) ?: ruby_array(f, bucket, &address, &n);
		for (uint64_t k = 0; !rc && k < n && k < 4096; k++) {
			if (ruby_array_at(f, bucket, k, &object) ||
			    name_of_serial(f, object, '+', plus, sizeof(plus)) ||
			    name_of_serial(f, object, '-', minus, sizeof(minus)) ||
			    strcmp(plus, "+") || strcmp(minus, "-"))
				continue;
			*ret = object;
			return 0;
		}
	}
	return rc ?: -ENOENT;
}

static int find_ids(struct format *f, uint64_t *ret)
{
	if (!f->ruby_ids && !f->ruby_ids_missing) {
		if (ruby_number(f, 0, "ruby_global_symbols.ids", &f->ruby_ids) &&
		    search_ids(f, &f->ruby_ids))
			f->ruby_ids_missing = true;
	}
	*ret = f->ruby_ids;
	return f->ruby_ids_missing ? -ENOENT : 0;
}

int ruby_id_text(struct format *f, uint64_t id, char *buf, size_t size)
{
	uint64_t ids, last;
	int rc = find_ids(f, &ids) ?: ruby_number(f, 0, "tLAST_OP_ID", &last);

	return rc ?: name_of_serial(f, ids, id > last ? id >> ID_SCOPE_SHIFT : id, buf, size);
}

int ruby_symbol_text(struct format *f, uint64_t value, char *buf, size_t size)
{
	uint64_t is_static, name, basic;
	int rc = ruby_number(
	    f, value, "(i & ((1UL << RUBY_SPECIAL_SHIFT) - 1)) == RUBY_SYMBOL_FLAG", &is_static);

	if (rc)
		return rc;
	if (is_static)
		return ruby_number(f, value, "i >> RUBY_SPECIAL_SHIFT", &name)
		           ?: ruby_id_text(f, name, buf, size);
	if (!ruby_is(f, value, "RUBY_T_SYMBOL"))
		return -EBADMSG;
	if (!ruby_number(f, value, "((struct RSymbol *)i)->fstr", &name))
		return ruby_text(f, name, buf, size);
	/* symbol.h is not part of the header: {RBasic, hash, name}, and the name is a String. */
	rc = ruby_number(f, 0, "sizeof(struct RBasic)", &basic);
	rc = rc ?: format_read(f, value + basic + 8, &name, sizeof(name));
	return rc ?: ruby_text(f, name, buf, size);
}

/* ---- tables ---- */

int ruby_st_each(struct format *f, uint64_t table, ruby_pair_fn fn, void *arg)
{
	uint64_t start, bound, entries, size = sizeof(struct st_entry);
	struct st_entry e;
	int rc = ruby_number(f, table, "((struct st_table *)i)->entries_start", &start) ?:
		 ruby_number(f, table, "((struct st_table *)i)->entries_bound", &bound) ?:
		 ruby_number(f, table, "((struct st_table *)i)->entries", &entries);

	if (!rc && !ruby_number(f, 0, "sizeof(struct st_table_entry)", &size) && size != sizeof(e))
		rc = -ENOTSUP;
	if (!rc && (start > bound || bound > ENTRIES_MAX))
		rc = -EBADMSG;
	for (uint64_t i = start; !rc && i < bound; i++) {
		rc = format_read(f, entries + i * sizeof(e), &e, sizeof(e));
		if (!rc && e.hash != ST_DELETED)
			rc = fn(f, e.key, e.record, arg);
	}
	return rc;
}

static int is_st(struct format *f, uint64_t hash, uint64_t *ret)
{
	if (!ruby_is(f, hash, "RUBY_T_HASH"))
		return -EBADMSG;
	return ruby_number(f, hash, "((struct RBasic *)i)->flags & RHASH_ST_TABLE_FLAG", ret);
}

#define AR_BITS(name)                                                                          \
	"(((struct RBasic *)i)->flags & RHASH_AR_TABLE_" name "_MASK) >> RHASH_AR_TABLE_" name \
	"_SHIFT"

/* 3.3 has the table behind the struct, before there was a pointer to it. */
static int st_of(struct format *f, uint64_t hash, uint64_t *ret)
{
	if (!ruby_number(f, hash, "((struct RHash *)i)->as.st", ret))
		return 0;
	return ruby_number(f, hash, "i + sizeof(struct RHash)", ret);
}

int ruby_hash_size(struct format *f, uint64_t hash, uint64_t *ret)
{
	uint64_t st, table;
	int rc = is_st(f, hash, &st);

	if (rc)
		return rc;
	if (!st)
		return ruby_number(f, hash, AR_BITS("SIZE"), ret);
	return st_of(f, hash, &table)
	           ?: ruby_number(f, table, "((struct st_table *)i)->num_entries", ret);
}

static int ar_pairs(struct format *f, uint64_t hash, uint64_t *ret)
{
	if (!ruby_number(f, hash, "((struct RHash *)i)->as.ar", ret))
		return 0;
	/* 3.3: behind the struct, after eight bytes of hints */
	return ruby_number(f, hash, "i + sizeof(struct RHash) + 8", ret);
}

static int ar_each(struct format *f, uint64_t hash, ruby_pair_fn fn, void *arg)
{
	uint64_t bound, pairs, undef, size = sizeof(struct ar_pair);
	struct ar_pair p;
	int rc = ruby_number(f, hash, AR_BITS("BOUND"), &bound) ?: ar_pairs(f, hash, &pairs) ?:
		 ruby_number(f, 0, "RUBY_Qundef", &undef);

	if (!rc && !ruby_number(f, 0, "sizeof(ar_table_pair)", &size) && size != sizeof(p))
		rc = -ENOTSUP;
	for (uint64_t i = 0; !rc && i < bound; i++) {
		rc = format_read(f, pairs + i * sizeof(p), &p, sizeof(p));
		if (!rc && p.key != undef)
			rc = fn(f, p.key, p.value, arg);
	}
	return rc;
}

int ruby_hash_each(struct format *f, uint64_t hash, ruby_pair_fn fn, void *arg)
{
	uint64_t st, table;
	int rc = is_st(f, hash, &st);

	if (rc)
		return rc;
	return st ? st_of(f, hash, &table) ?: ruby_st_each(f, table, fn, arg)
	          : ar_each(f, hash, fn, arg);
}

/* ---- classes ---- */

struct path_search {
	char *buf;
	size_t size;
	bool found;
};

/* Before 3.2 the name is an instance variable of the class, "__classpath__". */
static int match_path(struct format *f, uint64_t key, uint64_t value, void *arg)
{
	struct path_search *s = arg;
	char name[32];

	if (ruby_id_text(f, key, name, sizeof(name)) ||
	    (strcmp(name, "__classpath__") && strcmp(name, "__tmp_classpath__")))
		return 0;
	s->found = !ruby_text(f, value, s->buf, s->size);
	return s->found;
}

int ruby_class_text(struct format *f, uint64_t klass, char *buf, size_t size)
{
	struct path_search s = { buf, size };
	uint64_t path, table;

	if (!ruby_is(f, klass, "RUBY_T_CLASS") && !ruby_is(f, klass, "RUBY_T_MODULE") &&
	    !ruby_is(f, klass, "RUBY_T_ICLASS"))
		return -EBADMSG;
	if (!ruby_number(f, klass, "((struct RClass *)i)->ptr->classpath", &path) ||
	    !ruby_number(f, klass, "((struct RClass_and_rb_classext_t *)i)->classext.classpath",
	                 &path)) {
		if (!ruby_text(f, path, buf, size))
			return 0;
	} else if (!ruby_number(f, klass, "((struct RClass *)i)->ptr->iv_tbl", &table) && table) {
		ruby_st_each(f, table, match_path, &s);
		if (s.found)
			return 0;
	}
	snprintf(buf, size, "#<Class:0x%016" PRIx64 ">", klass);
	return 0;
}

int ruby_class_of_text(struct format *f, uint64_t value, char *buf, size_t size)
{
	uint64_t klass, hidden;
	int rc = ruby_number(f, value, "((struct RBasic *)i)->klass", &klass);

	/* A singleton class and the inclusion of a module stand before the class proper. */
	for (int n = 0; !rc && n < 64; n++) {
		rc = ruby_number(f, klass, "((struct RBasic *)i)->flags & RUBY_FL_SINGLETON",
		                 &hidden);
		if (!rc && !hidden && !ruby_is(f, klass, "RUBY_T_ICLASS"))
			return ruby_class_text(f, klass, buf, size);
		rc = rc ?: ruby_number(f, klass, "((struct RClass *)i)->super", &klass);
	}
	return rc ?: -EBADMSG;
}
