/* SPDX-License-Identifier: MIT */
/*
 * One library is mapped by many processes and one stub by all that publish the same, so rows are
 * sorted by provider and file, and what is the same in several processes is one line: that is how
 * a list of every process stays readable. Probes that are in no file stand by process.
 */
#include "cli/list_table.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

enum column { COLUMN_PROBE, COLUMN_FIELDS, COLUMN_SITES, COLUMN_ATTACHED };

/* Processes that are named in a line; of the others, their number. */
#define NAMED_MAX 4

static int compare_branches(const struct listed_probe *a, const struct listed_probe *b)
{
	int c = (int)a->kind - (int)b->kind;

	if (!c)
		c = strcmp(a->provider, b->provider);
	if (!c)
		c = strcmp(a->file, b->file);
	if (!c && !*a->file)
		c = a->pid < b->pid ? -1 : a->pid > b->pid;
	return c;
}

static int compare_rows(const void *a, const void *b)
{
	const struct listed_probe *x = a, *y = b;
	int c = compare_branches(x, y);

	if (!c)
		c = strverscmp(x->name, y->name);
	if (!c)
		c = strcmp(x->name, y->name);
	return c ? c : x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* A text that ends in "..." where it would be too long. */
struct text {
	char s[2048];
	size_t length;
};

static void append(struct text *t, const char *separator, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(struct text *t, const char *separator, const char *format, ...)
{
	size_t room = sizeof(t->s) - t->length;
	char one[512];
	va_list ap;
	int n;

	va_start(ap, format);
	vsnprintf(one, sizeof(one), format, ap);
	va_end(ap);
	n = snprintf(t->s + t->length, room, "%s%s", t->length ? separator : "", one);
	if ((size_t)n < room)
		t->length += (size_t)n;
	else
		snprintf(t->s + sizeof(t->s) - 4, 4, "...");
}

static void fields_text(const struct listed_probe *p, struct text *t)
{
	for (size_t i = 0; i < p->fields_count; i++)
		append(t, ", ", "%s %s", p->fields[i].type, p->fields[i].name);
}

/* Who is attached to the probe in each of the `count` rows, which are processes. */
static void attached_text(const struct listed_probe *rows, size_t count, bool name_process,
                          struct text *t)
{
	size_t unknown = 0;

	for (size_t i = 0; i < count; i++) {
		const struct listed_probe *p = &rows[i];
		char in[32] = "";

		if (name_process)
			snprintf(in, sizeof(in), " in %d", p->pid);
		if (p->attached & ATTACHED_USDT)
			append(t, ", ", "usdt%s", in);
		for (size_t k = 0; k < p->owners_count; k++)
			append(t, ", ", "buffer (pid %" PRIu32 ")%s", p->owners[k], in);
		if (p->semaphore > 0)
			append(t, ", ", "semaphore %d%s", p->semaphore, in);
		unknown += (p->attached & ATTACHED_UNKNOWN) != 0;
	}
	if (unknown)
		append(t, ", ", unknown < count ? "unknown in %zu" : "unknown", unknown);
}

static void add_probe(struct libscols_table *table, struct libscols_line *parent,
                      const struct listed_probe *rows, size_t count, bool name_process)
{
	struct libscols_line *line = scols_table_new_line(table, parent);
	struct text name = { 0 }, fields = { 0 }, sites = { 0 }, attached = { 0 };

	if (!line)
		return;
	append(&name, "", "%s:%s", rows->provider, rows->name);
	fields_text(rows, &fields);
	if (rows->sites > 1)
		append(&sites, "", "%zu", rows->sites);
	attached_text(rows, count, name_process, &attached);
	scols_line_set_data(line, COLUMN_PROBE, name.s);
	scols_line_set_data(line, COLUMN_FIELDS, fields.s);
	scols_line_set_data(line, COLUMN_SITES, sites.s);
	scols_line_set_data(line, COLUMN_ATTACHED, attached.s);
}

/* "shop[12], shop[13]": the processes of a branch, each once. */
static size_t processes_text(const struct listed_probe *rows, size_t count, struct text *t)
{
	size_t seen = 0;
	pid_t *pids = calloc(count, sizeof(*pids));

	for (size_t i = 0; pids && i < count; i++) {
		size_t k = seen;

		/* rows of one probe are sorted by pid, so a known one is found near the end */
		while (k && pids[k - 1] != rows[i].pid)
			k--;
		if (k || !rows[i].pid)
			continue;
		pids[seen++] = rows[i].pid;
		if (seen <= NAMED_MAX)
			append(t, ", ", "%s[%d]", rows[i].process, rows[i].pid);
	}
	free(pids);
	if (seen > NAMED_MAX)
		append(t, " ", "and %zu more processes", seen - NAMED_MAX);
	return seen;
}

static struct libscols_line *add_branch(struct libscols_table *table,
                                        const struct listed_probe *rows, size_t count,
                                        size_t *processes)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	struct text text = { 0 };

	if (!line)
		return NULL;
	*processes = processes_text(rows, count, &text);
	if (*rows->file)
		append(&text, " ", "%s%s%s", *processes ? "in " : "", rows->file,
		       rows->replaced  ? " (which may not be what is mapped)"
		       : rows->deleted ? " (deleted)"
		                       : "");
	else
		append(&text, " ", "in shared memory only");
	scols_line_set_data(line, COLUMN_PROBE, rows->provider);
	scols_line_set_data(line, COLUMN_FIELDS, text.s);
	return line;
}

static void add_rows(struct libscols_table *table, const struct listed_probe *rows, size_t count)
{
	for (size_t i = 0, next; i < count; i = next) {
		struct libscols_line *branch;
		size_t processes;

		for (next = i + 1; next < count && !compare_branches(&rows[i], &rows[next]);)
			next++;
		branch = add_branch(table, &rows[i], next - i, &processes);
		for (size_t k = i, end; branch && k < next; k = end) {
			for (end = k + 1; end < next && !strcmp(rows[k].name, rows[end].name);)
				end++;
			add_probe(table, branch, &rows[k], end - k, processes > 1);
		}
	}
}

int list_table(struct listing *listing)
{
	struct libscols_table *table;
	bool tty = isatty(STDOUT_FILENO);
	int code;

	qsort(listing->probes, listing->count, sizeof(*listing->probes), compare_rows);
	scols_init_debug(0);
	table = scols_new_table();
	if (!table)
		return -ENOMEM;
	scols_table_set_termforce(table, tty ? SCOLS_TERMFORCE_AUTO : SCOLS_TERMFORCE_NEVER);
	scols_table_new_column(table, "PROBE", 0.3, SCOLS_FL_TREE);
	scols_table_new_column(table, "FIELDS", 0.4, tty ? SCOLS_FL_WRAP : 0);
	scols_table_new_column(table, "SITES", 0.02, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "ATTACHED", 0.1, tty ? SCOLS_FL_WRAP : 0);
	add_rows(table, listing->probes, listing->count);
	code = scols_print_table(table);
	scols_unref_table(table);
	return code;
}
