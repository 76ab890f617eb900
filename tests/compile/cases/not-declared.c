// c: shop_odrer_
// c++: shop_odrer_
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id))
void f(void);
void f(void)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, odrer, 1);
#else
	WEIR_PROBE_FIRE(shop, order, 1);
#endif
}
