/* SPDX-License-Identifier: MIT */
/*
 * Where a stub's thunk jumps to, by architecture. An entry is not a C function: the probe comes in
 * a register that C does not pass arguments in (x86-64: %r10), the arguments as for a C function.
 */
#ifndef WEIR_LIB_ENTRY_H
#define WEIR_LIB_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe;

/* The entry for `fields` fixed words and nothing else, in rseq mode with the TSC; NULL: none. */
void (*entry_fixed(unsigned fields))(void);
/* The entry for strings and several sessions, for up to six arguments and no bytes; NULL: none. */
void (*entry_mixed(void))(void);
/* The entry that can do everything. */
void (*entry_any(void))(void);

/* Call a site with the arguments where its note says. `args` has room for six. */
void site_call(void (*site)(void), const uint64_t *args, size_t count);

/* What entry_any calls, in C: everything but the site. `mask`: the sessions still to write to. */
void fire_generic(struct probe *probe, const uint64_t *in_registers, const uint64_t *on_stack,
                  uint32_t mask);

#define ENTRY_REGISTERS 6

#endif
