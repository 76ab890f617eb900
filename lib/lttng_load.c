/* SPDX-License-Identifier: MIT */
/*
 * Finding liblttng-ust and living with it through fork.
 *
 * The handle of liblttng-ust.so.1 resolves everything, also what lies in the two libraries that it
 * brings along. It is never closed: its threads run until the process ends.
 *
 * LTTng must be told of a fork: otherwise the child records under its parent's pid and shares its
 * sockets. Programs preload liblttng-ust-fork.so for that, whose fork() calls the same three
 * functions around the real one; to call them twice deadlocks with all signals blocked, so if
 * fork() is that library's, nothing is done here. Nor if somebody else's fork() went on to it: then
 * the library is there, and signals are blocked as only the first of the three blocks them. Else
 * pthread_atfork handlers of one copy of libweir do the work, and no preloading is needed.
 *
 * LTTng's constructor may fork too, to make a shared memory file. It guards itself against being
 * told of that; here it means that a fork may come out of lttng_load() and, in a child, out of
 * lttng_fork_child(), and that neither may hold a lock which the handlers take.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/environment.h"
#include "lib/error.h"
#include "lib/lttng_event.h"

#define LIBRARY      "liblttng-ust.so.1"
#define FORK_LIBRARY "liblttng-ust-fork.so.1"

struct lttng_api lttng_api;

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
/*
 * Nothing is loaded or looked up under load_lock (lock.c). Several threads may load at once; the loader
 * keeps them apart, and the first to come back sets the rest.
 */
static unsigned int loading; /* threads that do */
static bool loaded;          /* set under load_lock, read without it by the fork handlers */
static struct weir_error load_error;
static bool fork_covered;   /* somebody else tells LTTng */
static bool fork_uncertain; /* somebody else may tell LTTng: see fork_is_told() */
static bool cut_off;        /* this process was forked while its parent was loading */
/* From prepare to parent or child, under weir_lock. */
static bool forking;
static sigset_t fork_signals;

bool lttng_wanted(uint32_t provider_flags)
{
	return provider_flags & WEIR_PROVIDER_LTTNG || environment_on("WEIR_LTTNG");
}

static int resolve(void *handle, struct lttng_api *api, struct weir_error *err)
{
	const struct {
		const char *name;
		void *to;
	} symbols[] = {
		{ "lttng_ust_probe_register", &api->probe_register },
		{ "lttng_ust_probe_unregister", &api->probe_unregister },
		{ "lttng_ust_tracepoint_module_register", &api->module_register },
		{ "lttng_ust_tracepoint_module_unregister", &api->module_unregister },
		{ "lttng_ust_urcu_read_lock", &api->read_lock },
		{ "lttng_ust_urcu_read_unlock", &api->read_unlock },
		{ "lttng_ust_urcu_synchronize_rcu", &api->synchronize },
		{ "lttng_ust_before_fork", &api->before_fork },
		{ "lttng_ust_after_fork_parent", &api->after_fork_parent },
		{ "lttng_ust_after_fork_child", &api->after_fork_child },
	};

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol)
			return error_set(err, -ENOSYS,
			                 "LTTng: " LIBRARY
			                 " has no %s; LTTng-UST 2.13 or later is needed",
			                 symbols[i].name);
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return 0;
}

static bool fork_is_lttngs(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "fork");
	Dl_info info;

	return symbol && dladdr(symbol, &info) && info.dli_fname &&
	       strstr(info.dli_fname, "liblttng-ust-fork");
}

static bool fork_library_is_there(void)
{
	void *handle = dlopen(FORK_LIBRARY, RTLD_LAZY | RTLD_NOLOAD);

	if (handle)
		dlclose(handle);
	return handle;
}

/*
 * Has LTTng been told of the fork that this thread is in? Then every signal is blocked that can be.
 * Those 32 and 33 are glibc's own.
 */
static bool fork_is_told(void)
{
	uint64_t never = UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1) |
	                 UINT64_C(1) << 31 | UINT64_C(1) << 32;
	uint64_t blocked = 0;

	/* only read: a guest does not call what can change the mask */
	return !syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked)) &&
	       (blocked | never) == UINT64_MAX;
}

static int find_interpreter(struct dl_phdr_info *info, size_t size, void *arg)
{
	bool *found = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		*found |= info->dlpi_phdr[i].p_type == PT_INTERP;
	return 1; /* the first one is the program */
}

/* In such a program liblttng-ust crashes in its constructor. */
static bool program_is_static(void)
{
	bool dynamic = false;

	dl_iterate_phdr(find_interpreter, &dynamic);
	return !dynamic;
}

static int load(struct lttng_api *api, struct weir_error *err)
{
	const char *reason;
	void *handle;

	if (program_is_static())
		return error_set(err, -ENOTSUP,
		                 "LTTng: this program is linked statically, and " LIBRARY
		                 " cannot run in such a one; link it dynamically");
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle) {
		reason = dlerror();
		return error_set(err, -ENOENT,
		                 "LTTng: cannot load " LIBRARY
		                 " (%s); install LTTng-UST 2.13 or later "
		                 "(Debian: liblttng-ust1)",
		                 reason ? reason : "no reason given");
	}
	return resolve(handle, api, err); /* what has threads cannot be unloaded */
}

static bool load_is_needed(void)
{
	bool needed = false;

	pthread_mutex_lock(&load_lock);
	if (!loaded && cut_off)
		error_set(&load_error, -ENOENT,
		          "LTTng: this process was forked while another thread was "
		          "loading " LIBRARY "; publish before forking, or exec");
	else
		needed = !loaded;
	pthread_mutex_unlock(&load_lock);
	return needed;
}

void lttng_load(void)
{
	struct weir_error err = { 0 };
	struct lttng_api api;
	bool covered = false, uncertain = false;
	int ret;

	if (!load_is_needed())
		return;
	__atomic_fetch_add(&loading, 1, __ATOMIC_RELEASE);
	ret = load(&api, &err);
	if (!ret) {
		covered = fork_is_lttngs() || !lttng_fork_claim();
		uncertain = fork_library_is_there();
	}
	pthread_mutex_lock(&load_lock);
	if (ret && !loaded) {
		load_error = err;
	} else if (!ret && !loaded) {
		lttng_api = api;
		fork_covered = covered;
		fork_uncertain = uncertain;
		__atomic_store_n(&loaded, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&load_lock);
	__atomic_fetch_sub(&loading, 1, __ATOMIC_RELEASE);
}

int lttng_loaded(struct weir_error *err)
{
	int ret = 0;

	pthread_mutex_lock(&load_lock);
	if (!loaded) {
		*err = load_error;
		ret = load_error.code;
	}
	pthread_mutex_unlock(&load_lock);
	return ret;
}

bool lttng_is_loading(void)
{
	return __atomic_load_n(&loading, __ATOMIC_ACQUIRE);
}

bool lttng_fork_is_covered(void)
{
	return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE) &&
	       (fork_covered || (fork_uncertain && fork_is_told()));
}

void lttng_fork_prepare(void)
{
	/* pairs with the release in lttng_load */
	forking = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE) && !lttng_fork_is_covered();
	if (forking)
		lttng_api.before_fork(&fork_signals);
}

void lttng_fork_parent(void)
{
	if (forking)
		lttng_api.after_fork_parent(&fork_signals);
	forking = false;
}

void lttng_fork_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	bool told = forking;

	/* Another thread may have had it; and if that was in LTTng's constructor, half of LTTng is
	 * here. */
	load_lock = fresh;
	cut_off |= loading > 0;
	loading = 0;
	forking = false;
	if (told)
		lttng_api.after_fork_child(&fork_signals); /* may fork itself */
}
