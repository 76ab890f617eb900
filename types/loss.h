/* SPDX-License-Identifier: MIT */
/* What a conversion could not express, counted. */
#ifndef WEIR_TYPES_LOSS_H
#define WEIR_TYPES_LOSS_H

#include <stdbool.h>
#include <stdint.h>

enum loss {
	LOSS_DANGLING,      /* a reference to an entry that is not there */
	LOSS_NO_TYPE,       /* a member or variable whose type is not there */
	LOSS_VIRTUAL_BASE,  /* its offset is in the object */
	LOSS_COMPUTED,      /* a member whose place is computed at run time */
	LOSS_BASE_TYPE,     /* a base type BTF has no word for */
	LOSS_BYTE_ORDER,    /* of a scalar in the other byte order */
	LOSS_TAG,           /* a kind of type BTF has no word for */
	LOSS_VARIANT,       /* variant part of another form than Rust's */
	LOSS_DEEP_BITFIELD, /* a bit-field beyond 2 MiB */
	LOSS_HUGE,          /* larger than BTF's 4 GiB, 65,535 members */
	LOSS_CIRCLE,        /* a pointer or typedef that leads to itself only */
	LOSS_SPLIT,         /* a .dwo file that is not there */
	NOTE_SECTION,       /* BTF's list of a section's variables */
	NOTE_TAGGED,        /* attributes btf_decl_tag, btf_type_tag */
	NOTE_VLA,           /* array whose length is computed at run time: 0 */
	NOTE_ATOMIC,        /* the type without it */
	NOTE_COMPLEX,       /* complex -> struct of two */
	NOTE_VECTOR,        /* vector -> array */
	NOTE_REFERENCE,     /* C++ reference -> pointer */
	NOTE_MEMBER_POINTER,
	NOTE_NICHE,    /* Rust enum with a variant that has no value of its own */
	NOTE_UNMERGED, /* every record is a type of its own (merge_classes.c) */
	LOSS_COUNT,
};

struct losses {
	uint64_t now; /* orders examples: the origin of what is being converted */
	struct {
		uint64_t count;
		char *example;
		uint64_t since; /* `now` of the example */
	} list[LOSS_COUNT];
};

/* `example` may be NULL; the first one is kept. */
void loss_add(struct losses *losses, enum loss loss, const char *example);
/* Add what another worker counted. */
void losses_add(struct losses *losses, const struct losses *more);
void losses_deinit(struct losses *losses);
const char *loss_text(enum loss loss);
bool loss_is_note(enum loss loss);

#endif
