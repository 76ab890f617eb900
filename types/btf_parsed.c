/* SPDX-License-Identifier: MIT */
#include "types/internal.h"

#include <bpf/btf.h>

struct btf *types_btf(struct types *t)
{
	pthread_mutex_lock(&t->lock);
	if (!t->btf) {
		size_t size;
		const void *raw = types_raw(t, &size);

		t->btf = btf__new(raw, size);
		t->free_btf = btf__free;
		if (t->btf)
			btf__set_pointer_size(t->btf, types_pointer_size(t));
	}
	pthread_mutex_unlock(&t->lock);
	return t->btf;
}
