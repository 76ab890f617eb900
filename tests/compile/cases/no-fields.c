// c: wrong number of arguments for probe shop:idle
// c++: (too (few|many) arguments|requires .* arguments?)
#include <weir/probe.h>
WEIR_PROBE(shop, idle)
void f(void);
void f(void)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, idle, 1);
#else
	WEIR_PROBE_FIRE(shop, idle);
#endif
}
