/* SPDX-License-Identifier: MIT */
#include "types/loss.h"

#include <stdlib.h>
#include <string.h>

static const char *const texts[LOSS_COUNT] = {
	[LOSS_DANGLING] = "reference to an entry that is not in the file",
	[LOSS_NO_TYPE] = "member or variable whose type is not in the file",
	[LOSS_VIRTUAL_BASE] = "virtual base class (its offset is known at run time only)",
	[LOSS_COMPUTED] = "member whose offset is computed at run time",
	[LOSS_BASE_TYPE] = "base type that BTF has no word for",
	[LOSS_BYTE_ORDER] = "scalar in the other byte order",
	[LOSS_TAG] = "kind of type that BTF has no word for",
	[LOSS_VARIANT] = "variant part of an unknown form",
	[LOSS_DEEP_BITFIELD] =
	    "bit-field more than 2 MiB into its struct, or member that far behind one",
	[LOSS_HUGE] = "type beyond BTF's limits of size or member count",
	[LOSS_CIRCLE] = "pointer or typedef that leads to itself only (it leads to void)",
	[LOSS_SPLIT] = "unit whose .dwo file is missing",
	[NOTE_SECTION] = "list of a section's variables, which is right in the kernel only",
	[NOTE_TAGGED] = "unit whose btf_decl_tag and btf_type_tag attributes are left out",
	[NOTE_VLA] = "array whose length is computed at run time (length 0)",
	[NOTE_ATOMIC] = "_Atomic (the type without it; its layout is the same)",
	[NOTE_COMPLEX] = "complex number (a struct of real and imag)",
	[NOTE_VECTOR] = "vector (an array)",
	[NOTE_REFERENCE] = "C++ reference (a pointer with type tag \"&\")",
	[NOTE_MEMBER_POINTER] = "C++ pointer to member (an opaque struct)",
	[NOTE_UNMERGED] = "merge given up: each unit has its types on its own, the BTF is larger",
	[NOTE_NICHE] = "enum with a variant that has no discriminant of its own",
};

/* The example that came first is kept. */
static void add(struct losses *l, int loss, uint64_t count, const char *example, uint64_t since)
{
	l->list[loss].count += count;
	if (!example || !*example || (l->list[loss].example && l->list[loss].since <= since))
		return;
	free(l->list[loss].example);
	l->list[loss].example = strdup(example);
	l->list[loss].since = since;
}

void loss_add(struct losses *l, enum loss loss, const char *example)
{
	add(l, loss, 1, example, l->now);
}

void losses_add(struct losses *l, const struct losses *more)
{
	for (int i = 0; i < LOSS_COUNT; i++)
		add(l, i, more->list[i].count, more->list[i].example, more->list[i].since);
}

void losses_deinit(struct losses *l)
{
	for (int i = 0; i < LOSS_COUNT; i++)
		free(l->list[i].example);
	memset(l, 0, sizeof(*l));
}

const char *loss_text(enum loss loss)
{
	return texts[loss];
}

bool loss_is_note(enum loss loss)
{
	return loss >= NOTE_SECTION;
}
