/* SPDX-License-Identifier: MIT */
/*
 * How the arguments of a fire become the payload of an LTTng event. A layout depends on types and
 * limits alone, so probes of one shape share it; layouts are never freed.
 *
 * Three ways lead to the same bytes:
 *   lttng_layout_pack       walks the fields; portable
 *   layout->pack            machine code made for this layout, where the processor and the process
 *                           allow it (arch/); else the portable one
 *   lttng_layout_write      hands field by field to LTTng, for payloads that do not fit the
 *                           buffer on the stack
 */
#ifndef WEIR_LIB_LTTNG_LAYOUT_H
#define WEIR_LIB_LTTNG_LAYOUT_H

#include <stdbool.h>

#include <weir/abi/note.h>
#include <weir/weir.h>

#include "lib/lttng_abi.h"

/* The unit test builds lttng_layout.c both ways. */
#ifndef LTTNG_PACKED
#define LTTNG_PACKED UST_PACKED
#endif

struct lttng_item {
	uint8_t type;   /* enum weir_type */
	uint8_t arg;    /* index of its first argument word */
	uint16_t limit; /* of a string or bytes: stored bytes at most */
};

struct lttng_layout;
/*
 * Write the payload at `to` and return its end, or NULL if strings and bytes would go beyond `end`;
 * layout->fixed bytes behind `end` belong to the payload as well.
 */
typedef uint8_t *lttng_pack_fn(const struct lttng_layout *layout, const uint64_t *args, uint8_t *to,
                               uint8_t *end);

struct lttng_layout {
	lttng_pack_fn *pack;
	/* below; machine code calls them through these */
	uint8_t *(*pack_string)(uint8_t *to, const char *from, size_t limit, uint8_t *end);
	uint8_t *(*pack_bytes)(uint8_t *to, const void *from, size_t size, size_t limit,
	                       uint8_t *end);
	uint16_t
	    fixed; /* bytes of the payload that are no string's and no bytes field's content, with
	                   the padding that they need at most */
	uint8_t align; /* of the payload */
	uint8_t count;
	uint8_t
	    words; /* the payload is the first `words` bytes of the arguments as they are; 0: not */
	struct lttng_item items[WEIR_FIELDS_MAX];
	/* of lttng_layouts.c */
	struct lttng_layout *next, *fresh;
};

/* Fill *layout from a note's fields. -EINVAL: a type that this library does not know. */
int lttng_layout_init(struct lttng_layout *layout, const struct weir_note *note);

lttng_pack_fn lttng_layout_pack;

/* The size that lttng_layout_write will write; `sizes` gets the length of each string and bytes. */
size_t lttng_layout_measure(const struct lttng_layout *layout, const uint64_t *args,
                            uint16_t sizes[WEIR_FIELDS_MAX]);
void lttng_layout_write(const struct lttng_layout *layout, const uint64_t *args,
                        const uint16_t sizes[WEIR_FIELDS_MAX], const struct ust_buffer_ops *ops,
                        struct ust_ring_ctx *ctx);

/* What filters and captures read: one or two words per field. */
#define LTTNG_STACK_WORDS (2 * WEIR_FIELDS_MAX)
void lttng_layout_stack(const struct lttng_layout *layout, const uint64_t *args,
                        uint64_t stack[LTTNG_STACK_WORDS]);

/* Parts of a payload. NULL: does not fit. */
uint8_t *lttng_pack_string(uint8_t *to, const char *from, size_t limit, uint8_t *end);
uint8_t *lttng_pack_bytes(uint8_t *to, const void *from, size_t size, size_t limit, uint8_t *end);

/*
 * In arch/: machine code for `layout` into `code`, at most `room` bytes; its length, 0: none. It
 * depends on the layout's items alone, and is the same in every process.
 */
size_t lttng_code_emit(const struct lttng_layout *layout, uint8_t *code, size_t room);
#define LTTNG_CODE_MAX 1024 /* of one layout */
/* How that code of `size` bytes moves its frame: DWARF call frame instructions; their length. */
#define LTTNG_CFI_MAX 31
uint8_t lttng_code_cfi(const struct lttng_layout *layout, size_t size, uint8_t cfi[LTTNG_CFI_MAX]);

#endif
