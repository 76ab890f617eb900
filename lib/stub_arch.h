/* SPDX-License-Identifier: MIT */
/*
 * What stub_elf.c has to know about a processor. One file per processor implements it:
 * arch/NAME/stub.c.
 */
#ifndef WEIR_LIB_STUB_ARCH_H
#define WEIR_LIB_STUB_ARCH_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a thunk and of a site, and their alignment: so no site crosses a page. */
#define STUB_SLOT        16
#define STUB_OPERAND_MAX 32
#define STUB_EXTEND_MAX  24

struct stub_arch {
	uint16_t machine;      /* e_machine */
	uint16_t page;         /* log2 of the largest page size */
	uint8_t return_column; /* DWARF register of the return address */
	uint8_t code_align;    /* DWARF code alignment factor */
	uint8_t cfi_size;
	uint8_t cfi[8];    /* where caller and return address are, at every instruction */
	uint8_t fill;      /* byte between code */
	uint32_t property; /* pr_type of .note.gnu.property, 0: none */
	uint32_t features; /* its value */
};

extern const struct stub_arch stub_arch;

/* A slot of code at link address `address` that loads block[0] and jumps to block[1]. */
void stub_arch_thunk(uint8_t slot[STUB_SLOT], uint64_t address, uint64_t block);
/* A slot of code that does nothing and returns. */
void stub_arch_site(uint8_t slot[STUB_SLOT]);
/*
 * Code that sign-extends C parameter number `index` (a uint64_t whose low `size` bytes count, 1 or
 * 2) in its place, and a jump from link address `address` to `to`. Both return their length.
 */
size_t stub_arch_extend(uint8_t code[STUB_EXTEND_MAX], unsigned int index, int size);
size_t stub_arch_jump(uint8_t code[STUB_EXTEND_MAX], uint64_t address, uint64_t to);
/*
 * The SDT operand of C parameter number `index` (all uint64_t) at entry to a function, of which
 * the low `size` bytes count. Returns its length.
 */
size_t stub_arch_operand(char operand[STUB_OPERAND_MAX], unsigned int index, int size);

#endif
