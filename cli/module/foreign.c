/* SPDX-License-Identifier: MIT */
/* Traces that weir did not write: ctf_foreign.c of reader/ is in a module. */
#include "cli/module.h"
#include "reader/ctf_foreign.h"

int ctf_foreign_read(const char *path, struct ctf_reading *reading, struct weir_error *err)
{
	const struct module *module;
	int rc = module_load(MODULE_BABELTRACE, &module, err);

	return rc ?: module->read_foreign(path, reading, err);
}

int ctf_foreign_check(struct weir_error *err)
{
	const struct module *module;

	return module_load(MODULE_BABELTRACE, &module, err);
}
