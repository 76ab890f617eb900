// c: too few arguments to function
// c++: (too (few|many) arguments|requires .* arguments?)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(uint64_t id);
void f(uint64_t id)
{
#ifdef WRONG
	shop_order_fire(id);
#else
	shop_order_fire(id, "/");
#endif
}
