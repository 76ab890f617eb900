/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LIB_STUB_MAP_H
#define WEIR_LIB_STUB_MAP_H

#include <stdint.h>

/*
 * Map the segments of a stub from its file, as a program loader would, for static programs whose
 * libc has no dlopen. Tools that read /proc/PID/maps find it as ever; gdb and unwinders, which ask
 * the dynamic linker, do not. `image` has the file's bytes. 0 or -errno.
 */
int stub_map(const char *path, const uint8_t *image, uintptr_t *base);

#endif
