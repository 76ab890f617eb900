// c: wrong type of argument `size` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (bytes, body), (u32, a))
void f(const void *body, size_t size);
void f(const void *body, size_t size)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, size, body, 1);
#else
	WEIR_PROBE_FIRE(shop, order, body, size, 1);
#endif
}
