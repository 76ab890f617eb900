/* SPDX-License-Identifier: MIT */
/*
 * The stub's code under the System V ABI.
 *
 * The site is `nop; nop10; ret`. Tools of today patch the one-byte nop; newer ones patch the nop10
 * behind it, which kernels from 7.2 on turn into a call (safe for the red zone). Both leave their
 * mark in the first two bytes, and both are gone again after the detach.
 */
#include "lib/stub_arch.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

/* not in musl's elf.h */
#ifndef GNU_PROPERTY_X86_FEATURE_1_AND
#define GNU_PROPERTY_X86_FEATURE_1_AND   0xc0000002
#define GNU_PROPERTY_X86_FEATURE_1_SHSTK 2
#endif

const struct stub_arch stub_arch = {
	.machine = EM_X86_64,
	.page = 12,
	.return_column = 16,
	.code_align = 1,
	/* DW_CFA_def_cfa rsp, 8; DW_CFA_offset rip at cfa-8: nothing here moves the stack pointer
	 */
	.cfi = { 0x0c, 7, 8, 0x80 | 16, 1 },
	.cfi_size = 5,
	.fill = 0xcc,
	/* fit for shadow stacks */
	.property = GNU_PROPERTY_X86_FEATURE_1_AND,
	.features = GNU_PROPERTY_X86_FEATURE_1_SHSTK,
};

static void put_distance(uint8_t *at, uint64_t from, uint64_t to)
{
	int32_t distance = (int32_t)(to - from);

	memcpy(at, &distance, sizeof(distance));
}

void stub_arch_thunk(uint8_t slot[STUB_SLOT], uint64_t address, uint64_t block)
{
	static const uint8_t code[] = {
		0x4c, 0x8b, 0x15, 0, 0, 0, 0, /* mov block(%rip), %r10 */
		0xff, 0x25, 0,    0, 0, 0,    /* jmp *block+8(%rip) */
	};

	memcpy(slot, code, sizeof(code));
	put_distance(slot + 3, address + 7, block);
	put_distance(slot + 9, address + 13, block + 8);
}

void stub_arch_site(uint8_t slot[STUB_SLOT])
{
	static const uint8_t code[] = {
		0x90,                                                       /* nop */
		0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, /* nop10 */
		0xc3,                                                       /* ret */
	};

	memcpy(slot, code, sizeof(code));
}

/* Of argument 6 from the stack pointer at the site: behind weir_entry_framed's frame. */
#define SITE_STACK 24

/* What is on the stack belongs to the callee, and rax to nobody. */
static size_t extend_on_stack(uint8_t *code, unsigned int index, int size)
{
	uint8_t load_and_store[] = {
		0x48, 0x0f, 0xbe, 0x84, 0x24, 0, 0, 0, 0, /* movsx offset(%rsp), %rax */
		0x48, 0x89, 0x84, 0x24, 0,    0, 0, 0,    /* mov %rax, offset(%rsp) */
	};
	uint32_t offset = 8 * (index - 6) + SITE_STACK;

	load_and_store[2] |= size == 2;
	memcpy(load_and_store + 5, &offset, sizeof(offset));
	memcpy(load_and_store + 13, &offset, sizeof(offset));
	memcpy(code, load_and_store, sizeof(load_and_store));
	return sizeof(load_and_store);
}

size_t stub_arch_extend(uint8_t code[STUB_EXTEND_MAX], unsigned int index, int size)
{
	/* numbers of rdi, rsi, rdx, rcx, r8, r9 */
	static const uint8_t registers[] = { 7, 6, 2, 1, 8, 9 };

	if (index >= sizeof(registers))
		return extend_on_stack(code, index, size);
	/* movsx of a register to itself */
	code[0] = registers[index] < 8 ? 0x48 : 0x4d;
	code[1] = 0x0f;
	code[2] = size == 2 ? 0xbf : 0xbe;
	code[3] = (uint8_t)(0xc0 | (registers[index] & 7) << 3 | (registers[index] & 7));
	return 4;
}

size_t stub_arch_jump(uint8_t code[STUB_EXTEND_MAX], uint64_t address, uint64_t to)
{
	code[0] = 0xe9;
	put_distance(code + 1, address + 5, to);
	return 5;
}

size_t stub_arch_operand(char operand[STUB_OPERAND_MAX], unsigned int index, int size)
{
	/* by log2 of the size; gdb has another name for r8b and r9b */
	static const char *const registers[][4] = {
		{ "dil", "di", "edi", "rdi" }, { "sil", "si", "esi", "rsi" },
		{ "dl", "dx", "edx", "rdx" },  { "cl", "cx", "ecx", "rcx" },
		{ "r8d", "r8w", "r8d", "r8" }, { "r9d", "r9w", "r9d", "r9" },
	};
	const size_t in_registers = sizeof(registers) / sizeof(registers[0]);

	if (index < in_registers)
		return (size_t)snprintf(operand, STUB_OPERAND_MAX, "%%%s",
		                        registers[index][__builtin_ctz((unsigned int)size)]);
	return (size_t)snprintf(operand, STUB_OPERAND_MAX, "%zu(%%rsp)",
	                        8 * (index - in_registers) + SITE_STACK);
}
