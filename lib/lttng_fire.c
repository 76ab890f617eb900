/* SPDX-License-Identifier: MIT */
/*
 * A fire that LTTng wants. In: the arguments as words. Out: an event in every session that enabled
 * it, a notification to every trigger, a hit in every map.
 *
 * LTTng keeps, per call site, an array of {function, data} that it swaps under RCU. It hands the
 * function nothing but what the call site passes, so the function could be anything; here it serves
 * as a mark, and the call site does the work: the payload is packed once and written once to each
 * session. Entries with another function belong to another copy of this library in the process,
 * which declared a probe of the same name; they are its own business.
 *
 * Signal safety is LTTng's: its read lock nests in handlers, a thread unknown to it registers with
 * all signals blocked, reserving in the ring buffer is lock-free. Nothing here allocates; the stack
 * below needs about 1.5 KB.
 */
#include "lib/lttng_event.h"

#include <errno.h>

/* Payloads beyond this are written field by field. */
#define PAYLOAD_SIZE 1024

struct fire {
	const struct lttng_event *event;
	const uint64_t *args;
	struct ust_probe_ctx probe;
	bool packed;
	bool stacked;
	size_t size; /* of the payload; 0 with packed: none, or too large for it */
	bool large;
	uint64_t stack[LTTNG_STACK_WORDS];
	uint8_t payload[PAYLOAD_SIZE];
};

/* Given to LTTng as the events' function, never called. */
void lttng_event_callback(void)
{
}

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

/* What filters and captures read; the same for all of them. */
static __attribute__((noinline)) const char *fire_stack(struct fire *fire)
{
	if (!fire->stacked) {
		lttng_layout_stack(fire->event->layout, fire->args, fire->stack);
		fire->stacked = true;
	}
	return (const char *)fire->stack;
}

static inline void fire_pack(struct fire *fire)
{
	const struct lttng_layout *layout = fire->event->layout;
	/* pairs with the release in lttng_layouts_compile */
	lttng_pack_fn *pack = __atomic_load_n(&layout->pack, __ATOMIC_ACQUIRE);
	uint8_t *end =
	    pack(layout, fire->args, fire->payload, fire->payload + PAYLOAD_SIZE - layout->fixed);

	fire->packed = true;
	fire->large = !end;
	fire->size = end ? (size_t)(end - fire->payload) : 0;
}

/* Measured anew for every session: a string may have changed since. */
static __attribute__((noinline)) void record_large(struct fire *fire, struct ust_ring_ctx *ctx,
                                                   const struct ust_buffer_ops *ops)
{
	uint16_t sizes[WEIR_FIELDS_MAX];

	ctx->data_size = lttng_layout_measure(fire->event->layout, fire->args, sizes);
	if (ops->event_reserve(ctx) < 0)
		return;
	lttng_layout_write(fire->event->layout, fire->args, sizes, ops, ctx);
	ops->event_commit(ctx);
}

static inline void record(struct fire *fire, struct ust_recorder *recorder)
{
	const struct ust_buffer_ops *ops = recorder->chan->ops;
	const struct lttng_layout *layout = fire->event->layout;
	const void *bytes = fire->args;
	struct ust_ring_ctx ctx;

	ctx.data_size = layout->words;
	if (!layout->words) {
		if (!fire->packed)
			fire_pack(fire);
		ctx.data_size = fire->size;
		bytes = fire->payload;
	}
	/* member by member: clearing it all first costs 2 ns */
	ctx.struct_size = sizeof(ctx);
	ctx.client_priv = recorder;
	ctx.largest_align = layout->align;
	ctx.probe_ctx = &fire->probe;
	ctx.priv = NULL;
	if (!layout->words && WEIR_UNLIKELY(fire->large)) {
		record_large(fire, &ctx, ops);
		return;
	}
	if (ops->event_reserve(&ctx) < 0)
		return; /* no place: LTTng counts it as discarded */
	if (ctx.data_size)
		ops->event_write(&ctx, bytes, ctx.data_size, layout->align);
	ops->event_commit(&ctx);
}

static void notify(struct fire *fire, struct ust_notifier *notifier)
{
	struct ust_notification_ctx ctx = {
		.struct_size = sizeof(ctx),
		.eval_capture = READ_ONCE(notifier->eval_capture),
	};

	if (ctx.eval_capture)
		fire_stack(fire);
	notifier->notification_send(notifier, (const char *)fire->stack, &fire->probe, &ctx);
}

/* LTTng-UST 2.14 and later; without this call the user's maps stay empty. */
static void count(struct fire *fire, struct ust_counter *counter)
{
	struct ust_counter_ctx ctx = {
		.struct_size = sizeof(ctx),
		.args_available = READ_ONCE(counter->use_args),
	};

	if (ctx.args_available)
		fire_stack(fire);
	counter->chan->ops->counter_hit(counter, (const char *)fire->stack, &fire->probe, &ctx);
}

static inline bool channel_is_on(const struct ust_channel *channel)
{
	return READ_ONCE(channel->session->active) && READ_ONCE(channel->enabled);
}

static inline bool filter_passes(struct fire *fire, struct ust_event *event)
{
	return !WEIR_UNLIKELY(READ_ONCE(event->eval_filter)) ||
	       event->run_filter(event, fire_stack(fire), &fire->probe, NULL) == UST_FILTER_ACCEPT;
}

static __attribute__((noinline)) void deliver_other(struct fire *fire, struct ust_event *event)
{
	struct ust_counter *counter = event->child;

	if (event->kind == UST_EVENT_COUNTER && !channel_is_on(counter->chan->parent))
		return;
	if (!filter_passes(fire, event))
		return;
	if (event->kind == UST_EVENT_COUNTER)
		count(fire, counter);
	else if (event->kind == UST_EVENT_NOTIFIER)
		notify(fire, event->child); /* a trigger's: it has no channel */
}

static inline void deliver(struct fire *fire, struct ust_event *event)
{
	struct ust_recorder *recorder = event->child;

	if (!READ_ONCE(event->enabled))
		return;
	if (WEIR_UNLIKELY(event->kind != UST_EVENT_RECORDER))
		deliver_other(fire, event);
	else if (channel_is_on(recorder->chan->parent) && filter_passes(fire, event))
		record(fire, recorder);
}

void lttng_event_fire(struct weir_sink *sink, const uint64_t *args, const void *ip)
{
	const struct lttng_event *event = (const struct lttng_event *)sink;
	const struct ust_tracepoint_probe *probe;
	struct fire fire;

	int saved;

	if (!READ_ONCE(event->site.state))
		return;
	saved = errno; /* waking a reader may change it */
	fire.event = event;
	fire.args = args;
	fire.probe.struct_size = sizeof(fire.probe);
	fire.probe.ip = (void *)(uintptr_t)ip;
	fire.packed = false;
	fire.stacked = false;
	lttng_api.read_lock();
	/* pairs with LTTng's rcu_assign_pointer */
	probe = __atomic_load_n(&event->site.probes, __ATOMIC_ACQUIRE);
	for (; probe && probe->func; probe++)
		if (probe->func == lttng_event_callback)
			deliver(&fire, probe->data);
	lttng_api.read_unlock();
	errno = saved;
}
