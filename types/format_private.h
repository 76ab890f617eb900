/* SPDX-License-Identifier: MIT */
/* For the formatter and the pretty printers (types/printers/); docs/printers.md explains. */
#ifndef WEIR_TYPES_FORMAT_PRIVATE_H
#define WEIR_TYPES_FORMAT_PRIVATE_H

#include "types/format.h"

struct seen_object {
	uint64_t address;
	const struct ctype *type;
};

struct format_compiled;

struct format {
	struct format_options opts;
	const struct expr_names *names;
	const struct expr_memory *memory;
	struct sink *sink;
	uint32_t depth;           /* pointers followed now */
	uint32_t nest;            /* records and arrays open now */
	uint32_t values;          /* printed so far */
	bool failed;              /* all that was printed is why nothing could be */
	bool followed;            /* the next value is a pointer's target: its type is shown */
	struct seen_object *seen; /* open addressing */
	size_t seen_size, seen_used;
	struct format_compiled *compiled;
	struct printer_choice *choices; /* of printers by type, open addressing */
	uint64_t ruby_ids;              /* Ruby's table of symbol names; see printers/ruby.c */
	bool ruby_ids_missing;
};

/* Forget what was shown, print to `to` from now on. */
void format_begin(struct format *f, struct sink *to);

/* Print `v` as a part of what is being printed. */
void format_any(struct format *f, const struct expr_value *v);
/* The same without pretty printers for `v` itself. */
void format_plain(struct format *f, const struct expr_value *v);
/* What lies at a pointer's target, as far as --depth allows; else the address alone. */
void format_pointer(struct format *f, const struct expr_value *v, bool follow);
/* `n` bytes at `address` as a text of at most string_max; they need not have a NUL. */
void format_bytes(struct format *f, uint64_t pointer, uint64_t address, uint64_t n);
/* Text up to the NUL. */
void format_cstring(struct format *f, uint64_t address);

/* Was that object printed before? Remembers it. */
bool format_seen(struct format *f, uint64_t address, const struct ctype *type);

/* A number or word as it is written, and for JSON (taken over). */
void format_word(struct format *f, const char *text, struct json_object *json);
/* An integer, real, enumerator or boolean; `v` may still have to be read. */
void format_scalar(struct format *f, const struct expr_value *object);
/* An address alone, with the symbol there; and as JSON has it. */
void format_address(struct format *f, uint64_t address);
struct json_object *format_address_json(struct format *f, uint64_t address);
/* Could these bytes be a text? */
bool format_is_text(const char *bytes, size_t n);
/* There were too many values to show all of this one. */
void format_cut(struct format *f);
/* In place of a value: what is wrong with it; why its memory cannot be read. */
void format_failure(struct format *f, const char *text);
void format_unreadable(struct format *f, const struct expr_value *v, int rc);

int format_read(struct format *f, uint64_t address, void *buf, size_t size);

/*
 * Evaluate a C expression in which `it` is a value and `i` a number, over the types
 * and symbols of the program. Compiled once per expression and type of `it`. -ENOENT and the like
 * where the program has not what the expression names.
 */
int format_eval(struct format *f, const struct expr_value *it, uint64_t i, const char *expr,
                struct expr_value *ret);
/* The same, loaded: an integer or an address. */
int format_number(struct format *f, const struct expr_value *it, uint64_t i, const char *expr,
                  uint64_t *ret);

void format_compiled_free(struct format *f);
void printer_choices_free(struct format *f);

/* ---- printers ---- */

struct printer {
	const char *name;
	/* Types it prints, ended by NULL: a typedef's or record's name, as fnmatch(3) pattern, with
	   ` *` behind it for a pointer: "sds", "dict", "List *". */
	const char *const *types;
	/* Print, or return -errno before anything was printed: then the value is printed plainly.
	 */
	int (*print)(struct format *f, const struct expr_value *it);
};

extern const struct printer *const printers[]; /* ended by NULL */

/* The printer for a type, or NULL. */
const struct printer *printer_find(struct format *f, const struct ctype *type);

#endif
