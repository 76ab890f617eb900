// c: wrong type of argument `price` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(double price);
void f(double price)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, price, "/");
#else
	WEIR_PROBE_FIRE(shop, order, (uint64_t)price, "/");
#endif
}
