/* SPDX-License-Identifier: MIT */
/* Which fields a recording's probes have, and which of them one would most likely ask for. */
#include "cli/report/aggregate.h"

#include "reader/nearest.h"

#include <stdio.h>
#include <stdlib.h>

void aggregate_remember_fields(struct aggregate *a, const struct schema_probe *probe)
{
	struct probe_fields **list, *f;
	char *name;

	if (asprintf(&name, "%s:%s", probe->provider, probe->name) < 0)
		return;
	for (size_t i = 0; i < a->field_probes; i++) {
		if (!strcmp(a->fields[i]->name, name)) {
			free(name);
			return;
		}
	}
	list = realloc(a->fields, (a->field_probes + 1) * sizeof(struct probe_fields *));
	a->fields = list ? list : a->fields;
	f = calloc(1, sizeof(*f));
	if (!list || !f) {
		a->no_memory = true;
		free(name);
		free(f);
		return;
	}
	f->name = name;
	for (; f->count < probe->count; f->count++) {
		snprintf(f->fields[f->count].name, sizeof(f->fields[0].name), "%s",
		         probe->fields[f->count].name);
		f->fields[f->count].type = probe->fields[f->count].type;
	}
	a->fields[a->field_probes++] = f;
}

bool aggregate_has_field(const struct aggregate *a, const char *name)
{
	for (size_t i = 0; i < a->field_probes; i++) {
		for (uint32_t k = 0; k < a->fields[i]->count; k++) {
			if (!strcmp(a->fields[i]->fields[k].name, name))
				return true;
		}
	}
	return false;
}

const char *aggregate_nearest_field(const struct aggregate *a, const char *name)
{
	const char **names;
	const char *nearest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < a->field_probes; i++)
		count += a->fields[i]->count;
	names = calloc(count + 1, sizeof(*names));
	if (!names)
		return NULL;
	count = 0;
	for (size_t i = 0; i < a->field_probes; i++) {
		for (uint32_t k = 0; k < a->fields[i]->count; k++)
			names[count++] = a->fields[i]->fields[k].name;
	}
	nearest = nearest_name(name, names, count);
	free(names);
	return nearest;
}

/* How likely a number is what one wants a distribution of. */
static int time_score(const char *name)
{
	static const char *const likely[] = { "ms", "us", "ns", "latency", "duration", "elapsed" };
	const char *tail = strrchr(name, '_');

	for (int i = 0; i < 6; i++) {
		if (!strcmp(name, likely[i]))
			return 20 - i;
		if (tail && !strcmp(tail + 1, likely[i]))
			return 10 - i;
	}
	return !strcmp(name, "bytes") || !strcmp(name, "size") ? 2 : 1;
}

static int key_score(const char *name)
{
	static const char *const likely[] = { "route",  "endpoint", "operation", "handler", "path",
		                              "method", "name",     "queue",     "type" };

	for (int i = 0; i < 9; i++) {
		if (!strcmp(name, likely[i]))
			return 20 - i;
	}
	return 1;
}

/* Both of one probe; the probe with the likeliest time. */
void aggregate_suggest(const struct aggregate *a, const char **by, const char **hist)
{
	int best = 0;

	*by = *hist = "";
	for (size_t i = 0; i < a->field_probes; i++) {
		const struct probe_fields *f = a->fields[i];
		int best_key = 0, best_time = 0;
		const char *key = "", *time = "";

		for (uint32_t k = 0; k < f->count; k++) {
			bool text = f->fields[k].type == WEIR_STRING;
			int score =
			    text ? key_score(f->fields[k].name) : time_score(f->fields[k].name);

			if (f->fields[k].type == WEIR_BYTES || f->fields[k].type == WEIR_POINTER)
				continue;
			if (score <= (text ? best_key : best_time))
				continue;
			*(text ? &best_key : &best_time) = score;
			*(text ? &key : &time) = f->fields[k].name;
		}
		/* A time alone answers less than a time and a key. */
		if (best_key + 2 * best_time + (best_key ? 20 : 0) <= best)
			continue;
		best = best_key + 2 * best_time + (best_key ? 20 : 0);
		*by = key;
		*hist = time;
	}
}
