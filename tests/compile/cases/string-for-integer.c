// c: wrong type of argument `path` of probe shop_order
// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
void f(uint64_t id, const char *path);
void f(uint64_t id, const char *path)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, path, path);
#else
	WEIR_PROBE_FIRE(shop, order, id, path);
#endif
}
