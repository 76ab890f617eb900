// c: wrong type of argument .*1.5.* of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (f64, price), (f32, weight))
void f(float price);
void f(float price)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, price, "1.5");
#else
	WEIR_PROBE_FIRE(shop, order, price, 1);
#endif
}
