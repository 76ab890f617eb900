// c: wrong type of argument `n` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (pointer, where))
void f(uintptr_t n);
void f(uintptr_t n)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, n);
#else
	WEIR_PROBE_FIRE(shop, order, (void *)n);
#endif
}
