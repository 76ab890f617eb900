/* SPDX-License-Identifier: MIT */
/* No machine code for layouts on this processor: lttng_layout_pack() serves. */
#include "lib/lttng_layout.h"

size_t lttng_code_emit(const struct lttng_layout *layout, uint8_t *code, size_t room)
{
	(void)layout;
	(void)code;
	(void)room;
	return 0;
}

uint8_t lttng_code_cfi(const struct lttng_layout *layout, size_t size, uint8_t cfi[LTTNG_CFI_MAX])
{
	(void)layout;
	(void)size;
	(void)cfi;
	return 0;
}
