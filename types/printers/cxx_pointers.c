/* SPDX-License-Identifier: MIT */
/* libstdc++'s unique_ptr and shared_ptr as what they point to, optional as its value. */
#include "types/printers/printers.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define BASES_MAX 12 /* nested bases and members on the way to a tuple's first element */

/* A unique_ptr is a tuple of pointer and deleter, both of which have a base named _Head_base:
 * number 0 is the pointer's. */
static int find_head(struct format *f, const struct ctype *type, int depth, struct ctype_field *ret,
                     uint64_t *offset)
{
	/* gcc's and clang's way to write the number */
	static const char *const heads[] = { "std___Head_base_L0_C", "std___Head_base_L0UL_C" };
	struct ctype_field field;
	const char *tag;

	if (!ctype_is_record(type) || depth > BASES_MAX)
		return -ENOENT;
	for (uint32_t i = 0; i < ctype_fields(type); i++) {
		if (ctype_field(f->names->types, type, i, &field))
			continue;
		tag = ctype_base_tag(field.type);
		if (!strncmp(tag, heads[0], strlen(heads[0])) ||
		    !strncmp(tag, heads[1], strlen(heads[1]))) {
			*offset += field.bit_offset / 8;
			return ctype_find_field(f->names->types, field.type, "_M_head_impl", ret);
		}
		if (!find_head(f, field.type, depth + 1, ret, offset)) {
			*offset += field.bit_offset / 8;
			return 0;
		}
	}
	return -ENOENT;
}

static int print_pointer(struct format *f, const struct expr_value *object)
{
	struct expr_value pointer;
	int rc = expr_load(f->memory, object, &pointer);

	if (!rc)
		format_pointer(f, &pointer, f->nest == 0 || f->depth < f->opts.depth);
	return rc;
}

static int print_unique(struct format *f, const struct expr_value *it)
{
	struct expr_value pointer = { .lvalue = true };
	struct ctype_field field;
	uint64_t offset = 0;
	int rc = find_head(f, it->type, 0, &field, &offset);

	if (rc)
		return rc;
	if (field.type->kind != CTYPE_POINTER || !it->lvalue)
		return -ENOTSUP; /* a deleter may have another kind of pointer */
	pointer.type = field.type;
	pointer.address = it->address + offset + field.bit_offset / 8;
	return print_pointer(f, &pointer);
}

const struct printer printer_cxx_unique_ptr = {
	.name = "libstdc++.unique_ptr",
	.types = (const char *const[]){ "std__unique_ptr_L*", NULL },
	.print = print_unique,
};

static int print_shared(struct format *f, const struct expr_value *it)
{
	struct expr_value pointer;
	uint64_t uses = 0, count;
	char note[64];
	int rc = format_eval(f, it, 0, "it._M_ptr", &pointer)
	             ?: format_number(f, it, 0, "(unsigned long)it._M_refcount._M_pi", &count);

	if (!rc && count)
		rc = format_number(f, it, 0, "it._M_refcount._M_pi->_M_use_count", &uses);
	rc = rc ?: print_pointer(f, &pointer);
	if (rc)
		return rc;
	snprintf(note, sizeof(note), "used %" PRIu64 " times", uses);
	if (count)
		f->sink->ops->note(f->sink, uses == 1 ? "used once" : note);
	return 0;
}

const struct printer printer_cxx_shared_ptr = {
	.name = "libstdc++.shared_ptr",
	.types = (const char *const[]){ "std__shared_ptr_L*", "std__weak_ptr_L*", NULL },
	.print = print_shared,
};

static int print_optional(struct format *f, const struct expr_value *it)
{
	struct expr_value value;
	uint64_t engaged;
	int rc = format_number(f, it, 0, "it._M_payload._M_engaged", &engaged)
	             ?: format_eval(f, it, 0, "it._M_payload._M_payload._M_value", &value);

	if (rc)
		return rc;
	if (engaged)
		format_any(f, &value);
	else
		f->sink->ops->scalar(f->sink, "nullopt", NULL);
	return 0;
}

const struct printer printer_cxx_optional = {
	.name = "libstdc++.optional",
	.types = (const char *const[]){ "std__optional_L*", NULL },
	.print = print_optional,
};
