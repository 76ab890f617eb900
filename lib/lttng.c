/* SPDX-License-Identifier: MIT */
/*
 * Publishing probes to LTTng, a batch at a time: what one call of weir_provider_publish() makes new.
 *
 * Order. Call sites first, then the provider: LTTng connects the two when the second one arrives,
 * and with a session active they are on before lttng_publish() returns. On the way out, call sites
 * first again; LTTng leaves a call site's state as it was if another one of the same name is still
 * there, so it is cleared here. When probe_unregister returns, LTTng has waited for all fires that
 * it could have been seen by and has dropped its events, so nothing points into the batch any more.
 *
 * Locks. LTTng's fork() (liblttng-ust-fork) takes LTTng's lock, and then our fork handler takes
 * weir_lock. LTTng's lock must not be waited for under weir_lock, therefore: weir_lock is given back
 * around each call that takes it, and what a child needs stands before. A child that was forked in
 * between, by another thread, does not know whether LTTng has the batch: it never frees that one.
 * publish_lock stays, so that nobody else registers or takes away meanwhile; LTTng loads nothing
 * in these calls (lock.c).
 */
#include "lib/lttng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/lock.h"
#include "lib/lttng_event.h"

struct lttng_batch {
	struct lttng_batch *next; /* of the provider */
	struct ust_probe_desc desc;
	void *registered;
	size_t count;
	struct probe **probes;
	struct lttng_event **events;
	const struct ust_event_desc **descs;
	struct ust_tracepoint **sites;
};

static void batch_free(struct lttng_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		lttng_event_release(batch->events[i]);
	free(batch->probes);
	free(batch->events);
	free(batch->descs);
	free(batch->sites);
	free(batch);
}

static struct lttng_batch *batch_alloc(size_t count)
{
	struct lttng_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->probes = calloc(count, sizeof(*batch->probes));
	batch->events = calloc(count, sizeof(*batch->events));
	batch->descs = calloc(count, sizeof(*batch->descs));
	batch->sites = calloc(count, sizeof(*batch->sites));
	if (batch->probes && batch->events && batch->descs && batch->sites)
		return batch;
	batch_free(batch);
	return NULL;
}

static int batch_add(struct lttng_batch *batch, struct probe *probe, struct weir_error *err)
{
	struct lttng_event *event;
	int ret = lttng_event_take(probe, &event, err);

	if (ret)
		return ret;
	event->desc.probe_desc = &batch->desc;
	event->tp_class.probe_desc = &batch->desc;
	batch->probes[batch->count] = probe;
	batch->events[batch->count] = event;
	batch->descs[batch->count] = &event->desc;
	batch->sites[batch->count] = &event->site;
	batch->count++;
	return 0;
}

static void batch_describe(struct lttng_batch *batch)
{
	batch->desc.struct_size = sizeof(batch->desc);
	batch->desc.provider = batch->events[0]->site.provider;
	batch->desc.events = batch->descs;
	batch->desc.nr_events = (unsigned int)batch->count;
	batch->desc.major = UST_PROVIDER_MAJOR;
	batch->desc.minor = UST_PROVIDER_MINOR;
}

static void sites_clear(struct lttng_batch *batch)
{
	lttng_api.module_unregister(batch->sites);
	for (size_t i = 0; i < batch->count; i++) {
		__atomic_store_n(&batch->events[i]->site.state, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&batch->events[i]->site.probes, NULL, __ATOMIC_RELAXED);
	}
}

/* Without weir_lock. */
static int register_unlocked(struct lttng_batch *batch, void **registered, struct weir_error *err)
{
	if (lttng_api.module_register(batch->sites, (int)batch->count))
		return error_set(err, -EPROTO, "LTTng: it did not take the call sites of %s",
		                 batch->desc.provider);
	*registered = lttng_api.probe_register(&batch->desc);
	if (*registered)
		return 0;
	sites_clear(batch);
	return error_set(err, -EPROTO,
	                 "LTTng: it refused the provider %s; LTTNG_UST_DEBUG=1 in the environment "
	                 "makes it say why on standard error",
	                 batch->desc.provider);
}

static void sinks_remove(struct lttng_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		probe_sink_remove(batch->probes[i], &batch->events[i]->sink);
}

/* The provider's from here on, if 0 is returned. */
static int batch_register(struct weir_provider *provider, struct lttng_batch *batch)
{
	struct weir_error err = { 0 };
	void *registered = NULL;
	int ret;

	for (size_t i = 0; i < batch->count; i++)
		probe_sink_add(batch->probes[i], &batch->events[i]->sink);
	batch->next = provider->lttng;
	provider->lttng = batch;
	weir_unlock();
	ret = register_unlocked(batch, &registered, &err);
	weir_lock();
	if (!ret) {
		batch->registered = registered;
		return 0;
	}
	provider->lttng = batch->next;
	sinks_remove(batch);
	provider->error = err;
	return ret;
}

void lttng_load_code(const struct weir_provider *provider, struct probe **probes, size_t count)
{
	const struct lttng_layout *layout;
	struct weir_error unsaid; /* lttng_publish() will say it */

	if (provider->flags & WEIR_PROVIDER_NO_USDT || lttng_loaded(&unsaid))
		return;
	weir_lock();
	for (size_t i = 0; i < count; i++)
		lttng_layout_find(probes[i]->note, &layout, &unsaid);
	weir_unlock();
	lttng_layouts_compile(provider->stub_dir, provider->flags & WEIR_PROVIDER_MEMFD);
}

int lttng_publish(struct weir_provider *provider, struct probe **probes, size_t count)
{
	struct weir_error *err = &provider->error;
	struct lttng_batch *batch;
	int ret = lttng_loaded(err);

	if (ret)
		return ret;
	batch = batch_alloc(count);
	if (!batch)
		return error_set(err, -ENOMEM, "LTTng: no memory for %zu probes", count);
	for (size_t i = 0; i < count && (!ret || ret == -EINVAL); i++)
		ret = batch_add(batch, probes[i], err);
	/* what LTTng cannot describe is left out */
	if (ret == -EINVAL && batch->count)
		ret = 0;
	if (!ret) {
		batch_describe(batch);
		ret = batch_register(provider, batch);
	}
	if (ret)
		batch_free(batch);
	return ret;
}

void lttng_withdraw(struct weir_provider *provider)
{
	struct lttng_batch *batch;

	while ((batch = provider->lttng)) {
		provider->lttng = batch->next;
		sinks_remove(batch);
		weir_unlock();
		sites_clear(batch);
		if (!batch->registered) { /* see above */
			weir_lock();
			continue;
		}
		lttng_api.probe_unregister(batch->registered);
		weir_lock();
		batch_free(batch);
	}
}
