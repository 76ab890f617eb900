/* SPDX-License-Identifier: MIT */
/* weir-babeltrace.so: what needs libbabeltrace2. */
#include "cli/module.h"
#include "reader/ctf_foreign.h"

extern const struct module weir_module;
const struct module weir_module = { .build = MODULE_BUILD, .read_foreign = ctf_foreign_read };
