/* SPDX-License-Identifier: MIT */
/*
 * Redis' sds: a `char *` whose length lies before it. The byte in front of the
 * text says which of five headers; sdshdr5 keeps the length in that byte itself.
 */
#include "types/printers/printers.h"

#include <errno.h>

static int print(struct format *f, const struct expr_value *it)
{
	static const char *const length[] = {
		"(unsigned char)it[-1] >> 3",
		"((struct sdshdr8 *)(it - sizeof(struct sdshdr8)))->len",
		"((struct sdshdr16 *)(it - sizeof(struct sdshdr16)))->len",
		"((struct sdshdr32 *)(it - sizeof(struct sdshdr32)))->len",
		"((struct sdshdr64 *)(it - sizeof(struct sdshdr64)))->len",
	};
	uint64_t address, kind, n;
	int rc = format_number(f, it, 0, "it", &address);

	if (rc || !address)
		return rc ?: -ENODATA;
	rc = format_number(f, it, 0, "it[-1] & 7", &kind);
	if (rc || kind > 4)
		return rc ?: -EBADMSG;
	rc = format_number(f, it, 0, length[kind], &n);
	if (rc)
		return rc;
	/* A wild pointer's "length" leads out of memory: then it is shown as any char *. */
	rc = n ? format_read(f, address + n, &kind, 1) : 0;
	if (rc)
		return rc;
	format_bytes(f, address, address, n);
	return 0;
}

const struct printer printer_redis_sds = {
	.name = "redis.sds",
	.types = (const char *const[]){ "sds", NULL },
	.print = print,
};
