/* SPDX-License-Identifier: MIT */
#include "cli/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "reader/error.h"

/* Where modules may be, from the folder of the command. */
static const char *const folders[] = { WEIR_MODULES, "." };

static const char *const names[] = { MODULE_COMMANDS, MODULE_TYPES, MODULE_BABELTRACE };
#define NAMES (sizeof(names) / sizeof(*names))

static const struct module *loaded[NAMES];

static int own_folder(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return 0;
}

/* The command may have capabilities that its user lacks (setcap), and a link to it may be anywhere:
 * what it loads must be its own owner's, or root's. */
static int check_owner(const char *path, struct weir_error *err)
{
	struct stat own, module;

	if (stat("/proc/self/exe", &own) || stat(path, &module))
		return weir_err(err, -errno, "%s: %s", path, strerror(errno));
	if ((module.st_uid != own.st_uid && module.st_uid) || module.st_mode & S_IWOTH)
		return weir_err(err, -EPERM,
		                "%s is not loaded: it is not of the user that owns weir, "
		                "or anybody may write to it",
		                path);
	return 0;
}

static int open_module(const char *path, const struct module **ret, struct weir_error *err)
{
	const struct module *module;
	void *handle;
	int rc = check_owner(path, err);

	if (rc)
		return rc;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) /* it names the module, and the library that is missing */
		return weir_err(err, -ELIBACC, "%s; install that library, or weir anew", dlerror());
	module = dlsym(handle, "weir_module");
	if (!module || strcmp(module->build, MODULE_BUILD))
		return weir_err(err, -ELIBBAD,
		                "%s is of another version of weir (%s, not %s): install "
		                "weir anew",
		                path, module ? module->build : "unknown", MODULE_BUILD);
	*ret = module;
	return 0;
}

static int find(const char *name, const struct module **ret, struct weir_error *err)
{
	char folder[PATH_MAX], path[PATH_MAX + 64];
	int rc = own_folder(folder);

	if (rc)
		return weir_err(err, rc, "/proc/self/exe: %s", strerror(-rc));
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", folder, folders[i], name);
		if (!access(path, F_OK))
			return open_module(path, ret, err);
	}
	return weir_err(err, -ENOENT,
	                "%s is neither in %s/%s nor beside weir: it is a part of weir that is "
	                "loaded when needed; install weir anew",
	                name, folder, WEIR_MODULES);
}

int module_load(const char *name, const struct module **ret, struct weir_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	size_t i = 0;
	int rc = 0;

	while (i < NAMES - 1 && strcmp(names[i], name))
		i++;
	pthread_mutex_lock(&lock);
	if (!loaded[i])
		rc = find(name, &loaded[i], err);
	if (!rc)
		*ret = loaded[i];
	pthread_mutex_unlock(&lock);
	return rc;
}

int module_run(const char *name, int argc, char **argv)
{
	const struct module *module;
	struct weir_error err;

	if (module_load(name, &module, &err)) {
		cli_fail("weir %s: %s", argv[0], err.message);
		return 1;
	}
	for (const struct module_command *c = module->commands; c && c->name; c++) {
		if (!strcmp(c->name, argv[0]))
			return c->run(argc, argv);
	}
	cli_fail("%s has no command `%s`", name, argv[0]);
	return 1;
}
