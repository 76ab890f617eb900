/* SPDX-License-Identifier: MIT */
/* A VALUE of Ruby, much as `inspect` would have it; code of the program is never run. */
#include "types/printers/ruby.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void scalar(struct format *f, const char *text, struct json_object *json)
{
	f->sink->ops->scalar(f->sink, text, json);
}

static void word(struct format *f, const char *text)
{
	scalar(f, text, json_object_new_string(text));
}

/* The middle 62 bits of a double, turned by three: exponents near zero fit. */
static double flonum(uint64_t value)
{
	uint64_t bits;
	double real;

	if (value == 0x8000000000000002)
		return 0;
	bits = (2 - (value >> 63)) | (value & ~(uint64_t)3);
	bits = bits >> 3 | bits << 61;
	memcpy(&real, &bits, sizeof(real));
	return real;
}

/* As Float#inspect has it: 2.0, 1.0e+15, 1.0e-05. */
static void inspect_real(double real, char *buf, size_t size)
{
	char text[40];
	int precision = 0, exponent, n;

	if (real != real || real - real != 0) {
		snprintf(buf, size, "%s",
		         real != real ? "NaN"
		         : real < 0   ? "-Infinity"
		                      : "Infinity");
		return;
	}
	do
		snprintf(text, sizeof(text), "%.*e", precision, real);
	while (strtod(text, NULL) != real && ++precision < 17);
	exponent = atoi(strchr(text, 'e') + 1);
	if (exponent >= -4 && exponent < 15) {
		snprintf(buf, size, "%.*f", precision > exponent + 1 ? precision - exponent : 1,
		         real);
		return;
	}
	n = (int)(strchr(text, 'e') - text);
	snprintf(buf, size, "%.*s%se%c%02d", n, text, precision ? "" : ".0",
	         exponent < 0 ? '-' : '+', abs(exponent));
}

static void print_real(struct format *f, double real)
{
	char text[40];

	inspect_real(real, text, sizeof(text));
	scalar(f, text,
	       real - real == 0 ? json_object_new_double_s(real, text)
	                        : json_object_new_string(text));
}

/* Is it written without quotes: a name, perhaps of a variable or setter, or an operator? */
static bool is_plain_symbol(const char *text)
{
	static const char *const operators[] = {
		"+",  "-",  "*",   "/",   "%",  "**",  "==", "!=", "<", ">",
		"<=", ">=", "<=>", "===", "[]", "[]=", "<<", ">>", "!", "~",
		"=~", "!~", "+@",  "-@",  "&",  "|",   "^",  "`",  NULL
	};
	const char *p = text;

	for (size_t i = 0; operators[i]; i++)
		if (!strcmp(text, operators[i]))
			return true;
	p += strspn(p, "@$");
	if (!*p || isdigit((unsigned char)*p))
		return false;
	while (isalnum((unsigned char)*p) || *p == '_' || (unsigned char)*p >= 0x80)
		p++;
	return p > text && (!*p || (strchr("?!=", *p) && !p[1]));
}

/* With its colon, and in quotes where Ruby wants them. */
static void symbol_text(const char *name, char *buf, size_t size)
{
	if (size < 2)
		return;
	strcpy(buf, ":");
	if (is_plain_symbol(name))
		snprintf(buf + 1, size - 1, "%s", name);
	else
		sink_quote(name, strlen(name), buf + 1, size - 1);
}

static int print_symbol(struct format *f, uint64_t value)
{
	char name[200], text[450];

	if (ruby_symbol_text(f, value, name, sizeof(name)))
		snprintf(text, sizeof(text), "#<Symbol 0x%" PRIx64 ">", value);
	else
		symbol_text(name, text, sizeof(text));
	word(f, text);
	return 0;
}

/* nil, true, false: its text; NULL: it is none of them. */
static int word_of(struct format *f, uint64_t value, const char **ret)
{
	static const struct {
		const char *constant, *text;
	} words[] = { { "RUBY_Qnil", "nil" },
		      { "RUBY_Qfalse", "false" },
		      { "RUBY_Qtrue", "true" },
		      { "RUBY_Qundef", "undef" } };
	uint64_t is;
	int rc;

	*ret = NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !*ret; i++) {
		rc = ruby_number(f, 0, words[i].constant, &is);
		if (rc)
			return rc;
		if (is == value)
			*ret = words[i].text;
	}
	return 0;
}

static bool is_fixnum(struct format *f, uint64_t value)
{
	uint64_t is;

	return !ruby_number(f, value, "i & RUBY_FIXNUM_FLAG", &is) && is;
}

static bool is_flonum(struct format *f, uint64_t value)
{
	uint64_t is;

	return !ruby_number(f, value, "(i & RUBY_FLONUM_MASK) == RUBY_FLONUM_FLAG", &is) && is;
}

/* nil, true, false, 1, 1.5, :a. -ENOENT: an object on the heap. */
static int print_immediate(struct format *f, uint64_t value)
{
	const char *text;
	uint64_t is;
	int rc = word_of(f, value, &text);

	if (rc)
		return rc;
	if (text) {
		scalar(f, text,
		       *text == 'n'   ? NULL
		       : *text == 'u' ? json_object_new_string(text)
		                      : json_object_new_boolean(*text == 't'));
		return 0;
	}
	if (is_fixnum(f, value)) {
		printer_integer(f, (int64_t)value >> 1);
		return 0;
	}
	if (is_flonum(f, value)) {
		print_real(f, flonum(value));
		return 0;
	}
	if (!ruby_number(f, value, "(i & 0xff) == RUBY_SYMBOL_FLAG", &is) && is)
		return print_symbol(f, value);
	return -ENOENT;
}

static void print_one(struct format *f, const struct ctype *type, uint64_t value)
{
	struct expr_value v = { .type = type, .integer = value };

	format_any(f, &v);
}

static int print_array(struct format *f, const struct ctype *type, uint64_t value)
{
	uint64_t address, length, element;
	char note[64];
	int rc = ruby_array(f, value, &address, &length);

	if (rc)
		return rc;
	f->sink->ops->open(f->sink, SINK_ARRAY, "Array", length <= 8);
	f->nest++;
	for (uint64_t i = 0; i < length && i < f->opts.elements_max; i++) {
		f->sink->ops->entry(f->sink, i, i);
		if (format_read(f, address + 8 * i, &element, sizeof(element)))
			format_failure(f, "cannot be read");
		else
			print_one(f, type, element);
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (length > f->opts.elements_max) {
		snprintf(note, sizeof(note), "%u of %" PRIu64, f->opts.elements_max, length);
		f->sink->ops->note(f->sink, note);
	}
	return 0;
}

struct pairs {
	const struct ctype *type;
	uint64_t shown;
};

/* A Float that does not fit into a VALUE. */
static int heap_real(struct format *f, uint64_t value, double *ret)
{
	uint64_t address;

	if (!ruby_is(f, value, "RUBY_T_FLOAT"))
		return -EBADMSG;
	return ruby_number(f, value, "(unsigned long)&((struct RFloat *)i)->float_value", &address)
	           ?: format_read(f, address, ret, sizeof(*ret));
}

/* A key's text: Symbols in JSON without their colon, Arrays, Hashes and other objects by their class. */
static void key_text(struct format *f, const struct ctype *type, uint64_t key, char *buf,
                     size_t size)
{
	struct expr_value v = { .type = type, .integer = key };
	const char *fixed;
	char text[200];
	double real;

	if (ruby_is(f, key, "RUBY_T_STRING")) {
		printer_key(f, &v, buf, size);
	} else if (!word_of(f, key, &fixed) && fixed) {
		snprintf(buf, size, "%s", fixed);
	} else if (is_fixnum(f, key)) {
		snprintf(buf, size, "%" PRId64, (int64_t)key >> 1);
	} else if (is_flonum(f, key)) {
		inspect_real(flonum(key), buf, size);
	} else if (!heap_real(f, key, &real)) {
		inspect_real(real, buf, size);
	} else if (ruby_is(f, key, "RUBY_T_CLASS") || ruby_is(f, key, "RUBY_T_MODULE")) {
		ruby_class_text(f, key, buf, size);
	} else if (!ruby_symbol_text(f, key, text, sizeof(text))) {
		if (f->sink->is_json)
			snprintf(buf, size, "%s", text);
		else
			symbol_text(text, buf, size);
	} else if (!ruby_class_of_text(f, key, text, sizeof(text))) {
		snprintf(buf, size, "#<%s 0x%016" PRIx64 ">", text, key);
	} else {
		snprintf(buf, size, "0x%" PRIx64, key);
	}
}

static int print_pair(struct format *f, uint64_t key, uint64_t value, void *arg)
{
	struct pairs *pairs = arg;
	char text[1024];

	if (pairs->shown++ >= f->opts.elements_max)
		return 1;
	key_text(f, pairs->type, key, text, sizeof(text));
	f->sink->ops->key(f->sink, text);
	print_one(f, pairs->type, value);
	return 0;
}

static int print_hash(struct format *f, const struct ctype *type, uint64_t value)
{
	struct pairs pairs = { type, 0 };
	char label[48];
	uint64_t size;
	int rc = ruby_hash_size(f, value, &size);

	if (rc)
		return rc;
	snprintf(label, sizeof(label), "Hash, %" PRIu64 "%s", size,
	         size == 1 ? " pair:" : " pairs:");
	f->sink->ops->open(f->sink, SINK_MAP, label, false);
	f->nest++;
	rc = ruby_hash_each(f, value, print_pair, &pairs);
	f->nest--;
	f->sink->ops->close(f->sink);
	if (rc)
		f->sink->ops->note(f->sink, rc > 0 ? "more follow" : "the rest cannot be read");
	return 0;
}

static int print_object(struct format *f, uint64_t value)
{
	char name[200], text[260];
	double real;

	if (ruby_is(f, value, "RUBY_T_CLASS") || ruby_is(f, value, "RUBY_T_MODULE")) {
		if (ruby_class_text(f, value, name, sizeof(name)))
			return -EBADMSG;
		word(f, name);
		return 0;
	}
	if (!heap_real(f, value, &real)) {
		print_real(f, real);
		return 0;
	}
	if (ruby_class_of_text(f, value, name, sizeof(name)))
		return -EBADMSG;
	snprintf(text, sizeof(text), "#<%s 0x%016" PRIx64 ">", name, value);
	word(f, text);
	return 0;
}

static int print_heap(struct format *f, const struct ctype *type, uint64_t value)
{
	uint64_t address, length;

	if (ruby_is(f, value, "RUBY_T_STRING")) {
		int rc = ruby_string(f, value, &address, &length);

		if (!rc)
			format_bytes(f, 0, address, length);
		return rc;
	}
	if (ruby_is(f, value, "RUBY_T_SYMBOL"))
		return print_symbol(f, value);
	if (ruby_is(f, value, "RUBY_T_ARRAY") || ruby_is(f, value, "RUBY_T_HASH")) {
		if (format_seen(f, value, type)) {
			word(f, "...");
			f->sink->ops->note(f->sink, "shown above");
			return 0;
		}
		return ruby_is(f, value, "RUBY_T_ARRAY") ? print_array(f, type, value)
		                                         : print_hash(f, type, value);
	}
	return print_object(f, value);
}

static int print(struct format *f, const struct expr_value *it)
{
	uint64_t value;
	int rc = format_number(f, it, 0, "it", &value);

	rc = rc ?: print_immediate(f, value);
	return rc == -ENOENT ? print_heap(f, it->type, value) : rc;
}

const struct printer printer_ruby_value = {
	.name = "ruby.VALUE",
	.types = (const char *const[]){ "VALUE", NULL },
	.print = print,
};
