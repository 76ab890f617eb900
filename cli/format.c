/* SPDX-License-Identifier: MIT */
#include "cli/format.h"
#include "cli/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (512u << 10)
/*
 * The longest line: a record's 8184 bytes of strings at 6 characters each, 64 fields with names,
 * numbers and colours, and the head. Names may come twice.
 */
#define LINE_MAX_BYTES (8184 * 6 + SCHEMA_FIELDS_MAX * (160 + WEIR_NAME_MAX) + 1024)

/* Prepared texts are copied in blocks of this size, which is faster than a call for each. */
#define BLOCK 16

struct format_key {
	const char *text;
	uint32_t size;
};

/* What stands between time and fields in a JSON line changes only with the thread and its CPU. */
struct format_middle {
	uint32_t pid, tid, cpu;
	uint32_t size; /* 0: none yet */
	char text[64 + 2 * WEIR_NAME_MAX + 64];
};

struct format_probe {
	struct format_middle middle;
	struct format_key json_head; /* ,"provider":"shop","probe":"order","fields":{ */
	struct format_key text_head; /* shop:order */
	struct format_key *json;     /* per field: "id": or ,"id": */
	struct format_key *text;     /* per field: ` id=` */
};

int output_init(struct output *out, int fd)
{
	*out = (struct output){ .fd = fd, .buffer = malloc(BUFFER) };
	return out->buffer ? 0 : -ENOMEM;
}

void output_deinit(struct output *out)
{
	free(out->buffer);
	out->buffer = NULL;
}

int output_flush(struct output *out)
{
	size_t done = 0;

	while (done < out->used && !out->error) {
		ssize_t n = write(out->fd, out->buffer + done, out->used - done);

		if (n >= 0)
			done += n;
		else if (errno == EAGAIN)
			poll(&(struct pollfd){ .fd = out->fd, .events = POLLOUT }, 1, 1000);
		else if (errno != EINTR)
			out->error = errno;
	}
	out->used = 0;
	return -out->error;
}

static char *room_for_line(struct output *out)
{
	if (BUFFER - out->used < LINE_MAX_BYTES)
		output_flush(out);
	return out->buffer + out->used;
}

/* --- what a probe's lines have in common */

static char *key(char *at, struct format_key *key, const char *format, const char *a, const char *b,
                 const char *c)
{
	/* The formats are the four below. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int n = sprintf(at, format, a, b, c);
#pragma GCC diagnostic pop

	*key = (struct format_key){ at, n };
	return at + n + BLOCK; /* put_key() reads whole blocks */
}

struct format_probe *format_probe_create(const struct schema_probe *probe, bool colour)
{
	/* Names are at most WEIR_NAME_MAX long; schema.c saw to it. */
	size_t text =
	    2 * (2 * WEIR_NAME_MAX + 80 + BLOCK) + probe->count * 2 * (WEIR_NAME_MAX + 40 + BLOCK);
	size_t keys = 2 * probe->count * sizeof(struct format_key);
	struct format_probe *f = calloc(1, sizeof(*f) + keys + text);
	char *at;

	if (!f)
		return NULL;
	f->json = (struct format_key *)(f + 1);
	f->text = f->json + probe->count;
	at = (char *)(f->text + probe->count);
	at = key(at, &f->json_head, ",\"provider\":\"%s\",\"probe\":\"%s\",\"fields\":{%s",
	         probe->provider, probe->name, "");
	at = key(at, &f->text_head, colour ? "\033[1;36m%s:%s\033[0m%s" : "%s:%s%s",
	         probe->provider, probe->name, "");
	for (uint32_t i = 0; i < probe->count; i++) {
		at = key(at, &f->json[i], "%s\"%s\":%s", i ? "," : "", probe->fields[i].name, "");
		at = key(at, &f->text[i], colour ? " \033[2m%s=\033[0m%s%s" : " %s=%s%s",
		         probe->fields[i].name, "", "");
	}
	return f;
}

/* --- pieces; each returns the end of what it wrote */

static char *put(char *at, const char *text, size_t size)
{
	memcpy(at, text, size);
	return at + size;
}

#define PUT(at, literal) put((at), (literal), sizeof(literal) - 1)

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* May write up to BLOCK - 1 bytes more than the text: lines have room for it. */
static inline char *put_key(char *at, const struct format_key *key)
{
	for (uint32_t i = 0; i < key->size; i += BLOCK)
		memcpy(at + i, key->text + i, BLOCK);
	return at + key->size;
}

static inline unsigned digits_of(uint64_t value)
{
	unsigned n = 1;

	for (; value >= 10000; value /= 10000)
		n += 4;
	return n + (value >= 10) + (value >= 100) + (value >= 1000);
}

static char *put_u64(char *at, uint64_t value)
{
	char *end = at + digits_of(value), *p = end;

	while (value >= 100) {
		p -= 2;
		memcpy(p, digit_pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(p - 2, digit_pairs + 2 * value, 2);
	else
		p[-1] = '0' + value;
	return end;
}

static char *put_i64(char *at, int64_t value)
{
	if (value < 0) {
		*at++ = '-';
		return put_u64(at, 0 - (uint64_t)value);
	}
	return put_u64(at, value);
}

/* Exactly nine digits. */
static char *put_nanoseconds(char *at, uint32_t ns)
{
	uint32_t high = ns / 100000, low = ns % 100000; /* 4 and 5 digits */

	memcpy(at, digit_pairs + 2 * (high / 100), 2);
	memcpy(at + 2, digit_pairs + 2 * (high % 100), 2);
	memcpy(at + 4, digit_pairs + 2 * (low / 1000), 2);
	memcpy(at + 6, digit_pairs + 2 * (low / 10 % 100), 2);
	at[8] = '0' + low % 10;
	return at + 9;
}

static char *put_hex(char *at, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 60;

	at = PUT(at, "0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = digits[(value >> shift) & 0xf];
	return at;
}

/*
 * The shortest decimal that reads back as the same number. Most values in traces are whole or have
 * a few decimals: those are found by scaling, since printf costs half a microsecond.
 */
static char *put_real(char *at, double value, bool single)
{
	static const char *const formats[] = { "%.6g", "%.9g", "%.15g", "%.16g", "%.17g" };

	if (fabs(value) < 1e12) {
		double scaled = value * 1000;
		int64_t whole = llrint(scaled);
		double back = whole / 1000.0;

		if (single ? (float)back == (float)value : back == value) {
			uint64_t part = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;
			char *end;

			if (signbit(value))
				*at++ = '-';
			end = put_u64(at, part / 1000);
			*end++ = '.';
			part %= 1000;
			end[0] = '0' + part / 100;
			end[1] = '0' + part / 10 % 10;
			end[2] = '0' + part % 10;
			end += 3;
			while (end[-1] == '0' && end[-2] != '.')
				end--;
			return end;
		}
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = sprintf(at, formats[i], value);
#pragma GCC diagnostic pop
		if (single ? strtof(at, NULL) == (float)value : strtod(at, NULL) == value)
			return at + n;
	}
	return at + strlen(at);
}

/* 1: plain in a JSON string and on a terminal. */
static const uint8_t plain[256] = {
	[' '] = 1,
	['!'] = 1,
	['#' ... '['] = 1,
	[']' ... '~'] = 1,
};

static bool is_cut(const struct record_value *v)
{
	return v->original > v->size;
}

/* \uXXXX */
static char *put_escape(char *at, uint32_t code)
{
	static const char hex[] = "0123456789abcdef";

	at = PUT(at, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		*at++ = hex[(code >> shift) & 0xf];
	return at;
}

/*
 * In quotes, JSON's way; what is no UTF-8 becomes U+FFFD. Of a string that was cut, a character
 * that was cut with it is left out.
 */
static char *put_string(char *at, const struct record_value *v)
{
	const uint8_t *s = (const uint8_t *)v->data;
	const uint8_t *end = s + (is_cut(v) ? utf8_whole(s, v->size) : v->size);

	*at++ = '"';
	while (s < end) {
		size_t n;

		while (s < end && plain[*s])
			*at++ = *s++;
		if (s == end)
			break;
		if (*s == '"' || *s == '\\') {
			*at++ = '\\';
			*at++ = *s++;
		} else if (*s < 0x80) {
			const char *c = memchr("\nn\tt\rr\bb\ff", *s, 10);

			if (c && *s < ' ') {
				*at++ = '\\';
				*at++ = c[1];
			} else {
				at = put_escape(at, *s);
			}
			s++;
		} else if ((n = utf8_length(s, end - s))) {
			uint32_t code = utf8_control(s, n);

			at = code ? put_escape(at, code) : put(at, (const char *)s, n);
			s += n;
		} else {
			at = PUT(at, "\\ufffd");
			s++;
		}
	}
	*at++ = '"';
	return at;
}

static char *put_bytes(char *at, const char *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*at++ = digits[(uint8_t)data[i] >> 4];
		*at++ = digits[data[i] & 0xf];
	}
	return at;
}

static char *json_real(char *at, double value, bool single)
{
	/* JSON has no such numbers. */
	if (isnan(value))
		return PUT(at, "\"NaN\"");
	if (isinf(value))
		return value > 0 ? PUT(at, "\"Infinity\"") : PUT(at, "\"-Infinity\"");
	return put_real(at, value, single);
}

static char *json_value(char *at, uint8_t type, const struct record_value *v)
{
	switch (type) {
	case WEIR_I8:
	case WEIR_I16:
	case WEIR_I32:
	case WEIR_I64:
		return put_i64(at, v->i64);
	case WEIR_F32:
	case WEIR_F64:
		return json_real(at, v->f64, type == WEIR_F32);
	case WEIR_BOOL:
		return v->u64 ? PUT(at, "true") : PUT(at, "false");
	case WEIR_STRING:
		return v->null ? PUT(at, "null") : put_string(at, v);
	case WEIR_BYTES:
		if (v->null)
			return PUT(at, "null");
		*at++ = '"';
		at = put_bytes(at, v->data, v->size);
		*at++ = '"';
		return at;
	default:
		return put_u64(at, v->u64);
	}
}

static void middle_prepare(struct format_probe *f, const struct format_event *e)
{
	struct format_middle *m = &f->middle;

	if (m->size && m->pid == e->pid && m->tid == e->tid && m->cpu == e->cpu)
		return;
	m->pid = e->pid;
	m->tid = e->tid;
	m->cpu = e->cpu;
	m->size = sprintf(m->text, ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"cpu\":%" PRIu32 "%s",
	                  e->pid, e->tid, e->cpu, f->json_head.text);
}

/* Seconds and nanoseconds apart: the conversion of ten digits is saved most of the time. */
static char *json_time(char *at, int64_t time)
{
	static struct format_key key;
	static int64_t kept;
	static char text[32];
	int64_t second = time / 1000000000;

	if (time < 1000000000)
		return put_i64(at, time); /* a clock that is not set, or a lie */
	if (second != kept) {
		kept = second;
		key = (struct format_key){ text, put_i64(text, second) - text };
	}
	return put_nanoseconds(put_key(at, &key), time % 1000000000);
}

/* ,"cut":["path"], if anything was. */
static char *put_cut(char *at, const struct tracer_event *event)
{
	const struct schema_probe *probe = event->probe;
	bool any = false;

	for (uint32_t i = 0; i < probe->count; i++) {
		const char *name = probe->fields[i].name;

		if (!schema_type_is_bytes(probe->fields[i].type) || !is_cut(&event->values[i]))
			continue;
		at = any ? PUT(at, ",\"") : PUT(at, ",\"cut\":[\"");
		at = put(at, name, strlen(name));
		*at++ = '"';
		any = true;
	}
	return any ? PUT(at, "]") : at;
}

void format_json(struct output *out, const struct format_event *e)
{
	const struct schema_probe *probe = e->event->probe;
	struct format_probe *f = e->probe;
	char *at = room_for_line(out);

	middle_prepare(f, e);
	at = PUT(at, "{\"time\":");
	at = json_time(at, e->time);
	at = put_key(at, &(struct format_key){ f->middle.text, f->middle.size });
	for (uint32_t i = 0; i < probe->count; i++) {
		at = put_key(at, &f->json[i]);
		at = json_value(at, probe->fields[i].type, &e->event->values[i]);
	}
	at = put_cut(PUT(at, "}"), e->event);
	at = PUT(at, "}\n");
	out->used = at - out->buffer;
}

static char *text_real(char *at, double value, bool single)
{
	if (isnan(value))
		return PUT(at, "nan");
	if (isinf(value))
		return value > 0 ? PUT(at, "inf") : PUT(at, "-inf");
	return put_real(at, value, single);
}

static char *text_value(char *at, uint8_t type, const struct record_value *v)
{
	switch (type) {
	case WEIR_F32:
	case WEIR_F64:
		return text_real(at, v->f64, type == WEIR_F32);
	case WEIR_POINTER:
		return put_hex(at, v->u64);
	case WEIR_STRING:
		if (v->null)
			return PUT(at, "NULL");
		at = put_string(at, v);
		return is_cut(v) ? PUT(at, "...") : at;
	case WEIR_BYTES:
		if (v->null)
			return PUT(at, "NULL");
		at = put_bytes(at, v->data, v->size);
		return is_cut(v) ? PUT(at, "...") : at;
	default:
		return json_value(at, type, v);
	}
}

/* HH:MM:SS of a second, kept: it changes once in a million events. */
static const char *clock_text(int64_t second)
{
	static int64_t kept = INT64_MIN;
	static char text[16];

	if (second != kept) {
		time_t t = second;
		struct tm tm;

		kept = second;
		if (!localtime_r(&t, &tm) || !strftime(text, sizeof(text), "%H:%M:%S", &tm))
			memcpy(text, "??:??:??", 9);
	}
	return text;
}

void format_text(struct output *out, const struct format_event *e, bool colour)
{
	const struct schema_probe *probe = e->event->probe;
	const struct format_probe *f = e->probe;
	int64_t second = e->time / 1000000000, ns = e->time % 1000000000;
	char *at = room_for_line(out);

	if (ns < 0) {
		second--;
		ns += 1000000000;
	}
	if (colour)
		at = PUT(at, "\033[2m");
	at = put(at, clock_text(second), 8);
	*at++ = '.';
	at = put_nanoseconds(at, ns);
	if (colour)
		at = PUT(at, "\033[0m");
	*at++ = ' ';
	at = put(at, e->thread, strlen(e->thread));
	*at++ = '/';
	if (e->many) {
		at = put_u64(at, e->pid);
		*at++ = '/';
	}
	at = put_u64(at, e->tid);
	*at++ = ' ';
	at = put_key(at, &f->text_head);
	for (uint32_t i = 0; i < probe->count; i++) {
		at = put_key(at, &f->text[i]);
		at = text_value(at, probe->fields[i].type, &e->event->values[i]);
	}
	*at++ = '\n';
	out->used = at - out->buffer;
}
