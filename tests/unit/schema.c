/* SPDX-License-Identifier: MIT */
/* Descriptions of probes: whole, cut off at every byte, and changed at every byte. */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader/schema.h"
#include "reader/shm.h"
#include "tests/abi/synth.h"

static const struct synth_field fields[] = {
	{ "id", WEIR_NOTE_U64 },
	{ "path", WEIR_NOTE_STRING },
	{ "body", WEIR_NOTE_BYTES },
};

static void open_synth(struct synth *synth, struct shm *shm)
{
	struct synth_options options = { .packets = 16 };

	assert_int_equal(synth_create(synth, &options), 0);
	assert_int_equal(shm_map(dup(synth->fd), getpid(), getpid(), shm, NULL), 0);
}

static void close_synth(struct synth *synth, struct shm *shm)
{
	shm_unmap(shm);
	synth_destroy(synth);
}

/* The first record of the log is an ADD: its note, copied. */
static size_t first_note(const struct synth *synth, uint8_t *note)
{
	const struct weir_shm_schema *record =
	    (const void *)(synth->base + synth->head->off_schema);
	struct weir_note head;

	memcpy(&head, record->bytes, sizeof(head));
	memcpy(note, record->bytes, head.size);
	return head.size;
}

static void test_parse(void **state)
{
	struct schema_probe *probe;
	struct synth synth;
	struct shm shm;
	uint8_t note[4096];
	size_t size;

	(void)state;
	open_synth(&synth, &shm);
	synth_probe(&synth, "shop", "order", fields, 3);
	size = first_note(&synth, note);
	assert_int_equal(schema_probe_parse(note, size, &probe, NULL), 0);
	assert_string_equal(probe->provider, "shop");
	assert_string_equal(probe->name, "order");
	assert_int_equal(probe->count, 3);
	assert_int_equal(probe->args, 4);
	assert_int_equal(probe->string_limit, WEIR_STRING_LIMIT);
	assert_string_equal(probe->fields[2].name, "body");
	assert_int_equal(probe->fields[2].type, WEIR_BYTES);
	assert_int_equal(probe->fields[2].arg, 2);
	schema_probe_free(probe);
	close_synth(&synth, &shm);
}

static void test_damaged(void **state)
{
	struct synth synth;
	struct shm shm;
	uint8_t note[4096];
	size_t size;

	(void)state;
	open_synth(&synth, &shm);
	synth_probe(&synth, "shop", "order", fields, 3);
	size = first_note(&synth, note);
	for (size_t n = 0; n < size; n++) {
		/* exactly as long, for the sanitizers */
		uint8_t *cut = malloc(n ? n : 1);
		struct schema_probe *probe;

		memcpy(cut, note, n);
		assert_true(schema_probe_parse(cut, n, &probe, NULL) < 0);
		free(cut);
	}
	for (size_t at = 0; at < size; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t old = note[at];
			struct schema_probe *probe;

			note[at] = value;
			if (!schema_probe_parse(note, size, &probe, NULL)) {
				/* Whatever it says now, it can be walked. */
				for (uint32_t i = 0; i < probe->count; i++)
					assert_true(strlen(probe->fields[i].name) <= WEIR_NAME_MAX);
				assert_true(strlen(probe->provider) && strlen(probe->name));
				schema_probe_free(probe);
			}
			note[at] = old;
		}
	}
	close_synth(&synth, &shm);
}

static void test_refused(void **state)
{
	static const struct synth_field bad_name[] = { { "a b", WEIR_NOTE_U8 } };
	static const struct synth_field twice[] = { { "a", WEIR_NOTE_U8 }, { "a", WEIR_NOTE_U8 } };
	static const struct synth_field unknown[] = { { "a", 99 } };
	struct schema schema = { 0 };
	struct synth synth;
	struct shm shm;

	(void)state;
	open_synth(&synth, &shm);
	synth_probe(&synth, "shop", "a", bad_name, 1);
	synth_probe(&synth, "shop", "b", twice, 2);
	synth_probe(&synth, "shop", "c", unknown, 1);
	synth_probe(&synth, "sh\033op", "d", NULL, 0);
	synth_probe(&synth, "shop", "e", NULL, 0);
	assert_int_equal(schema_update(&schema, &shm), 1);
	assert_int_equal(schema.bad, 4);
	assert_string_equal(schema_find(&schema, 5)->name, "e");
	assert_null(schema_find(&schema, 1));
	assert_null(schema_find(&schema, 60000));
	schema_deinit(&schema);
	close_synth(&synth, &shm);
}

static void test_log(void **state)
{
	struct schema schema = { 0 };
	struct schema_probe *kept;
	struct synth synth;
	struct shm shm;
	uint8_t note[4096];
	size_t size;

	(void)state;
	open_synth(&synth, &shm);
	assert_int_equal(schema_update(&schema, &shm), 0);
	synth_probe(&synth, "shop", "order", fields, 3);
	assert_int_equal(schema_update(&schema, &shm), 1);
	assert_int_equal(schema_update(&schema, &shm), 0);
	kept = schema_find(&schema, 1);
	size = first_note(&synth, note);
	synth_schema(&synth, 1, WEIR_SCHEMA_WITHDRAW, NULL, 0);
	schema_update(&schema, &shm);
	assert_true(kept->withdrawn);
	synth_schema(&synth, 1, WEIR_SCHEMA_ADD, note, size);
	assert_int_equal(schema_update(&schema, &shm), 1);
	assert_ptr_equal(schema_find(&schema, 1), kept);
	assert_false(kept->withdrawn);
	/* Another layout under a number that was given: events of it could not be told apart. */
	note[sizeof(struct weir_note) + sizeof("shop") - 1 + sizeof("order")] = WEIR_NOTE_I8;
	synth_schema(&synth, 1, WEIR_SCHEMA_ADD, note, size);
	assert_int_equal(schema_update(&schema, &shm), 0);
	assert_int_equal(schema.bad, 1);
	assert_int_equal(kept->fields[0].type, WEIR_U64);
	/* A kind of a later version is skipped. */
	synth_schema(&synth, 2, 77, note, size);
	schema_update(&schema, &shm);
	assert_int_equal(schema.bad, 1);
	assert_false(schema.broken);
	/* A length that leads nowhere ends the log. */
	synth_schema(&synth, 2, WEIR_SCHEMA_ADD, note, size);
	((struct weir_shm_schema *)(synth.base + synth.head->off_schema + schema.read_to))->length =
	    12;
	schema_update(&schema, &shm);
	assert_true(schema.broken);
	schema_deinit(&schema);
	close_synth(&synth, &shm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_log),
	};

	return RUN(tests);
}
