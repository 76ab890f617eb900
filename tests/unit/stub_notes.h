/* SPDX-License-Identifier: MIT */
/* Notes for stub tests: what the library's probe_create would write. */
#ifndef WEIR_TESTS_STUB_NOTES_H
#define WEIR_TESTS_STUB_NOTES_H

#include <stdlib.h>
#include <string.h>

#include <weir/abi/note.h>

/* `types` has one enum weir_note_type a byte; fields are called a, b, c... */
static inline struct weir_note *note_make(const char *provider, const char *probe,
                                          const char *types)
{
	size_t fields = strlen(types);
	size_t size = sizeof(struct weir_note) + strlen(provider) + strlen(probe) + 2 +
	              fields * (sizeof(struct weir_note_field) + 2);
	struct weir_note *note = calloc(1, size);
	char *at = (char *)(note + 1);
	uint8_t args = 0;

	note->version = WEIR_NOTE_VERSION;
	note->fixed = sizeof(*note);
	note->size = (uint32_t)size;
	note->fields = (uint16_t)fields;
	at = stpcpy(at, provider) + 1;
	at = stpcpy(at, probe) + 1;
	for (size_t i = 0; i < fields; i++) {
		struct weir_note_field field = { .type = (uint8_t)types[i], .arg = args };

		memcpy(at, &field, sizeof(field));
		at[sizeof(field)] = (char)('a' + i);
		at += sizeof(field) + 2;
		args += types[i] == WEIR_NOTE_BYTES ? 2 : 1;
	}
	note->args = args;
	return note;
}

/* Every type there is, in the order of their numbers. */
#define NOTE_ALL_TYPES  "\1\2\3\4\5\6\7\10\11\12\13\14"
#define NOTE_MORE_TYPES "\14\15\16"

#endif
