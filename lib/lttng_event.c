/* SPDX-License-Identifier: MIT */
/*
 * Descriptors on the heap, one block per event:
 *
 *   struct lttng_event | fields | pointers to them | names of lengths | signature | the note
 *
 * Types are shared constants. What LTTng demands and shows:
 *   integers   size, sign, base 10        pointer   64 bits, base 16
 *   bool       an enumeration of one byte, so that readers print "true" and "false"
 *   bytes      two fields: the length, hidden from filters, and a sequence of u8 that takes the
 *              field before it as its length
 *
 * The signature is how LTTng knows that a call site and an event fit. It is a text of the fields'
 * types and names, the same in every process: session daemons with buffers per user take events of
 * one name and another signature for another event.
 *
 * A name that occurs twice makes the whole trace unreadable, so the length of `data` is
 * `_data_length` as in LTTng's macros, with as many underscores behind it as make it unique. In a
 * trace each name gets an underscore in front, which babeltrace2 takes off names that it has read,
 * but not yet off the one that it compares them with: `_data` and then `data` is twice the same to
 * it. Lengths stay clear of that, whatever the order; a probe whose own fields do it is refused.
 */
#include "lib/lttng_event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"

#define ALIGNMENT(bits) (UST_PACKED ? 8 : (bits))
#define INTEGER(bits, negative, radix)                                                         \
	{                                                                                      \
		.type.kind = UST_TYPE_INTEGER, .struct_size = sizeof(struct ust_type_integer), \
		.size = (bits), .alignment = ALIGNMENT(bits), .is_signed = (negative),         \
		.base = (radix),                                                               \
	}
#define FLOAT(bits, digits)                                                                        \
	{                                                                                          \
		.type.kind = UST_TYPE_FLOAT, .struct_size = sizeof(struct ust_type_float),         \
		.exponent = (bits) - (digits), .mantissa = (digits), .alignment = ALIGNMENT(bits), \
	}

static const struct ust_type_integer type_i8 = INTEGER(8, 1, 10);
static const struct ust_type_integer type_i16 = INTEGER(16, 1, 10);
static const struct ust_type_integer type_i32 = INTEGER(32, 1, 10);
static const struct ust_type_integer type_i64 = INTEGER(64, 1, 10);
static const struct ust_type_integer type_u8 = INTEGER(8, 0, 10);
static const struct ust_type_integer type_u16 = INTEGER(16, 0, 10);
static const struct ust_type_integer type_u32 = INTEGER(32, 0, 10);
static const struct ust_type_integer type_u64 = INTEGER(64, 0, 10);
static const struct ust_type_integer type_pointer = INTEGER(64, 0, 16);
static const struct ust_type_integer type_byte = INTEGER(8, 0, 16);
static const struct ust_type_float type_f32 = FLOAT(32, 24);
static const struct ust_type_float type_f64 = FLOAT(64, 53);

static const struct ust_type_string type_string = {
	.type.kind = UST_TYPE_STRING,
	.struct_size = sizeof(struct ust_type_string),
	.encoding = UST_ENCODING_UTF8,
};

static const struct ust_type_sequence type_bytes = {
	.type.kind = UST_TYPE_SEQUENCE,
	.struct_size = sizeof(struct ust_type_sequence),
	.element = &type_byte.type,
	.encoding = UST_ENCODING_NONE,
};

static const struct ust_enum_entry bool_false = {
	.struct_size = sizeof(struct ust_enum_entry),
	.start.value = 0,
	.end.value = 0,
	.name = "false",
};
static const struct ust_enum_entry bool_true = {
	.struct_size = sizeof(struct ust_enum_entry),
	.start.value = 1,
	.end.value = 1,
	.name = "true",
};
static const struct ust_enum_entry *const bool_entries[] = { &bool_false, &bool_true };
/* Asked for its version only. */
static const struct ust_probe_desc bool_provider = {
	.struct_size = sizeof(struct ust_probe_desc),
	.provider = "weir",
	.major = UST_PROVIDER_MAJOR,
	.minor = UST_PROVIDER_MINOR,
};
static const struct ust_enum_desc bool_desc = {
	.struct_size = sizeof(struct ust_enum_desc),
	.name = "weir_bool",
	.entries = bool_entries,
	.nr_entries = 2,
	.probe_desc = &bool_provider,
};
static const struct ust_type_enum type_bool = {
	.type.kind = UST_TYPE_ENUM,
	.struct_size = sizeof(struct ust_type_enum),
	.desc = &bool_desc,
	.container = &type_u8.type,
};

static const struct {
	const char *name;
	const struct ust_type *type;
} types[] = {
	[WEIR_I8] = { "i8", &type_i8.type },
	[WEIR_I16] = { "i16", &type_i16.type },
	[WEIR_I32] = { "i32", &type_i32.type },
	[WEIR_I64] = { "i64", &type_i64.type },
	[WEIR_U8] = { "u8", &type_u8.type },
	[WEIR_U16] = { "u16", &type_u16.type },
	[WEIR_U32] = { "u32", &type_u32.type },
	[WEIR_U64] = { "u64", &type_u64.type },
	[WEIR_F32] = { "f32", &type_f32.type },
	[WEIR_F64] = { "f64", &type_f64.type },
	[WEIR_BOOL] = { "bool", &type_bool.type },
	[WEIR_STRING] = { "string", &type_string.type },
	[WEIR_BYTES] = { "bytes", &type_bytes.type },
	[WEIR_POINTER] = { "pointer", &type_pointer.type },
};

const char *lttng_type_name(unsigned int type)
{
	return types[type].name;
}

#define BUCKETS 1024
static struct lttng_event *events[BUCKETS]; /* under weir_lock */

/* The note's field after `field`, or its first one. */
static const struct weir_note_field *note_next(const struct weir_note *note,
                                               const struct weir_note_field *field)
{
	const char *at;

	if (field) {
		at = (const char *)(field + 1);
		return (const void *)(at + strlen(at) + 1);
	}
	at = (const char *)note + note->fixed;
	at += strlen(at) + 1;
	return (const void *)(at + strlen(at) + 1);
}

static const char *field_name(const struct weir_note_field *field)
{
	return (const char *)(field + 1);
}

/* Equal but for underscores in front? */
static bool names_alike(const char *a, const char *b)
{
	return strcmp(a + strspn(a, "_"), b + strspn(b, "_")) == 0;
}

static bool note_has_like(const struct weir_note *note, const char *name)
{
	const struct weir_note_field *field = NULL;

	for (unsigned int i = 0; i < note->fields; i++) {
		field = note_next(note, field);
		if (names_alike(field_name(field), name))
			return true;
	}
	return false;
}

/* The name that comes after the same with an underscore in front, or NULL. */
static const char *name_unreadable(const struct weir_note *note)
{
	const char *names[WEIR_FIELDS_MAX];
	const struct weir_note_field *field = NULL;

	for (unsigned int i = 0; i < note->fields; i++) {
		field = note_next(note, field);
		names[i] = field_name(field);
		for (unsigned int k = 0; k < i; k++)
			if (names[k][0] == '_' && strcmp(names[k] + 1, names[i]) == 0)
				return names[i];
	}
	return NULL;
}

int lttng_note_check(const struct weir_note *note, struct weir_error *err)
{
	const char *provider = (const char *)note + note->fixed;
	const char *unreadable = name_unreadable(note);

	if (!unreadable)
		return 0;
	return error_set(err, -EINVAL,
	                 "LTTng: %s:%s: field _%s before field %s makes traces unreadable for "
	                 "babeltrace2: rename one, or put %s first",
	                 provider, provider + strlen(provider) + 1, unreadable, unreadable,
	                 unreadable);
}

/* How long texts are that are made from a note. */
static void measure(const struct weir_note *note, size_t *count, size_t *lengths, size_t *signature)
{
	const struct weir_note_field *field = NULL;

	*count = note->fields;
	*lengths = 0;
	*signature = sizeof("weir");
	for (unsigned int i = 0; i < note->fields; i++) {
		field = note_next(note, field);
		*signature += sizeof("pointer , ") + strlen(field_name(field));
		if (field->type == WEIR_BYTES) {
			*count += 1;
			*lengths +=
			    sizeof("__length") + strlen(field_name(field)) + 2 * note->fields;
		}
	}
}

static bool texts_have_like(const char *from, const char *end, const char *name)
{
	for (; from < end; from += strlen(from) + 1)
		if (names_alike(from, name))
			return true;
	return false;
}

/* Of `name`, to `to`; from `first` to there are the names of lengths before it. */
static char *length_name(const struct weir_note *note, const char *name, const char *first,
                         char *to)
{
	size_t length = (size_t)sprintf(to, "_%s_length", name);

	/* at most as many are taken as there are fields and lengths */
	while (note_has_like(note, to) || texts_have_like(first, to, to)) {
		to[length++] = '_';
		to[length] = '\0';
	}
	return to;
}

static void field_set(struct ust_field *field, const char *name, const struct ust_type *type)
{
	field->struct_size = sizeof(*field);
	field->name = name;
	field->type = type;
}

/* Fields, signature and lengths' names, into the memory behind the event. */
static void fields_fill(struct lttng_event *event, size_t count, char *texts, size_t lengths)
{
	const struct ust_field **pointers = (const struct ust_field **)(event->fields + count);
	char *signature = texts + lengths, *at = signature + sprintf(signature, "weir");
	const struct weir_note_field *from = NULL;
	struct ust_field *field = event->fields;
	const char *first = texts;

	for (unsigned int i = 0; i < event->note->fields; i++) {
		from = note_next(event->note, from);
		at += sprintf(at, "%s%s %s", i ? ", " : " ", types[from->type].name,
		              field_name(from));
		if (from->type == WEIR_BYTES) {
			field_set(field, length_name(event->note, field_name(from), first, texts),
			          &type_u16.type);
			field->nofilter = 1;
			field++;
			texts += strlen(texts) + 1;
		}
		field_set(field++, field_name(from), types[from->type].type);
	}
	for (size_t i = 0; i < count; i++)
		pointers[i] = &event->fields[i];
	event->tp_class.fields = pointers;
	event->tp_class.nr_fields = count;
	event->tp_class.signature = signature;
	event->site.signature = signature;
}

static void event_fill(struct lttng_event *event, const struct probe *probe)
{
	const char *provider = (const char *)event->note + event->note->fixed;

	event->sink.fire = lttng_event_fire;
	event->sink.on = (const volatile uint32_t *)&event->site.state;
	event->site.struct_size = sizeof(event->site);
	event->site.provider = provider;
	event->site.name = provider + strlen(provider) + 1;
	event->tp_class.struct_size = sizeof(event->tp_class);
	event->tp_class.callback = lttng_event_callback;
	event->desc.struct_size = sizeof(event->desc);
	event->desc.name = event->site.name;
	event->desc.tp_class = &event->tp_class;
	event->loglevel = probe->loglevel;
	if (probe->loglevel) {
		/* the field of weir_probe_options is one more than LTTng's number */
		static const int levels[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

		event->loglevel_at = &levels[probe->loglevel - 1];
		event->desc.loglevel = &event->loglevel_at;
	}
}

static int event_create(const struct probe *probe, const struct lttng_layout *layout,
                        struct lttng_event **ret)
{
	size_t count, lengths, signature, head, pointers, total;
	struct lttng_event *event;

	measure(probe->note, &count, &lengths, &signature);
	head = sizeof(*event) + count * sizeof(struct ust_field);
	pointers = count * sizeof(struct ust_field *);
	total = head + pointers + probe->note->size + lengths + signature;
	event = calloc(1, total);
	if (!event)
		return -ENOMEM;
	/* the note is aligned as pointers are; texts come last */
	event->note = (struct weir_note *)((char *)event + head + pointers);
	memcpy(event->note, probe->note, probe->note->size);
	event->note->site = 0;
	event->note->semaphore = 0;
	event->layout = layout;
	event_fill(event, probe);
	fields_fill(event, count, (char *)event->note + probe->note->size, lengths);
	*ret = event;
	return 0;
}

static bool event_is(const struct lttng_event *event, const struct probe *probe)
{
	const struct weir_note *a = event->note, *b = probe->note;

	return event->loglevel == probe->loglevel && a->size == b->size && a->fixed == b->fixed &&
	       a->string_limit == b->string_limit && a->fields == b->fields &&
	       memcmp((const char *)a + a->fixed, (const char *)b + b->fixed, a->size - a->fixed) ==
	           0;
}

int lttng_event_take(const struct probe *probe, struct lttng_event **ret, struct weir_error *err)
{
	const char *name = (const char *)probe->note + probe->note->fixed;
	const struct lttng_layout *layout;
	struct lttng_event *event, **head;
	int result;

	if (probe->loglevel < 0 || probe->loglevel > 15)
		return error_set(
		    err, -EINVAL,
		    "LTTng: %s:%s: loglevel %d is not one of LTTng's 0 (EMERG) to 14 (DEBUG)", name,
		    name + strlen(name) + 1, probe->loglevel - 1);
	result = lttng_note_check(probe->note, err);
	if (result)
		return result;
	head = &events[lttng_hash(name, probe->note->size - probe->note->fixed) % BUCKETS];
	for (event = *head; event; event = event->next)
		if (!event->taken && event_is(event, probe))
			break;
	if (!event) {
		result = lttng_layout_find(probe->note, &layout, err);
		if (result)
			return result;
		result = event_create(probe, layout, &event);
		if (result)
			return error_set(err, result,
			                 "LTTng: no memory for the description of %s:%s", name,
			                 name + strlen(name) + 1);
		event->next = *head;
		*head = event;
	}
	event->taken = true;
	*ret = event;
	return 0;
}

void lttng_event_release(struct lttng_event *event)
{
	event->taken = false;
}
