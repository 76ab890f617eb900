/* SPDX-License-Identifier: MIT */
/*
 * The layout of every struct, union, class and enum of a file, as libdw reads its DWARF: the
 * independent reader that layout_check.py holds the BTF against. No code of types/ is in it.
 *
 * usage: layouts FILE      prints a JSON array a line, each distinct one once:
 *
 *   ["struct", name, bytes, [[member, bit offset, bits or 0, bytes or -1, path, inner], ...]]
 *   ["enum", name, bytes, [[enumerator, value], ...]]
 *   ["typedef", name, inner]
 *   ["base", name]           a base type: BTF may need a struct to say it
 *   ["language", number]
 *
 * `inner` is the layout of a type without a name, which can only be spelled from where it is used;
 * `path` leads to it from the member ("*" for a pointer, "[" for an array). A class is a "struct".
 * A base class is a member named "<base>". Virtual bases and static members are left out.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INNER_MAX 32

/* --- what was printed already --- */

static uint64_t *seen;
static size_t seen_size, seen_used;

static uint64_t hash(const char *s, size_t size)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3ULL;
	return h ? h : 1;
}

static bool enter(uint64_t h)
{
	size_t at;

	if (seen_used * 2 >= seen_size) {
		size_t old_size = seen_size;
		uint64_t *old = seen;

		seen_size = old_size ? old_size * 2 : 1 << 16;
		seen = calloc(seen_size, sizeof(*seen));
		if (!seen)
			exit(2);
		seen_used = 0;
		for (size_t i = 0; i < old_size; i++) {
			if (old[i])
				enter(old[i]);
		}
		free(old);
	}
	for (at = h & (seen_size - 1); seen[at]; at = (at + 1) & (seen_size - 1)) {
		if (seen[at] == h)
			return false;
	}
	seen[at] = h;
	seen_used++;
	return true;
}

/* --- attributes --- */

static Dwarf_Attribute *attribute(Dwarf_Die *die, unsigned int name, Dwarf_Attribute *ret)
{
	return dwarf_attr(die, name, ret);
}

static bool flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute a;
	bool set = false;

	return attribute(die, name, &a) && !dwarf_formflag(&a, &set) && set;
}

static bool number(Dwarf_Die *die, unsigned int name, Dwarf_Word *ret)
{
	Dwarf_Attribute a;

	return attribute(die, name, &a) && !dwarf_formudata(&a, ret);
}

static bool referred(Dwarf_Die *die, unsigned int name, Dwarf_Die *ret)
{
	Dwarf_Attribute a;

	return attribute(die, name, &a) && dwarf_formref_die(&a, ret);
}

/* A definition outside of its class has its name where it was declared. */
static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_name, &a))
		name = dwarf_formstring(&a);
	return name ? name : "";
}

static void print_string(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

/* --- members --- */

static bool is_record(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return true;
	}
	return false;
}

static bool is_definition(Dwarf_Die *die)
{
	return (is_record(die) || dwarf_tag(die) == DW_TAG_enumeration_type) &&
	       !flag(die, DW_AT_declaration) && !dwarf_hasattr(die, DW_AT_signature);
}

/* A constant, or DWARF 2's and 3's "plus_uconst n"; false: computed at run time. */
static bool byte_offset(Dwarf_Die *die, Dwarf_Word *ret)
{
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	size_t count;

	*ret = 0;
	if (!attribute(die, DW_AT_data_member_location, &a))
		return true;
	if (!dwarf_formudata(&a, ret))
		return true;
	if (dwarf_getlocation(&a, &ops, &count) || count != 1 || ops[0].atom != DW_OP_plus_uconst)
		return false;
	*ret = ops[0].number;
	return true;
}

static int64_t size_of(Dwarf_Die *type)
{
	Dwarf_Word size;

	return dwarf_aggregate_size(type, &size) ? -1 : (int64_t)size;
}

/* DW_AT_bit_offset counts from the most significant bit of the storage unit. */
static bool bit_offset(Dwarf_Die *die, Dwarf_Die *type, Dwarf_Word bits, Dwarf_Word *ret)
{
	Dwarf_Word bytes, storage, from_top;
	Dwarf_Attribute a;
	Dwarf_Sword value;

	if (number(die, DW_AT_data_bit_offset, ret))
		return true;
	if (!byte_offset(die, &bytes))
		return false;
	*ret = bytes * 8;
	if (!attribute(die, DW_AT_bit_offset, &a) || dwarf_formsdata(&a, &value))
		return true;
	from_top = value;
	if (!number(die, DW_AT_byte_size, &storage))
		storage = size_of(type);
	*ret += storage * 8 - from_top - bits;
	return true;
}

static void print_record(FILE *f, Dwarf_Die *die, int depth);

static char *add_dimensions(Dwarf_Die *array, char *path, const char *end)
{
	Dwarf_Die child;

	if (dwarf_child(array, &child))
		return path;
	do {
		if (dwarf_tag(&child) == DW_TAG_subrange_type && path < end)
			*path++ = '[';
	} while (!dwarf_siblingof(&child, &child));
	return path;
}

/* The type without a name that `type` leads to, and how; false: it has names of its own. */
static bool find_inner(Dwarf_Die *type, char *path, Dwarf_Die *ret)
{
	const char *end = path + INNER_MAX;

	while (path < end) {
		switch (dwarf_tag(type)) {
		case DW_TAG_pointer_type:
		case DW_TAG_reference_type:
		case DW_TAG_rvalue_reference_type:
			*path++ = '*';
			break;
		case DW_TAG_array_type:
			path = add_dimensions(type, path, end);
			break;
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			break;
		default:
			*path = 0;
			*ret = *type;
			return is_record(type) && is_definition(type) && !*name_of(type);
		}
		if (!referred(type, DW_AT_type, type))
			break;
	}
	return false;
}

static void print_member(FILE *f, Dwarf_Die *die, bool base, int depth, bool *comma)
{
	char path[INNER_MAX + 1];
	Dwarf_Word offset = 0, bits = 0;
	Dwarf_Die type, inner;
	int64_t size = -1;

	if (!base && (flag(die, DW_AT_external) || flag(die, DW_AT_declaration)))
		return;
	if (!referred(die, DW_AT_type, &type))
		return;
	size = size_of(&type);
	if (number(die, DW_AT_bit_size, &bits)) {
		if (!bit_offset(die, &type, bits, &offset))
			return;
	} else if (!number(die, DW_AT_data_bit_offset, &offset)) {
		if (!byte_offset(die, &offset))
			return;
		offset *= 8;
	}
	fputs(*comma ? ", [" : "[", f);
	*comma = true;
	print_string(f, base ? "<base>" : name_of(die));
	fprintf(f, ", %llu, %llu, %lld, ", (unsigned long long)offset, (unsigned long long)bits,
	        (long long)size);
	if (depth < INNER_MAX && find_inner(&type, path, &inner)) {
		print_string(f, path);
		fputs(", ", f);
		print_record(f, &inner, depth + 1);
	} else {
		fputs("\"\", null", f);
	}
	putc(']', f);
}

static void print_record(FILE *f, Dwarf_Die *die, int depth)
{
	Dwarf_Word size = 0;
	bool comma = false;
	Dwarf_Die child;

	number(die, DW_AT_byte_size, &size);
	fprintf(f, "[\"%s\", ", dwarf_tag(die) == DW_TAG_union_type ? "union" : "struct");
	print_string(f, name_of(die));
	fprintf(f, ", %llu, [", (unsigned long long)size);
	if (!dwarf_child(die, &child)) {
		do {
			Dwarf_Word virtual;

			if (dwarf_tag(&child) == DW_TAG_member)
				print_member(f, &child, false, depth, &comma);
			else if (dwarf_tag(&child) == DW_TAG_inheritance &&
			         !number(&child, DW_AT_virtuality, &virtual))
				print_member(f, &child, true, depth, &comma);
		} while (!dwarf_siblingof(&child, &child));
	}
	fputs("]]", f);
}

/* What is not of a signed form is as long as it has to be for a value that is not negative. */
static bool value_of(Dwarf_Die *die, int64_t *ret)
{
	Dwarf_Attribute a;

	if (!attribute(die, DW_AT_const_value, &a))
		return false;
	switch (dwarf_whatform(&a)) {
	case DW_FORM_sdata:
	case DW_FORM_implicit_const:
		return !dwarf_formsdata(&a, ret);
	}
	return !dwarf_formudata(&a, (Dwarf_Word *)ret);
}

static void print_enum(FILE *f, Dwarf_Die *die)
{
	Dwarf_Word size = 0;
	bool comma = false;
	Dwarf_Die child;

	number(die, DW_AT_byte_size, &size);
	fputs("[\"enum\", ", f);
	print_string(f, name_of(die));
	fprintf(f, ", %llu, [", (unsigned long long)size);
	if (!dwarf_child(die, &child)) {
		do {
			int64_t value;

			if (dwarf_tag(&child) != DW_TAG_enumerator || !value_of(&child, &value))
				continue;
			fputs(comma ? ", [" : "[", f);
			comma = true;
			print_string(f, name_of(&child));
			fprintf(f, ", %lld]", (long long)value);
		} while (!dwarf_siblingof(&child, &child));
	}
	fputs("]]", f);
}

/* --- the walk --- */

static char *line;
static size_t line_size;
static FILE *line_file;

static void flush_line(void)
{
	fflush(line_file);
	if (enter(hash(line, ftell(line_file)))) {
		fwrite(line, 1, ftell(line_file), stdout);
		putchar('\n');
	}
	rewind(line_file);
}

static void show(Dwarf_Die *die)
{
	char path[INNER_MAX + 1];
	Dwarf_Die type, inner;

	if (dwarf_tag(die) == DW_TAG_typedef) {
		if (!referred(die, DW_AT_type, &type) || !find_inner(&type, path, &inner) || *path)
			return;
		fputs("[\"typedef\", ", line_file);
		print_string(line_file, name_of(die));
		fputs(", ", line_file);
		print_record(line_file, &inner, 0);
		putc(']', line_file);
		flush_line();
	} else if (dwarf_tag(die) == DW_TAG_base_type) {
		fputs("[\"base\", ", line_file);
		print_string(line_file, name_of(die));
		putc(']', line_file);
		flush_line();
	} else if (is_definition(die)) {
		if (dwarf_tag(die) == DW_TAG_enumeration_type)
			print_enum(line_file, die);
		else
			print_record(line_file, die, 0);
		flush_line();
	}
}

static void show_language(Dwarf_Die *unit)
{
	fprintf(line_file, "[\"language\", %d]", dwarf_srclang(unit));
	flush_line();
}

static bool has_types_inside(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_compile_unit:
	case DW_TAG_partial_unit:
	case DW_TAG_type_unit:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_array_type:
	case DW_TAG_subroutine_type:
	case DW_TAG_formal_parameter:
		return true;
	}
	return false;
}

static void walk(Dwarf_Die *die, int depth)
{
	Dwarf_Die child;

	show(die);
	if (depth > 500 || !has_types_inside(die) || dwarf_child(die, &child))
		return;
	do
		walk(&child, depth + 1);
	while (!dwarf_siblingof(&child, &child));
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	Dwarf *dwarf = fd >= 0 ? dwarf_begin(fd, DWARF_C_READ) : NULL;
	Dwarf_CU *unit = NULL;
	Dwarf_Die die, sub;
	uint8_t type;
	size_t units = 0;
	int got = 0;

	if (!dwarf) {
		fprintf(stderr, "layouts: %s: no DWARF that libdw can read\n",
		        argc == 2 ? argv[1] : "usage: layouts FILE");
		return 2;
	}
	line_file = open_memstream(&line, &line_size);
	if (!line_file)
		return 2;
	while (!(got = dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, &sub))) {
		units++;
		show_language(dwarf_tag(&sub) != DW_TAG_invalid ? &sub : &die);
		walk(dwarf_tag(&sub) != DW_TAG_invalid ? &sub : &die, 0);
	}
	if (got < 0 || !units) {
		fprintf(stderr, "layouts: %s: %s\n", argv[1], dwarf_errmsg(-1));
		return 2;
	}
	dwarf_end(dwarf);
	return fflush(stdout) ? 2 : 0;
}
