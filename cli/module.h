/* SPDX-License-Identifier: MIT */
/*
 * Parts of the command that need libraries which are slow to load: babeltrace2 brings glib, libdw
 * brings lzma and bzip2, and all together take the dynamic linker longer than `weir print`
 * takes to read a variable. Each part is a shared object in LIBDIR/weir (in a build folder, beside the
 * command), found from where the command itself is, so that an installation may be moved. It is loaded
 * when it is first needed, and stays.
 *
 * A module has its own copy of what it takes from reader/, types/ and cli/; the two sides share no
 * variables, only the arguments of these functions. So both must be of one build: `build` says so.
 */
#ifndef WEIR_CLI_MODULE_H
#define WEIR_CLI_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/weir.h>

struct ctf_reading;
struct image;
struct source;

#define MODULE_COMMANDS   "weir-commands.so"   /* every command but print and types */
#define MODULE_TYPES      "weir-types.so"      /* types; what reads DWARF, and ELF symbols */
#define MODULE_BABELTRACE "weir-babeltrace.so" /* traces that weir did not write */

struct module_command {
	const char *name;
	int (*run)(int argc, char **argv);
};

/* What a module has, as the symbol `weir_module`. */
struct module {
	const char *build;                     /* MODULE_BUILD of when it was compiled */
	const struct module_command *commands; /* ended by a NULL name; may be NULL */
	int (*convert)(struct source *source, struct image *ret, bool *cached);
	int (*dynamic_symbols)(int fd, const char *const *names, size_t count, uint64_t *values,
	                       struct weir_error *err);
	int (*read_foreign)(const char *path, struct ctf_reading *reading, struct weir_error *err);
};

#define MODULE_BUILD WEIR_VERSION_TEXT

/* Loads it, or gives what was loaded before. On failure *err says what is missing and what to do. */
int module_load(const char *name, const struct module **ret, struct weir_error *err);
/* Runs a module's command; an exit status. */
int module_run(const char *name, int argc, char **argv);

#endif
