/* SPDX-License-Identifier: MIT */
/*
 * Where formatted values go: a stream of events, so that printers are written
 * once for text and JSON. Between open and close, every value is announced by
 * key (a member, a map's key) or entry (an element).
 */
#ifndef WEIR_TYPES_SINK_H
#define WEIR_TYPES_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;
struct sink;

enum sink_shape {
	SINK_RECORD, /* members with names */
	SINK_ARRAY,  /* elements */
	SINK_MAP,    /* pairs: the keys are values' texts */
};

struct sink_ops {
	/* `label` is put before the brace ("dict, 3 entries"); may be NULL. `flat`: on one line. */
	void (*open)(struct sink *s, enum sink_shape shape, const char *label, bool flat);
	void (*key)(struct sink *s, const char *name);
	/* Elements [from, to] hold the same value. */
	void (*entry)(struct sink *s, uint64_t from, uint64_t to);
	void (*close)(struct sink *s);
	/* A scalar: its text, and what JSON says (taken over; NULL is JSON's null). */
	void (*scalar)(struct sink *s, const char *text, struct json_object *json);
	/* An address that is followed: the next value is what lies there. */
	void (*pointer)(struct sink *s, const char *text, struct json_object *json);
	/* Something to know about what was just printed, or instead of it. */
	void (*note)(struct sink *s, const char *text);
	void (*failure)(struct sink *s, const char *text);
	void (*text)(struct sink *s, const char *address, const char *bytes, size_t n, bool more);
};

struct sink {
	const struct sink_ops *ops;
	bool is_json; /* a map's keys are given without quotes */
};

/* C-like text into `out`, which stays the caller's. NULL: out of memory. */
struct sink *sink_text_create(FILE *out);
/* JSON; _take gives the result to the caller (json_object_put). */
struct sink *sink_json_create(void);
struct json_object *sink_json_take(struct sink *s);
/* The notes as an array of texts, each with its place: "list[3].name: ..."; NULL: none. Given too. */
struct json_object *sink_json_notes(struct sink *s);
void sink_destroy(struct sink *s);

/* "a\n\"b" with C's escapes; UTF-8 stays. Always ended; returns the length wanted. */
size_t sink_quote(const char *bytes, size_t n, char *buf, size_t size);

#endif
