/* SPDX-License-Identifier: MIT */
/* One dynamic symbol of an ELF file, by name: what a debugger asks of libc and the linker. */
#ifndef WEIR_READER_ELF_SYMBOL_H
#define WEIR_READER_ELF_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

#include <weir/weir.h>

/* Fill the value of each of `names` (UINT64_MAX: not there). -ENOEXEC: not an ELF file. In `weir print` this is
 * in a module, since it needs libelf (cli/module.h). */
int elf_dynamic_symbols(int fd, const char *const *names, size_t count, uint64_t *values,
                        struct weir_error *err);

#endif
