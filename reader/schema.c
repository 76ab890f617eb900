/* SPDX-License-Identifier: MIT */
#include "reader/schema.h"
#include "reader/error.h"
#include "reader/shm.h"

#include <weir/abi/shm.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A hostile target can grow its log for ever; 65,535 real probes take less than this. */
#define SCHEMA_LOG_MAX (UINT64_C(256) << 20)

static const char *const type_names[] = {
	[WEIR_I8] = "i8",       [WEIR_I16] = "i16",         [WEIR_I32] = "i32",
	[WEIR_I64] = "i64",     [WEIR_U8] = "u8",           [WEIR_U16] = "u16",
	[WEIR_U32] = "u32",     [WEIR_U64] = "u64",         [WEIR_F32] = "f32",
	[WEIR_F64] = "f64",     [WEIR_BOOL] = "bool",       [WEIR_STRING] = "string",
	[WEIR_BYTES] = "bytes", [WEIR_POINTER] = "pointer",
};

const char *schema_type_name(uint8_t type)
{
	return type < sizeof(type_names) / sizeof(type_names[0]) ? type_names[type] : NULL;
}

static bool is_name(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++) {
		char c = s[n];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && !(n && c >= '0' && c <= '9'))
			return false;
	}
	return n && n <= WEIR_NAME_MAX;
}

/* The NUL terminated name at *at, which moves behind it; NULL if it does not end or is none. */
static const char *take_name(const char **at, const char *end)
{
	const char *name = *at;
	const char *nul = memchr(name, 0, end - name);

	if (!nul || !is_name(name))
		return NULL;
	*at = nul + 1;
	return name;
}

int schema_probe_parse(const void *note, size_t size, struct schema_probe **ret,
                       struct weir_error *err)
{
	struct weir_note head;
	struct schema_probe *probe;
	const char *at, *end;

	if (size < sizeof(head))
		return weir_err(err, -EBADMSG, "a probe's description of %zu bytes is too short",
		                size);
	memcpy(&head, note, sizeof(head));
	if (head.version != WEIR_NOTE_VERSION)
		return weir_err(err, -EPROTONOSUPPORT,
		                "a probe's description has version %u; this weir reads version %u",
		                head.version, WEIR_NOTE_VERSION);
	if (head.fixed < sizeof(head) || head.size < head.fixed || head.size > size ||
	    head.size > SCHEMA_NOTE_MAX || head.fields > SCHEMA_FIELDS_MAX)
		return weir_err(err, -EBADMSG, "a probe's description has impossible sizes");

	/* One block: the struct, its fields, and the bytes that all names point into. */
	size_t fields = sizeof(*probe) + head.fields * sizeof(probe->fields[0]);

	probe = calloc(1, fields + head.size);
	if (!probe)
		return -ENOMEM;
	memcpy((char *)probe + fields, note, head.size);
	at = (char *)probe + fields + head.fixed;
	end = (char *)probe + fields + head.size;
	probe->site = head.site;
	probe->semaphore = head.semaphore;
	probe->string_limit = head.string_limit ? head.string_limit : WEIR_STRING_LIMIT;
	probe->args = head.args;
	probe->provider = take_name(&at, end);
	probe->name = probe->provider ? take_name(&at, end) : NULL;
	if (!probe->name)
		goto bad;
	for (; probe->count < head.fields; probe->count++) {
		struct schema_field *field = &probe->fields[probe->count];
		struct weir_note_field raw;

		if ((size_t)(end - at) < sizeof(raw))
			goto bad;
		memcpy(&raw, at, sizeof(raw));
		at += sizeof(raw);
		field->type = raw.type;
		field->flags = raw.flags;
		field->arg = raw.arg;
		field->name = take_name(&at, end);
		if (!field->name)
			goto bad;
		for (uint32_t i = 0; i < probe->count; i++) {
			if (!strcmp(probe->fields[i].name, field->name))
				goto bad;
		}
		if (!schema_type_name(raw.type)) {
			weir_err(err, -EPROTONOSUPPORT,
			         "%s:%s: field %s has a type (%u) that this weir does not know",
			         probe->provider, probe->name, field->name, raw.type);
			free(probe);
			return -EPROTONOSUPPORT;
		}
	}
	*ret = probe;
	return 0;
bad:
	free(probe);
	return weir_err(err, -EBADMSG, "a probe's description has a name that is none");
}

void schema_probe_free(struct schema_probe *probe)
{
	if (probe && probe->view_free)
		probe->view_free(probe->view);
	free(probe);
}

bool schema_probe_same(const struct schema_probe *a, const struct schema_probe *b)
{
	if (strcmp(a->provider, b->provider) || strcmp(a->name, b->name) || a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->fields[i].type != b->fields[i].type ||
		    strcmp(a->fields[i].name, b->fields[i].name))
			return false;
	}
	return true;
}

static int schema_reserve(struct schema *schema, uint32_t id)
{
	uint32_t ids = schema->ids ? schema->ids : 64;

	if (id < schema->ids)
		return 0;
	while (ids <= id)
		ids *= 2;
	struct schema_probe **probes = realloc(schema->probes, ids * sizeof(*probes));

	if (!probes)
		return -ENOMEM;
	memset(probes + schema->ids, 0, (ids - schema->ids) * sizeof(*probes));
	schema->probes = probes;
	schema->ids = ids;
	return 0;
}

/* 1: a probe appeared; 0: nothing new; -errno. */
static int schema_add(struct schema *schema, uint16_t id, const void *note, size_t size)
{
	struct schema_probe *probe, *old;
	int ret = schema_probe_parse(note, size, &probe, NULL);

	if (ret)
		return ret;
	ret = schema_reserve(schema, id);
	if (ret) {
		schema_probe_free(probe);
		return ret;
	}
	probe->id = id;
	old = schema->probes[id];
	if (!old) {
		schema->probes[id] = probe;
		return 1;
	}
	/* An id returns only with the same layout: events of it may still be waiting. */
	ret = schema_probe_same(old, probe) ? (int)old->withdrawn : -EBADMSG;
	if (ret >= 0) {
		old->withdrawn = false;
		old->site = probe->site;
		old->semaphore = probe->semaphore;
		old->string_limit = probe->string_limit;
	}
	schema_probe_free(probe);
	return ret;
}

static int schema_record(struct schema *schema, const struct weir_shm_schema *head,
                         const void *bytes, size_t size)
{
	if (!head->id)
		return -EBADMSG;
	if (head->kind == WEIR_SCHEMA_ADD)
		return schema_add(schema, head->id, bytes, size);
	if (head->kind == WEIR_SCHEMA_WITHDRAW) {
		struct schema_probe *probe = schema_find(schema, head->id);

		if (!probe)
			return -EBADMSG;
		probe->withdrawn = true;
		return 0;
	}
	return 0; /* a kind of a later minor version */
}

int schema_update(struct schema *schema, const struct shm *shm)
{
	const uint8_t *log = shm->base + shm->head.off_schema;
	/* Pairs with the target's release store after a whole record was written. */
	uint64_t end = __atomic_load_n(&shm_header(shm)->schema_end, __ATOMIC_ACQUIRE);
	int appeared = 0;

	if (end > shm->head.schema_size)
		end = shm->head.schema_size;
	if (end > SCHEMA_LOG_MAX)
		end = SCHEMA_LOG_MAX;
	while (!schema->broken && schema->read_to + sizeof(struct weir_shm_schema) <= end) {
		struct weir_shm_schema head;
		uint64_t copy[(SCHEMA_NOTE_MAX + sizeof(head)) / 8];
		int ret;

		memcpy(&head, log + schema->read_to, sizeof(head));
		if (head.length < sizeof(head) || head.length % 8 || head.length > sizeof(copy) ||
		    head.length > end - schema->read_to) {
			schema->broken = true;
			schema->bad++;
			break;
		}
		memcpy(copy, log + schema->read_to + sizeof(head), head.length - sizeof(head));
		schema->read_to += head.length;
		ret = schema_record(schema, &head, copy, head.length - sizeof(head));
		if (ret == -ENOMEM)
			return ret;
		if (ret < 0)
			schema->bad++;
		else
			appeared += ret;
	}
	return appeared;
}

void schema_deinit(struct schema *schema)
{
	for (uint32_t i = 0; i < schema->ids; i++)
		schema_probe_free(schema->probes[i]);
	free(schema->probes);
	memset(schema, 0, sizeof(*schema));
}
