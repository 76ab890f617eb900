/* SPDX-License-Identifier: MIT */
/* weir-commands.so: what needs libelf, libzstd or libsmartcols. */
#include "cli/cmd.h"
#include "cli/module.h"

static const struct module_command commands[] = {
	{ "list", cmd_list },     { "trace", cmd_trace },
	{ "record", cmd_record }, { "report", cmd_report },
	{ "repair", cmd_repair }, { "unpack", cmd_unpack },
	{ "doctor", cmd_doctor }, { 0 },
};

extern const struct module weir_module;
const struct module weir_module = { .build = MODULE_BUILD, .commands = commands };
