/* SPDX-License-Identifier: MIT */
#include "reader/listing.h"

#include "reader/elf_notes.h"
#include "reader/maps.h"
#include "reader/rights.h"
#include "reader/schema.h"
#include "reader/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- files, each read once however many processes map it */

struct file_cache {
	struct file_cache *next;
	dev_t dev;
	ino_t ino;
	struct elf_notes *notes; /* NULL: no ELF file, or none that could be read */
};

static struct file_cache *file_read(struct listing *listing, int fd)
{
	struct file_cache *f = listing->files;
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	while (f && (f->dev != st.st_dev || f->ino != st.st_ino))
		f = f->next;
	if (f)
		return f;
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
	return f;
}

/* --- what is published in a process now */

struct published {
	struct shm shm;
	struct schema schema;
	bool *seen; /* by id: also found in a stub */
};

struct memories {
	struct published *list;
	size_t count;
};

static int memory_found(void *arg, struct shm *shm)
{
	struct memories *m = arg;
	struct published *list = realloc(m->list, (m->count + 1) * sizeof(*list)), *p;

	if (!list)
		return -ENOMEM;
	m->list = list;
	p = &list[m->count];
	*p = (struct published){ .shm = *shm };
	schema_update(&p->schema, &p->shm);
	p->seen = calloc(p->schema.ids + 1, sizeof(*p->seen));
	if (!p->seen) {
		schema_deinit(&p->schema);
		return -ENOMEM;
	}
	m->count++;
	return 0;
}

static bool memory_seen(void *arg, dev_t dev, ino_t ino)
{
	const struct memories *m = arg;

	for (size_t i = 0; i < m->count; i++) {
		if (m->list[i].shm.dev == dev && m->list[i].shm.ino == ino)
			return true;
	}
	return false;
}

static void memories_deinit(struct memories *m)
{
	for (size_t i = 0; i < m->count; i++) {
		schema_deinit(&m->list[i].schema);
		shm_unmap(&m->list[i].shm);
		free(m->list[i].seen);
	}
	free(m->list);
}

/*
 * Is the stub's probe with its site at `site` published? Stubs stay mapped after withdraw. Where the
 * log knows nothing of its name it has no buffers, and only the stub can tell.
 */
static bool is_published(const struct memories *m, const struct elf_probe *probe, uint64_t site,
                         struct published **where, uint32_t *id)
{
	bool known = false;

	*where = NULL;
	for (size_t i = 0; i < m->count; i++) {
		struct published *p = &m->list[i];

		for (uint32_t n = 1; n < p->schema.ids; n++) {
			const struct schema_probe *s = p->schema.probes[n];

			if (!s || strcmp(s->name, probe->desc->name) ||
			    strcmp(s->provider, probe->desc->provider))
				continue;
			known = true;
			if (s->withdrawn || s->site != site)
				continue;
			*where = p;
			*id = n;
			return true;
		}
	}
	return !known;
}

/* --- rows */

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

static int row_init(struct listed_probe *row, pid_t pid, const char *process, enum probe_kind kind,
                    const char *provider, const char *name, const char *file)
{
	row->pid = pid;
	row->kind = kind;
	row->semaphore = -1;
	row->process = strdup(process);
	row->provider = strdup(provider);
	row->name = strdup(name);
	row->file = strdup(file);
	return row->process && row->provider && row->name && row->file ? 0 : -ENOMEM;
}

static int row_fields(struct listed_probe *row, size_t count)
{
	row->fields = count ? calloc(count, sizeof(*row->fields)) : NULL;
	return row->fields || !count ? 0 : -ENOMEM;
}

static int row_field(struct listed_probe *row, const char *name, const char *type)
{
	struct listed_field *f = &row->fields[row->fields_count];

	f->name = strdup(name);
	f->type = type ? type : "?";
	row->fields_count++;
	return f->name ? 0 : -ENOMEM;
}

/* The row of this probe in this file and process, made by an earlier site of it. */
static struct listed_probe *row_same(struct listing *listing, size_t from,
                                     const struct probe_desc *desc, const char *file)
{
	/* Sites of one probe follow each other: notes are sorted. */
	if (listing->count > from) {
		struct listed_probe *row = &listing->probes[listing->count - 1];

		if (row->kind == desc->kind && !strcmp(row->name, desc->name) &&
		    !strcmp(row->provider, desc->provider) && !strcmp(row->file, file))
			return row;
	}
	return NULL;
}

static int row_of_desc(struct listing *listing, size_t from, pid_t pid, const char *process,
                       const struct probe_desc *desc, const char *file, struct listed_probe **ret)
{
	struct listed_probe *row = row_same(listing, from, desc, file);
	int code;

	*ret = row;
	if (row)
		return 0;
	row = row_new(listing);
	code = row ? row_init(row, pid, process, desc->kind, desc->provider, desc->name, file)
	           : -ENOMEM;
	if (!code)
		code = row_fields(row, desc->fields_count);
	for (size_t i = 0; !code && i < desc->fields_count; i++)
		code = row_field(row, desc->fields[i].name, probe_type_name(desc->fields[i].type));
	*ret = row;
	return code;
}

/* --- who is attached */

static bool memory_read(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = { to, size }, remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static void look_at_site(struct listed_probe *row, const struct elf_probe *probe, uint64_t address)
{
	uint8_t live[2];

	if (!address || probe->code_size < 2)
		return;
	if (!memory_read(row->pid, address, live, 2))
		row->attached |= ATTACHED_UNKNOWN;
	else if (memcmp(live, probe->code, 2))
		row->attached |= ATTACHED_USDT;
}

static void look_at_semaphore(struct listed_probe *row, const struct mapped_file *file,
                              const struct elf_probe *probe)
{
	uint64_t address;
	uint16_t value;

	if (!probe->semaphore)
		return;
	row->has_semaphore = true;
	if (probe->semaphore_offset == ELF_NO_OFFSET)
		return;
	address = maps_address(file, probe->semaphore_offset);
	if (address && memory_read(row->pid, address, &value, 2) && (int)value > row->semaphore)
		row->semaphore = value;
}

static void add_owner(struct listed_probe *row, uint32_t owner)
{
	if (row->owners_count < sizeof(row->owners) / sizeof(row->owners[0]))
		row->owners[row->owners_count++] = owner;
}

static void look_at_mask(struct listed_probe *row, const struct published *p, uint32_t id)
{
	uint32_t mask = __atomic_load_n(&shm_mask(&p->shm)[id], __ATOMIC_RELAXED);

	for (unsigned k = 0; k < WEIR_SHM_SESSIONS; k++) {
		const struct weir_shm_session *s = shm_session(&p->shm, k);
		uint64_t word = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE);
		uint32_t nibble = mask >> WEIR_MASK_SHIFT(k) & 0xf;

		if (nibble && nibble == WEIR_SESSION_NIBBLE(word))
			add_owner(row, __atomic_load_n(&s->owner, __ATOMIC_RELAXED));
	}
}

/* --- a process */

static bool wanted(const struct listing_options *o, enum probe_kind kind, const char *provider,
                   const char *name)
{
	if (o->only_weir && kind != PROBE_WEIR)
		return false;
	return !o->patterns->count || patterns_match(o->patterns, provider, name);
}

static int list_mapped(struct listing *listing, const struct process *process,
                       const struct mapped_file *file, struct memories *memories,
                       const struct listing_options *options)
{
	size_t from = listing->count;
	enum maps_opened how;
	struct file_cache *cached;
	int fd, code = 0;

	if (!file->exec || maps_open(process->pid, file, &fd, &how, NULL))
		return 0;
	cached = file_read(listing, fd);
	close(fd);
	for (size_t i = 0; cached && cached->notes && !code && i < cached->notes->count; i++) {
		const struct elf_probe *probe = &cached->notes->probes[i];
		struct published *where = NULL;
		struct listed_probe *row;
		uint64_t address = 0;
		uint32_t id = 0;

		if (probe->site_offset != ELF_NO_OFFSET)
			address = maps_address(file, probe->site_offset);
		if (probe->desc->kind == PROBE_WEIR &&
		    !is_published(memories, probe, address, &where, &id))
			continue;
		if (where)
			where->seen[id] = true;
		if (!wanted(options, probe->desc->kind, probe->desc->provider, probe->desc->name))
			continue;
		code = row_of_desc(listing, from, process->pid, process->comm, probe->desc,
		                   file->path, &row);
		if (code)
			break;
		row->sites++;
		row->replaced = how == MAPS_REPLACED;
		if (how == MAPS_SAME) {
			look_at_site(row, probe, address);
			look_at_semaphore(row, file, probe);
		}
		if (where)
			look_at_mask(row, where, id);
	}
	return code;
}

/* Probes that are in a schema log and in no stub. */
static int list_stubless(struct listing *listing, const struct process *process,
                         struct memories *memories, const struct listing_options *options)
{
	int code = 0;

	for (size_t i = 0; i < memories->count; i++) {
		const struct published *p = &memories->list[i];

		for (uint32_t id = 1; !code && id < p->schema.ids; id++) {
			const struct schema_probe *s = p->schema.probes[id];
			struct listed_probe *row;

			if (!s || s->withdrawn || p->seen[id] ||
			    !wanted(options, PROBE_WEIR, s->provider, s->name))
				continue;
			row = row_new(listing);
			code = row ? row_init(row, process->pid, process->comm, PROBE_WEIR,
			                      s->provider, s->name, "")
			           : -ENOMEM;
			if (!code)
				code = row_fields(row, s->count);
			for (uint32_t f = 0; !code && f < s->count; f++)
				code = row_field(row, s->fields[f].name,
				                 schema_type_name(s->fields[f].type));
			if (!code)
				look_at_mask(row, p, id);
		}
	}
	return code;
}

int listing_process(struct listing *listing, pid_t pid, const struct listing_options *options,
                    struct weir_error *err)
{
	struct memories memories = { 0 };
	struct process process;
	struct maps maps;
	int code = process_read(pid, &process);

	if (code)
		return rights_explain(pid, RIGHTS_READ, code, err);
	if (process.kernel_thread)
		return 0;
	code = maps_read(pid, &maps);
	if (code)
		return rights_explain(pid, RIGHTS_READ, code, err);
	listing->processes++;
	shm_find(pid, memory_seen, memory_found, &memories, NULL);
	for (size_t i = 0; !code && i < maps.count; i++)
		code = list_mapped(listing, &process, &maps.files[i], &memories, options);
	if (!code)
		code = list_stubless(listing, &process, &memories, options);
	memories_deinit(&memories);
	maps_deinit(&maps);
	return code ? weir_err(err, code, "%s", strerror(-code)) : 0;
}

/* --- a file */

static int list_notes(struct listing *listing, const struct elf_notes *notes, const char *path,
                      const struct listing_options *options)
{
	size_t from = listing->count;
	int code = 0;

	for (size_t i = 0; !code && i < notes->count; i++) {
		const struct elf_probe *probe = &notes->probes[i];
		struct listed_probe *row;

		if (!wanted(options, probe->desc->kind, probe->desc->provider, probe->desc->name))
			continue;
		code = row_of_desc(listing, from, 0, "", probe->desc, path, &row);
		if (code)
			break;
		row->sites++;
		row->has_semaphore |= probe->semaphore != 0;
	}
	return code;
}

/* NT_FILE: count, page size, {start, end, page offset} each, then the names. */
static int list_core_files(struct listing *listing, const uint8_t *data, size_t size,
                           const struct listing_options *options, size_t *found)
{
	uint64_t count;
	const char *name;
	char last[4096] = "";

	if (size < 16)
		return 0;
	memcpy(&count, data, 8);
	if (count > (size - 16) / 24)
		return 0;
	name = (const char *)data + 16 + count * 24;
	for (uint64_t i = 0; i < count; i++) {
		size_t left = size - (size_t)(name - (const char *)data),
		       length = strnlen(name, left);
		int fd;

		if (length == left)
			break;
		if (strcmp(name, last) && length < sizeof(last)) {
			strcpy(last, name);
			if (!open_regular(AT_FDCWD, name, &fd)) {
				struct file_cache *f = file_read(listing, fd);

				close(fd);
				++*found;
				if (f && f->notes && list_notes(listing, f->notes, name, options))
					return -ENOMEM;
			}
		}
		name += length + 1;
	}
	return 0;
}

static int list_core(struct listing *listing, int fd, const char *path,
                     const struct listing_options *options, struct weir_error *err)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	size_t headers = 0, found = 0;
	int code = 0;

	if (!elf || elf_getphdrnum(elf, &headers))
		headers = 0;
	for (size_t i = 0; !code && i < headers; i++) {
		GElf_Phdr ph;
		Elf_Data *data;
		size_t at = 0, name_at, desc_at;
		GElf_Nhdr nh;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_NHDR);
		while (!code && data &&
		       (at = gelf_getnote(data, at, &nh, &name_at, &desc_at)) > 0) {
			if (nh.n_type == NT_FILE)
				code =
				    list_core_files(listing, (const uint8_t *)data->d_buf + desc_at,
				                    nh.n_descsz, options, &found);
		}
	}
	elf_end(elf);
	if (!code && !found)
		return weir_err(
		    err, -ENOENT,
		    "none of the files that the core file %s names is here: copy them to their "
		    "places, or give one of them with -x",
		    path);
	return code;
}

int listing_file(struct listing *listing, const char *path, const struct listing_options *options,
                 struct weir_error *err)
{
	struct elf_notes *notes = NULL;
	int fd, code = open_regular(AT_FDCWD, path, &fd);

	if (code)
		return weir_err(err, code, "cannot read %s: %s", path,
		                code == -EINVAL ? "not a regular file" : strerror(-code));
	code = elf_notes_read(fd, &notes, err);
	if (!code && notes->type == ET_CORE)
		code = list_core(listing, fd, path, options, err);
	else if (!code)
		code = list_notes(listing, notes, path, options);
	if (notes)
		listing->refused += notes->refused;
	elf_notes_free(notes);
	close(fd);
	return code;
}

void listing_deinit(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		struct listed_probe *row = &listing->probes[i];

		for (size_t f = 0; f < row->fields_count; f++)
			free(row->fields[f].name);
		free(row->fields);
		free(row->process);
		free(row->provider);
		free(row->name);
		free(row->file);
	}
	free(listing->probes);
	for (struct file_cache *f = listing->files, *next; f; f = next) {
		next = f->next;
		elf_notes_free(f->notes);
		free(f);
	}
	*listing = (struct listing){ 0 };
}
