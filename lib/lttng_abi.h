/* SPDX-License-Identifier: MIT */
/*
 * What passes between an instrumented program and liblttng-ust.so.1: the structures of probe ABI
 * major 3 (LTTng-UST 2.13 and later; 2.16 speaks major 4 and accepts 3), under names of our own, so
 * that libweir builds without LTTng's headers. tests/unit/lttng_abi.c compares every size and
 * offset with the real headers where they are installed.
 *
 * LTTng's rule of extension: a structure with struct_size grows at its end only, and its reader
 * looks at struct_size first. So what is declared here may be shorter than what is there.
 */
#ifndef WEIR_LIB_LTTNG_ABI_H
#define WEIR_LIB_LTTNG_ABI_H

#include <stddef.h>
#include <stdint.h>

#define UST_PROVIDER_MAJOR 3
#define UST_PROVIDER_MINOR 0

/*
 * LTTng packs payloads on these processors and aligns every field naturally on all others; which
 * of the two is part of its ABI.
 */
#if defined(__i386__) || defined(__x86_64__) || defined(__powerpc__)
#define UST_PACKED 1
#else
#define UST_PACKED 0
#endif

/* Types of fields. */

enum ust_type_kind {
	UST_TYPE_INTEGER = 0,
	UST_TYPE_STRING = 1,
	UST_TYPE_FLOAT = 2,
	UST_TYPE_ENUM = 4,
	UST_TYPE_SEQUENCE = 6,
};

enum ust_encoding {
	UST_ENCODING_NONE = 0,
	UST_ENCODING_UTF8 = 1,
};

struct ust_type {
	int kind; /* enum ust_type_kind */
};

struct ust_type_integer {
	struct ust_type type;
	uint32_t struct_size;
	unsigned int size;        /* bits */
	unsigned short alignment; /* bits */
	unsigned int is_signed : 1;
	unsigned int swapped : 1;
	unsigned int base; /* of its display */
};

struct ust_type_float {
	struct ust_type type;
	uint32_t struct_size;
	unsigned int exponent;    /* bits, with the sign */
	unsigned int mantissa;    /* bits, with the implied one */
	unsigned short alignment; /* bits */
	unsigned int swapped : 1;
};

struct ust_type_string {
	struct ust_type type;
	uint32_t struct_size;
	int encoding; /* enum ust_encoding */
};

struct ust_type_sequence {
	struct ust_type type;
	uint32_t struct_size;
	const char *length_name; /* NULL: the field before is the length */
	const struct ust_type *element;
	unsigned int alignment;
	int encoding;
};

struct ust_enum_value {
	unsigned long long value;
	unsigned int is_signed : 1;
};

struct ust_enum_entry {
	uint32_t struct_size;
	struct ust_enum_value start, end; /* both inclusive */
	const char *name;
	unsigned int options;
};

struct ust_probe_desc;

struct ust_enum_desc {
	uint32_t struct_size;
	const char *name;
	const struct ust_enum_entry *const *entries;
	unsigned int nr_entries;
	const struct ust_probe_desc *probe_desc;
};

struct ust_type_enum {
	struct ust_type type;
	uint32_t struct_size;
	const struct ust_enum_desc *desc;
	const struct ust_type *container;
};

/* Descriptions: fields, class, event, provider. */

struct ust_field {
	uint32_t struct_size;
	const char *name;
	const struct ust_type *type;
	unsigned int nowrite : 1;
	unsigned int nofilter : 1;
};

struct ust_class {
	uint32_t struct_size;
	const struct ust_field *const *fields;
	size_t nr_fields;
	void (*callback)(void);
	const char *signature; /* strcmp-equal to the call site's */
	const struct ust_probe_desc *probe_desc;
};

struct ust_event_desc {
	uint32_t struct_size;
	const char *name;
	const struct ust_probe_desc *probe_desc;
	const struct ust_class *tp_class;
	const int **loglevel; /* may be NULL */
	const char **model_emf_uri;
};

struct ust_probe_desc {
	uint32_t struct_size;
	const char *provider;
	const struct ust_event_desc *const *events;
	unsigned int nr_events;
	uint32_t major;
	uint32_t minor;
};

/* The call site. LTTng writes `state` and `probes` when sessions come and go. */

struct ust_tracepoint_probe {
	void (*func)(void); /* NULL ends the array */
	void *data;         /* struct ust_event */
};

struct ust_tracepoint {
	uint32_t struct_size;
	const char *provider;
	const char *name;
	int state;
	struct ust_tracepoint_probe *probes; /* read under RCU */
	int *provider_ref;
	const char *signature;
};

/* What a fire deals with: events that sessions and triggers enabled. */

struct ust_probe_ctx {
	uint32_t struct_size;
	void *ip;
};

enum ust_event_kind {
	UST_EVENT_RECORDER = 0,
	UST_EVENT_NOTIFIER = 1,
	UST_EVENT_COUNTER = 2, /* LTTng-UST 2.14 */
};

enum ust_filter_result {
	UST_FILTER_ACCEPT = 0,
};

struct ust_event {
	uint32_t struct_size;
	void *priv;
	int kind; /* enum ust_event_kind */
	void *child;
	int enabled;
	int eval_filter;
	int (*run_filter)(const struct ust_event *, const char *stack, struct ust_probe_ctx *,
	                  void *);
};

struct ust_session {
	uint32_t struct_size;
	void *priv;
	int active;
};

struct ust_channel {
	uint32_t struct_size;
	void *priv;
	int kind;
	void *child;
	int enabled;
	struct ust_session *session;
};

struct ust_ring_ctx {
	uint32_t struct_size;
	void *client_priv; /* the struct ust_recorder */
	size_t data_size;
	int largest_align;
	struct ust_probe_ctx *probe_ctx;
	void *priv; /* set by event_reserve */
};

struct ust_buffer_ops {
	uint32_t struct_size;
	void *priv;
	int (*event_reserve)(struct ust_ring_ctx *);
	void (*event_commit)(struct ust_ring_ctx *);
	void (*event_write)(struct ust_ring_ctx *, const void *, size_t size, size_t align);
	void (*event_strcpy)(struct ust_ring_ctx *, const char *, size_t size);
	void (*event_pstrcpy_pad)(struct ust_ring_ctx *, const char *, size_t size);
};

struct ust_channel_buffer {
	uint32_t struct_size;
	struct ust_channel *parent;
	void *priv;
	struct ust_buffer_ops *ops;
};

struct ust_recorder {
	uint32_t struct_size;
	struct ust_event *parent;
	void *priv;
	struct ust_channel_buffer *chan;
};

struct ust_notification_ctx {
	uint32_t struct_size;
	int eval_capture;
};

struct ust_notifier {
	uint32_t struct_size;
	struct ust_event *parent;
	void *priv;
	int eval_capture;
	void (*notification_send)(const struct ust_notifier *, const char *stack,
	                          struct ust_probe_ctx *, struct ust_notification_ctx *);
};

struct ust_counter;

struct ust_counter_ctx {
	uint32_t struct_size;
	int args_available;
};

struct ust_counter_ops {
	uint32_t struct_size;
	void *priv;
	int (*counter_hit)(struct ust_counter *, const char *stack, struct ust_probe_ctx *,
	                   struct ust_counter_ctx *);
};

struct ust_channel_counter {
	uint32_t struct_size;
	struct ust_channel *parent;
	void *priv;
	struct ust_counter_ops *ops;
};

struct ust_counter {
	uint32_t struct_size;
	struct ust_event *parent;
	void *priv;
	struct ust_channel_counter *chan;
	int use_args;
};

#if defined(__LP64__)
_Static_assert(sizeof(struct ust_type_integer) == 20, "integer");
_Static_assert(sizeof(struct ust_type_float) == 20, "float");
_Static_assert(sizeof(struct ust_type_string) == 12, "string");
_Static_assert(sizeof(struct ust_type_sequence) == 32, "sequence");
_Static_assert(sizeof(struct ust_enum_entry) == 56, "enum entry");
_Static_assert(sizeof(struct ust_enum_desc) == 40, "enum desc");
_Static_assert(sizeof(struct ust_type_enum) == 24, "enum");
_Static_assert(sizeof(struct ust_field) == 32, "field");
_Static_assert(sizeof(struct ust_class) == 48, "class");
_Static_assert(sizeof(struct ust_event_desc) == 48, "event desc");
_Static_assert(sizeof(struct ust_probe_desc) == 40, "probe desc");
_Static_assert(sizeof(struct ust_tracepoint) == 56, "tracepoint");
_Static_assert(sizeof(struct ust_event) == 48, "event");
_Static_assert(sizeof(struct ust_ring_ctx) == 48, "ring context");
#endif

#endif
