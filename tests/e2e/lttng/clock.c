/* SPDX-License-Identifier: MIT */
/*
 * A clock plugin for LTTng (LTTNG_UST_CLOCK_PLUGIN) that counts up by one microsecond whenever the
 * target reads it, so that two runs which record the same events record the same bytes. The count
 * lies in the file $WEIR_TEST_CLOCK_FILE, since LTTng's daemons must see the same time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define START 1000000000000

static uint64_t *count;
static uint64_t step;

static uint64_t clock_read(void)
{
	return START + __atomic_add_fetch(count, step, __ATOMIC_SEQ_CST);
}

static int count_open(void)
{
	const char *path = getenv("WEIR_TEST_CLOCK_FILE");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *page;

	if (fd < 0 || ftruncate(fd, 4096))
		return -1;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return -1;
	count = page;
	step = strcmp(program_invocation_short_name, "lttng-target") ? 0 : 1000;
	return 0;
}

static uint64_t clock_freq(void)
{
	return 1000000000;
}

static int clock_uuid(char *uuid)
{
	memcpy(uuid, "00000000-0000-0000-0000-000000000001", 37);
	return 0;
}

static const char *clock_name(void)
{
	return "counter";
}

static const char *clock_description(void)
{
	return "counts how often it is read";
}

static int set(void *library, const char *name, void *callback)
{
	void *symbol = dlsym(library, name);
	int (*call)(void *);

	if (!symbol)
		return -1;
	memcpy(&call, &symbol, sizeof(call));
	return call(callback);
}

__attribute__((visibility("default"))) void lttng_ust_clock_plugin_init(void);

void lttng_ust_clock_plugin_init(void)
{
	void *library = dlopen("liblttng-ust-common.so.1", RTLD_NOW | RTLD_NOLOAD);
	void *enable = library ? dlsym(library, "lttng_ust_enable_trace_clock_override") : NULL;
	int (*call)(void);

	if (!enable || count_open() ||
	    set(library, "lttng_ust_trace_clock_set_read64_cb", (void *)clock_read) ||
	    set(library, "lttng_ust_trace_clock_set_freq_cb", (void *)clock_freq) ||
	    set(library, "lttng_ust_trace_clock_set_uuid_cb", (void *)clock_uuid) ||
	    set(library, "lttng_ust_trace_clock_set_name_cb", (void *)clock_name) ||
	    set(library, "lttng_ust_trace_clock_set_description_cb", (void *)clock_description))
		return;
	memcpy(&call, &enable, sizeof(call));
	call();
}
