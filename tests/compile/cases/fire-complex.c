// c: weir records no complex numbers
// c++: weir records no complex numbers
#include <weir/weir.h>
__extension__ typedef _Complex float number;
void f(struct weir_probe *probe, number z);
void f(struct weir_probe *probe, number z)
{
#ifdef WRONG
	WEIR_FIRE(probe, z);
#else
	WEIR_FIRE(probe, __extension__ __real__ z);
#endif
}
