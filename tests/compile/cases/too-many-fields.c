// c: a probe has at most 12 fields
// c++: a probe has at most 12 fields
#include <weir/probe.h>
#ifdef WRONG
WEIR_PROBE(shop, order, (u8, a), (u8, b), (u8, c), (u8, d), (u8, e), (u8, f), (u8, g), (u8, h),
           (u8, i), (u8, j), (u8, k), (u8, l), (u8, m))
#else
WEIR_PROBE(shop, order, (u8, a), (u8, b), (u8, c), (u8, d), (u8, e), (u8, f), (u8, g), (u8, h),
           (u8, i), (u8, j), (u8, k), (u8, l))
#endif
