/* SPDX-License-Identifier: MIT */
/*
 * Whatever bytes a stranger puts into his notes or his ELF file: no crash, no leak, no read outside
 * of them. The first byte says what the rest is: 'w' a weir note, 's' and 't' a USDT note of 64 and
 * 32 bits, anything else (0x7f, for one) an ELF file of which it is the first byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reader/elf_notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

volatile size_t fuzz_sink; /* so that nothing is optimised away */

/* Read all that a caller would, so that a sanitizer sees a string without an end. */
static size_t touch(const struct probe_desc *d)
{
	size_t sum = strlen(d->provider) + strlen(d->name) + strlen(d->usdt);

	for (size_t i = 0; i < d->fields_count; i++) {
		const struct probe_field *f = &d->fields[i];

		sum += strlen(f->name) + strlen(probe_type_name(f->type));
		sum += f->operand ? strlen(f->operand) : 0;
	}
	return sum;
}

static size_t touch_all(const struct elf_notes *notes)
{
	size_t sum = 0;

	for (size_t i = 0; i < notes->count; i++)
		sum += touch(notes->probes[i].desc) + strlen(notes->probes[i].usdt);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_desc *d = NULL;
	struct elf_notes *notes = NULL;

	if (!size)
		return 0;
	if (*data == 'w')
		probe_desc_parse_weir(data + 1, size - 1, &d, NULL);
	else if (*data == 's' || *data == 't')
		probe_desc_parse_usdt(data + 1, size - 1, *data == 's' ? 8 : 4, &d, NULL);
	else
		elf_notes_parse(data, size, &notes, NULL);
	if (d)
		fuzz_sink = touch(d);
	if (notes)
		fuzz_sink = touch_all(notes);
	free(d);
	elf_notes_free(notes);
	return 0;
}
