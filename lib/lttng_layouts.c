/* SPDX-License-Identifier: MIT */
/*
 * All layouts of the process, one per shape of a payload, and their machine code. A layout starts
 * with the portable way; code is made for all new ones of a publish together, in one mapping that
 * is written first and executable then, never both. Where that is refused (SELinux's execmem,
 * MDWE, seccomp), the portable way stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/lttng_event.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define BUCKETS 256

/* Under weir_lock, as all here. */
static struct lttng_layout *layouts[BUCKETS];
static struct lttng_layout *fresh; /* those without code, linked by `fresh` */

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

/* Code of all layouts in `fresh`, 16-aligned, one behind the other. */
static size_t emit_all(uint8_t *code, size_t room)
{
	size_t length = 0;

	for (struct lttng_layout *layout = fresh; layout; layout = layout->fresh) {
		size_t size = lttng_code_emit(layout, code + length, room - length);

		layout->code = size ? code + length : NULL;
		length += (size + 15) & ~(size_t)15;
	}
	return length;
}

void lttng_layouts_compile(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 0, used;
	struct lttng_layout *layout;
	uint8_t *code;

	for (layout = fresh; layout; layout = layout->fresh)
		room += LTTNG_CODE_MAX;
	if (!room || !code_wanted())
		return;
	room = (room + page - 1) & ~(page - 1);
	code = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		return;
	used = (emit_all(code, room) + page - 1) & ~(page - 1);
	if (!used || mprotect(code, used, PROT_READ | PROT_EXEC)) {
		munmap(code, room);
		fresh = NULL; /* will not be allowed next time either */
		return;
	}
	if (used < room)
		munmap(code + used, room - used);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, code, used, "weir-lttng");
	for (layout = fresh; layout; layout = layout->fresh) {
		/* pairs with the acquire in fire_pack */
		if (layout->code)
			__atomic_store_n(&layout->pack, (lttng_pack_fn *)layout->code,
			                 __ATOMIC_RELEASE);
	}
	fresh = NULL;
}
