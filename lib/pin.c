/* SPDX-License-Identifier: MIT */
/*
 * libweir.so is linked so that it is never unloaded. A copy that is part of a plugin (libweir.a)
 * has to see to it itself: stubs, fork handlers, LTTng's descriptions and other threads' fires point
 * into it, and what it holds for the process (a memfd, its mapping, probes) it could not hand to the
 * next copy. Pinned, the plugin that is loaded again finds this copy, and nothing grows.
 */
#include "lib/pin.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

void library_pin(void)
{
	static bool pinned;
	Dl_info info;

	if (__atomic_exchange_n(&pinned, true, __ATOMIC_RELAXED))
		return;
	/* Where the loader does not know the name, this is the program itself, which stays. The
	 * handle is kept: what is loaded once more is not unloaded either. */
	if (dladdr(&pinned, &info) && info.dli_fname)
		dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
}
