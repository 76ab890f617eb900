// c++: (could not convert|cannot convert|invalid conversion|no known conversion)
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u8, state))
enum class state { OPEN };
void f(state s)
{
#ifdef WRONG
	WEIR_PROBE_FIRE(shop, order, s);
#else
	WEIR_PROBE_FIRE(shop, order, (int)s);
#endif
}
