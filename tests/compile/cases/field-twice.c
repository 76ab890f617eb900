// c: (conflicting types for .id|redefinition of parameter .id)
// c++: (conflicting declaration .*id|redefinition of parameter .id|redefinition of .*id)
#include <weir/probe.h>
#ifdef WRONG
WEIR_PROBE(shop, order, (u64, id), (u32, id))
#else
WEIR_PROBE(shop, order, (u64, id), (u32, other_id))
#endif
