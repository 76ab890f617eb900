// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(uint64_t id)
{
#ifdef WRONG
	shop_order_fire("/", "/");
#else
	shop_order_fire(id, "/");
#endif
}
