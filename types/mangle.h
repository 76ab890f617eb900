/* SPDX-License-Identifier: MIT */
/*
 * BTF names are C identifiers of at most 511 bytes. A C++ or Rust name becomes one like this:
 *
 *   ::  __     <  _L   >  _R   ,  _C   *  _P   &  _A   (  _O   )  _E   [  _B   ]  _D
 *   anything else _xHH; spaces go, but for one between two words, which becomes _
 *
 * and a longer one keeps its first 480 bytes and gets its hash. Spacing does not matter to the
 * result, so that a name can be looked up as people type it.
 */
#ifndef WEIR_TYPES_MANGLE_H
#define WEIR_TYPES_MANGLE_H

#include <stdbool.h>
#include <stddef.h>

#define MANGLED_MAX 512 /* with its NUL */

bool is_identifier(const char *name);
/* *dst has room for MANGLED_MAX bytes; returns the length. An identifier stays as it is. */
size_t mangle(const char *name, char *dst);

#endif
