/* SPDX-License-Identifier: MIT */
/*
 * A graph of three components: babeltrace2's reader of CTF files, its muxer (a sink has one input;
 * the order of time comes for free), and a sink of ours. Each class of events becomes a struct
 * schema_probe, asked about once, and each event an array of record_value.
 */
#include "reader/ctf_foreign.h"

#include "reader/error.h"

#include <babeltrace2/babeltrace.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum scope { PAYLOAD, SPECIFIC, COMMON, SCOPES };

/* Where a field of a probe lies in an event. */
struct place {
	enum scope scope;
	uint64_t index;
	bt_field_class_type type;
};

struct class
{
	const bt_event_class *key;
	struct schema_probe *probe;
	struct ctf_use use;
	int pid, tid; /* fields that say so; -1: none */
	char *name;   /* "PROVIDER\0PROBE" */
	struct place places[SCHEMA_FIELDS_MAX];
};

struct reading {
	struct ctf_reading *out;
	struct ctf_trace trace;
	struct class **classes; /* open addressing by the address of the class */
	size_t room, used;
	bool no_memory;
	uint64_t messages;
};

/* --- classes of events */

static uint8_t type_of(const bt_field_class *class, bt_field_class_type *type)
{
	*type = bt_field_class_get_type(class);
	if (bt_field_class_type_is(*type, BT_FIELD_CLASS_TYPE_ENUMERATION))
		return WEIR_STRING;
	if (bt_field_class_type_is(*type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER))
		return WEIR_U64;
	if (bt_field_class_type_is(*type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER))
		return WEIR_I64;
	if (bt_field_class_type_is(*type, BT_FIELD_CLASS_TYPE_REAL))
		return WEIR_F64;
	if (*type == BT_FIELD_CLASS_TYPE_BOOL)
		return WEIR_BOOL;
	return *type == BT_FIELD_CLASS_TYPE_STRING ? WEIR_STRING : 0;
}

static void add_fields(struct class *c, enum scope scope, const bt_field_class *structure)
{
	uint64_t count = structure ? bt_field_class_structure_get_member_count(structure) : 0;

	for (uint64_t i = 0; i < count && c->probe->count < SCHEMA_FIELDS_MAX; i++) {
		const bt_field_class_structure_member *member =
		    bt_field_class_structure_borrow_member_by_index_const(structure, i);
		const char *name = bt_field_class_structure_member_get_name(member);
		struct place *place = &c->places[c->probe->count];
		uint8_t type = type_of(
		    bt_field_class_structure_member_borrow_field_class_const(member), &place->type);

		if (!type)
			continue;
		place->scope = scope;
		place->index = i;
		if (!strcmp(name, "vpid") || !strcmp(name, "pid"))
			c->pid = scope == PAYLOAD ? c->pid : (int)c->probe->count;
		if (!strcmp(name, "vtid") || !strcmp(name, "tid"))
			c->tid = scope == PAYLOAD ? c->tid : (int)c->probe->count;
		c->probe->fields[c->probe->count++] =
		    (struct schema_field){ .name = name, .type = type };
	}
}

static void name_probe(struct class *c, const char *name)
{
	const char *colon = name ? strchr(name, ':') : NULL;

	if (!name)
		name = "event";
	if (asprintf(&c->name, "%.*s:%s", colon ? (int)(colon - name) : 5, colon ? name : "lttng",
	             colon ? colon + 1 : name) < 0) {
		c->name = NULL;
		return;
	}
	c->probe->provider = c->name;
	c->probe->name = strchr(c->name, ':') + 1;
	*strchr(c->name, ':') = '\0';
}

static void free_class(struct class *c)
{
	if (c) {
		free(c->probe);
		free(c->name);
	}
	free(c);
}

static struct class *make_class(struct reading *r, const bt_event_class *event)
{
	struct class *c = calloc(1, sizeof(*c));
	const bt_stream_class *stream = bt_event_class_borrow_stream_class_const(event);

	if (!c)
		return NULL;
	c->key = event;
	c->pid = c->tid = -1;
	c->probe = calloc(1, sizeof(*c->probe) + SCHEMA_FIELDS_MAX * sizeof(c->probe->fields[0]));
	if (c->probe)
		name_probe(c, bt_event_class_get_name(event));
	if (!c->name) {
		free_class(c);
		return NULL;
	}
	add_fields(c, PAYLOAD, bt_event_class_borrow_payload_field_class_const(event));
	add_fields(c, SPECIFIC, bt_event_class_borrow_specific_context_field_class_const(event));
	add_fields(c, COMMON,
	           bt_stream_class_borrow_event_common_context_field_class_const(stream));
	r->out->probe(r->out->arg, &r->trace, c->probe, &c->use);
	return c;
}

static struct class **place_of(struct class **classes, size_t room, const bt_event_class *key)
{
	size_t i = ((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (room - 1);

	while (classes[i] && classes[i]->key != key)
		i = (i + 1) & (room - 1);
	return &classes[i];
}

static bool grow(struct reading *r)
{
	size_t room = r->room ? 2 * r->room : 64;
	struct class **classes = calloc(room, sizeof(*classes));

	if (!classes)
		return false;
	for (size_t i = 0; i < r->room; i++) {
		if (r->classes[i])
			*place_of(classes, room, r->classes[i]->key) = r->classes[i];
	}
	free(r->classes);
	r->classes = classes;
	r->room = room;
	return true;
}

static struct class *class_of(struct reading *r, const bt_event_class *event)
{
	struct class **place;

	if (2 * (r->used + 1) > r->room && !grow(r))
		return NULL;
	place = place_of(r->classes, r->room, event);
	if (!*place && (*place = make_class(r, event)))
		r->used++;
	return *place;
}

/* --- events */

static const bt_field *scope_of(const bt_event *event, enum scope scope)
{
	switch (scope) {
	case PAYLOAD:
		return bt_event_borrow_payload_field_const(event);
	case SPECIFIC:
		return bt_event_borrow_specific_context_field_const(event);
	default:
		return bt_event_borrow_common_context_field_const(event);
	}
}

/* An enumeration's label; its number, as text, if it has none. */
static void enumeration(const bt_field *field, bool is_signed, struct record_value *v,
                        char number[24])
{
	bt_field_class_enumeration_mapping_label_array labels;
	uint64_t count = 0;

	if (is_signed)
		bt_field_enumeration_signed_get_mapping_labels(field, &labels, &count);
	else
		bt_field_enumeration_unsigned_get_mapping_labels(field, &labels, &count);
	if (count) {
		v->data = labels[0];
	} else {
		if (is_signed)
			snprintf(number, 24, "%lld",
			         (long long)bt_field_integer_signed_get_value(field));
		else
			snprintf(number, 24, "%llu",
			         (unsigned long long)bt_field_integer_unsigned_get_value(field));
		v->data = number;
	}
	v->size = v->original = (uint32_t)strlen(v->data);
}

static void read_value(const bt_field *field, bt_field_class_type type, struct record_value *v,
                       char number[24])
{
	bool is_signed = bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER);

	if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ENUMERATION)) {
		enumeration(field, is_signed, v, number);
	} else if (is_signed) {
		v->i64 = bt_field_integer_signed_get_value(field);
	} else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)) {
		v->u64 = bt_field_integer_unsigned_get_value(field);
	} else if (type == BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL) {
		v->f64 = bt_field_real_single_precision_get_value(field);
	} else if (type == BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL) {
		v->f64 = bt_field_real_double_precision_get_value(field);
	} else if (type == BT_FIELD_CLASS_TYPE_BOOL) {
		v->u64 = bt_field_bool_get_value(field) != 0;
	} else {
		v->data = bt_field_string_get_value(field);
		v->size = v->original = (uint32_t)strlen(v->data);
	}
}

/* As it was, if it cannot be said. */
static void read_time(const bt_clock_snapshot *snapshot, int64_t *ret)
{
	int64_t ns;

	if (bt_clock_snapshot_get_ns_from_origin(snapshot, &ns) !=
	    BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK)
		return;
	*ret = ns < -CTF_TIME_MAX ? -CTF_TIME_MAX : ns > CTF_TIME_MAX ? CTF_TIME_MAX : ns;
}

static void on_event(struct reading *r, const bt_message *message)
{
	const bt_event *event = bt_message_event_borrow_event_const(message);
	struct class *c = class_of(r, bt_event_borrow_class_const(event));
	struct record_value values[SCHEMA_FIELDS_MAX];
	static char numbers[SCHEMA_FIELDS_MAX][24];
	const bt_field *scopes[SCOPES] = { NULL };
	struct ctf_event out = { .trace = &r->trace, .values = values };
	uint64_t wanted;

	r->out->events++;
	if (!c) {
		r->no_memory = true;
		return;
	}
	if (!c->use.events)
		return;
	wanted = c->use.fields | (c->pid >= 0 ? UINT64_C(1) << c->pid : 0) |
	         (c->tid >= 0 ? UINT64_C(1) << c->tid : 0);
	for (uint32_t i = 0; i < c->probe->count; i++) {
		const struct place *p = &c->places[i];

		if (!(wanted >> i & 1))
			continue;
		if (!scopes[p->scope])
			scopes[p->scope] = scope_of(event, p->scope);
		read_value(bt_field_structure_borrow_member_field_by_index_const(scopes[p->scope],
		                                                                 p->index),
		           p->type, &values[i], numbers[i]);
	}
	out.probe = c->probe;
	out.own = c->use.own;
	out.pid = c->pid >= 0 ? (uint32_t)values[c->pid].u64 : 0;
	out.tid = c->tid >= 0 ? (uint32_t)values[c->tid].u64 : 0;
	if (bt_stream_class_borrow_default_clock_class_const(
	        bt_event_class_borrow_stream_class_const(c->key)))
		read_time(bt_message_event_borrow_default_clock_snapshot_const(message), &out.time);
	r->out->event(r->out->arg, &out);
}

static void on_lost(struct reading *r, const bt_message *message)
{
	const bt_stream *stream = bt_message_discarded_events_borrow_stream_const(message);
	int64_t from = INT64_MIN, to = INT64_MIN;
	uint64_t count;

	if (bt_message_discarded_events_get_count(message, &count) !=
	    BT_PROPERTY_AVAILABILITY_AVAILABLE)
		count = 1; /* at least */
	r->out->lost_events += count;
	if (!r->out->lost || !bt_stream_class_discarded_events_have_default_clock_snapshots(
	                         bt_stream_borrow_class_const(stream)))
		return;
	read_time(
	    bt_message_discarded_events_borrow_beginning_default_clock_snapshot_const(message),
	    &from);
	read_time(bt_message_discarded_events_borrow_end_default_clock_snapshot_const(message),
	          &to);
	r->out->lost(r->out->arg, from, to, count);
}

static bt_graph_simple_sink_component_consume_func_status consume(bt_message_iterator *iterator,
                                                                  void *arg)
{
	struct reading *r = arg;
	bt_message_array_const messages;
	uint64_t count;
	bt_message_iterator_next_status status =
	    bt_message_iterator_next(iterator, &messages, &count);

	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
		return (bt_graph_simple_sink_component_consume_func_status)status;
	for (uint64_t i = 0; i < count; i++) {
		bt_message_type type = bt_message_get_type(messages[i]);

		if (type == BT_MESSAGE_TYPE_EVENT)
			on_event(r, messages[i]);
		else if (type == BT_MESSAGE_TYPE_DISCARDED_EVENTS)
			on_lost(r, messages[i]);
		else if (type == BT_MESSAGE_TYPE_PACKET_BEGINNING)
			r->out->packets++;
		bt_message_put_ref(messages[i]);
	}
	r->messages += count;
	if (r->out->progress)
		r->out->progress(r->out->arg);
	return r->no_memory ? BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_MEMORY_ERROR
	                    : BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

/* --- the graph */

static const bt_component_source *add_source(bt_graph *graph, const char *path)
{
	const bt_component_source *source = NULL;
	const bt_component_class_source *class;
	const bt_plugin *plugin = NULL;
	bt_value *params = bt_value_map_create(), *inputs = NULL;

	if (bt_plugin_find("ctf", BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &plugin) ==
	        BT_PLUGIN_FIND_STATUS_OK &&
	    (class = bt_plugin_borrow_source_component_class_by_name_const(plugin, "fs")) &&
	    params && !bt_value_map_insert_empty_array_entry(params, "inputs", &inputs) &&
	    !bt_value_array_append_string_element(inputs, path))
		bt_graph_add_source_component(graph, class, "files", params, BT_LOGGING_LEVEL_NONE,
		                              &source);
	bt_value_put_ref(params);
	bt_plugin_put_ref(plugin);
	return source;
}

static const bt_component_filter *add_muxer(bt_graph *graph)
{
	const bt_component_filter *muxer = NULL;
	const bt_component_class_filter *class;
	const bt_plugin *plugin = NULL;

	if (bt_plugin_find("utils", BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &plugin) ==
	        BT_PLUGIN_FIND_STATUS_OK &&
	    (class = bt_plugin_borrow_filter_component_class_by_name_const(plugin, "muxer")))
		bt_graph_add_filter_component(graph, class, "muxer", NULL, BT_LOGGING_LEVEL_NONE,
		                              &muxer);
	bt_plugin_put_ref(plugin);
	return muxer;
}

static bool connect(bt_graph *graph, const bt_component_source *source,
                    const bt_component_filter *muxer, const bt_component_sink *sink)
{
	uint64_t ports = bt_component_source_get_output_port_count(source);

	for (uint64_t i = 0; i < ports; i++) {
		/* The muxer has one more input whenever one is taken. */
		if (bt_graph_connect_ports(
		        graph, bt_component_source_borrow_output_port_by_index_const(source, i),
		        bt_component_filter_borrow_input_port_by_index_const(muxer, i), NULL))
			return false;
	}
	return !bt_graph_connect_ports(
	    graph, bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
	    bt_component_sink_borrow_input_port_by_index_const(sink, 0), NULL);
}

static bool run(struct reading *r, const char *path)
{
	bt_graph *graph = bt_graph_create(0);
	const bt_component_source *source = graph ? add_source(graph, path) : NULL;
	const bt_component_filter *muxer = source ? add_muxer(graph) : NULL;
	const bt_component_sink *sink = NULL;
	bool done =
	    muxer &&
	    !bt_graph_add_simple_sink_component(graph, "weir", NULL, consume, NULL, r, &sink) &&
	    connect(graph, source, muxer, sink) && !bt_graph_run(graph);

	bt_graph_put_ref(graph);
	return done;
}

/* What babeltrace2 says that failed first, which is its last cause. */
static int explain(const char *path, struct weir_error *err)
{
	const bt_error *error = bt_current_thread_take_error();
	uint64_t count = error ? bt_error_get_cause_count(error) : 0;
	int code;

	code = weir_err(err, -EBADMSG, "libbabeltrace2 cannot read the trace in %s: %s", path,
	                count ? bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, 0))
	                      : "it does not say why");
	if (error)
		bt_error_release(error);
	return code;
}

int ctf_foreign_read(const char *path, struct ctf_reading *reading, struct weir_error *err)
{
	struct reading r = { .out = reading,
		             .trace = { .path = (char *)(uintptr_t)path,
		                        .process = (char *)(uintptr_t) "",
		                        .command = (char *)(uintptr_t) "" } };
	bool done;

	if (reading->trace)
		reading->trace(reading->arg, &r.trace);
	done = run(&r, path);
	for (size_t i = 0; i < r.room; i++)
		free_class(r.classes[i]);
	free(r.classes);
	reading->traces++;
	reading->foreign++;
	if (done)
		return 0;
	return r.no_memory ? weir_err(err, -ENOMEM, "no memory") : explain(path, err);
}

int ctf_foreign_check(struct weir_error *err)
{
	(void)err;
	return 0;
}
