/* SPDX-License-Identifier: MIT */
/*
 * BTF that is read where it lies, in an image: nothing is copied or parsed before the first type.
 * What is asked for is checked when it is asked for, so a view may be of anything.
 */
#ifndef WEIR_TYPES_BTF_VIEW_H
#define WEIR_TYPES_BTF_VIEW_H

#include <linux/btf.h>
#include <stdint.h>

struct btf_view {
	const uint8_t *types;    /* the type section */
	const char *names;       /* the string section; its last byte is 0 */
	const uint32_t *offsets; /* by type id, in `types` */
	uint32_t count;          /* of types, with void */
	uint32_t names_size;
	uint32_t pointer_size;
};

/* The type; NULL if there is none. Id 0 is void, of kind BTF_KIND_UNKN. */
const struct btf_type *btf_view_type(const struct btf_view *view, uint32_t id);
/* "" for what is outside. */
const char *btf_view_name(const struct btf_view *view, uint32_t offset);
/* Bytes of a value of that type; -EINVAL if it has none, -E2BIG if they cannot be counted. */
int64_t btf_view_size(const struct btf_view *view, uint32_t id);

#endif
