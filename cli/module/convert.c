/* SPDX-License-Identifier: MIT */
/* What needs libelf is in a module: types that are not in the cache, and the C library's symbols. */
#include "cli/module.h"
#include "reader/elf_symbol.h"
#include "types/internal.h"

int source_convert(struct source *s, struct image *ret, bool *cached)
{
	const struct module *module;
	int rc = module_load(MODULE_TYPES, &module, s->err);

	return rc ?: module->convert(s, ret, cached);
}

int elf_dynamic_symbols(int fd, const char *const *names, size_t count, uint64_t *values,
                        struct weir_error *err)
{
	const struct module *module;
	int rc = module_load(MODULE_TYPES, &module, err);

	return rc ?: module->dynamic_symbols(fd, names, count, values, err);
}
