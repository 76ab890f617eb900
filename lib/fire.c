/* SPDX-License-Identifier: MIT */
/*
 * A fire that is more than fixed words into one session: strings, several sessions, sinks, calls
 * from bindings. All of it is safe in signal handlers and allocates nothing.
 */
#include "lib/probe.h"

#include <errno.h>
#include <string.h>

#include <weir/abi/shm.h>

#include "lib/entry.h"
#include "lib/shm.h"
#include "lib/slot.h"

/* What is always there for pointers of probes that are off. */
const uint16_t site_off = WEIR_SITE_OFF;
const uint32_t mask_off = 0;

struct weir_probe weir_probe_off[1] = { { &site_off, &mask_off, &mask_off, 0, NULL } };

/* A string or bytes field: its word in the record and its piece. Returns the padded length. */
static uint32_t gather_piece(struct gather *g, unsigned field, const void *data, size_t size,
                             size_t original, uint32_t extra)
{
	uint32_t padded = ((uint32_t)size + extra + 7) & ~7u;

	g->words[2 + field] = padded | (uint64_t)(original > 65535 ? 65535 : original) << 16;
	g->piece[g->pieces++] = (struct piece){ data, (uint32_t)size, padded };
	return padded;
}

static const char empty[8];

/* Records are gathered in order; `args` has one word per argument. */
static void gather_fields(const struct probe *probe, const uint64_t *args, uint32_t most,
                          struct gather *g)
{
	uint32_t flags = 0, length = 16 + 8u * probe->fields;
	uint32_t bytes = probe->bytes_fields;

	g->pieces = 0;
	g->count = 2 + probe->fields;
	if (!bytes) {
		for (unsigned i = 0; i < probe->fields; i++)
			g->words[2 + i] = args[i];
		g->length = length;
		g->words[0] = probe->record;
		g->words[1] = slots_tid();
		return;
	}
	for (unsigned i = 0; i < probe->fields; i++) {
		if (!(bytes & (1u << i))) {
			g->words[2 + i] = *args++;
			continue;
		}
		/* Room is kept for the NUL of this one and of those that follow. */
		uint32_t rest = (uint32_t)__builtin_popcount(bytes >> i);
		uint32_t room = WEIR_RECORD_MAX - length - 8 * rest;
		uint32_t limit = most < room ? most : room;
		const char *data = (const char *)(uintptr_t)*args++;
		bool string = probe->types[i] == WEIR_STRING;
		size_t original = 0, size;

		if (!data) {
			flags |= string || *args ? WEIR_RECORD_FAULT : 0;
			args += !string;
			data = empty;
			size = 0;
		} else if (string) {
			/* Beyond the limit its length is told up to 65535, not further. */
			size = strnlen(data, limit + 1);
			original = size <= limit ? size : size + strnlen(data + size, 65535 - size);
		} else {
			original = size = *args++;
		}
		if (size > limit) {
			size = limit;
			flags |= WEIR_RECORD_TRUNCATED;
		}
		length += gather_piece(g, i, data, size, original, string);
	}
	g->length = length;
	g->words[0] = (probe->record & 0xffff) | (uint64_t)(length / 8) << 54;
	g->words[1] = slots_tid() | (uint64_t)flags << 48;
}

static void call_sinks(const struct probe *probe, const uint64_t *args, const void *ip)
{
	/* acquire: partner is probe_sink_add */
	struct weir_sink *sink = __atomic_load_n(&probe->sinks, __ATOMIC_ACQUIRE);

	for (; sink; sink = __atomic_load_n(&sink->next, __ATOMIC_ACQUIRE))
		sink->fire(sink, args, ip);
}

/* The longest string that this session wants of this probe. */
static uint32_t session_limit(const struct probe *probe, unsigned session)
{
	uint32_t limit = __atomic_load_n(&shm.sessions[session].string_limit, __ATOMIC_RELAXED);

	return limit && limit < probe->string_limit ? limit : probe->string_limit;
}

static void fire_buffers(struct probe *probe, const uint64_t *args, uint32_t mask)
{
	struct gather gather;
	uint64_t time = 0;
	uint32_t limit = 0;

	if (!probe->bytes_fields) {
		gather_fields(probe, args, 0, &gather);
		slots_append(probe, mask, &gather, &time);
	}
	for (unsigned k; probe->bytes_fields && mask;
	     mask &= ~(UINT32_C(0xf) << WEIR_MASK_SHIFT(k))) {
		uint32_t wanted;

		k = (unsigned)__builtin_ctz(mask) / 4;
		wanted = session_limit(probe, k);
		if (wanted != limit)
			gather_fields(probe, args, wanted, &gather);
		limit = wanted;
		slots_append(probe, mask & (UINT32_C(0xf) << WEIR_MASK_SHIFT(k)), &gather, &time);
	}
	slots_done();
}

/* Everything but the site. */
static void fire(struct probe *probe, const uint64_t *args, uint32_t mask, const void *ip)
{
	int saved = errno;

	if (mask)
		fire_buffers(probe, args, mask);
	if (WEIR_UNLIKELY(*probe->head.sinks))
		call_sinks(probe, args, ip);
	errno = saved;
}

void fire_generic(struct probe *probe, const uint64_t *in_registers, const uint64_t *on_stack,
                  uint32_t mask)
{
	/* What lies below the arguments on the stack is the address that the fire returns to. */
	const void *ip = (const void *)(uintptr_t)on_stack[-1];

	if (probe->args <= ENTRY_REGISTERS) {
		fire(probe, in_registers, mask, ip);
	} else {
		uint64_t args[WEIR_ARGS_MAX];

		memcpy(args, in_registers, ENTRY_REGISTERS * sizeof(*args));
		memcpy(args + ENTRY_REGISTERS, on_stack,
		       (probe->args - ENTRY_REGISTERS) * sizeof(*args));
		fire(probe, args, mask, ip);
	}
}

static void fire_all(struct probe *probe, const uint64_t *args, const void *ip)
{
	fire(probe, args, *probe->head.mask, ip);
	if (*probe->head.site != WEIR_SITE_OFF && probe->site_fn)
		site_call(probe->site_fn, args, probe->args);
}

/* May a word of class `class` be the argument of a field of this type, and as what? */
static bool convert(unsigned type, unsigned class, uint64_t *word)
{
	union {
		uint64_t u;
		double d;
		float f;
	} v = { *word };
	double value;

	switch (type) {
	case WEIR_F32:
	case WEIR_F64:
		if (class == WEIR_CLASS_POINTER)
			return false;
		value = class == WEIR_CLASS_F32   ? (double)v.f
		        : class == WEIR_CLASS_F64 ? v.d
		                                  : (double)(int64_t)v.u;
		v.u = 0;
		if (type == WEIR_F32)
			v.f = (float)value;
		else
			v.d = value;
		*word = v.u;
		return true;
	case WEIR_STRING:
		return class == WEIR_CLASS_POINTER || (class == WEIR_CLASS_INT && !*word);
	case WEIR_POINTER:
		return class == WEIR_CLASS_POINTER || class == WEIR_CLASS_INT;
	default:
		return class == WEIR_CLASS_INT;
	}
}

int weir_fire_args(struct weir_probe *head, uint64_t signature, const uint64_t *args)
{
	struct probe *probe = (struct probe *)head;
	/* At least what site_call reads. */
	uint64_t words[WEIR_ARGS_MAX > ENTRY_REGISTERS ? WEIR_ARGS_MAX : ENTRY_REGISTERS] = { 0 };
	unsigned count = (signature >> 48) & 0xff, arg = 0;

	if (head == weir_probe_off)
		return 0;
	if (count != probe->args)
		return -EINVAL;
	if (count)
		memcpy(words, args, count * sizeof(*args));
	for (unsigned i = 0; i < probe->fields; i++, arg++) {
		unsigned class = (signature >> (2 * arg)) & 3;

		if (probe->types[i] == WEIR_BYTES) {
			if (!convert(WEIR_STRING, class, &words[arg]))
				return -EINVAL;
			arg++;
			if (((signature >> (2 * arg)) & 3) != WEIR_CLASS_INT)
				return -EINVAL;
		} else if (!convert(probe->types[i], class, &words[arg])) {
			return -EINVAL;
		}
	}
	fire_all(probe, words, __builtin_return_address(0));
	return 0;
}

int weir_fire_values(struct weir_probe *head, const union weir_value *values, size_t count)
{
	struct probe *probe = (struct probe *)head;
	uint64_t words[WEIR_ARGS_MAX] = { 0 };
	unsigned arg = 0;

	if (head == weir_probe_off)
		return 0;
	if (count != probe->fields)
		return -EINVAL;
	if (!weir_enabled(head))
		return 0;
	for (unsigned i = 0; i < count; i++) {
		const union weir_value *v = &values[i];

		switch (probe->types[i]) {
		case WEIR_F32:
			words[arg++] = weir_f32_word_(v->f32);
			break;
		case WEIR_BOOL:
			words[arg++] = v->boolean;
			break;
		case WEIR_STRING:
		case WEIR_POINTER:
			words[arg++] = (uintptr_t)v->pointer;
			break;
		case WEIR_BYTES:
			words[arg++] = (uintptr_t)v->bytes.data;
			words[arg++] = v->bytes.size;
			break;
		default:
			words[arg++] = v->u64;
		}
	}
	fire_all(probe, words, __builtin_return_address(0));
	return 0;
}

/* With one sink a fire looks at that sink's own word, with more it calls them all. */
static void sinks_point(struct probe *probe)
{
	static const uint32_t on = 1;
	const volatile uint32_t *word = &probe->no_sink;

	if (probe->sinks)
		word = probe->sinks->next || !probe->sinks->on ? &on : probe->sinks->on;
	__atomic_store_n(&probe->head.sinks, word, __ATOMIC_RELEASE);
}

void probe_sink_add(struct probe *probe, struct weir_sink *sink)
{
	sink->next = probe->sinks;
	/* release: partner is call_sinks */
	__atomic_store_n(&probe->sinks, sink, __ATOMIC_RELEASE);
	sinks_point(probe);
}

void probe_sink_remove(struct probe *probe, struct weir_sink *sink)
{
	struct weir_sink **at = &probe->sinks;

	while (*at && *at != sink)
		at = &(*at)->next;
	if (*at) /* its own next stays: a fire may be standing on it */
		__atomic_store_n(at, sink->next, __ATOMIC_RELEASE);
	sinks_point(probe);
}
