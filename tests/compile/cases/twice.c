// c: redefinition of .shop_order_
// c++: redefinition of .*shop_order_
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id))
#ifdef WRONG
WEIR_PROBE(shop, order, (u64, id))
#endif
