// c: incompatible type
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
struct order {
	uint64_t id;
};
void f(struct order order);
void f(struct order order)
{
#ifdef WRONG
	shop_order_fire(order, "/");
#else
	shop_order_fire(order.id, "/");
#endif
}
