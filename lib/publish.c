/* SPDX-License-Identifier: MIT */
/*
 * Publishing: a set of probes becomes a stub (USDT), entries in the shared memory (buffers), and
 * last of all pointers in the probes, so that a fire finds either nothing or everything.
 *
 * The parts are independent. Where one cannot be had, its reason goes to the provider's error and
 * the other works alone.
 *
 * Loading a stub takes the dynamic loader's lock, which must not be waited for under a lock of ours
 * (lock.c). So publishing is three steps: to choose the probes and make the stub's bytes, under
 * weir_lock; to load it, under none; and to make it known, under the locks again. What others do in
 * between does not wait, and the last step takes it as it finds it:
 *
 *   they publish the same probes    who comes first makes them known; the other leaves them alone
 *   they add probes                 those are theirs to publish, if they are not deferred
 *   they withdraw                   nothing is made known; it is as if all was published before
 *   they destroy                    the same, and the provider is freed at the end (`users`)
 *   they fork                       that waits for work, if it can: see lock.c. In a child that was
 *                                   forked all the same nothing of it is known, and it can publish
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
#include "lib/environment.h"
#include "lib/error.h"
#include "lib/follow.h"
#include "lib/lock.h"
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

/*
 * How long a fork waits for those who publish. They may be waiting for the forking thread: it has
 * LTTng's lock, if it is LTTng's fork() that called us, or the loader's, if it is in LTTng's
 * constructor, which may fork, or in another one. By the end of the short time a call that got what
 * it waits for has long returned.
 */
static int fork_patience(void)
{
	return lttng_fork_is_covered() || lttng_is_loading() ? 200 : 2000;
}

static void fork_prepare(void)
{
	if (fork_is_nested()) {
		fork_depth_set(fork_depth + 1);
		return;
	}
	declare_fork_prepare();
	locks_fork_prepare(fork_patience());
	__atomic_store_n(&forking_thread, pthread_self(), __ATOMIC_RELAXED);
	fork_depth_set(1);
	follow_prepare();
	lttng_fork_prepare();
}

static void fork_parent(void)
{
	if (fork_was_nested())
		return;
	lttng_fork_parent();
	fork_depth_set(0);
	locks_fork_parent();
	declare_fork_parent();
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
		struct follow follow;
		bool ours;

		follow_begin(&follow);
		ours = !shm_recreate() && !slots_create(use_rseq);
		if (ours) {
			session_inherit(follow.sessions);
			registry_each(session_match);
			shm_ready();
		} else {
			registry_each(probe_detach);
		}
		follow_end(&follow, ours);
	}
	providers_fork_child();
	locks_fork_child();
	lttng_fork_child();
	fork_depth_set(0);
	declare_fork_child();
}

static void fork_watch(void)
{
	static bool watching;

	if (!watching)
		pthread_atfork(fork_prepare, fork_parent, fork_child);
	watching = true;
}

/* ---- buffers ---- */

/* A number of bytes with K, M or G behind it, or not. */
static bool parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KkMmGg";
	const char *unit;
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	if (end == text || errno || strchr(text, '-'))
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (!unit)
		return !*end;
	if (*ret >> (64 - 30))
		return false;
	*ret <<= ((unit - units) / 2 + 1) * 10;
	return !end[1];
}

static uint64_t pool_size(const struct weir_provider *provider, struct weir_error *err)
{
	const char *env = secure_getenv("WEIR_POOL");
	uint64_t size = provider->pool_size;
	char text[41];

	if (!size && env && *env && !parse_size(env, &size)) {
		size = 0;
		error_set(err, -EINVAL,
		          "WEIR_POOL=%s is not a size (such as 64M): 128 MiB are used",
		          error_text(env, text, sizeof(text)));
	}
	if (!size)
		size = POOL_SIZE;
	if (size >= POOL_MIN && size <= POOL_MAX)
		return size;
	error_set(err, -EINVAL, "a pool of %llu bytes (WEIR_POOL, pool_size) cannot be: %s used",
	          (unsigned long long)size, size < POOL_MIN ? "1 MiB is" : "64 GiB are");
	return size < POOL_MIN ? POOL_MIN : POOL_MAX;
}

/* The shared memory, made at the first publish that wants it. */
static int buffers_start(struct weir_provider *provider)
{
	uint32_t features = provider->flags & WEIR_PROVIDER_BLOCK ? WEIR_FEATURE_BLOCK : 0;
	struct weir_error pool_err = { 0 };
	int r;

	if (shm.base) {
		shm_allow(features);
		return 0;
	}
	use_rseq = !environment_on("WEIR_NO_RSEQ") && rseq_probe();
	r = shm_create(pool_size(provider, &pool_err),
	               features | (use_rseq ? WEIR_FEATURE_RSEQ : 0), use_rseq ? 1 : 2,
	               &provider->error);
	if (r)
		return r;
	r = slots_create(use_rseq);
	if (r)
		return error_set(&provider->error, r,
		                 "no buffers: no private memory for %u slots: %s", shm.slots,
		                 strerror(-r));
	if (pool_err.code)
		provider->error = pool_err;
	session_from_environment();
	shm_ready();
	session_announce();
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
static void error_join(struct weir_error *to, const char *what, const struct weir_error *more)
{
	size_t used = strlen(to->message);

	if (!to->code)
		to->code = more->code;
	snprintf(to->message + used, sizeof(to->message) - used, "%s%s%s", used ? "; " : "", what,
	         more->message);
}

/* Known to the caller: what a path attach has to name. */
static int path_add(struct weir_provider *provider, const char *path, struct weir_error *err)
{
	char **paths;

	for (size_t i = 0; i < provider->path_count; i++) {
		if (!strcmp(provider->paths[i], path))
			return 0;
	}
	paths = realloc(provider->paths, (provider->path_count + 1) * sizeof(*paths));
	if (!paths)
		return error_set(err, -ENOMEM, "no memory for the stub's path");
	provider->paths = paths;
	paths[provider->path_count] = strdup(path);
	if (!paths[provider->path_count])
		return error_set(err, -ENOMEM, "no memory for the stub's path");
	provider->path_count++;
	return 0;
}

static void paths_free(struct weir_provider *provider)
{
	for (size_t i = 0; i < provider->path_count; i++)
		free(provider->paths[i]);
	free(provider->paths);
	provider->paths = NULL;
	provider->path_count = 0;
}

/* The bytes of it. */
static int stub_make(struct publication *p)
{
	if (!entry_any())
		return error_set(&p->error, -ENOTSUP, "not on this architecture yet");
	p->stubs = calloc(p->count, sizeof(*p->stubs));
	if (!p->stubs)
		return error_set(&p->error, -ENOMEM, "no memory for the stub");
	for (size_t i = 0; i < p->count; i++) {
		struct probe *probe = p->probes[i];

		probe->note->site = probe->note->semaphore = 0;
		p->stubs[i].note = probe->note;
		p->stubs[i].semaphore = probe->flags & WEIR_PROBE_SEMAPHORE;
	}
	return stub_build(p->stubs, p->count, &p->image, &p->image_size, &p->error);
}

static void stub_use(struct publication *p)
{
	p->no_usdt = path_add(p->provider, p->file.path, &p->error);
	for (size_t i = 0; !p->no_usdt && i < p->count; i++)
		stub_connect(p->probes[i], &p->stubs[i], p->file.base);
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

static int probes_choose(struct publication *p, struct probe *only)
{
	size_t room = 0;

	for (struct probe *probe = p->provider->probes; probe; probe = probe->next)
		room += !probe->published && (!only || probe == only);
	if (!room)
		return 0;
	p->probes = calloc(room, sizeof(*p->probes));
	if (!p->probes)
		return -ENOMEM;
	for (struct probe *probe = p->provider->probes; probe; probe = probe->next) {
		if (!probe->published && (!only || probe == only))
			p->probes[p->count++] = probe;
	}
	return 0;
}

void publish_begin(struct weir_provider *provider, struct probe *only, struct publication *ret)
{
	*ret = (struct publication){
		.provider = provider,
		.withdrawals = provider->withdrawals,
		.no_usdt = -ENOTSUP,
	};
	provider->users++;
	provider->published = true;
	fork_watch();
	ret->no_memory = probes_choose(ret, only);
	if (ret->count && !(provider->flags & WEIR_PROVIDER_NO_USDT))
		ret->no_usdt = stub_make(ret);
}

/* What this process has to load. Without locks. */
static void load(struct publication *p)
{
	const struct weir_provider *provider = p->provider;

	if (p->image)
		p->no_usdt = stub_load(provider->name, provider->stub_dir,
		                       provider->flags & WEIR_PROVIDER_MEMFD, p->image,
		                       p->image_size, &p->file, &p->error);
	if (p->count && lttng_wanted(provider->flags))
		lttng_load_code(provider, p->probes, p->count);
}

/* What another thread has made known meanwhile is done. */
static void drop_published(struct publication *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->probes[i]->published)
			continue;
		p->probes[n] = p->probes[i];
		if (p->stubs)
			p->stubs[n] = p->stubs[i];
		n++;
	}
	p->count = n;
}

static int make_known(struct publication *p)
{
	struct weir_provider *provider = p->provider;
	bool want_buffer = !(provider->flags & WEIR_PROVIDER_NO_BUFFER);
	int no_buffer = -ENOTSUP, no_lttng = -ENOTSUP;

	provider->error = (struct weir_error){ 0 };
	if (want_buffer)
		no_buffer = buffers_start(provider);
	if (!p->no_usdt)
		stub_use(p);
	if (p->error.code)
		error_join(&provider->error, p->no_usdt ? "no USDT: " : "", &p->error);
	for (size_t i = 0; i < p->count; i++) {
		bool buffer = !no_buffer && !buffers_add(provider, p->probes[i]);

		probe_activate(p->probes[i], !p->no_usdt, buffer);
	}
	if (p->count && lttng_wanted(provider->flags))
		no_lttng = lttng_publish(provider, p->probes, p->count);
	if (p->no_memory)
		return error_set(&provider->error, p->no_memory, "no memory to publish");
	if (!p->count || !no_buffer || !p->no_usdt || !no_lttng)
		return 0;
	return want_buffer ? no_buffer : p->no_usdt;
}

int publish_end(struct publication *p, struct weir_error *err)
{
	size_t chosen = p->count;
	int r = 0;

	work_begin();
	load(p);
	publish_lock();
	drop_published(p);
	if (p->withdrawals == p->provider->withdrawals && (p->count || !chosen))
		r = make_known(p);
	if (err && p->provider->error.code) /* also of what works in part, and r is 0 */
		*err = p->provider->error;
	provider_put(p->provider);
	publish_unlock();
	work_end();
	free(p->probes);
	free(p->stubs);
	free(p->image);
	return r;
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
	provider->withdrawals++;
	paths_free(provider);
}
