// c: too many arguments to function
// c++: (too (few|many) arguments|requires .* arguments?)
#include <weir/probe.h>
WEIR_PROBE(shop, idle)
void f(void);
void f(void)
{
#ifdef WRONG
	shop_idle_fire(1);
#else
	shop_idle_fire();
#endif
}
