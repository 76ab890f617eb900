/* SPDX-License-Identifier: MIT */
/*
 * What probes are called and what their fields are, from struct weir_note: out of a stub's
 * .note.weir or out of the schema log of a shared memory. The bytes are a stranger's: every
 * length is checked, names are identifiers or the description is refused.
 */
#ifndef WEIR_READER_SCHEMA_H
#define WEIR_READER_SCHEMA_H

#include <weir/abi/note.h>
#include <weir/weir.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than libweir ever writes (WEIR_FIELDS_MAX): room for its successors. */
#define SCHEMA_FIELDS_MAX 64
#define SCHEMA_NOTE_MAX   16384

struct schema_field {
	const char *name;
	uint8_t type; /* enum weir_type */
	uint8_t flags;
	uint8_t arg; /* index of its USDT argument */
};

struct schema_probe {
	const char *provider;
	const char *name;
	uint64_t site; /* as in the note */
	uint64_t semaphore;
	uint32_t string_limit; /* never 0: the default is filled in */
	uint16_t args;
	uint16_t id;    /* in the shared memory it came from; 0: none */
	bool withdrawn; /* its provider took it back */
	void *view;     /* whoever shows events keeps what it prepared here */
	void (*view_free)(void *view);
	uint32_t count;
	struct schema_field fields[];
};

/*
 * Read one description. `note` must not change under the call (copy it out of shared memory
 * before). *ret is the caller's; schema_probe_free().
 * -EBADMSG: not a description; -EPROTONOSUPPORT: a version or field type this reader is too old
 * for; -ENOMEM.
 */
int schema_probe_parse(const void *note, size_t size, struct schema_probe **ret,
                       struct weir_error *err);
void schema_probe_free(struct schema_probe *probe);

/* Do two descriptions give the same layout under the same name? Addresses do not count. */
bool schema_probe_same(const struct schema_probe *a, const struct schema_probe *b);

/* "u64", "string", ...; NULL for a number that is no type. */
const char *schema_type_name(uint8_t type);

static inline bool schema_type_is_bytes(uint8_t type)
{
	return type == WEIR_STRING || type == WEIR_BYTES;
}

struct shm;

/* The probes of one shared memory, by id. */
struct schema {
	struct schema_probe **probes; /* [ids]; NULL: unknown id */
	uint32_t ids;
	uint64_t read_to; /* bytes of the log that were read */
	uint32_t bad;     /* records that could not be understood */
	bool broken;      /* a length was nonsense: the rest of the log is not read */
};

/*
 * Read what was appended since the last call. Returns the number of probes that appeared,
 * or -ENOMEM. A record that cannot be understood is counted and skipped.
 */
int schema_update(struct schema *schema, const struct shm *shm);
void schema_deinit(struct schema *schema);

static inline struct schema_probe *schema_find(const struct schema *schema, uint32_t id)
{
	return id < schema->ids ? schema->probes[id] : NULL;
}

#endif
