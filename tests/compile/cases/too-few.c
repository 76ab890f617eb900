// c: wrong number of arguments for probe shop:order
// c++: (too (few|many) arguments|requires .* arguments?)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(uint64_t id);
void f(uint64_t id)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, id);
#else
	WEIR_PROBE_FIRE(shop, order, id, "/");
#endif
}
