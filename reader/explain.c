/* SPDX-License-Identifier: MIT */
#include "reader/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/listing.h"
#include "reader/nearest.h"

#define NAMES_MAX 512 /* remembered of programs that had other probes than asked for */

static int name_add(struct tracer_names *names, const struct schema_probe *p, bool once)
{
	char name[sizeof(*names->list)];

	snprintf(name, sizeof(name), "%s:%s", p->provider, p->name);
	if (once) {
		for (size_t i = 0; i < names->count; i++) {
			if (!strcmp(names->list[i], name))
				return 0;
		}
	}
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		void *list = realloc(names->list, room * sizeof(*names->list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->room = room;
	}
	memcpy(names->list[names->count++], name, sizeof(name));
	return 0;
}

/* "; nearest: shop:order", or "" */
static void nearest_of(const struct tracer_names *names, const char *pattern, char *out,
                       size_t size)
{
	const char **list = calloc(names->count + 1, sizeof(*list)), *nearest = NULL;

	for (size_t i = 0; list && i < names->count; i++)
		list[i] = names->list[i];
	if (list)
		nearest = nearest_name(pattern, list, names->count);
	snprintf(out, size, "%s%s", nearest ? "; nearest: " : "", nearest ? nearest : "");
	free(list);
}

/*
 * A target's last word: it may have come and gone between two looks, withdrawn all, or been armed by
 * itself, so what counts is everything that it ever declared.
 */
void explain_keep(struct tracer *tracer, const struct target *target)
{
	const struct schema *schema = &target->schema;

	if (!target->process->family)
		return;
	for (uint32_t id = 1; id < schema->ids && !tracer->matched; id++) {
		const struct schema_probe *p = schema->probes[id];

		if (p && patterns_match(tracer->options.session.patterns, p->provider, p->name))
			tracer->matched = true;
		else if (p && tracer->names.count < NAMES_MAX && name_add(&tracer->names, p, true))
			return;
	}
}

/* The first one, or NULL. */
static const struct listed_probe *plain_usdt(const struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		if (listing->probes[i].kind == PROBE_USDT)
			return &listing->probes[i];
	}
	return NULL;
}

static int explain_usdt(const struct tracer *tracer, const char *command, const char *program,
                        struct weir_error *err)
{
	const struct listing_options options = { .patterns = tracer->options.session.patterns };
	struct listing listing = { 0 };
	const struct listed_probe *usdt;

	listing_file(&listing, program, &options, NULL);
	usdt = plain_usdt(&listing);
	if (usdt)
		weir_err(err, -ENOENT,
		         "%s: %s:%s is a plain USDT probe, without weir's buffers. Trace it with: "
		         "bpftrace -c '%s ...' -e 'usdt:%s:%s:%s { ... }'",
		         command, usdt->provider, usdt->name, program, program, usdt->provider,
		         usdt->name);
	listing_deinit(&listing);
	return usdt ? -ENOENT : 0;
}

int tracer_explain(struct tracer *tracer, const char *command, const char *program,
                   struct weir_error *err)
{
	const struct tracer_names *names = &tracer->names;
	const struct patterns *patterns = tracer->options.session.patterns;
	const char *pattern = patterns->count ? patterns->list[0] : "*";
	char nearest[2 * WEIR_NAME_MAX + 16];

	for (size_t i = 0; i < tracer->target_count; i++)
		explain_keep(tracer, tracer->targets[i]);
	if (tracer->matched)
		return 0;
	if (!names->count && explain_usdt(tracer, command, program, err))
		return -ENOENT;
	if (!names->count)
		return weir_err(err, -ENOENT,
		                "%s had no weir probes; `weir list -x FILE` shows the plain USDT "
		                "probes of a program or library",
		                command);
	nearest_of(names, pattern, nearest, sizeof(nearest));
	return weir_err(err, -ENOENT, "no probe of %s matched `%s`%s (it had others, such as %s)",
	                command, pattern, nearest, names->list[0]);
}

int explain_no_match(const struct tracer *tracer, const struct tracer_process *process,
                     struct weir_error *err)
{
	const char *pattern = tracer->options.session.patterns->list[0];
	struct tracer_names names = { 0 };
	char nearest[2 * WEIR_NAME_MAX + 16];
	int code = -ENOENT;

	for (size_t i = 0; i < tracer->target_count; i++) {
		const struct schema *schema = &tracer->targets[i]->schema;

		if (tracer->targets[i]->process != process)
			continue;
		for (uint32_t id = 1; id < schema->ids; id++) {
			const struct schema_probe *p = schema->probes[id];

			if (p && !p->withdrawn && name_add(&names, p, false))
				break;
		}
	}
	nearest_of(&names, pattern, nearest, sizeof(nearest));
	if (!names.count)
		weir_err(err, code,
		         "process %d (%s) uses weir but has no probes now; --wait waits for them",
		         process->pid, process->name);
	else
		weir_err(err, code,
		         "no probe of process %d (%s) matches `%s`%s (it has %zu: weir list -p %d; "
		         "--wait waits for probes that come later)",
		         process->pid, process->name, pattern, nearest, names.count, process->pid);
	free(names.list);
	return code;
}

/* It may have plain USDT probes of that name: those are for other tools. */
int explain_no_memory(const struct tracer *tracer, const struct tracer_process *process,
                      struct weir_error *err)
{
	const struct listing_options options = { .patterns = tracer->options.session.patterns };
	struct listing listing = { 0 };
	const struct listed_probe *usdt;
	struct weir_error refused = { 0 };
	int code = listing_process(&listing, process->pid, &options, &refused);

	usdt = plain_usdt(&listing);
	if (usdt)
		weir_err(err, -ENOENT,
		         "process %d (%s): %s:%s is a plain USDT probe, without weir's buffers. "
		         "Trace it "
		         "with: bpftrace -p %d -e 'usdt:%s:%s:%s { ... }'",
		         process->pid, process->name, usdt->provider, usdt->name, process->pid,
		         usdt->file, usdt->provider, usdt->name);
	else if (code == -EPERM || code == -EACCES)
		weir_err(err, code, "%s", refused.message);
	else
		weir_err(err, -ENOENT,
		         "process %d (%s) has no weir probes, nor plain USDT probes of that name; "
		         "`weir list -p %d` shows what it has, --wait waits for weir probes",
		         process->pid, process->name, process->pid);
	listing_deinit(&listing);
	return -ENOENT;
}
