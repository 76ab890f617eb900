/* SPDX-License-Identifier: MIT */
/* The public calls on providers and probes: what they check and who owns what. */
#include "lib/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/error.h"
#include "lib/lock.h"
#include "lib/lttng.h"
#include "lib/pin.h"
#include "lib/session.h"

static struct weir_provider *providers;

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
	if (ret->pool_size && (ret->pool_size < POOL_MIN || ret->pool_size > POOL_MAX))
		return error_set(err, -EINVAL,
		                 "provider options: pool_size is %llu; 1 MiB to 64 GiB, or 0",
		                 (unsigned long long)ret->pool_size);
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
	p->users = 1;
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

int provider_publish_end(struct publication *p, struct weir_error *err)
{
	int r;

	if (lttng_wanted(p->provider->flags))
		lttng_load(); /* may wait, and fork */
	r = publish_end(p, err);
	session_wait();
	return r;
}

int weir_provider_publish(struct weir_provider *provider)
{
	struct publication p;

	if (!provider)
		return -EINVAL;
	weir_lock();
	publish_begin(provider, NULL, &p);
	weir_unlock();
	return provider_publish_end(&p, NULL);
}

int weir_provider_withdraw(struct weir_provider *provider)
{
	if (!provider)
		return -EINVAL;
	work_begin();
	publish_lock();
	withdraw(provider);
	publish_unlock();
	work_end();
	return 0;
}

void provider_put(struct weir_provider *provider)
{
	if (--provider->users)
		return;
	free(provider->stub_dir);
	free(provider);
}

void providers_fork_child(void)
{
	for (struct weir_provider *p = providers; p; p = p->next)
		p->users = 1;
}

void weir_provider_destroy(struct weir_provider *provider)
{
	struct weir_provider **at = &providers;

	if (!provider)
		return;
	work_begin();
	publish_lock();
	withdraw(provider);
	for (struct probe *p = provider->probes; p; p = p->next)
		p->provider = NULL;
	while (*at != provider)
		at = &(*at)->next;
	*at = provider->next;
	provider_put(provider);
	publish_unlock();
	work_end();
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
	/* who has LTTng from the environment alone does without that probe there */
	r = provider->flags & WEIR_PROVIDER_LTTNG ? lttng_note_check(note, o->error) : 0;
	if (r) {
		free(note);
		return r;
	}
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
	struct publication p;
	bool at_once;
	int r = probe_options(options, &o);

	if (r)
		return r;
	if (!provider)
		return error_set(o.error, -EINVAL, "no provider: NULL was given");
	weir_lock();
	r = probe_add(provider, name, fields, count, &o, &probe);
	at_once = !r && provider->published && !(o.flags & WEIR_PROBE_DEFER);
	if (at_once)
		publish_begin(provider, probe, &p);
	weir_unlock();
	/* what cannot be published says so in weir_provider_error; the probe is there all the same */
	if (at_once)
		publish_end(&p, NULL);
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
