// c: wrong type of argument `z` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (f64, load))
__extension__ typedef _Complex double number;
void f(number z);
void f(number z)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, z);
#else
	WEIR_PROBE_FIRE(shop, order, __extension__ __real__ z);
#endif
}
