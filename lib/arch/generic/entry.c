/* SPDX-License-Identifier: MIT */
/*
 * An architecture that nobody has written entries for yet: no rseq sections, so slots are taken
 * with xchg, and no thunk can be entered, so probes are fired through weir_fire_args() and there
 * is no USDT.
 */
#include "lib/entry.h"

#include "lib/slot.h"

void (*entry_fixed(unsigned fields))(void)
{
	(void)fields;
	return NULL;
}

void (*entry_mixed(void))(void)
{
	return NULL;
}

void (*entry_any(void))(void)
{
	return NULL;
}

void site_call(void (*site)(void), const uint64_t *args, size_t count)
{
	(void)site;
	(void)args;
	(void)count;
}

bool rseq_probe(void)
{
	return false;
}

/* Not called where rseq_probe() says no. */
int rseq_append(struct slot *slots, uint32_t mask, const struct gather *gather, uint64_t *time)
{
	(void)slots;
	(void)mask;
	(void)gather;
	(void)time;
	return SLOT_SLOW;
}

int rseq_install(struct slot *slot, uint32_t cpu, const struct slot_word *old,
                 const struct slot_word *next)
{
	(void)slot;
	(void)cpu;
	(void)old;
	(void)next;
	return -1;
}

void rseq_add(uint64_t *base, size_t stride, uint64_t value)
{
	(void)stride;
	__atomic_fetch_add(base, value, __ATOMIC_RELAXED);
}

void rseq_begin(void)
{
}

void rseq_end(void)
{
}

int rseq_cpu(void)
{
	return -1;
}
