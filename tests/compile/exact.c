/* SPDX-License-Identifier: MIT */
/* Arguments of exactly the fields' types. */
#include <weir/probe.h>
WEIR_PROBE(shop, all, (i8, a), (i16, b), (i32, c), (i64, d), (u8, e), (u16, f), (u32, g), (f32, h),
           (f64, i), (bool, j), (bytes, k), (pointer, l))
void f(int8_t a, int16_t b, int32_t c, int64_t d, uint8_t e, uint16_t g, uint32_t h, float i,
       double j, bool k, const void *p, size_t n);
void f(int8_t a, int16_t b, int32_t c, int64_t d, uint8_t e, uint16_t g, uint32_t h, float i,
       double j, bool k, const void *p, size_t n)
{
	WEIR_PROBE_FIRE(shop, all, a, b, c, d, e, g, h, i, j, k, p, n, p);
	shop_all_fire(a, b, c, d, e, g, h, i, j, k, p, n, p);
}
