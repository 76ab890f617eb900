/* SPDX-License-Identifier: MIT */
/*
 * The stub's code under AAPCS64. The site is `nop; ret`: there is no fast path to aim at. x16 and
 * x17 are the registers that a linker's veneer may use.
 */
#include "lib/stub_arch.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

const struct stub_arch stub_arch = {
	.machine = EM_AARCH64,
	.page = 16,
	.return_column = 30,
	.code_align = 4,
	/* DW_CFA_def_cfa sp, 0; the return address stays in x30 */
	.cfi = { 0x0c, 31, 0 },
	.cfi_size = 3,
	.fill = 0,
};

void stub_arch_thunk(uint8_t slot[STUB_SLOT], uint64_t address, uint64_t block)
{
	uint64_t pages = (block >> 12) - (address >> 12);
	uint32_t low = (uint32_t)(block & 0xfff);
	uint32_t code[4];

	/* adrp x17, block */
	code[0] =
	    0x90000011u | (uint32_t)(pages & 3) << 29 | (uint32_t)((pages >> 2) & 0x7ffff) << 5;
	/* add x17, x17, #low */
	code[1] = 0x91000231u | low << 10;
	/* ldp x16, x17, [x17]: x16 is the context, x17 the entry */
	code[2] = 0xa9404630u;
	/* br x17 */
	code[3] = 0xd61f0220u;
	memcpy(slot, code, sizeof(code));
}

void stub_arch_site(uint8_t slot[STUB_SLOT])
{
	static const uint32_t code[] = { 0xd503201fu /* nop */, 0xd65f03c0u /* ret */ };

	memcpy(slot, code, sizeof(code));
}

size_t stub_arch_extend(uint8_t code[STUB_EXTEND_MAX], unsigned int index, int size)
{
	uint32_t offset = 8 * (index - 8);
	uint32_t words[2];

	if (index < 8) {
		/* sxtb or sxth xN, wN */
		words[0] = (size == 2 ? 0x93403c00u : 0x93401c00u) | index << 5 | index;
		memcpy(code, words, 4);
		return 4;
	}
	/* ldrsb or ldrsh x16, [sp, offset]; str x16, [sp, offset] */
	words[0] = size == 2 ? 0x798003f0u | (offset / 2) << 10 : 0x398003f0u | offset << 10;
	words[1] = 0xf90003f0u | (offset / 8) << 10;
	memcpy(code, words, sizeof(words));
	return sizeof(words);
}

size_t stub_arch_jump(uint8_t code[STUB_EXTEND_MAX], uint64_t address, uint64_t to)
{
	uint32_t branch = 0x14000000u | ((uint32_t)((to - address) >> 2) & 0x3ffffff);

	memcpy(code, &branch, sizeof(branch));
	return sizeof(branch);
}

size_t stub_arch_operand(char operand[STUB_OPERAND_MAX], unsigned int index, int size)
{
	(void)size; /* the number before the @ says it */
	if (index < 8)
		return (size_t)snprintf(operand, STUB_OPERAND_MAX, "x%u", index);
	if (index == 8)
		return (size_t)snprintf(operand, STUB_OPERAND_MAX, "[sp]");
	return (size_t)snprintf(operand, STUB_OPERAND_MAX, "[sp, %u]", 8 * (index - 8));
}
