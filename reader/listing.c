/* SPDX-License-Identifier: MIT */
/* Rows, and the files they come from. listing_process.c and listing_file.c fill them. */
#include "reader/listing_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct elf_notes *listing_notes(struct listing *listing, int fd)
{
	struct file_cache *f = listing->files;
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	while (f && (f->dev != st.st_dev || f->ino != st.st_ino))
		f = f->next;
	if (f)
		return f->notes;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	elf_notes_read(fd, &f->notes, NULL);
	if (f->notes)
		listing->refused += f->notes->refused;
	f->next = listing->files;
	listing->files = f;
	return f->notes;
}

void listing_unread(struct listing *listing, const struct weir_error *why)
{
	if (!listing->unread++)
		listing->first_unread = *why;
}

static struct listed_probe *row_new(struct listing *listing)
{
	if (listing->count == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 64;
		struct listed_probe *probes = realloc(listing->probes, room * sizeof(*probes));

		if (!probes)
			return NULL;
		listing->probes = probes;
		listing->room = room;
	}
	memset(&listing->probes[listing->count], 0, sizeof(*listing->probes));
	return &listing->probes[listing->count++];
}

static int row_fields(struct listed_probe *row, const struct probe_desc *desc)
{
	row->fields = calloc(desc->fields_count + 1, sizeof(*row->fields));
	if (!row->fields)
		return -ENOMEM;
	for (size_t i = 0; i < desc->fields_count; i++) {
		row->fields[i].name = strdup(desc->fields[i].name);
		row->fields[i].type = probe_type_name(desc->fields[i].type);
		row->fields_count++;
		if (!row->fields[i].name)
			return -ENOMEM;
	}
	return 0;
}

static int row_init(struct listed_probe *row, const struct listing_owner *owner,
                    const struct probe_desc *desc)
{
	row->pid = owner->pid;
	row->kind = desc->kind;
	row->semaphore = -1;
	row->process = strdup(owner->process);
	row->file = strdup(owner->file);
	row->provider = strdup(desc->provider);
	row->name = strdup(desc->name);
	if (!row->process || !row->file || !row->provider || !row->name)
		return -ENOMEM;
	return row_fields(row, desc);
}

int listing_row(struct listing *listing, size_t from, const struct listing_owner *owner,
                const struct probe_desc *desc, struct listed_probe **ret)
{
	struct listed_probe *row;
	int code;

	if (listing->count > from) {
		row = &listing->probes[listing->count - 1];
		if (row->kind == desc->kind && !strcmp(row->name, desc->name) &&
		    !strcmp(row->provider, desc->provider)) {
			*ret = row;
			return 0;
		}
	}
	row = row_new(listing);
	if (!row)
		return -ENOMEM;
	code = row_init(row, owner, desc);
	if (code)
		return code;
	*ret = row;
	return 0;
}

void listing_truncate(struct listing *listing, size_t count)
{
	while (listing->count > count) {
		struct listed_probe *row = &listing->probes[--listing->count];

		for (size_t f = 0; f < row->fields_count; f++)
			free(row->fields[f].name);
		free(row->fields);
		free(row->process);
		free(row->provider);
		free(row->name);
		free(row->file);
	}
}

void listing_deinit(struct listing *listing)
{
	listing_truncate(listing, 0);
	free(listing->probes);
	for (struct file_cache *f = listing->files, *next; f; f = next) {
		next = f->next;
		elf_notes_free(f->notes);
		free(f);
	}
	*listing = (struct listing){ 0 };
}
