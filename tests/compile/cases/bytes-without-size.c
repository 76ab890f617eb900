// c: wrong number of arguments for probe shop:order
// c++: (too (few|many) arguments|requires .* arguments?)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (bytes, body))
void f(const void *body, size_t size);
void f(const void *body, size_t size)
{
#ifdef WRONG
	(void)size;
	WEIR_PROBE_FIRE(shop, order, body);
#else
	WEIR_PROBE_FIRE(shop, order, body, size);
#endif
}
