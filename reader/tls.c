/* SPDX-License-Identifier: MIT */
/*
 * glibc keeps every thread's struct pthread on one of two lists in the dynamic
 * linker's _rtld_global, and on x86_64 and aarch64 its address follows from the
 * thread pointer (x86_64: is it). From it: dtv[module id] is the block of a loaded
 * image; the module id is in the image's link_map. Where all those members are is
 * said by data symbols `_thread_db_STRUCT_MEMBER` = {bits, elements, offset}, made
 * for libthread_db, which works the same way but wants to be linked against the
 * very glibc of the target.
 */
#include "reader/tls.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX   1000000
#define LIBRARIES_MAX 100000

enum field {
	STACK_USED,
	STACK_USER,
	LIST_NEXT,
	PTHREAD_LIST,
	PTHREAD_TID,
	PTHREAD_DTVP,
	DTV_DTV,
	DTV_POINTER,
	DTV_COUNTER,
	SLOT_LIST,
	LIST_LENGTH,
	LIST_MORE,
	LIST_SLOTS,
	SLOT_GENERATION,
	MAP_MODID,
	MAP_OFFSET,
	FIELDS,
};

static const char *const field_symbols[FIELDS] = {
	[STACK_USED] = "_thread_db_rtld_global__dl_stack_used",
	[STACK_USER] = "_thread_db_rtld_global__dl_stack_user",
	[LIST_NEXT] = "_thread_db_list_t_next",
	[PTHREAD_LIST] = "_thread_db_pthread_list",
	[PTHREAD_TID] = "_thread_db_pthread_tid",
	[PTHREAD_DTVP] = "_thread_db_pthread_dtvp",
	[DTV_DTV] = "_thread_db_dtv_dtv",
	[DTV_POINTER] = "_thread_db_dtv_t_pointer_val",
	[DTV_COUNTER] = "_thread_db_dtv_t_counter",
	[SLOT_LIST] = "_thread_db_rtld_global__dl_tls_dtv_slotinfo_list",
	[LIST_LENGTH] = "_thread_db_dtv_slotinfo_list_len",
	[LIST_MORE] = "_thread_db_dtv_slotinfo_list_next",
	[LIST_SLOTS] = "_thread_db_dtv_slotinfo_list_slotinfo",
	[SLOT_GENERATION] = "_thread_db_dtv_slotinfo_gen",
	[MAP_MODID] = "_thread_db_link_map_l_tls_modid",
	[MAP_OFFSET] = "_thread_db_link_map_l_tls_offset",
};

struct descriptor {
	uint32_t bits, count, offset;
};

struct tls {
	struct tls_source source;
	struct descriptor field[FIELDS];
	uint64_t rtld_global, r_debug;
};

static int read_word(struct tls *t, uint64_t address, uint64_t *ret)
{
	return t->source.read(t->source.ctx, address, ret, sizeof(*ret));
}

static int read_field(struct tls *t, uint64_t object, enum field field, uint64_t *ret)
{
	size_t size = t->field[field].bits / 8;

	*ret = 0;
	if (!size || size > sizeof(*ret))
		return -EBADMSG;
	return t->source.read(t->source.ctx, object + t->field[field].offset, ret, size);
}

static int unsupported(struct weir_error *err, const char *what)
{
	return weir_err(err, -ENOTSUP,
	                "%s: thread-local variables can be found in programs that are linked "
	                "dynamically against glibc 2.34 or later",
	                what);
}

int tls_open(const struct tls_source *source, struct weir_error *err, struct tls **ret)
{
	const char *const linker[] = { "_rtld_global", "_r_debug" };
	uint64_t at[FIELDS], linked[2];
	struct tls *t;
	int rc;

	rc = source->symbols(source->ctx, "libc.so", field_symbols, FIELDS, at, err);
	if (rc)
		return rc == -ENOENT ? unsupported(err, "the process has no libc.so") : rc;
	rc = source->symbols(source->ctx, "ld-linux", linker, 2, linked, err);
	if (rc)
		return rc == -ENOENT ? unsupported(err, "the process has no dynamic linker") : rc;
	for (int i = 0; i < FIELDS; i++)
		if (at[i] == UINT64_MAX)
			return unsupported(err, field_symbols[i]);
	if (linked[0] == UINT64_MAX || linked[1] == UINT64_MAX)
		return unsupported(err, "the dynamic linker has no _rtld_global or _r_debug");
	t = calloc(1, sizeof(*t));
	if (!t)
		return weir_err(err, -ENOMEM, "out of memory");
	t->source = *source;
	t->rtld_global = linked[0];
	t->r_debug = linked[1];
	for (int i = 0; i < FIELDS; i++) {
		rc = source->read(source->ctx, at[i], &t->field[i], sizeof(t->field[i]));
		if (rc) {
			free(t);
			return weir_err(err, rc, "reading %s: %s", field_symbols[i], strerror(-rc));
		}
	}
	*ret = t;
	return 0;
}

void tls_close(struct tls *t)
{
	free(t);
}

/* The list changes while it is walked: a broken link ends the walk, the caller tries again. */
static int walk_threads(struct tls *t, enum field head, pid_t tid, uint64_t *ret)
{
	uint64_t start = t->rtld_global + t->field[head].offset, node, thread, found;
	int rc = read_field(t, start, LIST_NEXT, &node);

	for (int n = 0; !rc && node != start && n < THREADS_MAX; n++) {
		thread = node - t->field[PTHREAD_LIST].offset;
		rc = read_field(t, thread, PTHREAD_TID, &found);
		if (!rc && (pid_t)found == tid) {
			*ret = thread;
			return 0;
		}
		rc = rc ?: read_field(t, node, LIST_NEXT, &node);
	}
	return rc ?: -ESRCH;
}

int tls_thread_pointer(struct tls *t, pid_t tid, struct weir_error *err, uint64_t *ret)
{
	int rc = -ESRCH;

	for (int attempt = 0; attempt < 3 && rc; attempt++) {
		rc = walk_threads(t, STACK_USED, tid, ret);
		if (rc)
			rc = walk_threads(t, STACK_USER, tid, ret);
	}
	if (rc)
		return weir_err(err, rc, "the C library's list of threads has no thread %d",
		                (int)tid);
	return 0;
}

static int find_map(struct tls *t, uint64_t bias, uint64_t *ret)
{
	uint64_t map, base;
	int rc = read_word(t, t->r_debug + offsetof(struct r_debug, r_map), &map);

	for (int n = 0; !rc && map && n < LIBRARIES_MAX; n++) {
		rc = read_word(t, map + offsetof(struct link_map, l_addr), &base);
		if (!rc && base == bias) {
			*ret = map;
			return 0;
		}
		rc = rc ?: read_word(t, map + offsetof(struct link_map, l_next), &map);
	}
	return rc ?: -ENOENT;
}

/*
 * A block that lies at a distance from the thread pointer that is the same in all threads: code of
 * the initial-exec model finds it without the vector, which may have no entry then.
 */
static bool static_block(struct tls *t, uint64_t thread_pointer, uint64_t map, uint64_t *ret)
{
#if defined(__x86_64__)
	uint64_t offset;

	if (read_field(t, map, MAP_OFFSET, &offset) || offset == 0 || offset == UINT64_MAX)
		return false; /* 0: not decided; all ones: decided against it */
	*ret = thread_pointer - offset;
	return true;
#else
	(void)t, (void)thread_pointer, (void)map, (void)ret;
	return false;
#endif
}

/* Of the moment in which the module got its number, which another may have had before. */
static int module_generation(struct tls *t, uint64_t id, uint64_t *ret)
{
	uint64_t list, length, step = t->field[LIST_SLOTS].bits / 8;
	int rc = read_field(t, t->rtld_global, SLOT_LIST, &list);

	for (int n = 0; !rc && list && n < LIBRARIES_MAX; n++) {
		rc = read_field(t, list, LIST_LENGTH, &length);
		if (!rc && id < length)
			return read_field(t, list + t->field[LIST_SLOTS].offset + id * step,
			                  SLOT_GENERATION, ret);
		id -= length;
		rc = rc ?: read_field(t, list, LIST_MORE, &list);
	}
	return rc ?: -ENOENT;
}

/* Of a thread's vector; UINT64_MAX: no block. */
static int vector_entry(struct tls *t, uint64_t thread_pointer, uint64_t id, uint64_t *ret)
{
	uint64_t dtv, slots, vector, module, step = t->field[DTV_DTV].bits / 8;
	int rc = read_field(t, thread_pointer, PTHREAD_DTVP, &dtv);

	*ret = UINT64_MAX;
	/* In front of the vector lies how many slots it has; its first word is how old it is. */
	rc = rc ?: read_word(t, dtv - step, &slots) ?: read_field(t, dtv, DTV_COUNTER, &vector);
	rc = rc ?: module_generation(t, id, &module);
	if (rc || id > slots || vector < module)
		return rc;
	return read_field(t, dtv + id * step + t->field[DTV_DTV].offset, DTV_POINTER, ret);
}

int tls_block(struct tls *t, uint64_t thread_pointer, uint64_t bias, struct weir_error *err,
              uint64_t *ret)
{
	uint64_t map, id = 0, entry;
	int rc = find_map(t, bias, &map) ?: read_field(t, map, MAP_MODID, &id);

	if (rc || !id)
		return weir_err(err, rc ?: -ENOENT, "the dynamic linker does not know its image");
	rc = vector_entry(t, thread_pointer, id, &entry);
	if (rc)
		return weir_err(err, rc, "its table of blocks cannot be read: %s", strerror(-rc));
	if (entry == UINT64_MAX && !static_block(t, thread_pointer, map, &entry))
		return weir_err(err, -ENODATA,
		                "this thread has not touched it yet, so it has no "
		                "memory there");
	*ret = entry;
	return 0;
}
