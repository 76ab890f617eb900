/* SPDX-License-Identifier: MIT */
#include "types/builder.h"

#include "types/mangle.h"
#include "types/util.h"

struct builder_pointer {
	const char *string;
	uint32_t offset;
};

/* Offset 0: free. The rest of the hash keeps most comparisons away from the strings. */
struct builder_name {
	uint32_t offset, hash;
};

/* All that a lookup compares before it looks at the bytes themselves. */
struct builder_slot {
	uint32_t hash;
	uint32_t id;    /* of the set's first type; 0: free */
	uint32_t begin; /* in data */
	uint32_t size;
};

/* By id: the modifiers that refer to a type are a chain, which is short (pointer, const, reference)
 * and, unlike a hash table, where neighbours are those of the type. */
struct builder_modifier {
	uint32_t first; /* id of the first one that refers to this type; 0: none */
	uint32_t next;  /* if this is a modifier: the next one of the same type */
	uint32_t look;  /* kind and name */
};

/* A direct-mapped cache, not a table: misses cost one hash. */
#define POINTERS_MIN (1u << 12)
#define POINTERS_MAX (1u << 18)

int builder_init(struct builder *b, size_t input)
{
	uint32_t empty;

	memset(b, 0, sizeof(*b));
	b->table_size = 1 << 12;
	b->names_size = 1 << 12;
	b->pointers_size = POINTERS_MIN;
	while (b->pointers_size < POINTERS_MAX && b->pointers_size < input / 512)
		b->pointers_size *= 2;
	b->table = calloc(b->table_size, sizeof(*b->table));
	b->names = calloc(b->names_size, sizeof(*b->names));
	b->pointers = calloc(b->pointers_size, sizeof(*b->pointers));
	if (!b->table || !b->names || !b->pointers) {
		builder_deinit(b);
		return -ENOMEM;
	}
	b->strings_room = 1 << 16;
	b->strings = malloc(b->strings_room);
	if (!b->strings) {
		builder_deinit(b);
		return -ENOMEM;
	}
	b->strings[0] = 0;
	b->strings_size = 1;
	return builder_string_n(b, "", 0, &empty);
}

void builder_reserve(struct builder *b, size_t size, size_t types, size_t strings)
{
	array_reserve(&b->data, size, &b->room, 1);
	array_reserve(&b->offset, types, &b->room_offset, sizeof(*b->offset));
	array_reserve(&b->first, types, &b->room_first, sizeof(*b->first));
	array_reserve(&b->origin, types, &b->room_origin, sizeof(*b->origin));
	array_reserve(&b->strings, strings, &b->strings_room, 1);
}

void builder_deinit(struct builder *b)
{
	free(b->data);
	free(b->offset);
	free(b->first);
	free(b->origin);
	free(b->table);
	free(b->modifiers);
	free(b->strings);
	free(b->names);
	free(b->pointers);
	memset(b, 0, sizeof(*b));
}

/* --- strings --- */

static int names_grow(struct builder *b)
{
	size_t size = b->names_size * 2;
	struct builder_name *names = calloc(size, sizeof(*names));

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < b->names_size; i++) {
		size_t at = b->names[i].hash & (size - 1);

		if (!b->names[i].offset)
			continue;
		while (names[at].offset)
			at = (at + 1) & (size - 1);
		names[at] = b->names[i];
	}
	free(b->names);
	b->names = names;
	b->names_size = size;
	return 0;
}

static int strings_append(struct builder *b, const char *string, size_t length, uint32_t *ret)
{
	size_t need = b->strings_size + length + 1;

	if (need > INT32_MAX)
		return -EOVERFLOW;
	if (need > b->strings_room) {
		size_t room = need + need / 2;
		char *bigger = realloc(b->strings, room);

		if (!bigger)
			return -ENOMEM;
		b->strings = bigger;
		b->strings_room = room;
	}
	memcpy(b->strings + b->strings_size, string, length);
	b->strings[b->strings_size + length] = 0;
	*ret = b->strings_size;
	b->strings_size = need;
	return 0;
}

int builder_string_n(struct builder *b, const char *string, size_t length, uint32_t *ret)
{
	uint32_t hash;
	size_t at;
	int err;

	if (!length) {
		*ret = 0;
		return 0;
	}
	if (b->names_used * 2 >= b->names_size) {
		err = names_grow(b);
		if (err)
			return err;
	}
	hash = hash_bytes(string, length, 0);
	at = hash & (b->names_size - 1);
	for (; b->names[at].offset; at = (at + 1) & (b->names_size - 1)) {
		const char *s = b->strings + b->names[at].offset;

		if (b->names[at].hash == hash && !strncmp(s, string, length) && !s[length]) {
			*ret = b->names[at].offset;
			return 0;
		}
	}
	err = strings_append(b, string, length, ret);
	if (err)
		return err;
	b->names[at] = (struct builder_name){ *ret, hash };
	b->names_used++;
	return 0;
}

int builder_string(struct builder *b, const char *string, uint32_t *ret)
{
	return builder_string_n(b, string ? string : "", string ? strlen(string) : 0, ret);
}

int builder_name(struct builder *b, const char *name, uint32_t *ret)
{
	char mangled[MANGLED_MAX];

	if (!name || !*name || is_identifier(name))
		return builder_string(b, name, ret);
	return builder_string_n(b, mangled, mangle(name, mangled), ret);
}

static struct builder_pointer *pointer_at(const struct builder *b, const char *string)
{
	return &b->pointers[hash_mix((uintptr_t)string) & (b->pointers_size - 1)];
}

void builder_prefetch_name(const struct builder *b, const char *name)
{
	__builtin_prefetch(pointer_at(b, name));
}

int builder_name_at(struct builder *b, const char *string, uint32_t *ret)
{
	struct builder_pointer *p;
	int err;

	if (!string) {
		*ret = 0;
		return 0;
	}
	if ((uintptr_t)string - (uintptr_t)b->moving < b->moving_size)
		return builder_name(b, string, ret);
	p = pointer_at(b, string);
	if (p->string == string) {
		*ret = p->offset;
		return 0;
	}
	err = builder_name(b, string, ret);
	if (err)
		return err;
	p->string = string;
	p->offset = *ret;
	return 0;
}

void builder_forget(struct builder *b)
{
	memset(b->pointers, 0, b->pointers_size * sizeof(*b->pointers));
}

/* --- types --- */

void builder_begin(struct builder *b)
{
	b->set_size = b->size;
	b->set_count = 0;
}

void builder_abort(struct builder *b)
{
	b->count -= b->set_count;
	b->size = b->set_size;
	b->set_count = 0;
}

int builder_words(struct builder *b, const uint32_t *words, size_t count)
{
	size_t bytes = count * 4;

	if (b->size + bytes > b->room) {
		size_t room = (b->size + bytes) * 3 / 2 + 65536;
		uint8_t *bigger;

		if (room > UINT32_MAX)
			return -EOVERFLOW;
		bigger = realloc(b->data, room);
		if (!bigger)
			return -ENOMEM;
		b->data = bigger;
		b->room = room;
	}
	if (bytes)
		memcpy(b->data + b->size, words, bytes);
	b->size += bytes;
	return 0;
}

int builder_type(struct builder *b, uint32_t name, uint32_t kind, uint32_t vlen, bool kflag,
                 uint32_t size_or_type)
{
	uint32_t words[3] = { name, (uint32_t)kflag << 31 | kind << 24 | vlen, size_or_type };
	size_t at = b->count;
	int err;

	if (at >= BUILDER_TYPES_MAX)
		return -EOVERFLOW;
	err = array_reserve(&b->offset, at, &b->room_offset, sizeof(*b->offset));
	if (!err)
		err = array_reserve(&b->first, at, &b->room_first, sizeof(*b->first));
	if (!err)
		err = array_reserve(&b->origin, at, &b->room_origin, sizeof(*b->origin));
	if (err)
		return err;
	b->offset[at] = b->size;
	err = builder_words(b, words, 3);
	if (err)
		return err;
	b->first[at] = at - b->set_count + 1;
	b->origin[at] = b->next_origin;
	b->count++;
	b->set_count++;
	return 0;
}

static int table_grow(struct builder *b)
{
	size_t size = b->table_size * 2;
	struct builder_slot *table = calloc(size, sizeof(*table));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < b->table_size; i++) {
		size_t at = b->table[i].hash & (size - 1);

		if (!b->table[i].id)
			continue;
		while (table[at].id)
			at = (at + 1) & (size - 1);
		table[at] = b->table[i];
	}
	free(b->table);
	b->table = table;
	b->table_size = size;
	return 0;
}

/* Is the set in this slot the same as the one being written? Records say how long they are, so the
 * same bytes are the same number of types. */
static bool same_set(const struct builder *b, const struct builder_slot *s, uint32_t hash,
                     size_t bytes)
{
	return s->hash == hash && s->size == bytes &&
	       !memcmp(b->data + s->begin, b->data + b->set_size, bytes);
}

int builder_end(struct builder *b, uint32_t *ret)
{
	size_t bytes = b->size - b->set_size;
	uint32_t hash = hash_bytes(b->data + b->set_size, bytes, b->set_count);
	size_t at;

	if (b->table_used * 2 >= b->table_size) {
		int err = table_grow(b);

		if (err)
			return err;
	}
	at = hash & (b->table_size - 1);
	for (; b->table[at].id; at = (at + 1) & (b->table_size - 1)) {
		if (same_set(b, &b->table[at], hash, bytes)) {
			*ret = b->table[at].id;
			builder_abort(b);
			return 0;
		}
	}
	*ret = b->count - b->set_count + 1;
	b->table[at] = (struct builder_slot){ hash, *ret, b->set_size, bytes };
	b->table_used++;
	b->set_count = 0;
	return 0;
}

static int modifiers_reserve(struct builder *b, size_t count)
{
	size_t room = count + count / 2 + 1024;
	struct builder_modifier *bigger;

	if (count <= b->modifiers_room)
		return 0;
	bigger = realloc(b->modifiers, room * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + b->modifiers_room, 0, (room - b->modifiers_room) * sizeof(*bigger));
	b->modifiers = bigger;
	b->modifiers_room = room;
	return 0;
}

int builder_modifier(struct builder *b, uint32_t name, uint32_t kind, uint32_t type, uint32_t *ret)
{
	uint32_t look = name ? name + BTF_KIND_MAX + 1 : kind; /* only a type tag has a name */
	uint32_t id;
	int err = modifiers_reserve(b, b->count + 2); /* with void and a new one */

	if (err)
		return err;
	for (id = b->modifiers[type].first; id; id = b->modifiers[id].next) {
		if (b->modifiers[id].look == look) {
			*ret = id;
			return 0;
		}
	}
	builder_begin(b);
	err = builder_type(b, name, kind, 0, false, type);
	if (err)
		return err;
	b->set_count = 0;
	id = b->count;
	b->modifiers[id] = (struct builder_modifier){ 0, b->modifiers[type].first, look };
	b->modifiers[type].first = id;
	*ret = id;
	return 0;
}

static void globalise(uint32_t *id, void *arg)
{
	const uint32_t *first = arg;

	if (*id & BUILDER_LOCAL)
		*id = *first + (*id & ~BUILDER_LOCAL);
}

void builder_finish(struct builder *b)
{
	free(b->table);
	free(b->modifiers);
	free(b->names);
	free(b->pointers);
	b->table = NULL;
	b->names = NULL;
	b->modifiers = NULL;
	b->pointers = NULL;
	for (size_t i = 0; i < b->count; i++)
		btf_record_ids((void *)(b->data + b->offset[i]), globalise, &b->first[i]);
}

/* --- records --- */

void btf_record_ids(struct btf_type *t, void (*fn)(uint32_t *id, void *arg), void *arg)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		fn(&t->type, arg);
		break;
	case BTF_KIND_ARRAY: {
		struct btf_array *a = (void *)(t + 1);

		fn(&a->type, arg);
		fn(&a->index_type, arg);
		break;
	}
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: {
		struct btf_member *m = (void *)(t + 1);

		for (uint32_t i = 0; i < vlen; i++)
			fn(&m[i].type, arg);
		break;
	}
	case BTF_KIND_FUNC_PROTO: {
		struct btf_param *p = (void *)(t + 1);

		fn(&t->type, arg);
		for (uint32_t i = 0; i < vlen; i++)
			fn(&p[i].type, arg);
		break;
	}
	case BTF_KIND_DATASEC: {
		struct btf_var_secinfo *v = (void *)(t + 1);

		for (uint32_t i = 0; i < vlen; i++)
			fn(&v[i].type, arg);
		break;
	}
	}
}

size_t btf_record_size(const struct btf_type *t)
{
	size_t vlen = BTF_INFO_VLEN(t->info), head = sizeof(*t);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return head;
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return head + 4;
	case BTF_KIND_ARRAY:
		return head + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return head + vlen * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return head + vlen * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return head + vlen * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return head + vlen * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return head + vlen * sizeof(struct btf_var_secinfo);
	}
	return 0;
}
