// c: (WEIR_TYPE_int_|WEIR_PARAM_int_)
// c++: (WEIR_TYPE_int_|WEIR_PARAM_int_)
#include <weir/probe.h>
#ifdef WRONG
WEIR_PROBE(shop, order, (int, id))
#else
WEIR_PROBE(shop, order, (i32, id))
#endif
