/* SPDX-License-Identifier: MIT */
#include "lib/entry.h"

#include <weir/abi/shm.h>

#include "lib/probe.h"

/* What fire.S reads. */
_Static_assert(offsetof(struct probe, record) == 40, "fire.S");
_Static_assert(offsetof(struct probe, site_fn) == 48, "fire.S");
_Static_assert(offsetof(struct probe, string_limit) == 104, "fire.S");
_Static_assert(offsetof(struct probe, id) == 60, "fire.S");
_Static_assert(offsetof(struct probe, fields) == 62, "fire.S");
_Static_assert(offsetof(struct probe, bytes_fields) == 76, "fire.S");
_Static_assert(offsetof(struct probe, room) == 80, "fire.S");
_Static_assert(offsetof(struct probe, args) == 63, "fire.S");
_Static_assert(offsetof(struct probe, sinks) == 96, "fire.S");
_Static_assert(offsetof(struct weir_sink, next) == 0, "fire.S");
_Static_assert(offsetof(struct weir_sink, fire) == 16, "fire.S");
_Static_assert(offsetof(struct weir_shm_session, string_limit) -
                       offsetof(struct weir_shm_session, lease) ==
                   12,
               "fire.S");

#define ENTRIES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)

#define DECLARE(n) void weir_entry_##n(void) __attribute__((visibility("hidden")));
ENTRIES(DECLARE)
void weir_entry_mixed(void) __attribute__((visibility("hidden")));
void weir_entry_any(void) __attribute__((visibility("hidden")));

#define ROW(n) weir_entry_##n,
static void (*const fixed[])(void) = { ENTRIES(ROW) };
_Static_assert(sizeof(fixed) / sizeof(*fixed) == WEIR_FIELDS_MAX + 1, "one entry per field count");

void (*entry_fixed(unsigned fields))(void)
{
	return fixed[fields];
}

void (*entry_mixed(void))(void)
{
	return weir_entry_mixed;
}

void (*entry_any(void))(void)
{
	return weir_entry_any;
}
