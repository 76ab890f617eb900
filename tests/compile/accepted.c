/* SPDX-License-Identifier: MIT */
/* Everything that must compile without a word, as C and as C++. */
#ifdef __cplusplus
extern "C" { /* not asked for, but people do it */
#endif
#include <weir/probe.h>
#ifdef __cplusplus
}
namespace market
{
WEIR_PROBE(market, open, (bool, early))

inline void open(bool early)
{
	market_open_fire(early);
	WEIR_PROBE_FIRE(market, open, early);
}
} // namespace market
#endif

WEIR_PROBE(shop, idle)
WEIR_PROBE(shop, order, (u64, id), (string, path))
WEIR_PROBE(shop, all, (i8, a), (i16, b), (i32, c), (i64, d), (u8, e), (u16, f), (u32, g), (f32, h),
           (f64, i), (bool, j), (bytes, k), (pointer, l))
static const struct weir_probe_options sem = { sizeof(sem), WEIR_PROBE_SEMAPHORE, 0, NULL, 0, 0 };
WEIR_PROBE_WITH(&sem, shop, twelve, (bytes, a), (bytes, b), (bytes, c), (bytes, d), (bytes, e),
                (bytes, f), (bytes, g), (bytes, h), (bytes, i), (bytes, j), (bytes, k), (bytes, l))

#ifdef __cplusplus
template <typename T> void generic(T value)
{
	WEIR_PROBE_FIRE(shop, order, value, "generic");
}
#endif

void use(uint64_t id, const char *path, void *p, volatile int *vp);
void use(uint64_t id, const char *path, void *p, volatile int *vp)
{
	char buffer[20] = "x";
	const char cb[3] = "ab";
	float f = 1;
	double d = 2;
	enum e { A, B } e = B;
	shop_idle_fire();
	WEIR_PROBE_FIRE(shop, idle);
	shop_order_fire(id, path);
	shop_order_fire(1, "x");
	shop_order_fire(e, buffer);
	WEIR_PROBE_FIRE(shop, order, id, path);
	WEIR_PROBE_FIRE(shop, order, 1, "lit");
	WEIR_PROBE_FIRE(shop, order, e, cb);
	WEIR_PROBE_FIRE(shop, order, A, buffer);
	WEIR_PROBE_FIRE(shop, order, id == 4, NULL);
	if (id)
		WEIR_PROBE_FIRE(shop, all, 1, 2, 3, 4, 5, 6, 7, f, d, true, p, sizeof(int), vp);
	else
		WEIR_PROBE_FIRE(shop, all, 'c', id, id, id, 5, 6, 7, 1, 2, id, buffer, 4u, path);
	shop_all_fire(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 0, 0);
	WEIR_PROBE_FIRE(shop, twelve, p, 1, p, 1, p, 1, p, 1, p, 1, p, 1, p, 1, p, 1, p, 1, p, 1, p,
	                1, p, 1);
	if (WEIR_PROBE_ENABLED(shop, twelve))
		WEIR_PUBLISH(shop);
	WEIR_WITHDRAW(shop);
#ifdef __cplusplus
	market::open(id == 1);
	generic(id);
	generic('c');
	WEIR_PROBE_FIRE(shop, order, 1, nullptr);
#endif
}
