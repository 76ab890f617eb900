// c: wrong type of argument `s` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (bytes, a), (bytes, b), (bytes, c), (bytes, d), (bytes, e), (bytes, f),
           (u64, g))
void f(const char *s);
void f(const char *s)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, s, 1, s, 1, s, 1, s, 1, s, 1, s, 1, s);
#else
	WEIR_PROBE_FIRE(shop, order, s, 1, s, 1, s, 1, s, 1, s, 1, s, 1, 7);
#endif
}
