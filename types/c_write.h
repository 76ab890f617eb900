/* SPDX-License-Identifier: MIT */
/*
 * BTF as C that a compiler gives the same layouts: sizes, offsets, bits of bit-fields, values.
 *
 * `gcc -std=gnu11` and clang compile it, on 64-bit System V machines. What C has no words for is left
 * out or said in others, and counted.
 */
#ifndef WEIR_TYPES_C_WRITE_H
#define WEIR_TYPES_C_WRITE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct btf;

enum c_loss {
	C_LOSS_DECLARED, /* a member whose type is only declared */
	C_LOSS_BEYOND,   /* a member that reaches beyond the end of its struct */
	C_LOSS_PLACE, /* a member where C can have none: a fraction of a byte that is no bit-field */
	C_LOSS_CIRCLE,     /* a type whose definition would have to come before itself */
	C_LOSS_ENUMERATOR, /* a value that its enum's size does not hold */
	C_LOSS_COUNT,
};

struct c_losses {
	struct {
		size_t count;
		char example[256]; /* STRUCT.MEMBER: the first one */
	} list[C_LOSS_COUNT];
};

/* "members of types that are only declared are left out". */
const char *c_loss_text(enum c_loss loss);

/*
 * The types `ids` and what they need; all that have a name, and the enumerators of enums that nothing
 * leads to, if `ids` is NULL. The BTF is sound (btf_check()). 0; -ENOMEM; -E2BIG: types without a name
 * contain each other so often that the text would not end; an error of `out` is left to the caller.
 */
int c_write(const struct btf *btf, const uint32_t *ids, size_t count, FILE *out,
            struct c_losses *ret);

#endif
