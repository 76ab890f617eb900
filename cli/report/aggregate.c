/* SPDX-License-Identifier: MIT */
#include "cli/report/aggregate.h"

#include "reader/error.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CACHED 256 /* numbers as keys whose rows are remembered */

/* Names that every probe has, unless a field is called so: as in weir trace --where. */
enum pseudo { NONE, PROBE, PROVIDER, PID, TID, CPU };
static const char *const pseudo_names[] = { "", "probe", "provider", "pid", "tid", "cpu" };

/* What is done with the events of one probe of one trace. */
struct plan {
	struct plan *next;
	bool usable; /* it has the fields */
	int by, hist;
	enum pseudo pseudo;
	uint8_t by_type, hist_type;
	struct row *probe; /* NULL until its first event */
	struct row *row;   /* if the key is the same for all events; NULL until then */
	struct filter_bound *where;
	struct {
		uint64_t word;
		struct row *row;
	} cache[CACHED];
};

/* --- fields by name */

static int field_index(const struct schema_probe *probe, const char *name)
{
	for (uint32_t i = 0; i < probe->count; i++) {
		if (!strcmp(probe->fields[i].name, name))
			return (int)i;
	}
	return -1;
}

static enum pseudo pseudo_of(const char *name)
{
	for (enum pseudo p = PROBE; p <= CPU; p++) {
		if (!strcmp(pseudo_names[p], name))
			return p;
	}
	return NONE;
}

bool aggregate_is_pseudo(const char *name)
{
	return pseudo_of(name) != NONE;
}

/* --- probes */

static struct plan *make_plan(struct aggregate *a, const struct schema_probe *probe)
{
	const struct query *q = a->query;
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan) {
		a->no_memory = true;
		return NULL;
	}
	plan->next = a->plans;
	a->plans = plan;
	plan->by = q->by ? field_index(probe, q->by) : -1;
	plan->hist = q->hist ? field_index(probe, q->hist) : -1;
	plan->pseudo = q->by && plan->by < 0 ? pseudo_of(q->by) : NONE;
	plan->by_type = plan->by >= 0 ? probe->fields[plan->by].type : 0;
	plan->hist_type = plan->hist >= 0 ? probe->fields[plan->hist].type : 0;
	plan->usable = (!q->by || plan->by >= 0 || plan->pseudo) && (!q->hist || plan->hist >= 0);
	return plan;
}

/* false: it makes no sense on this probe, or the probe lacks a field of it. */
static bool bind_where(struct aggregate *a, const struct schema_probe *probe, struct plan *plan)
{
	struct weir_error err = { 0 };
	int code = filter_bind(a->query->where, probe, &plan->where, &err);

	if (code && (!a->where_code || code == -EINVAL)) {
		a->where_code = code;
		a->where_error = err;
	}
	return !code;
}

static void on_probe(void *arg, const struct ctf_trace *trace, const struct schema_probe *probe,
                     struct ctf_use *use)
{
	struct aggregate *a = arg;
	struct plan *plan;

	(void)trace;
	if (a->query->patterns.count &&
	    !patterns_match(&a->query->patterns, probe->provider, probe->name))
		return;
	if (!a->timeline)
		aggregate_remember_fields(a, probe);
	plan = make_plan(a, probe);
	if (!plan)
		return;
	use->own = plan;
	use->events = true;
	if (a->query->where) {
		plan->usable = plan->usable && bind_where(a, probe, plan);
		use->fields = record_all_fields(probe);
	}
	if (plan->by >= 0)
		use->fields |= UINT64_C(1) << plan->by;
	if (plan->hist >= 0)
		use->fields |= UINT64_C(1) << plan->hist;
}

static void on_trace(void *arg, const struct ctf_trace *trace)
{
	struct aggregate *a = arg;

	if (!a->timeline && *trace->process && a->process_count < PROCESSES_MAX)
		a->processes[a->process_count++] = (struct process){
			.name = strdup(trace->process),
			.command = strdup(trace->command),
			.pid = trace->pid,
		};
}

/* --- keys */

static int text_of(uint8_t type, const struct record_value *v, char *ret, size_t size)
{
	switch (type) {
	case WEIR_F32:
	case WEIR_F64:
		return snprintf(ret, size, "%.17g", v->f64);
	case WEIR_BOOL:
		return snprintf(ret, size, "%s", v->u64 ? "true" : "false");
	case WEIR_I8:
	case WEIR_I16:
	case WEIR_I32:
	case WEIR_I64:
		return snprintf(ret, size, "%" PRId64, v->i64);
	case WEIR_POINTER:
		return snprintf(ret, size, "0x%" PRIx64, v->u64);
	default:
		return snprintf(ret, size, "%" PRIu64, v->u64);
	}
}

static struct row *number_row(struct aggregate *a, struct plan *plan, uint8_t type,
                              const struct record_value *v)
{
	size_t i = (v->u64 * UINT64_C(0x9e3779b97f4a7c15)) >> 56;
	char text[40];

	if (plan->cache[i].row && plan->cache[i].word == v->u64)
		return plan->cache[i].row;
	plan->cache[i].row =
	    rows_find(&a->rows, text, (size_t)text_of(type, v, text, sizeof(text)));
	plan->cache[i].word = v->u64;
	return plan->cache[i].row;
}

/* The row of PROVIDER:PROBE, or of its provider. */
static struct row *name_row(struct rows *rows, const struct schema_probe *probe, bool provider)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s%s%s", probe->provider, provider ? "" : ":",
	                 provider ? "" : probe->name);

	return rows_find(rows, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static struct row *row_of(struct aggregate *a, struct plan *plan, const struct ctf_event *e)
{
	struct record_value number = { 0 };

	if (plan->by >= 0) {
		const struct record_value *v = &e->values[plan->by];

		return schema_type_is_bytes(plan->by_type) ? rows_find(&a->rows, v->data, v->size)
		                                           : number_row(a, plan, plan->by_type, v);
	}
	switch (plan->pseudo) {
	case PID:
		number.u64 = e->pid;
		break;
	case TID:
		number.u64 = e->tid;
		break;
	case CPU:
		number.u64 = e->cpu;
		break;
	default: /* the same for all events */
		if (!plan->row)
			plan->row = name_row(&a->rows, e->probe, plan->pseudo == PROVIDER);
		return plan->row;
	}
	return number_row(a, plan, WEIR_U64, &number);
}

/* --- events */

static struct number number_of(uint8_t type, const struct record_value *v)
{
	switch (type) {
	case WEIR_F32:
	case WEIR_F64:
		return (struct number){ v->f64, false, 0 };
	case WEIR_I8:
	case WEIR_I16:
	case WEIR_I32:
	case WEIR_I64:
		return (struct number){ (double)v->i64, true, v->i64 };
	case WEIR_STRING:
	case WEIR_BYTES:
		return (struct number){ v->original, true, v->original };
	default:
		return (struct number){ (double)v->u64, true, v->u64 };
	}
}

static bool is_hidden(const struct plan *plan, const struct ctf_event *e)
{
	struct filter_context context = { e->pid, e->tid, e->cpu };

	return plan->where && !filter_match(plan->where, e->values, &context);
}

static void on_event(void *arg, const struct ctf_event *e)
{
	struct aggregate *a = arg;
	struct plan *plan = e->own;
	struct row *probe, *row;
	struct number number = { 0 };

	if (is_hidden(plan, e)) {
		a->hidden++;
		return;
	}
	if (!plan->probe)
		plan->probe = name_row(&a->probes, e->probe, false);
	probe = plan->probe;
	if (!probe)
		return;
	a->matched++;
	a->first = e->time < a->first ? e->time : a->first;
	a->last = e->time > a->last ? e->time : a->last;
	if (a->timeline)
		timeline_add_probe(a->timeline, probe, e->time);
	else
		row_add_time(probe, e->time);
	if (!plan->usable) {
		a->without++;
		return;
	}
	if (plan->hist >= 0) {
		number = number_of(plan->hist_type, &e->values[plan->hist]);
		if (!isfinite(number.value)) {
			a->odd++;
			return;
		}
	}
	row = row_of(a, plan, e);
	if (!row)
		return;
	if (a->timeline) {
		timeline_add(a->timeline, row, e->time, number.value);
		return;
	}
	row_add_time(row, e->time);
	if (plan->hist >= 0 && !row_add_value(row, &number))
		a->no_memory = true;
}

static void on_lost(void *arg, int64_t from, int64_t to, uint64_t count)
{
	struct aggregate *a = arg;

	if (a->timeline)
		timeline_add_lost(a->timeline, from, to, count);
}

/* A CPU's second time is no second CPU; but of several processes, each has its own. */
static void count_dropped(struct dropped *d, uint32_t cpu, uint64_t count)
{
	uint32_t i = 0;

	d->events += count;
	while (i < d->slots && i < DROPPED_CPUS && d->cpus[i].cpu != cpu)
		i++;
	if (i == DROPPED_CPUS) {
		d->slots = DROPPED_CPUS + 1;
		return;
	}
	d->cpus[i].events = i < d->slots ? d->cpus[i].events + count : count;
	d->cpus[i].cpu = cpu;
	d->slots = i < d->slots ? d->slots : i + 1;
}

static void on_dropped(void *arg, uint32_t cpu, int64_t until, uint64_t count, bool rotated)
{
	struct aggregate *a = arg;
	struct dropped *d = &a->dropped;

	if (a->timeline)
		return;
	d->until = !d->slots || until > d->until ? until : d->until;
	d->rotated = rotated;
	count_dropped(d, cpu, count);
}

/* --- passes */

void aggregate_init(struct aggregate *a, const struct query *query)
{
	*a = (struct aggregate){ .query = query, .first = INT64_MAX, .last = INT64_MIN };
	a->reading = (struct ctf_reading){
		.probe = on_probe,
		.event = on_event,
		.lost = on_lost,
		.dropped = on_dropped,
		.trace = on_trace,
		.arg = a,
	};
}

static void free_plans(struct aggregate *a)
{
	for (struct plan *plan = a->plans, *next; plan; plan = next) {
		next = plan->next;
		filter_bound_free(plan->where);
		free(plan);
	}
	a->plans = NULL;
}

static int read_all(struct aggregate *a, const char *path, struct weir_error *err)
{
	int code = ctf_read_all(path, &a->reading, err);

	free_plans(a);
	if (!code && (a->no_memory || a->rows.no_memory || a->probes.no_memory))
		return weir_err(err, -ENOMEM, "no memory for so many values of %s",
		                a->query->by ? a->query->by : "a field");
	return code;
}

int aggregate_read(struct aggregate *a, const char *path, struct weir_error *err)
{
	return read_all(a, path, err);
}

int aggregate_timeline(struct aggregate *a, const char *path, struct timeline *timeline,
                       struct weir_error *err)
{
	struct aggregate first = *a;
	int code;

	a->timeline = timeline;
	code = read_all(a, path, err);
	/* The numbers that are shown are those of the first pass. */
	a->reading = first.reading;
	a->matched = first.matched;
	a->without = first.without;
	a->hidden = first.hidden;
	a->odd = first.odd;
	a->first = first.first;
	a->last = first.last;
	a->timeline = NULL;
	return code;
}

double aggregate_seconds(const struct aggregate *a)
{
	return a->first < a->last ? (double)(a->last - a->first) / 1e9 : 0;
}

void aggregate_deinit(struct aggregate *a)
{
	for (uint32_t i = 0; i < a->process_count; i++) {
		free(a->processes[i].name);
		free(a->processes[i].command);
	}
	for (size_t i = 0; i < a->field_probes; i++) {
		free(a->fields[i]->name);
		free(a->fields[i]);
	}
	free(a->fields);
	rows_deinit(&a->rows);
	rows_deinit(&a->probes);
}
