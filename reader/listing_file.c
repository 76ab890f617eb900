/* SPDX-License-Identifier: MIT */
/* The probes of an ELF file, and those of a core file. */
#include "reader/listing_rows.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reader/cleanup.h"
#include "reader/core.h"
#include "reader/maps.h"

static int list_notes(struct listing *listing, const struct elf_notes *notes,
                      const struct listing_owner *owner, const struct memories *memories,
                      const struct mapped_file *file, const struct listing_options *options)
{
	size_t from = listing->count;

	for (size_t i = 0; i < notes->count; i++) {
		const struct elf_probe *probe = &notes->probes[i];
		const struct probe_desc *desc = probe->desc;
		struct published *where = NULL;
		struct listed_probe *row;
		uint32_t id;
		int code;

		if (memories && desc->kind == PROBE_WEIR &&
		    !memories_published(memories, desc, maps_code_address(file, probe->site_offset),
		                        &where, &id))
			continue;
		if (where)
			where->seen[id] = true;
		if (!listing_wants(options, desc->kind, desc->provider, desc->name))
			continue;
		code = listing_row(listing, from, owner, desc, &row);
		if (code)
			return code;
		row->sites++;
		row->has_semaphore |= probe->semaphore != 0;
		if (where)
			memories_owners(where, id, row);
	}
	return 0;
}

/* --- core files */

/* The largest piece of a shared memory that is copied out of a core: tables, not packets. */
#define PIECE_MAX (256u << 20)

static int copy_piece(struct core_file *core, uint64_t start, uint64_t offset, uint64_t size,
                      int fd)
{
	char page[4096];

	if (size > PIECE_MAX)
		return -EBADMSG;
	while (size) {
		size_t n = size < sizeof(page) ? size : sizeof(page);

		if (core_read(core, start + offset, page, n))
			return -EFAULT;
		if (pwrite(fd, page, n, (off_t)offset) != (ssize_t)n)
			return -errno;
		offset += n;
		size -= n;
	}
	return 0;
}

/*
 * What the dump has of a shared memory, as a memfd that is what the target's was: shm_map then
 * checks it as it would check that. `size` is the mapping's.
 */
static int copy_memory(struct core_file *core, const struct mapping *m, int fd)
{
	struct weir_shm_header head;
	int code = core_read(core, m->start, &head, sizeof(head));

	if (code)
		return code;
	if (head.magic != WEIR_SHM_MAGIC || head.size < sizeof(head) ||
	    head.size > m->end - m->start)
		return -EBADMSG;
	if (ftruncate(fd, (off_t)head.size))
		return -errno;
	/* in a dump that was made meanwhile, the log may have grown beyond its end's copy */
	if (head.schema_end > head.schema_size)
		head.schema_end = head.schema_size;
	code = copy_piece(core, m->start, 0, sizeof(head), fd);
	if (!code)
		code = copy_piece(core, m->start, head.off_session,
		                  WEIR_SHM_SESSIONS * sizeof(struct weir_shm_session), fd);
	if (!code)
		code = copy_piece(core, m->start, head.off_mask, WEIR_SHM_PROBES * sizeof(uint32_t),
		                  fd);
	if (!code)
		code = copy_piece(core, m->start, head.off_schema, head.schema_end, fd);
	return code;
}

static int core_memory(struct core_file *core, const struct mapping *m, struct memories *memories)
{
	int fd = memfd_create("weir-core", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct shm shm;
	int code = fd < 0 ? -errno : copy_memory(core, m, fd);

	if (!code && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		code = -errno;
	if (!code)
		code = shm_map(fd, 0, 0, &shm, NULL);
	if (code) {
		if (fd >= 0)
			close(fd);
		return code;
	}
	code = memories_add(memories, &shm);
	if (code)
		shm_unmap(&shm);
	return code;
}

static bool is_memory(const struct mapped_file *file)
{
	return !strncmp(file->path, "/memfd:" WEIR_SHM_NAME, strlen("/memfd:" WEIR_SHM_NAME)) &&
	       (!file->path[strlen("/memfd:" WEIR_SHM_NAME)] ||
	        file->path[strlen("/memfd:" WEIR_SHM_NAME)] == ' ');
}

static void core_memories(struct core_file *core, struct memories *memories)
{
	const struct maps *maps = core_maps(core);

	for (size_t i = 0; i < maps->count; i++) {
		const struct mapped_file *file = &maps->files[i];

		for (size_t k = 0; is_memory(file) && k < file->mappings_count; k++) {
			if (!file->mappings[k].offset)
				core_memory(core, &file->mappings[k], memories);
		}
	}
}

static int core_files(struct listing *listing, struct core_file *core,
                      const struct memories *memories, const struct listing_options *options,
                      size_t *found)
{
	const struct maps *maps = core_maps(core);

	for (size_t i = 0; i < maps->count; i++) {
		const struct mapped_file *file = &maps->files[i];
		const struct listing_owner owner = { 0, "", file->path };
		const struct elf_notes *notes;
		_cleanup_close_ int fd = -1;
		struct weir_error err;
		int code = core_open_file(core, i, &fd, &err);

		if (code == -ESTALE)
			listing_unread(listing, &err);
		if (code)
			continue;
		++*found;
		notes = listing_notes(listing, fd);
		code = notes ? list_notes(listing, notes, &owner, memories, file, options) : 0;
		if (code)
			return code;
	}
	return 0;
}

static int list_core(struct listing *listing, const char *path,
                     const struct listing_options *options, struct weir_error *err)
{
	const struct listing_owner owner = { 0, "", "" };
	struct memories memories = { 0 };
	struct core_file *core;
	size_t found = 0;
	int code = core_open(path, err, &core);

	if (code)
		return code;
	core_memories(core, &memories);
	code = core_files(listing, core, &memories, options, &found);
	if (!code)
		code = memories_rows(listing, &memories, &owner, options);
	if (code)
		weir_err(err, code, "%s: %s", path, strerror(-code));
	else if (!found && !memories.count)
		code = weir_err(err, -ENOENT,
		                "%s: none of the files that this core file names is here as it "
		                "was; copy them to their places, or give one of them with -x",
		                path);
	memories_deinit(&memories);
	core_close(core);
	return code;
}

int listing_file(struct listing *listing, const char *path, const struct listing_options *options,
                 struct weir_error *err)
{
	const struct listing_owner owner = { 0, "", path };
	struct elf_notes *notes = NULL;
	_cleanup_close_ int fd = -1;
	struct weir_error why;
	int code = open_regular(AT_FDCWD, path, &fd);

	if (code)
		return weir_err(err, code, "cannot read %s: %s", path,
		                code == -EINVAL ? "not a regular file" : strerror(-code));
	code = elf_notes_read(fd, &notes, &why);
	if (code)
		return weir_err(err, code, "%s: %s", path, why.message);
	if (notes->type == ET_CORE)
		code = list_core(listing, path, options, err);
	else
		code = list_notes(listing, notes, &owner, NULL, NULL, options);
	if (code == -ENOMEM)
		weir_err(err, code, "%s: no memory for its probes", path);
	listing->refused += notes->refused;
	elf_notes_free(notes);
	return code;
}
