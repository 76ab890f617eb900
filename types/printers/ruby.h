/* SPDX-License-Identifier: MIT */
/*
 * Ruby's objects, by the types of the running interpreter: its debug information, or
 * the header of its method JIT. Where the flags' bits and the members are is asked
 * of them; only what no header of Ruby declares (formats private to one .c file of
 * it, unchanged since Ruby 2.6) is written down in ruby.c, and checked where used.
 *
 * A VALUE is given as a number. All return 0 or -errno, -EBADMSG for what is no such
 * object (it may have been freed and reused while it was read).
 */
#ifndef WEIR_TYPES_PRINTERS_RUBY_H
#define WEIR_TYPES_PRINTERS_RUBY_H

#include "types/printers/printers.h"

/* An expression over `i`, which is `value`. */
int ruby_number(struct format *f, uint64_t value, const char *expr, uint64_t *ret);

/* The T_... of a heap object as enum ruby_value_type has it; 0 for what is none (nil, 1, :a). */
int ruby_type(struct format *f, uint64_t value, uint64_t *ret);
bool ruby_is(struct format *f, uint64_t value, const char *type);

int ruby_string(struct format *f, uint64_t value, uint64_t *address, uint64_t *length);
/* The same, copied and ended by a NUL; cut at size. */
int ruby_text(struct format *f, uint64_t value, char *buf, size_t size);
int ruby_array(struct format *f, uint64_t value, uint64_t *address, uint64_t *length);
int ruby_array_at(struct format *f, uint64_t array, uint64_t i, uint64_t *ret);

/* What a Symbol or an ID is called. */
int ruby_symbol_text(struct format *f, uint64_t value, char *buf, size_t size);
int ruby_id_text(struct format *f, uint64_t id, char *buf, size_t size);

/* A class's or module's name, "#<Class:0x...>" for one without. */
int ruby_class_text(struct format *f, uint64_t klass, char *buf, size_t size);
/* The name of the class that an object says it has (not its singleton class). */
int ruby_class_of_text(struct format *f, uint64_t value, char *buf, size_t size);

/* Calls fn for the pairs of a Hash, or of an st_table, until fn is nonzero. */
typedef int (*ruby_pair_fn)(struct format *f, uint64_t key, uint64_t value, void *arg);
int ruby_hash_each(struct format *f, uint64_t hash, ruby_pair_fn fn, void *arg);
int ruby_hash_size(struct format *f, uint64_t hash, uint64_t *ret);
int ruby_st_each(struct format *f, uint64_t table, ruby_pair_fn fn, void *arg);

#endif
