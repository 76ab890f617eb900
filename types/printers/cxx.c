/* SPDX-License-Identifier: MIT */
/*
 * libstdc++'s string, string_view and vector. Types of C++ have mangled names in
 * BTF: `<` is _L, `,` is _C, `>` is _R, `::` is two underscores (docs/types.md).
 */
#include "types/printers/printers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT_MAX (1u << 28) /* elements, before it is taken for garbage */

static int print_string(struct format *f, const struct expr_value *it)
{
	uint64_t address, length, ignored;
	int rc = format_number(f, it, 0, "(unsigned long)it._M_dataplus._M_p", &address);

	/* clang leaves the type of this member out: it is an allocator of no size, and the pointer. */
	if (rc)
		rc = format_number(f, it, 0, "*(unsigned long *)&it._M_dataplus", &address);
	rc = rc ?: format_number(f, it, 0, "it._M_string_length", &length);

	/* Is it one at all? Its last byte and its NUL have to be there. */
	rc = rc ?: format_read(f, address + length, &ignored, 1);
	if (!rc)
		format_bytes(f, 0, address, length);
	return rc;
}

const struct printer printer_cxx_string = {
	.name = "libstdc++.string",
	.types = (const char *const[]){ "std____cxx11__basic_string_Lchar_*", NULL },
	.print = print_string,
};

static int print_view(struct format *f, const struct expr_value *it)
{
	uint64_t address, length;
	int rc = format_number(f, it, 0, "(unsigned long)it._M_str", &address)
	             ?: format_number(f, it, 0, "it._M_len", &length);

	if (!rc)
		format_bytes(f, 0, address, length);
	return rc;
}

const struct printer printer_cxx_string_view = {
	.name = "libstdc++.string_view",
	.types = (const char *const[]){ "std__basic_string_view_Lchar_*", NULL },
	.print = print_view,
};

static int print_vector(struct format *f, const struct expr_value *it)
{
	struct expr_value start, elements = { .lvalue = true };
	uint64_t count;
	char label[64];
	int rc = format_number(f, it, 0, "it._M_impl._M_finish - it._M_impl._M_start", &count) ?:
		 format_eval(f, it, 0, "it._M_impl._M_start", &start) ?:
		 expr_load(f->memory, &start, &start);

	if (rc)
		return rc;
	if (count > COUNT_MAX)
		return -EBADMSG;
	elements.type = ctype_array(f->names->types, ctype_to(f->names->types, start.type), count);
	elements.address = start.integer;
	if (!count) {
		snprintf(label, sizeof(label), "vector, empty:");
		f->sink->ops->open(f->sink, SINK_ARRAY, label, true);
		f->sink->ops->close(f->sink);
		return 0;
	}
	format_plain(f, &elements);
	return 0;
}

const struct printer printer_cxx_vector = {
	.name = "libstdc++.vector",
	.types = (const char *const[]){ "std__vector_L*", NULL },
	.print = print_vector,
};
