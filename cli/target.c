/* SPDX-License-Identifier: MIT */
#include "cli/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/progress.h"
#include "reader/build_id.h"
#include "reader/cleanup.h"
#include "reader/core.h"
#include "reader/elf_symbol.h"
#include "reader/maps.h"
#include "reader/memory.h"
#include "reader/process.h"
#include "reader/rights.h"
#include "reader/tls.h"

struct image {
	size_t file;   /* in maps */
	uint64_t bias; /* once opened */
	char *failure; /* why it could not be */
};

struct target {
	pid_t pid; /* 0: a core file */
	struct process_memory *process;
	struct core_file *core;
	struct maps maps; /* a process's; a core file has its own */
	struct image *images;
	size_t images_count;
	struct space *space;
	struct expr_memory memory;
	struct types_options types;
	char sysroot[40];
	bool progress;
	bool gone;
	pid_t tid;
	struct tls *tls;
	uint64_t digest;
};

static const struct maps *maps_of(const struct target *t)
{
	return t->core ? core_maps(t->core) : &t->maps;
}

/* ---- memory ---- */

static void digest(struct target *t, uint64_t address, const unsigned char *bytes, size_t size)
{
	uint64_t h = t->digest ^ address ^ (uint64_t)size << 48, word;

	for (; size >= 8; size -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	for (; size; size--, bytes++)
		h = (h ^ *bytes) * 0x100000001b3;
	t->digest = h * 0x9e3779b97f4a7c15 + 1;
}

static int read_memory(void *ctx, uint64_t address, void *buf, size_t size)
{
	struct target *t = ctx;
	int rc = t->core ? core_read(t->core, address, buf, size)
	                 : process_memory_read(t->process, address, buf, size);

	if (rc == -ESRCH)
		t->gone = true;
	if (rc)
		digest(t, address, (const unsigned char *)&rc, sizeof(rc));
	else
		digest(t, address, buf, size);
	return rc;
}

void target_digest_begin(struct target *t)
{
	t->digest = 0;
}

uint64_t target_digest(const struct target *t)
{
	return t->digest;
}

bool target_ended(struct target *t)
{
	char byte;

	if (!t->core)
		read_memory(t, 0, &byte, 1);
	return t->gone;
}

bool target_gone(const struct target *t)
{
	return t->gone;
}

/* ---- images ---- */

static int open_file(struct target *t, size_t file, int *fd, struct weir_error *err)
{
	enum maps_opened how;

	if (t->core)
		return core_open_file(t->core, file, fd, err);
	return maps_open(t->pid, &t->maps.files[file], fd, &how, err);
}

static const struct mapped_file *file_of(const struct target *t, size_t image)
{
	return &maps_of(t)->files[t->images[image].file];
}

static int find_bias(struct target *t, size_t image, int fd, uint64_t *end)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), address;
	struct image_layout layout;
	int rc = image_layout_of_fd(fd, &layout);

	if (rc)
		return rc;
	address = maps_address(file_of(t, image), layout.offset & ~(page - 1));
	if (!address)
		return -ENOENT;
	t->images[image].bias = address - (layout.vaddr & ~(page - 1));
	*end = layout.end + t->images[image].bias;
	return 0;
}

static void keep_failure(struct target *t, uint32_t image, const struct weir_error *err)
{
	if (!t->images[image].failure && err->message[0])
		t->images[image].failure = strdup(err->message);
}

static int open_image(void *ctx, uint32_t image, bool table, struct space_opened *ret)
{
	struct target *t = ctx;
	struct types_options opts = t->types;
	struct progress bar = { 0 };
	struct weir_error err = { 0 };
	int fd, rc = open_file(t, t->images[image].file, &fd, &err);

	if (rc) {
		keep_failure(t, image, &err);
		return rc;
	}
	opts.size = sizeof(opts);
	opts.flags |= table ? TYPES_SYMBOL_TABLE : TYPES_ALLOW_NONE;
	if (t->pid)
		opts.sysroot = t->sysroot;
	if (t->progress) {
		progress_init(&bar, file_of(t, image)->path);
		opts.progress = progress_show;
		opts.progress_arg = &bar;
	}
	rc = find_bias(t, image, fd, &ret->end);
	if (!rc)
		rc = types_open_fd(fd, file_of(t, image)->path, &opts, &err, &ret->types);
	if (rc)
		keep_failure(t, image, &err);
	progress_done(&bar);
	ret->bias = t->images[image].bias;
	close(fd);
	return rc;
}

/* The file which the process runs; a core file names it first. NULL: it is not mapped. */
static const struct mapped_file *program_of(const struct target *t)
{
	const struct maps *maps = maps_of(t);
	char path[40];
	struct stat st;

	if (t->core)
		return &maps->files[0];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)t->pid);
	if (stat(path, &st))
		return NULL;
	for (size_t i = 0; i < maps->count; i++)
		if (st.st_dev == maps->files[i].dev && st.st_ino == maps->files[i].ino)
			return &maps->files[i];
	return NULL;
}

static int add_image(struct target *t, size_t file)
{
	const struct mapped_file *f = &maps_of(t)->files[file];
	struct space_image image = { .name = f->path };

	if (!f->mappings_count || f->path[0] != '/')
		return 0;
	image.start = f->mappings[0].start;
	/* The last file mapping; .bss may go on behind it, up to where the next image begins. */
	image.end = f->mappings[f->mappings_count - 1].end;
	t->images[t->images_count].file = file;
	t->images_count++;
	return space_add(t->space, &image) < 0 ? -ENOMEM : 0;
}

static uint64_t start_of(const struct maps *maps, size_t file)
{
	const struct mapped_file *f = &maps->files[file];

	return f->mappings_count ? f->mappings[0].start : 0;
}

/* Files by address, the highest first: what was loaded first lies highest, so this is nearly the
 * dynamic linker's order. From malloc. */
static size_t *load_order(const struct maps *maps)
{
	size_t *order = calloc(maps->count + 1, sizeof(*order)), at;

	for (size_t i = 0; order && i < maps->count; i++) {
		for (at = i; at && start_of(maps, order[at - 1]) < start_of(maps, i); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return order;
}

static int add_images(struct target *t)
{
	const struct maps *maps = maps_of(t);
	const struct mapped_file *program = program_of(t);
	_cleanup_free_ size_t *order = load_order(maps);
	int rc = space_create(open_image, t, &t->space);

	t->images = calloc(maps->count + 1, sizeof(*t->images));
	if (rc || !t->images || !order)
		return -ENOMEM;
	for (int first = 1; first >= 0; first--)
		for (size_t i = 0; !rc && i < maps->count; i++)
			if (maps->files[order[i]].exec &&
			    (&maps->files[order[i]] == program) == first)
				rc = add_image(t, order[i]);
	return rc;
}

const char *target_failure(const struct target *t, size_t i)
{
	for (size_t k = 0; k < t->images_count; k++)
		if (t->images[k].failure && !i--)
			return t->images[k].failure;
	return NULL;
}

const char *target_image_path(struct target *t, const char *prefix)
{
	for (size_t i = 0; i < t->images_count; i++) {
		const char *path = file_of(t, i)->path, *slash = strrchr(path, '/');

		if (!strncmp(slash ? slash + 1 : path, prefix, strlen(prefix)))
			return path;
	}
	return NULL;
}

/* ---- threads ---- */

static int dynamic_symbols(void *ctx, const char *prefix, const char *const *names, size_t count,
                           uint64_t *values, struct weir_error *err)
{
	struct target *t = ctx;
	uint64_t end;
	int fd, rc;

	for (size_t i = 0; i < t->images_count; i++) {
		const char *path = file_of(t, i)->path, *slash = strrchr(path, '/');

		if (strncmp(slash ? slash + 1 : path, prefix, strlen(prefix)))
			continue;
		rc = open_file(t, t->images[i].file, &fd, err);
		if (rc)
			return rc;
		rc = find_bias(t, i, fd, &end);
		if (rc)
			weir_err(err, rc, "%s: %s", path, strerror(-rc));
		else
			rc = elf_dynamic_symbols(fd, names, count, values, err);
		close(fd);
		for (size_t k = 0; !rc && k < count; k++)
			if (values[k] != UINT64_MAX)
				values[k] += t->images[i].bias;
		return rc;
	}
	return -ENOENT;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

static int process_threads(pid_t pid, pid_t **ret, size_t *count)
{
	_cleanup_closedir_ DIR *dir = NULL;
	pid_t *tids = NULL, *grown;
	char path[40];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	for (struct dirent *d; (d = readdir(dir));) {
		if (d->d_name[0] == '.')
			continue;
		grown = realloc(tids, (n + 1) * sizeof(*tids));
		if (!grown) {
			free(tids);
			return -ENOMEM;
		}
		tids = grown;
		tids[n++] = atoi(d->d_name);
	}
	*ret = tids;
	*count = n;
	return n ? 0 : -ESRCH;
}

int target_threads(struct target *t, pid_t **ret, size_t *count)
{
	const struct core_thread *threads;
	pid_t *tids;
	int rc = 0;

	if (!t->core) {
		rc = process_threads(t->pid, ret, count);
	} else {
		*count = core_threads(t->core, &threads);
		tids = calloc(*count + 1, sizeof(*tids));
		for (size_t i = 0; tids && i < *count; i++)
			tids[i] = threads[i].tid;
		*ret = tids;
		rc = tids ? 0 : -ENOMEM;
	}
	if (!rc)
		qsort(*ret, *count, sizeof(**ret), by_number);
	return rc;
}

/* The thread's number in its own pid namespace, which is what the C library knows. */
static pid_t own_number(struct target *t, pid_t tid)
{
	char name[64], text[4096], *line;
	int n;

	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	if (process_file(t->pid, name, text, sizeof(text)) < 0)
		return tid;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return tid;
	line += strlen("\nNSpid:");
	for (int used; sscanf(line, "%d%n", &n, &used) == 1; line += used)
		tid = n;
	return tid;
}

static int choose_thread(struct target *t, pid_t *ret, char *why, size_t size)
{
	_cleanup_free_ pid_t *tids = NULL;
	size_t count = 0, at;
	int rc = target_threads(t, &tids, &count);

	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++) {
		if (t->tid == tids[i] || (!t->tid && count == 1)) {
			*ret = tids[i];
			return 0;
		}
	}
	at = (size_t)snprintf(
	    why, size,
	    t->tid ? "there is no thread %d; there are " : "say whose with --tid: ", (int)t->tid);
	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(why + at, size - at, "%s%d", i ? ", " : "", (int)tids[i]);
	return -ESRCH;
}

static int core_thread_pointer(struct target *t, pid_t tid, uint64_t *ret)
{
	const struct core_thread *threads;
	size_t count = core_threads(t->core, &threads);

	for (size_t i = 0; i < count; i++) {
		if (threads[i].tid == tid && threads[i].thread_pointer) {
			*ret = threads[i].thread_pointer;
			return 0;
		}
	}
	return -ESRCH;
}

static int read_thread(void *ctx, uint32_t module, uint64_t offset, uint64_t *ret, char *why,
                       size_t size)
{
	struct target *t = ctx;
	struct tls_source source = { .ctx = t, .read = read_memory, .symbols = dynamic_symbols };
	struct weir_error err = { 0 };
	uint64_t pointer = 0, block;
	pid_t tid = 0;
	int rc = choose_thread(t, &tid, why, size);

	if (rc)
		return rc;
	if (!t->tls)
		rc = tls_open(&source, &err, &t->tls);
	if (!rc && t->core)
		rc = core_thread_pointer(t, tid, &pointer);
	else if (!rc)
		rc = tls_thread_pointer(t->tls, own_number(t, tid), &err, &pointer);
	rc = rc ?: tls_block(t->tls, pointer, t->images[module].bias, &err, &block);
	if (rc) {
		snprintf(why, size, "%s", err.message);
		return rc;
	}
	*ret = block + offset;
	return 0;
}

void target_set_thread(struct target *t, pid_t tid)
{
	t->tid = tid;
}

/* ---- life ---- */

static struct target *create(const struct target_options *opts)
{
	struct target *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->memory.ctx = t;
	t->memory.read = read_memory;
	t->memory.thread = read_thread;
	if (opts && opts->types)
		t->types = *opts->types;
	t->progress = opts && opts->progress;
	return t;
}

int target_open_process(pid_t pid, const struct target_options *opts, struct weir_error *err,
                        struct target **ret)
{
	struct target *t = create(opts);
	int rc;

	if (!t)
		return weir_err(err, -ENOMEM, "out of memory");
	t->pid = pid;
	snprintf(t->sysroot, sizeof(t->sysroot), "/proc/%d/root", (int)pid);
	rc = process_memory_open(pid, err, &t->process);
	if (!rc) {
		rc = maps_read(pid, &t->maps);
		if (rc)
			rights_explain(pid, RIGHTS_READ, rc, err);
	}
	if (!rc) {
		rc = add_images(t);
		if (rc)
			weir_err(err, rc, "out of memory");
	}
	if (rc) {
		target_close(t);
		return rc;
	}
	*ret = t;
	return 0;
}

int target_open_core(const char *path, const struct target_options *opts, struct weir_error *err,
                     struct target **ret)
{
	struct target *t = create(opts);
	int rc;

	if (!t)
		return weir_err(err, -ENOMEM, "out of memory");
	rc = core_open(path, err, &t->core);
	if (!rc && core_maps(t->core)->count == 0)
		rc = weir_err(err, -ENODATA,
		              "%s does not say which files were mapped (no NT_FILE "
		              "note): its types cannot be found",
		              path);
	if (!rc && add_images(t))
		rc = weir_err(err, -ENOMEM, "out of memory");
	if (rc) {
		target_close(t);
		return rc;
	}
	*ret = t;
	return 0;
}

uint64_t target_cut(const struct target *t)
{
	return t->core ? core_cut(t->core) : 0;
}

void target_close(struct target *t)
{
	if (!t)
		return;
	space_destroy(t->space);
	tls_close(t->tls);
	process_memory_close(t->process);
	core_close(t->core);
	maps_deinit(&t->maps);
	for (size_t i = 0; t->images && i < t->images_count; i++)
		free(t->images[i].failure);
	free(t->images);
	free(t);
}

struct space *target_space(struct target *t)
{
	return t->space;
}

const struct expr_memory *target_memory(struct target *t)
{
	return &t->memory;
}
