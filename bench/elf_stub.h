/* SPDX-License-Identifier: MIT */
/*
 * The peer of publish/10: what a library such as libstapsdt has to do for probes at run time, done
 * the way its documentation describes: a shared object is written through libelf into a temporary
 * file, one function with a nop per probe, a SystemTap note each, a dynamic symbol table; it is
 * loaded with dlopen, and each function is looked up with dlsym.
 */
#ifndef WEIR_BENCH_ELF_STUB_H
#define WEIR_BENCH_ELF_STUB_H

/* 0 or -errno. The object stays loaded. */
int elf_stub_publish(const char *dir, const char *provider, unsigned probes);

#endif
