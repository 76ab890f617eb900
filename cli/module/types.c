/* SPDX-License-Identifier: MIT */
/* weir-types.so: what needs elfutils, libbpf or a decompressor. */
#include "cli/cmd.h"
#include "cli/module.h"
#include "reader/elf_symbol.h"
#include "types/internal.h"

static const struct module_command commands[] = { { "types", cmd_types }, { 0 } };

extern const struct module weir_module;
const struct module weir_module = {
	.build = MODULE_BUILD,
	.commands = commands,
	.convert = source_convert,
	.dynamic_symbols = elf_dynamic_symbols,
};
