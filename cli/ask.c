/* SPDX-License-Identifier: MIT */
#include "cli/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct asking {
	ask_fn *bind;
	void *arg;
	struct schema_probe **refused;
	size_t refused_count, good;
	struct weir_error *err;
};

static int help(const struct weir_error *err)
{
	if (err->code == -EINVAL)
		return 2;
	return strstr(err->message, "nearest") ? 1 : 0;
}

void ask_keep_best(struct weir_error *best, const struct weir_error *one)
{
	if (!*best->message || help(one) > help(best))
		*best = *one;
}

static int ask_one(void *arg, struct schema_probe *probe)
{
	struct asking *asking = arg;
	struct weir_error one = { 0 };
	int code = asking->bind(asking->arg, probe, &one);
	void *room;

	if (code == -ENOMEM)
		return code;
	if (!code) {
		asking->good++;
		return 0;
	}
	room = realloc(asking->refused, (asking->refused_count + 1) * sizeof(probe));
	if (!room)
		return -ENOMEM;
	asking->refused = room;
	asking->refused[asking->refused_count++] = probe;
	ask_keep_best(asking->err, &one);
	return 0;
}

int ask_probes(struct tracer *tracer, const struct filter *filter, ask_fn *bind, void *arg,
               struct weir_error *err)
{
	struct asking asking = { .bind = bind, .arg = arg, .err = err };
	int code = tracer_each_probe(tracer, ask_one, &asking);

	if (!code && asking.refused_count && !asking.good) {
		filter_strange_name(filter, asking.refused, asking.refused_count, err);
		code = -EINVAL;
	}
	free(asking.refused);
	return code;
}
