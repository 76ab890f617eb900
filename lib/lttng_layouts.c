/* SPDX-License-Identifier: MIT */
/*
 * All layouts of the process, one per shape of a payload, and their machine code. A layout starts
 * with the portable way; code is made for all new ones of a publish together, in an ELF file beside
 * the providers' stubs. So it has symbols and unwind tables, and it is mapped as code from a file:
 * no page that was written becomes executable, which SELinux's execmem, systemd's
 * MemoryDenyWriteExecute= and PR_SET_MDWE refuse. Where the file cannot be had (no folder, no memfd
 * that may be executed), the portable way stays.
 *
 * The file depends on the shapes alone: processes share it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/lock.h"
#include "lib/lttng_event.h"
#include "lib/stub.h"

#define BUCKETS 256

/* Under weir_lock. What they point to does not change, but for `pack`. */
static struct lttng_layout *layouts[BUCKETS];
static struct lttng_layout *fresh; /* those for whom nobody has made code, linked by `fresh` */

static struct lttng_layout **bucket(const struct lttng_layout *layout)
{
	return &layouts[lttng_hash(layout->items, sizeof(layout->items)) % BUCKETS];
}

int lttng_layout_find(const struct weir_note *note, const struct lttng_layout **ret,
                      struct weir_error *err)
{
	struct lttng_layout wanted, *layout, **head;

	if (lttng_layout_init(&wanted, note))
		return error_set(err, -EINVAL, "LTTng: %s has a field type it cannot describe",
		                 (const char *)note + note->fixed);
	head = bucket(&wanted);
	for (layout = *head; layout; layout = layout->next)
		if (layout->count == wanted.count &&
		    memcmp(layout->items, wanted.items, sizeof(wanted.items)) == 0)
			break;
	if (!layout) {
		layout = malloc(sizeof(*layout));
		if (!layout)
			return error_set(err, -ENOMEM, "LTTng: no memory for a layout");
		*layout = wanted;
		layout->next = *head;
		*head = layout;
		layout->fresh = fresh;
		fresh = layout;
	}
	*ret = layout;
	return 0;
}

static bool code_wanted(void)
{
	const char *value = secure_getenv("WEIR_LTTNG");

	return !value || strcmp(value, "portable") != 0;
}

/* What becomes a function of the file; its texts lie here. */
struct code {
	struct lttng_layout *layout;
	uint8_t bytes[LTTNG_CODE_MAX];
	uint8_t cfi[LTTNG_CFI_MAX];
	char name[sizeof("weir_pack") + WEIR_FIELDS_MAX * sizeof("_string4096")];
};
_Static_assert(LTTNG_CFI_MAX <= STUB_CFI_MAX, "what is emitted fits");

/* "weir_pack_i32_string4096", as stack traces show it; sets *ret if there is code. */
static bool code_make(struct lttng_layout *layout, struct code *code, struct stub_code *ret)
{
	char *at = code->name;

	if (layout->words)
		return false; /* nothing is packed */
	code->layout = layout;
	ret->size = lttng_code_emit(layout, code->bytes, sizeof(code->bytes));
	if (!ret->size)
		return false;
	at += sprintf(at, "weir_pack");
	for (unsigned int i = 0; i < layout->count; i++) {
		at += sprintf(at, "_%s", lttng_type_name(layout->items[i].type));
		if (layout->items[i].limit)
			at += sprintf(at, "%u", layout->items[i].limit);
	}
	ret->name = code->name;
	ret->bytes = code->bytes;
	ret->cfi = code->cfi;
	ret->cfi_size = lttng_code_cfi(layout, ret->size, code->cfi);
	return true;
}

static int codes_load(struct stub_code *stubs, size_t count, const char *dir, bool memfd,
                      uintptr_t *ret)
{
	struct weir_error unsaid = { 0 }; /* the provider's own stub has it, too */
	struct stub_file file;
	uint8_t *image;
	size_t size;
	int result = stub_build_code("weir_lttng", stubs, count, &image, &size);

	if (result)
		return result;
	result = stub_load("weir_lttng", dir, memfd, image, size, &file, &unsaid);
	free(image);
	if (!result)
		*ret = file.base;
	return result;
}

static void codes_use(const struct code *codes, const struct stub_code *stubs, size_t count,
                      uintptr_t base)
{
	for (size_t i = 0; i < count; i++) {
		/* pairs with the acquire in fire_pack */
		__atomic_store_n(&codes[i].layout->pack, (lttng_pack_fn *)(base + stubs[i].at),
		                 __ATOMIC_RELEASE);
	}
}

void lttng_layouts_compile(const char *dir, bool memfd)
{
	size_t count = 0, room = 0;
	struct lttng_layout *taken;
	struct stub_code *stubs;
	struct code *codes;
	uintptr_t base;

	weir_lock();
	taken = fresh;
	fresh = NULL; /* what is refused would be refused again */
	weir_unlock();
	for (struct lttng_layout *layout = taken; layout; layout = layout->fresh)
		room++;
	if (!room || !code_wanted())
		return;
	codes = calloc(room, sizeof(*codes));
	stubs = calloc(room, sizeof(*stubs));
	if (codes && stubs) {
		for (struct lttng_layout *layout = taken; layout; layout = layout->fresh)
			count += code_make(layout, &codes[count], &stubs[count]);
		if (count && !codes_load(stubs, count, dir, memfd, &base))
			codes_use(codes, stubs, count, base);
	}
	free(codes);
	free(stubs);
}
