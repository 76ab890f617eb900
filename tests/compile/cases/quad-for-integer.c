// c: wrong type of argument `load` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (f64, load))
__extension__ typedef __float128 quad;
void f(quad load);
void f(quad load)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, load, load);
#else
	WEIR_PROBE_FIRE(shop, order, (uint64_t)load, load);
#endif
}
