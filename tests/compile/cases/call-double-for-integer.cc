// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(double id)
{
#ifdef WRONG
	shop_order_fire(id, "/");
#else
	shop_order_fire((uint64_t)id, "/");
#endif
}
