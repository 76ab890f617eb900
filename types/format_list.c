/* SPDX-License-Identifier: MIT */
#include "types/format_private.h"
#include "types/expr_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How to get from one element to the next. */
struct walk {
	char next[160]; /* an expression over `it` */
	uint64_t back;  /* the member points into the next element: so far from its start */
	const struct ctype *record;
};

/* "node.next" points to a node inside of the next element: the element is `back` bytes before. */
static int plan(struct format *f, const struct ctype *record, const char *member, struct walk *w,
                struct expr_error *err)
{
	struct ctype_field field = { .type = record };
	const struct ctype *to, *owner = record;
	uint64_t offset = 0, owner_offset = 0;
	const char *p = member;
	char part[80];
	size_t n;

	for (; *p; p += *p == '.') {
		n = strcspn(p, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, p);
		if (ctype_find_field(f->names->types, field.type, part, &field))
			return expr_fail(err, -ENOENT, 0, 1, "--list %s: there is no member `%s`",
			                 member, part);
		owner_offset = offset;
		offset += field.bit_offset / 8;
		p += n;
		if (*p)
			owner = field.type;
	}
	if (field.type->kind != CTYPE_POINTER)
		return expr_fail(err, -EINVAL, 0, 1, "--list %s: the member is not a pointer",
		                 member);
	to = ctype_to(f->names->types, field.type);
	if (to == record || ctype_same(f->names->types, to, record) || to->kind == CTYPE_VOID ||
	    to->kind == CTYPE_INCOMPLETE)
		w->back = 0;
	else if (owner != record && ctype_same(f->names->types, to, owner))
		w->back = owner_offset;
	else
		return expr_fail(
		    err, -EINVAL, 0, 1,
		    "--list %s: it points neither to the same struct nor to its part `%.*s`",
		    member, (int)(strrchr(member, '.') ? strrchr(member, '.') - member : 0),
		    member);
	snprintf(w->next, sizeof(w->next), "it.%s", member);
	w->record = record;
	return 0;
}

static void walk(struct format *f, const struct walk *w, uint64_t address)
{
	struct expr_value it = { .type = w->record, .lvalue = true };
	uint64_t n = 0, next, each = 1;
	uint32_t before;
	const char *end = NULL;
	char text[64];
	int rc;

	f->sink->ops->open(f->sink, SINK_ARRAY, NULL, false);
	f->nest++;
	for (; address; address = next, n++) {
		/* Whole elements only: what one has is known from the one before. */
		if (n == f->opts.elements_max || f->values + each > f->opts.values_max) {
			end = "more follow";
			break;
		}
		if (format_seen(f, address, w->record)) {
			end = n > 1 ? "then again one that is shown above" : NULL;
			break;
		}
		it.address = address;
		snprintf(text, sizeof(text), "0x%" PRIx64, address);
		f->sink->ops->entry(f->sink, n, n);
		f->sink->ops->pointer(f->sink, text, format_address_json(f, address));
		before = f->values;
		f->followed = true;
		format_any(f, &it);
		f->followed = false;
		if (f->values - before > each)
			each = f->values - before;
		rc = format_number(f, &it, 0, w->next, &next);
		if (rc) {
			end = "the next one cannot be read";
			break;
		}
		next = next ? next - w->back : 0;
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (end)
		f->sink->ops->note(f->sink, end);
}

int format_list(struct format *f, struct sink *to, const struct expr_value *value,
                const char *member, struct expr_error *err)
{
	const struct ctype *record = value->type;
	struct expr_value v;
	struct walk w;
	int rc = expr_load(f->memory, value, &v);

	if (rc)
		return expr_fail(err, rc, 0, 1, "the list's start cannot be read");
	if (record->kind == CTYPE_POINTER || record->kind == CTYPE_ARRAY)
		record = ctype_to(f->names->types, record);
	if (!ctype_is_record(record))
		return expr_fail(err, -EINVAL, 0, 1, "--list wants a struct or a pointer to one");
	rc = plan(f, record, member, &w, err);
	if (rc)
		return rc;
	format_begin(f, to);
	walk(f, &w, value->type->kind == CTYPE_POINTER ? v.integer : v.address);
	return 0;
}
