/* SPDX-License-Identifier: MIT */
/*
 * usage: plugin-host TURNS PLUGIN...
 * Loads each plugin, lets it fire, and unloads it, as often; prints how many fires met a tracer,
 * and descriptors and kilobytes of address space after the tenth turn and at the end.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = -2 - 1; /* ".", "..", and the folder's own */

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static long address_space(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!f || fscanf(f, "%ld", &pages) != 1)
		exit(4);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int turn(const char *path, int index, int n)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*start)(const char *) =
	    plugin ? (int (*)(const char *))dlsym(plugin, "plugin_start") : 0;
	int (*fire)(int) = plugin ? (int (*)(int))dlsym(plugin, "plugin_fire") : 0;
	void (*end)(void) = plugin ? (void (*)(void))dlsym(plugin, "plugin_end") : 0;
	char name[24];
	int r;

	if (!start || !fire || !end) {
		fprintf(stderr, "turn %d: %s\n", n, dlerror());
		exit(2);
	}
	snprintf(name, sizeof(name), "plugin%d", index);
	r = start(name);
	if (r) {
		fprintf(stderr, "turn %d: start: %d\n", n, r);
		exit(3);
	}
	r = fire(n);
	end();
	dlclose(plugin);
	return r == 0;
}

int main(int argc, char **argv)
{
	int turns = argc > 2 ? atoi(argv[1]) : 0, met = 0, first_descriptors = 0;
	long first_space = 0;

	for (int n = 0; n < turns; n++) {
		for (int i = 2; i < argc; i++)
			met += turn(argv[i], i - 1, n);
		if (n == 9) {
			first_descriptors = descriptors();
			first_space = address_space();
		}
	}
	printf("met %d descriptors %d %d space %ld %ld\n", met, first_descriptors, descriptors(),
	       first_space, address_space());
	return 0;
}
