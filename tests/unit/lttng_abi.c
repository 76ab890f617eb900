/* SPDX-License-Identifier: MIT */
/*
 * lib/lttng_abi.h against LTTng's own headers: every structure that both have, every member's place
 * and every number. The headers may be of any version from 2.13 on.
 */
#include <stdio.h>

#include <lttng/ust-events.h>
#include <lttng/tracepoint-types.h>
#include <lttng/ust-ringbuffer-context.h>
#include <lttng/ust-version.h>

#include "lib/lttng_abi.h"

static int failures, checks;

static void check(const char *what, size_t ours, size_t theirs)
{
	checks++;
	if (ours == theirs)
		return;
	failures++;
	fprintf(stderr, "%s: %zu, LTTng has %zu\n", what, ours, theirs);
}

/* LTTng's structures may have grown at their end since. */
#define SIZE(ours, theirs)                                                \
	do {                                                              \
		checks++;                                                 \
		if (sizeof(struct ours) > sizeof(struct theirs)) {        \
			failures++;                                       \
			fprintf(stderr, #ours ": larger than LTTng's\n"); \
		}                                                         \
	} while (0)
#define PLACE(ours, a, theirs, b)                                                          \
	do {                                                                               \
		check(#ours "." #a, offsetof(struct ours, a), offsetof(struct theirs, b)); \
		check("size of " #ours "." #a, sizeof(((struct ours *)0)->a),              \
		      sizeof(((struct theirs *)0)->b));                                    \
	} while (0)
#define NUMBER(ours, theirs) check(#ours, ours, theirs)

/* Bit-fields have no offset: set one and look for it. */
#define BIT(ours, a, theirs, b)                                                 \
	do {                                                                    \
		union {                                                         \
			struct ours s;                                          \
			unsigned char bytes[sizeof(struct ours)];               \
		} one = { .bytes = { 0 } };                                     \
		union {                                                         \
			struct theirs s;                                        \
			unsigned char bytes[sizeof(struct theirs)];             \
		} two = { .bytes = { 0 } };                                     \
		one.s.a = 1;                                                    \
		two.s.b = 1;                                                    \
		for (size_t i = 0; i < sizeof(one.bytes); i++)                  \
			check("bit " #ours "." #a, one.bytes[i], two.bytes[i]); \
	} while (0)

static void check_types(void)
{
	NUMBER(UST_TYPE_INTEGER, lttng_ust_type_integer);
	NUMBER(UST_TYPE_STRING, lttng_ust_type_string);
	NUMBER(UST_TYPE_FLOAT, lttng_ust_type_float);
	NUMBER(UST_TYPE_ENUM, lttng_ust_type_enum);
	NUMBER(UST_TYPE_SEQUENCE, lttng_ust_type_sequence);
	NUMBER(UST_ENCODING_NONE, lttng_ust_string_encoding_none);
	NUMBER(UST_ENCODING_UTF8, lttng_ust_string_encoding_UTF8);
	SIZE(ust_type_integer, lttng_ust_type_integer);
	PLACE(ust_type_integer, type, lttng_ust_type_integer, parent);
	PLACE(ust_type_integer, struct_size, lttng_ust_type_integer, struct_size);
	PLACE(ust_type_integer, size, lttng_ust_type_integer, size);
	PLACE(ust_type_integer, alignment, lttng_ust_type_integer, alignment);
	PLACE(ust_type_integer, base, lttng_ust_type_integer, base);
	BIT(ust_type_integer, is_signed, lttng_ust_type_integer, signedness);
	BIT(ust_type_integer, swapped, lttng_ust_type_integer, reverse_byte_order);
	SIZE(ust_type_float, lttng_ust_type_float);
	PLACE(ust_type_float, exponent, lttng_ust_type_float, exp_dig);
	PLACE(ust_type_float, mantissa, lttng_ust_type_float, mant_dig);
	PLACE(ust_type_float, alignment, lttng_ust_type_float, alignment);
	BIT(ust_type_float, swapped, lttng_ust_type_float, reverse_byte_order);
	SIZE(ust_type_string, lttng_ust_type_string);
	PLACE(ust_type_string, encoding, lttng_ust_type_string, encoding);
	SIZE(ust_type_sequence, lttng_ust_type_sequence);
	PLACE(ust_type_sequence, length_name, lttng_ust_type_sequence, length_name);
	PLACE(ust_type_sequence, element, lttng_ust_type_sequence, elem_type);
	PLACE(ust_type_sequence, alignment, lttng_ust_type_sequence, alignment);
	PLACE(ust_type_sequence, encoding, lttng_ust_type_sequence, encoding);
	SIZE(ust_enum_entry, lttng_ust_enum_entry);
	PLACE(ust_enum_entry, start, lttng_ust_enum_entry, start);
	PLACE(ust_enum_entry, end, lttng_ust_enum_entry, end);
	PLACE(ust_enum_entry, name, lttng_ust_enum_entry, string);
	PLACE(ust_enum_entry, options, lttng_ust_enum_entry, options);
	SIZE(ust_enum_desc, lttng_ust_enum_desc);
	PLACE(ust_enum_desc, name, lttng_ust_enum_desc, name);
	PLACE(ust_enum_desc, entries, lttng_ust_enum_desc, entries);
	PLACE(ust_enum_desc, nr_entries, lttng_ust_enum_desc, nr_entries);
	PLACE(ust_enum_desc, probe_desc, lttng_ust_enum_desc, probe_desc);
	SIZE(ust_type_enum, lttng_ust_type_enum);
	PLACE(ust_type_enum, desc, lttng_ust_type_enum, desc);
	PLACE(ust_type_enum, container, lttng_ust_type_enum, container_type);
}

static void check_descriptions(void)
{
	NUMBER(UST_PROVIDER_MAJOR, LTTNG_UST_PROVIDER_MAJOR_OLDEST_COMPATIBLE);
	SIZE(ust_field, lttng_ust_event_field);
	PLACE(ust_field, name, lttng_ust_event_field, name);
	PLACE(ust_field, type, lttng_ust_event_field, type);
	BIT(ust_field, nowrite, lttng_ust_event_field, nowrite);
	BIT(ust_field, nofilter, lttng_ust_event_field, nofilter);
	SIZE(ust_class, lttng_ust_tracepoint_class);
	PLACE(ust_class, fields, lttng_ust_tracepoint_class, fields);
	PLACE(ust_class, nr_fields, lttng_ust_tracepoint_class, nr_fields);
	PLACE(ust_class, callback, lttng_ust_tracepoint_class, probe_callback);
	PLACE(ust_class, signature, lttng_ust_tracepoint_class, signature);
	PLACE(ust_class, probe_desc, lttng_ust_tracepoint_class, probe_desc);
	SIZE(ust_event_desc, lttng_ust_event_desc);
	PLACE(ust_event_desc, name, lttng_ust_event_desc, event_name);
	PLACE(ust_event_desc, probe_desc, lttng_ust_event_desc, probe_desc);
	PLACE(ust_event_desc, tp_class, lttng_ust_event_desc, tp_class);
	PLACE(ust_event_desc, loglevel, lttng_ust_event_desc, loglevel);
	PLACE(ust_event_desc, model_emf_uri, lttng_ust_event_desc, model_emf_uri);
	SIZE(ust_probe_desc, lttng_ust_probe_desc);
	PLACE(ust_probe_desc, provider, lttng_ust_probe_desc, provider_name);
	PLACE(ust_probe_desc, events, lttng_ust_probe_desc, event_desc);
	PLACE(ust_probe_desc, nr_events, lttng_ust_probe_desc, nr_events);
	PLACE(ust_probe_desc, major, lttng_ust_probe_desc, major);
	PLACE(ust_probe_desc, minor, lttng_ust_probe_desc, minor);
	SIZE(ust_tracepoint, lttng_ust_tracepoint);
	PLACE(ust_tracepoint, provider, lttng_ust_tracepoint, provider_name);
	PLACE(ust_tracepoint, name, lttng_ust_tracepoint, event_name);
	PLACE(ust_tracepoint, state, lttng_ust_tracepoint, state);
	PLACE(ust_tracepoint, probes, lttng_ust_tracepoint, probes);
	PLACE(ust_tracepoint, provider_ref, lttng_ust_tracepoint, tracepoint_provider_ref);
	PLACE(ust_tracepoint, signature, lttng_ust_tracepoint, signature);
	PLACE(ust_tracepoint_probe, func, lttng_ust_tracepoint_probe, func);
	PLACE(ust_tracepoint_probe, data, lttng_ust_tracepoint_probe, data);
	check("tracepoint probe", sizeof(struct ust_tracepoint_probe),
	      sizeof(struct lttng_ust_tracepoint_probe));
}

static void check_events(void)
{
	NUMBER(UST_EVENT_RECORDER, LTTNG_UST_EVENT_TYPE_RECORDER);
	NUMBER(UST_EVENT_NOTIFIER, LTTNG_UST_EVENT_TYPE_NOTIFIER);
	NUMBER(UST_FILTER_ACCEPT, LTTNG_UST_EVENT_FILTER_ACCEPT);
	PLACE(ust_probe_ctx, ip, lttng_ust_probe_ctx, ip);
	PLACE(ust_event, priv, lttng_ust_event_common, priv);
	PLACE(ust_event, kind, lttng_ust_event_common, type);
	PLACE(ust_event, child, lttng_ust_event_common, child);
	PLACE(ust_event, enabled, lttng_ust_event_common, enabled);
	PLACE(ust_event, eval_filter, lttng_ust_event_common, eval_filter);
	PLACE(ust_event, run_filter, lttng_ust_event_common, run_filter);
	PLACE(ust_session, active, lttng_ust_session, active);
	PLACE(ust_channel, kind, lttng_ust_channel_common, type);
	PLACE(ust_channel, child, lttng_ust_channel_common, child);
	PLACE(ust_channel, enabled, lttng_ust_channel_common, enabled);
	PLACE(ust_channel, session, lttng_ust_channel_common, session);
	SIZE(ust_ring_ctx, lttng_ust_ring_buffer_ctx);
	PLACE(ust_ring_ctx, client_priv, lttng_ust_ring_buffer_ctx, client_priv);
	PLACE(ust_ring_ctx, data_size, lttng_ust_ring_buffer_ctx, data_size);
	PLACE(ust_ring_ctx, largest_align, lttng_ust_ring_buffer_ctx, largest_align);
	PLACE(ust_ring_ctx, probe_ctx, lttng_ust_ring_buffer_ctx, probe_ctx);
	PLACE(ust_ring_ctx, priv, lttng_ust_ring_buffer_ctx, priv);
	PLACE(ust_buffer_ops, event_reserve, lttng_ust_channel_buffer_ops, event_reserve);
	PLACE(ust_buffer_ops, event_commit, lttng_ust_channel_buffer_ops, event_commit);
	PLACE(ust_buffer_ops, event_write, lttng_ust_channel_buffer_ops, event_write);
	PLACE(ust_buffer_ops, event_strcpy, lttng_ust_channel_buffer_ops, event_strcpy);
	PLACE(ust_buffer_ops, event_pstrcpy_pad, lttng_ust_channel_buffer_ops, event_pstrcpy_pad);
	PLACE(ust_channel_buffer, parent, lttng_ust_channel_buffer, parent);
	PLACE(ust_channel_buffer, ops, lttng_ust_channel_buffer, ops);
	PLACE(ust_recorder, parent, lttng_ust_event_recorder, parent);
	PLACE(ust_recorder, chan, lttng_ust_event_recorder, chan);
	PLACE(ust_notification_ctx, eval_capture, lttng_ust_notification_ctx, eval_capture);
	PLACE(ust_notifier, eval_capture, lttng_ust_event_notifier, eval_capture);
	PLACE(ust_notifier, notification_send, lttng_ust_event_notifier, notification_send);
}

static void check_counters(void)
{
#if LTTNG_UST_MAJOR_VERSION > 2 || LTTNG_UST_MINOR_VERSION >= 16
	NUMBER(UST_EVENT_COUNTER, LTTNG_UST_EVENT_TYPE_COUNTER);
	PLACE(ust_counter_ctx, args_available, lttng_ust_event_counter_ctx, args_available);
	check("counter ctx", sizeof(struct ust_counter_ctx),
	      sizeof(struct lttng_ust_event_counter_ctx));
	PLACE(ust_counter, parent, lttng_ust_event_counter, parent);
	PLACE(ust_counter, chan, lttng_ust_event_counter, chan);
	PLACE(ust_counter, use_args, lttng_ust_event_counter, use_args);
	PLACE(ust_channel_counter, parent, lttng_ust_channel_counter, parent);
	PLACE(ust_channel_counter, ops, lttng_ust_channel_counter, ops);
	PLACE(ust_counter_ops, counter_hit, lttng_ust_channel_counter_ops, counter_hit);
#else
	printf("counters: LTTng %d.%d has none\n", LTTNG_UST_MAJOR_VERSION,
	       LTTNG_UST_MINOR_VERSION);
#endif
}

int main(void)
{
#ifdef LTTNG_UST_RING_BUFFER_NATURAL_ALIGN
	NUMBER(UST_PACKED, 0);
#else
	NUMBER(UST_PACKED, 1);
#endif
	check_types();
	check_descriptions();
	check_events();
	check_counters();
	printf("LTTng-UST %d.%d: %d checks, %d failed\n", LTTNG_UST_MAJOR_VERSION,
	       LTTNG_UST_MINOR_VERSION, checks, failures);
	return failures != 0;
}
