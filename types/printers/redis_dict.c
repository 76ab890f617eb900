/* SPDX-License-Identifier: MIT */
/*
 * Redis' dict as a map. Two tables while it is being rehashed. Redis 7 has
 * ht_table[2] with exponents, Redis 6 and before ht[2] with sizes: the types tell.
 * What a key is depends on the dictType, which is code; nearly all keys are sds,
 * so they are printed as such where they can be, as addresses else.
 */
#include "types/printers/printers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Longest chain of one bucket and most buckets that are looked at: a torn read may make loops. */
#define CHAIN_MAX   10000
#define BUCKETS_MAX (1u << 24)
#define KEY_MAX     (1u << 29) /* Redis allows 512 MB */

struct layout {
	const char *used[2], *size[2], *bucket[2];
};

static const struct layout redis7 = {
	{ "it.ht_used[0]", "it.ht_used[1]" },
	{ "it.ht_size_exp[0] < 0 ? 0UL : 1UL << it.ht_size_exp[0]",
	  "it.ht_size_exp[1] < 0 ? 0UL : 1UL << it.ht_size_exp[1]" },
	{ "it.ht_table[0][i]", "it.ht_table[1][i]" },
};

static const struct layout redis6 = {
	{ "it.ht[0].used", "it.ht[1].used" },
	{ "it.ht[0].size", "it.ht[1].size" },
	{ "it.ht[0].table[i]", "it.ht[1].table[i]" },
};

struct walk {
	struct format *f;
	uint64_t shown;
	const char *trouble;
};

static bool is_plain(const char *bytes, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if ((unsigned char)bytes[i] < ' ')
			return false;
	return true;
}

/* A key as a text, "sds" in quotes, or an address. */
static int key_text(struct format *f, const struct expr_value *entry, char *buf, size_t size)
{
	struct expr_value key;
	uint64_t address, kind, n = 0;
	char bytes[128], end = 1;
	bool cut;
	int rc = format_number(f, entry, 0, "it->key", &address);

	if (rc)
		return rc;
	snprintf(buf, size, "0x%" PRIx64, address);
	if (format_eval(f, entry, 0, "(sds)it->key", &key) ||
	    format_number(f, &key, 0, "it[-1] & 7", &kind) || kind > 3)
		return 0;
	if (kind == 0)
		format_number(f, &key, 0, "(unsigned char)it[-1] >> 3", &n);
	else if (kind == 1)
		format_number(f, &key, 0, "((struct sdshdr8 *)(it - sizeof(struct sdshdr8)))->len",
		              &n);
	else
		format_number(f, &key, 0,
		              "((struct sdshdr16 *)(it - sizeof(struct sdshdr16)))->len", &n);
	cut = n > sizeof(bytes);
	/* Every sds ends with a NUL that it does not count: what is none most often has no such. */
	if (n > KEY_MAX || format_read(f, address + n, &end, 1) || end)
		return 0;
	n = cut ? sizeof(bytes) : n;
	if (n && format_read(f, address, bytes, n))
		return 0;
	if (f->sink->is_json && is_plain(bytes, n))
		snprintf(buf, size, "%.*s", (int)n, bytes);
	else
		sink_quote(bytes, n, buf, size);
	if (cut)
		snprintf(buf + strlen(buf), size - strlen(buf), "...");
	return 0;
}

static void entry(struct walk *w, const struct expr_value *e)
{
	char key[600]; /* each byte may become four characters */
	struct expr_value v;

	if (key_text(w->f, e, key, sizeof(key)))
		return;
	w->f->sink->ops->key(w->f->sink, key);
	if (format_eval(w->f, e, 0, "it->v.val", &v))
		format_failure(w->f, "cannot be read");
	else
		format_any(w->f, &v);
	w->shown++;
}

static void bucket(struct walk *w, const struct expr_value *first)
{
	struct expr_value e = *first, next;
	uint64_t address;

	for (int n = 0;; n++, e = next) {
		if (format_number(w->f, &e, 0, "it", &address)) {
			w->trouble = "a bucket cannot be read";
			return;
		}
		if (!address || w->shown >= w->f->opts.elements_max)
			return;
		if (n == CHAIN_MAX) {
			w->trouble = "a chain does not end";
			return;
		}
		entry(w, &e);
		if (format_eval(w->f, &e, 0, "it->next", &next) ||
		    expr_load(w->f->memory, &next, &next)) {
			w->trouble = "a chain leads to memory that is not mapped";
			return;
		}
	}
}

static int print(struct format *f, const struct expr_value *it)
{
	const struct layout *layout = &redis7;
	uint64_t used[2], size[2];
	struct walk w = { .f = f };
	struct expr_value first;
	char label[64];

	if (format_number(f, it, 0, layout->used[0], &used[0]))
		layout = &redis6;
	for (int t = 0; t < 2; t++) {
		int rc = format_number(f, it, 0, layout->used[t], &used[t])
		             ?: format_number(f, it, 0, layout->size[t], &size[t]);

		if (rc || used[t] > UINT32_MAX)
			return rc ?: -EBADMSG;
	}
	snprintf(label, sizeof(label), "dict, %" PRIu64 " %s", used[0] + used[1],
	         used[0] + used[1] == 1 ? "entry:" : "entries:");
	f->sink->ops->open(f->sink, SINK_MAP, label, false);
	f->nest++;
	for (int t = 0; t < 2; t++) {
		for (uint64_t i = 0; i < size[t] && i < BUCKETS_MAX && !w.trouble; i++) {
			if (w.shown >= f->opts.elements_max || f->values >= f->opts.values_max)
				break;
			if (format_eval(f, it, i, layout->bucket[t], &first))
				w.trouble = "a bucket cannot be read";
			else
				bucket(&w, &first);
		}
	}
	f->nest--;
	f->sink->ops->close(f->sink);
	if (w.trouble)
		f->sink->ops->note(f->sink, w.trouble);
	else if (w.shown < used[0] + used[1])
		f->sink->ops->note(f->sink, "more follow");
	else if (w.shown > used[0] + used[1])
		f->sink->ops->note(
		    f->sink, "more than it counts: it changed meanwhile, or a chain is a circle");
	return 0;
}

const struct printer printer_redis_dict = {
	.name = "redis.dict",
	.types = (const char *const[]){ "dict", NULL },
	.print = print,
};
