/* SPDX-License-Identifier: MIT */
/* The public calls on providers and probes: what they check and who owns what. */
#include "lib/probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/error.h"
#include "lib/lttng.h"
#include "lib/pin.h"
#include "lib/session.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weir_provider *providers;

/*
 * Publishing and withdrawing give weir_lock back for a while (see lttng.c), and this one keeps them
 * apart; it is taken before weir_lock.
 */
static pthread_mutex_t publish_lock = PTHREAD_MUTEX_INITIALIZER;

void weir_lock(void)
{
	pthread_mutex_lock(&lock);
}

void weir_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static unsigned int forks_waiting; /* those who publish in a loop let them go first */

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static void lock_to_publish(void)
{
	while (__atomic_load_n(&forks_waiting, __ATOMIC_RELAXED))
		nap();
	pthread_mutex_lock(&publish_lock);
	weir_lock();
}

static void unlock_published(void)
{
	weir_unlock();
	pthread_mutex_unlock(&publish_lock);
}

/*
 * A fork waits until nobody publishes, unless the forking thread has LTTng's lock, which the
 * publishing one may be waiting for: then it goes on. By that time a call that had the lock before
 * has long returned.
 */
bool publish_fork_prepare(void)
{
	int naps = 0;
	bool held;

	__atomic_fetch_add(&forks_waiting, 1, __ATOMIC_RELAXED);
	while (!(held = !pthread_mutex_trylock(&publish_lock)) &&
	       naps++ < (lttng_fork_is_covered() ? 200 : 50000))
		nap();
	__atomic_fetch_sub(&forks_waiting, 1, __ATOMIC_RELAXED);
	return held;
}

void publish_fork_parent(bool held)
{
	if (held)
		pthread_mutex_unlock(&publish_lock);
}

void publish_fork_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

	/* other threads of the parent may have been there */
	publish_lock = fresh;
	forks_waiting = 0;
}

/*
 * Copy a sized option struct: what the caller does not have is 0; what it has beyond ours must
 * be 0. `size` 0 stands for our size.
 */
static int options_copy(void *to, size_t ours, const void *from)
{
	size_t theirs;

	memset(to, 0, ours);
	if (!from)
		return 0;
	memcpy(&theirs, from, sizeof(theirs));
	if (!theirs)
		theirs = ours;
	if (theirs < sizeof(theirs) || theirs > 4096)
		return -EINVAL;
	for (size_t i = ours; i < theirs; i++) {
		if (((const char *)from)[i])
			return -E2BIG;
	}
	memcpy(to, from, theirs < ours ? theirs : ours);
	return 0;
}

static struct weir_provider *provider_named(const char *name)
{
	struct weir_provider *p = providers;

	while (p && strcmp(p->name, name))
		p = p->next;
	return p;
}

#define PROVIDER_FLAGS                                                         \
	(WEIR_PROVIDER_BLOCK | WEIR_PROVIDER_LTTNG | WEIR_PROVIDER_NO_BUFFER | \
	 WEIR_PROVIDER_NO_USDT | WEIR_PROVIDER_MEMFD)

static int provider_options(const struct weir_provider_options *from,
                            struct weir_provider_options *ret)
{
	struct weir_error *err = from ? from->error : NULL;
	int r = options_copy(ret, sizeof(*ret), from);

	if (r == -E2BIG)
		return error_set(err, r,
		                 "provider options: something is set that this libweir is too "
		                 "old to know");
	if (r)
		return error_set(err, r, "provider options: `size` is wrong");
	if (ret->reserved)
		return error_set(err, -EINVAL, "provider options: `reserved` is %u, not 0",
		                 ret->reserved);
	if (ret->flags & ~(uint32_t)PROVIDER_FLAGS)
		return error_set(err, -EINVAL, "provider options: unknown flags 0x%x",
		                 ret->flags & ~(uint32_t)PROVIDER_FLAGS);
	if ((ret->flags & WEIR_PROVIDER_NO_BUFFER) && (ret->flags & WEIR_PROVIDER_NO_USDT) &&
	    !(ret->flags & WEIR_PROVIDER_LTTNG))
		return error_set(err, -EINVAL,
		                 "provider options: neither USDT nor buffers: nobody "
		                 "could see its probes");
	return 0;
}

int weir_provider_create(const char *name, const struct weir_provider_options *options,
                         struct weir_provider **ret)
{
	struct weir_provider_options o;
	struct weir_provider *p;
	int r = provider_options(options, &o);

	if (r)
		return r;
	r = name_check("provider", name, o.error);
	if (r)
		return r;
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_set(o.error, -ENOMEM, "provider `%s`: no memory", name);
	strcpy(p->name, name);
	p->flags = o.flags;
	p->pool_size = o.pool_size;
	p->last = &p->probes;
	if (o.stub_dir && !(p->stub_dir = strdup(o.stub_dir))) {
		free(p);
		return error_set(o.error, -ENOMEM, "provider `%s`: no memory", name);
	}
	weir_lock();
	if (provider_named(name)) {
		weir_unlock();
		free(p->stub_dir);
		free(p);
		return error_set(
		    o.error, -EEXIST,
		    "this process has a provider `%s` already; weir_provider_find gives it", name);
	}
	p->next = providers;
	providers = p;
	clock_start();
	weir_unlock();
	library_pin();
	*ret = p;
	return 0;
}

int weir_provider_find(const char *name, struct weir_provider **ret)
{
	struct weir_provider *p;

	if (!name || !ret)
		return -EINVAL;
	weir_lock();
	p = provider_named(name);
	weir_unlock();
	if (!p)
		return -ENOENT;
	*ret = p;
	return 0;
}

int weir_provider_publish(struct weir_provider *provider)
{
	int r;

	if (!provider)
		return -EINVAL;
	if (lttng_wanted(provider->flags))
		lttng_load(); /* may wait, and fork */
	lock_to_publish();
	r = publish(provider, true);
	unlock_published();
	session_wait();
	return r;
}

int weir_provider_withdraw(struct weir_provider *provider)
{
	if (!provider)
		return -EINVAL;
	lock_to_publish();
	withdraw(provider);
	unlock_published();
	return 0;
}

void weir_provider_destroy(struct weir_provider *provider)
{
	struct weir_provider **at = &providers;

	if (!provider)
		return;
	lock_to_publish();
	withdraw(provider);
	for (struct probe *p = provider->probes; p; p = p->next)
		p->provider = NULL;
	while (*at != provider)
		at = &(*at)->next;
	*at = provider->next;
	unlock_published();
	free(provider->stub_dir);
	free(provider);
}

void weir_provider_error(struct weir_provider *provider, struct weir_error *ret)
{
	if (!provider) {
		error_set(ret, -EINVAL, "no provider: NULL was given");
		return;
	}
	weir_lock();
	*ret = provider->error;
	weir_unlock();
}

const char *weir_provider_path(struct weir_provider *provider)
{
	const char *path = weir_provider_path_at(provider, 0);

	return path ? path : "";
}

const char *weir_provider_path_at(struct weir_provider *provider, size_t index)
{
	const char *path = NULL;

	if (!provider)
		return NULL;
	weir_lock();
	if (index < provider->path_count)
		path = provider->paths[index];
	weir_unlock();
	return path;
}

#define PROBE_FLAGS (WEIR_PROBE_SEMAPHORE | WEIR_PROBE_DEFER)

static int probe_options(const struct weir_probe_options *from, struct weir_probe_options *ret)
{
	struct weir_error *err = from ? from->error : NULL;
	int r = options_copy(ret, sizeof(*ret), from);

	if (r == -E2BIG)
		return error_set(err, r,
		                 "probe options: something is set that this libweir is too old "
		                 "to know");
	if (r)
		return error_set(err, r, "probe options: `size` is wrong");
	if (ret->reserved)
		return error_set(err, -EINVAL, "probe options: `reserved` is %u, not 0",
		                 ret->reserved);
	if (ret->flags & ~(uint32_t)PROBE_FLAGS)
		return error_set(err, -EINVAL, "probe options: unknown flags 0x%x",
		                 ret->flags & ~(uint32_t)PROBE_FLAGS);
	if (ret->loglevel < 0 || ret->loglevel > 15)
		return error_set(err, -EINVAL,
		                 "probe options: log level %d; LTTng has 0 to 14, plus one",
		                 ret->loglevel);
	return 0;
}

/* Under weir_lock. */
static int probe_add(struct weir_provider *provider, const char *name,
                     const struct weir_field *fields, size_t count,
                     const struct weir_probe_options *o, struct probe **ret)
{
	struct weir_note *note;
	struct probe *probe;
	int r;

	if (name && registry_find(provider, name))
		return error_set(o->error, -EEXIST,
		                 "provider `%s` has a probe `%s` already; weir_probe_find gives it",
		                 provider->name, name);
	r = note_create(provider->name, name, fields, count, o->string_limit, &note, o->error);
	if (r)
		return r;
	r = registry_get(note, &probe);
	if (r) {
		free(note);
		return error_set(o->error, r,
		                 r == -ENOSPC
		                     ? "probe `%s`: this process has declared 65,535 different "
		                       "probes"
		                     : "probe `%s`: no memory",
		                 name);
	}
	probe->provider = provider;
	probe->flags = o->flags;
	probe->loglevel = o->loglevel;
	probe->next = NULL;
	*provider->last = probe;
	provider->last = &probe->next;
	*ret = probe;
	return 0;
}

int weir_probe_create(struct weir_provider *provider, const char *name,
                      const struct weir_field *fields, size_t count,
                      const struct weir_probe_options *options, struct weir_probe **ret)
{
	struct weir_probe_options o;
	struct probe *probe = NULL;
	int r = probe_options(options, &o);

	if (r)
		return r;
	if (!provider)
		return error_set(o.error, -EINVAL, "no provider: NULL was given");
	lock_to_publish();
	r = probe_add(provider, name, fields, count, &o, &probe);
	/* What cannot be published says so in weir_provider_error; the probe is there all the same.
	 */
	if (!r && provider->published && !(o.flags & WEIR_PROBE_DEFER))
		publish(provider, false);
	unlock_published();
	if (!r)
		*ret = &probe->head;
	return r;
}

int weir_probe_find(struct weir_provider *provider, const char *name, struct weir_probe **ret)
{
	struct probe *probe;

	if (!provider || !name)
		return -EINVAL;
	weir_lock();
	probe = registry_find(provider, name);
	weir_unlock();
	if (!probe)
		return -ENOENT;
	*ret = &probe->head;
	return 0;
}
