// c: wrong type of argument `id` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(uint64_t id);
void f(uint64_t id)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, 5, id);
#else
	WEIR_PROBE_FIRE(shop, order, id, "/");
#endif
}
