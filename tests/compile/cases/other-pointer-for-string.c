// c: wrong type of argument `p` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (string, path))
void f(const int *p);
void f(const int *p)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, p);
#else
	WEIR_PROBE_FIRE(shop, order, (const char *)p);
#endif
}
