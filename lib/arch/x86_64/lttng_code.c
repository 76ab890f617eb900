/* SPDX-License-Identifier: MIT */
/*
 * Machine code that packs the payload of one layout: the loop of lttng_layout_pack(), unrolled.
 * In: a lttng_layout_init()ed layout. Out: position-independent code for one lttng_pack_fn.
 *
 *     layout %rdi   args %rsi   to %rdx   end %rcx   ->   %rax
 *
 * Without strings and bytes every field has a fixed place: loads and stores, no stack. With them,
 * the place moves: `to` is kept in %r14, `args` in %rbx, `end` in %r13, `layout` in %r12; fields
 * between two strings are stored relative to %r14, and layout->pack_string() or pack_bytes() move
 * it on: their addresses differ from process to process, and the code must not. A frame pointer is
 * kept for tracers that know no unwind tables.
 */
#include <stddef.h>
#include <string.h>

#include "lib/lttng_layout.h"

struct emitter {
	uint8_t *code;
	size_t length, room;
	bool calls;                   /* strings or bytes: registers as above; else %rsi, %rdx */
	unsigned int offset;          /* from the place register to the next field */
	size_t outs[WEIR_FIELDS_MAX]; /* rel32s of jumps to the end */
	unsigned int nr_outs;
};

static void emit(struct emitter *e, const void *bytes, size_t length)
{
	if (e->length + length <= e->room)
		memcpy(e->code + e->length, bytes, length);
	e->length += length;
}

#define EMIT(e, ...)                                           \
	do {                                                   \
		const uint8_t emit_bytes_[] = { __VA_ARGS__ }; \
		emit(e, emit_bytes_, sizeof(emit_bytes_));     \
	} while (0)

static void emit_u32(struct emitter *e, uint32_t value)
{
	emit(e, &value, sizeof(value));
}

/* mov 8*arg(args), %reg with reg one of rax 0, rdx 2, rsi 6; args is %rbx or %rsi. */
static void emit_load(struct emitter *e, unsigned int reg, unsigned int arg)
{
	EMIT(e, 0x48, 0x8b, 0x80 | reg << 3 | (e->calls ? 3 : 6));
	emit_u32(e, 8 * arg);
}

/* mov %rax's low `size` bytes, offset(place); place is %r14 or %rdx. */
static void emit_store(struct emitter *e, unsigned int size)
{
	uint8_t rex = (size == 8 ? 0x48 : 0x40) | (e->calls ? 1 : 0);

	if (size == 2)
		EMIT(e, 0x66);
	if (rex != 0x40)
		EMIT(e, rex);
	EMIT(e, size == 1 ? 0x88 : 0x89, e->calls ? 0x46 : 0x42, e->offset);
	e->offset += size;
}

static void emit_number(struct emitter *e, const struct lttng_item *item)
{
	static const uint8_t sizes[] = {
		[WEIR_I8] = 1,  [WEIR_I16] = 2, [WEIR_I32] = 4,  [WEIR_I64] = 8,
		[WEIR_U8] = 1,  [WEIR_U16] = 2, [WEIR_U32] = 4,  [WEIR_U64] = 8,
		[WEIR_F32] = 4, [WEIR_F64] = 8, [WEIR_BOOL] = 1, [WEIR_POINTER] = 8,
	};

	emit_load(e, 0, item->arg);
	if (item->type == WEIR_BOOL)
		EMIT(e, 0x84, 0xc0, 0x0f, 0x95, 0xc0); /* test %al, %al; setne %al */
	emit_store(e, sizes[item->type]);
}

/* lea offset(place), %rdi or %rax */
static void emit_place(struct emitter *e, unsigned int reg)
{
	if (e->calls)
		EMIT(e, 0x49, 0x8d, 0x46 | reg << 3, e->offset);
	else
		EMIT(e, 0x48, 0x8d, 0x42 | reg << 3, e->offset);
}

static void emit_call(struct emitter *e, const struct lttng_item *item)
{
	bool string = item->type == WEIR_STRING;

	emit_place(e, 7);
	emit_load(e, 6, item->arg);
	if (string) {
		EMIT(e, 0xba); /* mov $limit, %edx */
		emit_u32(e, item->limit);
		EMIT(e, 0x4c, 0x89, 0xe9); /* mov %r13, %rcx */
	} else {
		emit_load(e, 2, item->arg + 1);
		EMIT(e, 0xb9); /* mov $limit, %ecx */
		emit_u32(e, item->limit);
		EMIT(e, 0x4d, 0x89, 0xe8); /* mov %r13, %r8 */
	}
	/* call *member(%r12) */
	EMIT(e, 0x41, 0xff, 0x54, 0x24,
	     string ? offsetof(struct lttng_layout, pack_string)
	            : offsetof(struct lttng_layout, pack_bytes));
	EMIT(e, 0x48, 0x85, 0xc0); /* test %rax, %rax */
	EMIT(e, 0x0f, 0x84);       /* jz out */
	e->outs[e->nr_outs++] = e->length;
	emit_u32(e, 0);
	EMIT(e, 0x49, 0x89, 0xc6); /* mov %rax, %r14 */
	e->offset = 0;
}

static void emit_enter(struct emitter *e)
{
	EMIT(e, 0xf3, 0x0f, 0x1e, 0xfa); /* endbr64 */
	if (!e->calls)
		return;
	EMIT(e, 0x55, 0x48, 0x89, 0xe5);                   /* push %rbp; mov %rsp, %rbp */
	EMIT(e, 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56); /* push %rbx, %r12, %r13, %r14 */
	EMIT(e, 0x49, 0x89, 0xfc);                         /* mov %rdi, %r12 */
	EMIT(e, 0x48, 0x89, 0xf3);                         /* mov %rsi, %rbx */
	EMIT(e, 0x49, 0x89, 0xd6);                         /* mov %rdx, %r14 */
	EMIT(e, 0x49, 0x89, 0xcd);                         /* mov %rcx, %r13 */
}

static void emit_leave(struct emitter *e)
{
	emit_place(e, 0);
	for (unsigned int i = 0; i < e->nr_outs; i++) {
		int32_t jump = (int32_t)(e->length - (e->outs[i] + 4));

		if (e->outs[i] + 4 <= e->room)
			memcpy(e->code + e->outs[i], &jump, sizeof(jump));
	}
	if (e->calls)
		EMIT(e, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5b, 0x5d); /* pop what was pushed */
	EMIT(e, 0xc3);
}

static bool has_calls(const struct lttng_layout *layout)
{
	for (unsigned int i = 0; i < layout->count; i++)
		if (layout->items[i].type == WEIR_STRING || layout->items[i].type == WEIR_BYTES)
			return true;
	return false;
}

size_t lttng_code_emit(const struct lttng_layout *layout, uint8_t *code, size_t room)
{
	struct emitter e = { .code = code, .room = room, .calls = has_calls(layout) };

	if (!LTTNG_PACKED)
		return 0;
	emit_enter(&e);
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct lttng_item *item = &layout->items[i];

		if (item->type == WEIR_STRING || item->type == WEIR_BYTES)
			emit_call(&e, item);
		else
			emit_number(&e, item);
	}
	emit_leave(&e);
	return e.length <= room ? e.length : 0;
}

/* What emit_enter() and emit_leave() do to the stack; registers by DWARF's numbers. */
uint8_t lttng_code_cfi(const struct lttng_layout *layout, size_t size, uint8_t cfi[LTTNG_CFI_MAX])
{
	/* to the `ret`, from where registers were saved; what is popped before is still there, below
	 * the stack pointer */
	uint16_t rest = (uint16_t)(size - 1 - 15);
	const uint8_t all[] = {
		0x45, /* advance 5: endbr64, push %rbp */
		0x0e,
		16, /* def_cfa_offset 16 */
		0x86,
		2,    /* offset rbp, cfa-16 */
		0x43, /* advance 3: mov */
		0x0d,
		6,    /* def_cfa_register rbp */
		0x47, /* advance 7: the other pushes */
		0x83,
		3,
		0x8c,
		4,
		0x8d,
		5,
		0x8e,
		6, /* offset rbx, r12, r13, r14 */
		0x03,
		(uint8_t)rest,
		(uint8_t)(rest >> 8), /* advance */
		0x0c,
		7,
		8, /* def_cfa rsp, 8 */
		0xc6,
		0xc3,
		0xcc,
		0xcd,
		0xce, /* restore all of them */
	};

	_Static_assert(sizeof(all) <= LTTNG_CFI_MAX, "LTTNG_CFI_MAX");
	if (!has_calls(layout))
		return 0;
	memcpy(cfi, all, sizeof(all));
	return sizeof(all);
}
