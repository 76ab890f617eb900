// c: wrong type of argument `p` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (bool, paid))
void f(const char *p);
void f(const char *p)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, p);
#else
	WEIR_PROBE_FIRE(shop, order, p != NULL);
#endif
}
