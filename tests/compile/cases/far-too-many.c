// c: wrong number of arguments for probe shop:order
// c++: (too (few|many) arguments|requires .* arguments?)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id))
void f(uint64_t id);
void f(uint64_t id)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, id, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	                19, 20, 21, 22, 23, 24, 25, 26);
#else
	WEIR_PROBE_FIRE(shop, order, id);
#endif
}
