/* SPDX-License-Identifier: MIT */
/*
 * Publishing: a set of probes becomes a stub (USDT), entries in the shared memory (buffers), and
 * last of all pointers in the probes, so that a fire finds either nothing or everything.
 *
 * The parts are independent. Where one cannot be had, its reason goes to the provider's error and
 * the other works alone.
 */
#include "lib/probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/entry.h"
#include "lib/declare.h"
#include "lib/error.h"
#include "lib/lttng.h"
#include "lib/session.h"
#include "lib/shm.h"
#include "lib/slot.h"

#define POOL_SIZE (UINT64_C(128) << 20)

static bool use_rseq;

/* ---- life of the process ---- */

/*
 * LTTng may fork in the child hook (see lttng_load.c), of this copy of the library or of another
 * one in the process, when locks are still held. Only the outer fork counts. The depth is the
 * forking thread's, who has taken weir_lock: another thread that reads it finds that it is not the
 * one.
 */
static pthread_t forking_thread;
static unsigned int fork_depth;

static bool fork_is_nested(void)
{
	return __atomic_load_n(&fork_depth, __ATOMIC_ACQUIRE) &&
	       pthread_equal(__atomic_load_n(&forking_thread, __ATOMIC_RELAXED), pthread_self());
}

static void fork_depth_set(unsigned int depth)
{
	__atomic_store_n(&fork_depth, depth, __ATOMIC_RELEASE);
}

/* After a fork: was it a nested one? */
static bool fork_was_nested(void)
{
	if (fork_depth == 1)
		return false;
	fork_depth_set(fork_depth - 1);
	return true;
}

static void fork_prepare(void)
{
	if (fork_is_nested()) {
		fork_depth_set(fork_depth + 1);
		return;
	}
	declare_fork_prepare();
	weir_lock();
	__atomic_store_n(&forking_thread, pthread_self(), __ATOMIC_RELAXED);
	fork_depth_set(1);
	lttng_fork_prepare();
}

static void fork_parent(void)
{
	if (fork_was_nested())
		return;
	lttng_fork_parent();
	fork_depth_set(0);
	weir_unlock();
	declare_fork_done();
}

static void probe_detach(struct probe *probe)
{
	probe->head.mask = &mask_off;
}

static void fork_child(void)
{
	if (fork_was_nested())
		return;
	slots_forget_thread();
	if (shm.base) {
		struct weir_shm_session parent[WEIR_SHM_SESSIONS];

		memcpy(parent, shm.sessions, sizeof(parent));
		if (shm_recreate() || slots_create(use_rseq)) {
			registry_each(probe_detach);
		} else {
			session_inherit(parent);
			registry_each(session_match);
			shm_ready();
		}
	}
	weir_unlock();
	lttng_fork_child();
	fork_depth_set(0);
	declare_fork_done();
}

static void fork_watch(void)
{
	static bool watching;

	if (!watching)
		pthread_atfork(fork_prepare, fork_parent, fork_child);
	watching = true;
}

/* ---- buffers ---- */

static uint64_t pool_size(const struct weir_provider *provider)
{
	const char *env = secure_getenv("WEIR_POOL");
	uint64_t size = provider->pool_size;
	char *end;

	if (!size && env && *env) {
		size = strtoull(env, &end, 0);
		switch (*end) {
		case 'G':
		case 'g':
			size <<= 30;
			break;
		case 'M':
		case 'm':
			size <<= 20;
			break;
		case 'K':
		case 'k':
			size <<= 10;
			break;
		}
	}
	if (!size)
		size = POOL_SIZE;
	if (size < 16 * WEIR_SHM_PACKET_SIZE)
		size = 16 * WEIR_SHM_PACKET_SIZE;
	return size > UINT64_C(64) << 30 ? UINT64_C(64) << 30 : size;
}

/* The shared memory, made at the first publish that wants it. */
static int buffers_start(struct weir_provider *provider)
{
	uint32_t features = provider->flags & WEIR_PROVIDER_BLOCK ? WEIR_FEATURE_BLOCK : 0;
	const char *no_rseq = secure_getenv("WEIR_NO_RSEQ");
	int r;

	if (shm.base) {
		shm_allow(features);
		return 0;
	}
	use_rseq = !(no_rseq && *no_rseq) && rseq_probe();
	r = shm_create(pool_size(provider), features | (use_rseq ? WEIR_FEATURE_RSEQ : 0),
	               use_rseq ? 1 : 2, &provider->error);
	if (r)
		return r;
	r = slots_create(use_rseq);
	if (r)
		return error_set(&provider->error, r, "no buffers: no memory for %u slots",
		                 shm.slots);
	session_from_environment();
	shm_ready();
	return 0;
}

static int buffers_add(struct weir_provider *provider, struct probe *probe)
{
	int r = shm_schema_add(probe->id, probe->note);

	if (r)
		return error_set(
		    &provider->error, r,
		    "no buffers for probe `%s`: the schema log is full: too many probes were "
		    "published and withdrawn in this process",
		    probe_name(probe));
	probe->announced = true;
	return 0;
}

/* ---- the stub ---- */

static void (*entry_for(const struct probe *probe))(void)
{
	void (*entry)(void) = NULL;

	if (use_rseq && clock_kind == WEIR_CLOCK_TSC) {
		if (!probe->bytes_fields)
			entry = entry_fixed(probe->fields);
		else if (probe->room)
			entry = entry_mixed();
	}
	return entry ? entry : entry_any();
}

static void stub_connect(struct probe *probe, const struct stub_probe *stub, uintptr_t base)
{
	probe->block = (struct stub_block *)(base + stub->block);
	probe->block->context = probe;
	probe->block->entry = entry_for(probe);
	probe->note->site = base + stub->site;
	probe->note->semaphore = stub->semaphore_at ? base + stub->semaphore_at : 0;
	probe->site_fn = (void (*)(void))(base + stub->call);
	__atomic_store_n(&probe->head.fire, (void (*)(void))(base + stub->thunk), __ATOMIC_RELAXED);
}

/* A second reason joins the first. */
static void error_join(struct weir_error *to, const struct weir_error *more)
{
	size_t used = strlen(to->message);

	if (!to->code)
		to->code = more->code;
	snprintf(to->message + used, sizeof(to->message) - used, "%s%s", used ? "; and " : "",
	         more->message);
}

static int stub_start(struct weir_provider *provider, struct probe **probes, size_t count,
                      struct weir_error *err)
{
	struct stub_probe *stubs = calloc(count, sizeof(*stubs));
	struct stub_file file;
	uint8_t *image;
	size_t size;
	int r;

	if (!stubs)
		return error_set(err, -ENOMEM, "no USDT: no memory");
	if (!entry_any()) {
		free(stubs);
		return error_set(err, -ENOTSUP, "no USDT: not on this architecture yet");
	}
	for (size_t i = 0; i < count; i++) {
		probes[i]->note->site = probes[i]->note->semaphore = 0;
		stubs[i].note = probes[i]->note;
		stubs[i].semaphore = probes[i]->flags & WEIR_PROBE_SEMAPHORE;
	}
	r = stub_build(stubs, count, &image, &size, err);
	if (!r) {
		r = stub_load(provider->name, provider->stub_dir,
		              provider->flags & WEIR_PROVIDER_MEMFD, image, size, &file, err);
		free(image);
	}
	for (size_t i = 0; !r && i < count; i++)
		stub_connect(probes[i], &stubs[i], file.base);
	if (!r && !provider->path[0])
		strcpy(provider->path, file.path);
	free(stubs);
	return r;
}

/* ---- all of it ---- */

static void probe_activate(struct probe *probe, bool usdt, bool buffer)
{
	__atomic_store_n(&probe->head.signature, usdt ? probe->args_signature : 0,
	                 __ATOMIC_RELAXED);
	/* release, partner is weir_enabled: a fire that sees these pointers sees the rest */
	if (usdt)
		__atomic_store_n(&probe->head.site, (const uint16_t *)(uintptr_t)probe->note->site,
		                 __ATOMIC_RELEASE);
	if (buffer)
		__atomic_store_n(&probe->head.mask, &shm.masks[probe->id], __ATOMIC_RELEASE);
	probe->published = true;
	if (buffer)
		session_match(probe);
}

static size_t probes_to_publish(struct weir_provider *provider, bool deferred, struct probe ***ret)
{
	size_t count = 0, n = 0;

	for (struct probe *p = provider->probes; p; p = p->next)
		count += !p->published && (deferred || !(p->flags & WEIR_PROBE_DEFER));
	*ret = count ? calloc(count, sizeof(**ret)) : NULL;
	if (!*ret)
		return 0;
	for (struct probe *p = provider->probes; p; p = p->next) {
		if (!p->published && (deferred || !(p->flags & WEIR_PROBE_DEFER)))
			(*ret)[n++] = p;
	}
	return n;
}

int publish(struct weir_provider *provider, bool deferred)
{
	struct probe **probes;
	size_t count = probes_to_publish(provider, deferred, &probes);
	bool want_buffer = !(provider->flags & WEIR_PROVIDER_NO_BUFFER);
	int no_buffer = -ENOTSUP, no_usdt = -ENOTSUP, no_lttng = -ENOTSUP;
	struct weir_error err = { 0 };

	provider->published = true;
	provider->error.code = 0;
	provider->error.message[0] = '\0';
	fork_watch();
	if (want_buffer)
		no_buffer = buffers_start(provider);
	if (count && !(provider->flags & WEIR_PROVIDER_NO_USDT))
		no_usdt = stub_start(provider, probes, count, &err);
	if (err.code)
		error_join(&provider->error, &err);
	for (size_t i = 0; i < count; i++) {
		bool buffer = !no_buffer && !buffers_add(provider, probes[i]);

		probe_activate(probes[i], !no_usdt, buffer);
	}
	if (count && lttng_wanted(provider->flags))
		no_lttng = lttng_publish(provider, probes, count);
	free(probes);
	if (!count || !no_buffer || !no_usdt || !no_lttng)
		return 0;
	return want_buffer ? no_buffer : no_usdt;
}

void withdraw(struct weir_provider *provider)
{
	lttng_withdraw(provider);
	for (struct probe *p = provider->probes; p; p = p->next) {
		if (!p->published)
			continue;
		p->published = false;
		__atomic_store_n(&p->head.site, &site_off, __ATOMIC_RELEASE);
		__atomic_store_n(&p->head.mask, &mask_off, __ATOMIC_RELEASE);
		if (p->announced) {
			__atomic_store_n(&shm.masks[p->id], 0, __ATOMIC_RELAXED);
			shm_schema_withdraw(p->id);
			p->announced = false;
		}
	}
	provider->published = false;
	provider->path[0] = '\0';
}
