/* SPDX-License-Identifier: MIT */
/* Declarations that C and C++ files of a program and of its plugin share. */
#ifndef SHOP_H
#define SHOP_H

#include <weir/probe.h>

WEIR_PROBE(shop, idle)
WEIR_PROBE(shop, order, (u64, id), (string, path))
WEIR_PROBE(shop, all, (i8, a), (i16, b), (i32, c), (i64, d), (u8, e), (u16, f), (u32, g), (f32, h),
           (f64, i), (bool, j), (bytes, k), (pointer, l))

#ifdef __cplusplus
extern "C" {
#endif
/* In cc.cc and file.c: the same probe, seen from another file. */
struct weir_probe **cc_order(void);
struct weir_probe **file_order(void);
void cc_fire_all(const char *bytes, const void *pointer);
void file_fire_all(const char *bytes, const void *pointer);

/* In plugin.c. */
struct weir_probe **plugin_order(void);
int plugin_publish(void);
int plugin_withdraw(void);
void plugin_fire(uint64_t n);

/* In stranger.c: declares shop:order otherwise. */
int stranger_publish(struct weir_error *error);
bool stranger_other_is_there(void);
#ifdef __cplusplus
}
#endif

#endif
