/* SPDX-License-Identifier: MIT */
/*
 * What WEIR_PUBLISH and WEIR_WITHDRAW of <weir/probe.h> call: the declarations of one executable or
 * shared object (an *object* below), which its linker gathered in a section, become a provider's
 * probes.
 *
 * Several objects may declare probes of one provider, and even the same probe, so an object *holds*
 * a provider, and the last one that lets go withdraws it. It is withdrawn, not destroyed: a thread
 * may be in the middle of a fire whose probe pointer it has read already, and a withdrawn probe is
 * valid memory. So a plugin that comes and goes finds its old provider again, and nothing grows. It
 * is destroyed only when a plugin comes back with other fields than before, while nobody holds it.
 *
 * Nothing of an object's memory is kept but the address of its section, which is its identity;
 * names and fields are copied by weir_probe_create.
 */
#include <weir/probe.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/declare.h"
#include "lib/error.h"
#include "lib/lock.h"
#include "lib/pin.h"
#include "lib/probe.h"

typedef const struct weir_declaration *const *declarations;

struct holder {
	struct holder *next;
	declarations object;
	struct weir_provider *provider;
	bool made; /* by this file, not by the program through weir_provider_create */
	bool on;
	char name[WEIR_NAME_MAX + 1];
};

/*
 * `lock` is for all but the loading of what is published, which comes after it (lock.c). A fork does
 * not wait for it, since withdrawing waits for LTTng, whose lock the forking thread may have (see
 * lttng.c); list_lock is for the short time in which `holders` is changed.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct holder *holders;

void declare_fork_prepare(void)
{
	pthread_mutex_lock(&list_lock);
}

void declare_fork_parent(void)
{
	pthread_mutex_unlock(&list_lock);
}

void declare_fork_child(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

	lock = fresh; /* another thread of the parent may have had it */
	pthread_mutex_unlock(&list_lock);
}

static struct holder *holder_find(declarations object, const char *name)
{
	for (struct holder *h = holders; h; h = h->next) {
		if (h->object == object && !strcmp(h->name, name))
			return h;
	}
	return NULL;
}

static bool is_held(const struct weir_provider *provider)
{
	for (const struct holder *h = holders; h; h = h->next) {
		if (h->provider == provider && h->on)
			return true;
	}
	return false;
}

/* Did this file make it? Then it may also take it away. */
static bool is_made(const struct weir_provider *provider)
{
	for (const struct holder *h = holders; h; h = h->next) {
		if (h->provider == provider && h->made)
			return true;
	}
	return false;
}

static void forget(struct weir_provider *provider)
{
	struct holder **at = &holders;

	pthread_mutex_lock(&list_lock);
	while (*at) {
		struct holder *h = *at;

		if (h->provider == provider) {
			*at = h->next;
			free(h);
		} else {
			at = &h->next;
		}
	}
	pthread_mutex_unlock(&list_lock);
}

/* Does a probe that exists have the fields that are declared? */
static bool same_fields(const struct weir_probe *head, const struct weir_declaration *declared)
{
	const struct probe *probe = (const struct probe *)head;
	const char *p = probe_name(probe);

	if (probe->note->fields != declared->count)
		return false;
	p += strlen(p) + 1;
	for (size_t i = 0; i < declared->count; i++) {
		struct weir_note_field field;

		memcpy(&field, p, sizeof(field));
		p += sizeof(field);
		if (field.type != declared->fields[i].type || strcmp(p, declared->fields[i].name))
			return false;
		p += strlen(p) + 1;
	}
	return true;
}

static bool is_of(const struct weir_declaration *declared, const char *provider)
{
	return !strcmp(declared->provider, provider);
}

static void slot_set(const struct weir_declaration *declared, struct weir_probe *probe)
{
	/* release, partner is the declared fire: it sees the probe's words behind the pointer */
	__atomic_store_n(declared->probe, probe, __ATOMIC_RELEASE);
}

static int options_get(const struct weir_declaration *declared, struct weir_probe_options *ret,
                       struct weir_error *err)
{
	struct weir_probe_options options = { .size = sizeof(options) };

	if (declared->options) {
		size_t size = declared->options->size;

		if (size > sizeof(options))
			return error_set(err, -E2BIG,
			                 "the options of probe %s:%s are of a newer libweir than "
			                 "the one that is loaded; install that one",
			                 declared->provider, declared->name);
		memcpy(&options, declared->options, size ? size : sizeof(options));
	}
	options.size = sizeof(options);
	options.flags |= WEIR_PROBE_DEFER; /* all of them at once */
	options.error = err;
	*ret = options;
	return 0;
}

/* A probe that exists already: made by another file, object, or the program. */
static int probe_reuse(struct weir_probe *probe, const struct weir_declaration *declared,
                       struct weir_error *err)
{
	if (!same_fields(probe, declared))
		return error_set(err, -EEXIST,
		                 "probe %s:%s exists with other fields than those declared here; "
		                 "rename one of them, or rebuild what is older",
		                 declared->provider, declared->name);
	if (err)
		*err = (struct weir_error){ 0 };
	slot_set(declared, probe);
	return 0;
}

static int probe_get(struct weir_provider *provider, const struct weir_declaration *declared,
                     struct weir_error *err)
{
	struct weir_probe_options options;
	struct weir_probe *probe;
	int ret;

	if (*declared->probe != weir_probe_off)
		return probe_reuse(*declared->probe, declared, err);
	ret = options_get(declared, &options, err);
	if (ret)
		return ret;
	ret = weir_probe_create(provider, declared->name, declared->fields, declared->count,
	                        &options, &probe);
	if (ret == -EEXIST) {
		ret = weir_probe_find(provider, declared->name, &probe);
		return ret ? ret : probe_reuse(probe, declared, err);
	}
	if (!ret)
		slot_set(declared, probe);
	return ret;
}

static int provider_get(const char *name, const struct weir_provider_options *options,
                        struct weir_provider **ret, bool *made)
{
	int err = weir_provider_find(name, ret);

	*made = err == -ENOENT;
	if (*made)
		err = weir_provider_create(name, options, ret);
	return err;
}

/* A plugin that comes back changed: its old provider is in the way, and nobody uses it. */
static void drop_outdated(declarations begin, declarations end, const char *name)
{
	struct weir_provider *provider;

	if (weir_provider_find(name, &provider) || !is_made(provider) || is_held(provider))
		return;
	for (declarations d = begin; d < end; d++) {
		struct weir_probe *probe;

		if (is_of(*d, name) && !weir_probe_find(provider, (*d)->name, &probe) &&
		    !same_fields(probe, *d)) {
			forget(provider);
			weir_provider_destroy(provider);
			return;
		}
	}
}

static struct holder *hold(declarations object, const char *name,
                           const struct weir_provider_options *options, int *ret)
{
	struct holder *h = holder_find(object, name);
	struct weir_provider *provider;
	bool made;

	*ret = provider_get(name, options, &provider, &made);
	if (*ret)
		return NULL;
	if (!h) {
		h = calloc(1, sizeof(*h));
		if (!h) {
			if (made)
				weir_provider_destroy(provider);
			*ret = -ENOMEM;
			return NULL;
		}
		h->object = object;
		strcpy(h->name, name); /* weir_provider_create refused what is longer */
		h->provider = provider;
		pthread_mutex_lock(&list_lock);
		h->next = holders;
		holders = h;
		pthread_mutex_unlock(&list_lock);
	}
	h->provider = provider;
	h->made = made || is_made(provider);
	h->on = true;
	return h;
}

/* Under `lock`. */
static int publish_one_begin(declarations begin, declarations end, const char *name,
                             const struct weir_provider_options *options, struct publication *p)
{
	struct weir_error *err = options ? options->error : NULL;
	struct holder *h;
	int first, ret;

	drop_outdated(begin, end, name);
	h = hold(begin, name, options, &first);
	if (!h)
		return first;
	for (declarations d = begin; d < end; d++) {
		if (!is_of(*d, name))
			continue;
		/* The first reason is the one to tell; the other probes are made all the same. */
		ret = probe_get(h->provider, *d, first ? NULL : err);
		if (!first)
			first = ret;
	}
	weir_lock();
	publish_begin(h->provider, NULL, p);
	weir_unlock();
	return first;
}

static int publish_one(declarations begin, declarations end, const char *name,
                       const struct weir_provider_options *options)
{
	struct weir_error *err = options ? options->error : NULL;
	struct publication p = { 0 };
	int first, ret = 0;

	pthread_mutex_lock(&lock);
	first = publish_one_begin(begin, end, name, options, &p);
	pthread_mutex_unlock(&lock);
	if (p.provider)
		ret = provider_publish_end(&p, first ? NULL : err);
	return first ? first : ret;
}

static int withdraw_one(declarations begin, declarations end, const char *name)
{
	struct holder *h = holder_find(begin, name);

	if (!h || !h->on)
		return -ENOENT;
	for (declarations d = begin; d < end; d++) {
		if (is_of(*d, name))
			slot_set(*d, weir_probe_off);
	}
	h->on = false;
	if (h->made && !is_held(h->provider))
		return weir_provider_withdraw(h->provider);
	return 0;
}

/* Is it the first entry of its provider? Then it stands for the provider. */
static bool is_first(declarations begin, declarations d)
{
	for (; begin < d; begin++) {
		if (is_of(*begin, (*d)->provider))
			return false;
	}
	return true;
}

int weir_declared_publish(declarations begin, declarations end, const char *provider,
                          const struct weir_provider_options *options)
{
	int first = -ENOENT;
	bool any = false;

	library_pin(); /* not by weir_provider_create, under a lock */
	for (declarations d = begin; d < end; d++) {
		int ret;

		if ((provider && !is_of(*d, provider)) || !is_first(begin, d))
			continue;
		ret = publish_one(begin, end, (*d)->provider, options);
		if (!any || !first)
			first = ret;
		any = true;
	}
	if (!any)
		error_set(options ? options->error : NULL, -ENOENT,
		          "no probe is declared for provider %s here: is its WEIR_PROBE in a file "
		          "of this executable or shared object?",
		          provider ? provider : "(any)");
	return first;
}

int weir_declared_withdraw(declarations begin, declarations end, const char *provider)
{
	int first = -ENOENT;
	bool any = false;

	pthread_mutex_lock(&lock);
	for (declarations d = begin; d < end; d++) {
		int ret;

		if ((provider && !is_of(*d, provider)) || !is_first(begin, d))
			continue;
		ret = withdraw_one(begin, end, (*d)->provider);
		if (!any || !first)
			first = ret;
		any = true;
	}
	pthread_mutex_unlock(&lock);
	return first;
}
