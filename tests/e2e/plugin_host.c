/* SPDX-License-Identifier: MIT */
/*
 * usage: plugin-host TURNS PLUGIN...
 *        plugin-host TURNS --beside PLUGIN PLUGIN
 * Loads each plugin, lets it fire, and unloads it, as often; prints how many fires met a tracer,
 * and descriptors and kilobytes of address space after the tenth turn and at the end. In the second
 * form a thread publishes through the first one, each time something new, all the while; the
 * second one starts and ends by itself when it is loaded and unloaded. Prints how often each did,
 * which is TURNS at least.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void *load(const char *path, const char *symbol, void **ret)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	*ret = plugin ? dlsym(plugin, symbol) : 0;
	if (!*ret) {
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return plugin;
}

static _Atomic int done, published;

static void *publish_all_the_while(void *path)
{
	int (*start)(const char *);
	void (*end)(void);
	char name[24];

	*(void **)&end = dlsym(load(path, "plugin_start", (void **)&start), "plugin_end");
	while (!done) {
		snprintf(name, sizeof(name), "beside%d", published);
		if (start(name))
			exit(3);
		end();
		published++;
	}
	return 0;
}

static int beside(int turns, char *first, const char *second)
{
	int (*started)(void), good = 0;
	pthread_t thread;
	void *plugin;

	if (pthread_create(&thread, 0, publish_all_the_while, first))
		return 4;
	for (int n = 0; n < turns || published < turns; n++) {
		plugin = load(second, "plugin_started", (void **)&started);
		if (started())
			exit(3);
		good++;
		dlclose(plugin);
	}
	done = 1;
	pthread_join(thread, 0);
	printf("started %d published %d\n", good, published);
	return 0;
}

int main(int argc, char **argv)
{
	int turns = argc > 2 ? atoi(argv[1]) : 0, met = 0, first_descriptors = 0;
	long first_space = 0;

	if (argc == 5 && !strcmp(argv[2], "--beside"))
		return beside(turns, argv[3], argv[4]);
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
