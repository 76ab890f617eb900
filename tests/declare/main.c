/* SPDX-License-Identifier: MIT */
/*
 * Declared probes across the files of a program, a plugin that comes and goes, and a plugin that
 * disagrees: `declare PLUGIN STRANGER` (no arguments: without them). What was recorded is read from
 * the packets themselves.
 */
#include "shop.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/session.h"

#define CHECK(condition)                                                                        \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                                \
		}                                                                               \
	} while (0)

static struct session session;

static uint64_t recorded(void)
{
	struct session_count count = session_count(&session);

	CHECK(!count.lost);
	return count.committed;
}

static void check_off(void)
{
	int evaluated = 0;

	CHECK(!WEIR_PROBE_ENABLED(shop, order));
	WEIR_PROBE_FIRE(shop, idle);
	WEIR_PROBE_FIRE(shop, order, (uint64_t)++evaluated, "/");
	shop_order_fire(1, "/");
	CHECK(!evaluated);
}

static void check_all(void (*fire)(const char *bytes, const void *pointer))
{
	static const char bytes[] = "\1\2\3\4\5\6";
	uint64_t before = recorded();
	const struct weir_shm_record *record;
	const uint64_t *f;
	float f32;
	double f64;

	fire(bytes, &f32);
	CHECK(recorded() == before + 1);
	record = session_last(&session);
	CHECK(record);
	f = record->fields;
	CHECK((int8_t)f[0] == -1 && (int16_t)f[1] == -2 && (int32_t)f[2] == -3);
	CHECK((int64_t)f[3] == -4);
	CHECK((uint8_t)f[4] == 251 && (uint16_t)f[5] == 65531 && (uint32_t)f[6] == 4294967291u);
	memcpy(&f32, &f[7], sizeof(f32));
	memcpy(&f64, &f[8], sizeof(f64));
	CHECK(f32 == 1.5f && f64 == -2.25);
	CHECK((uint8_t)f[9] == 1);
	CHECK(f[10] == (8 | 5 << 16)); /* padded and original length */
	CHECK(f[11] == (uintptr_t)&f32);
	CHECK(!memcmp(&f[12], "\1\2\3\4\5\0\0\0", 8));
}

static void check_order(uint64_t id, const char *path)
{
	const struct weir_shm_record *record = session_last(&session);

	CHECK(record && record->fields[0] == id);
	CHECK(!strcmp((const char *)&record->fields[2], path));
}

static void *load(const char *path, const char *symbol, void **handle)
{
	void *found;

	*handle = dlopen(path, RTLD_NOW);
	if (!*handle)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(*handle);
	found = dlsym(*handle, symbol);
	CHECK(found);
	return found;
}

static void check_plugin(const char *path)
{
	for (int round = 0; round < 2; round++) {
		void *handle;
		struct weir_probe **(*order)(void) =
		    (struct weir_probe * *(*)(void)) load(path, "plugin_order", &handle);
		int (*publish)(void) = (int (*)(void))dlsym(handle, "plugin_publish");
		int (*withdraw)(void) = (int (*)(void))dlsym(handle, "plugin_withdraw");
		void (*fire)(uint64_t) = (void (*)(uint64_t))dlsym(handle, "plugin_fire");
		uint64_t before;

		/* A variable of its own, the same probe behind it. */
		CHECK(order() != &shop_weir_order && *order() == weir_probe_off);
		fire(1);
		CHECK(publish() == 0);
		CHECK(*order() == shop_weir_order);
		session_enable(&session, "plugin", "load");
		before = recorded();
		fire(7 + (uint64_t)round);
		CHECK(recorded() == before + 2);
		check_order(7 + (uint64_t)round, "/plugin");
		CHECK(withdraw() == 0);
		fire(9);
		CHECK(recorded() == before + 2);
		CHECK(withdraw() == -ENOENT);
		dlclose(handle);
		/* The program still holds its provider. */
		WEIR_PROBE_FIRE(shop, order, 10, "/still");
		CHECK(recorded() == before + 3);
	}
}

static void check_stranger(const char *path)
{
	struct weir_error error = { 0 };
	void *handle;
	int (*publish)(struct weir_error *) =
	    (int (*)(struct weir_error *))load(path, "stranger_publish", &handle);
	bool (*other)(void) = (bool (*)(void))dlsym(handle, "stranger_other_is_there");

	CHECK(publish(&error) == -EEXIST);
	CHECK(error.code == -EEXIST && strstr(error.message, "shop:order"));
	CHECK(other());
}

int main(int argc, char **argv)
{
	struct weir_error error = { 0 };
	const struct weir_provider_options options = { .size = sizeof(options), .error = &error };
	struct weir_provider *provider;
	struct weir_probe *probe;
	uint64_t before;
	int evaluated = 11;

	check_off();
	CHECK(weir_declared_publish(__start_weir_probes, __stop_weir_probes, "nobody", &options) ==
	      -ENOENT);
	CHECK(strstr(error.message, "nobody"));
	CHECK(WEIR_WITHDRAW(shop) == -ENOENT);
	CHECK(WEIR_PUBLISH(shop) == 0);
	CHECK(WEIR_PUBLISH(shop) == 0);

	/* One probe, whichever file and language. */
	CHECK(cc_order() == &shop_weir_order && file_order() == &shop_weir_order);
	CHECK(weir_provider_find("shop", &provider) == 0);
	CHECK(weir_probe_find(provider, "order", &probe) == 0 && probe == shop_weir_order);
	CHECK(weir_probe_find(provider, "cc", &probe) == 0);
	check_off();

	session_arm(&session, WEIR_MODE_DROP, 16);
	session_enable(&session, "shop", "order");
	session_enable(&session, "shop", "all");
	session_enable(&session, "shop", "idle");
	check_all(cc_fire_all);
	check_all(file_fire_all);
	before = recorded();
	WEIR_PROBE_FIRE(shop, idle);
	shop_idle_fire();
	WEIR_PROBE_FIRE(shop, order, (uint64_t)++evaluated, "/cart");
	CHECK(evaluated == 12 && recorded() == before + 3);
	check_order(12, "/cart");

	if (argc == 3) {
		check_plugin(argv[1]);
		check_stranger(argv[2]);
	}

	before = recorded();
	CHECK(WEIR_WITHDRAW(shop) == 0);
	CHECK(WEIR_WITHDRAW(shop) == -ENOENT);
	check_off();
	CHECK(recorded() == before);
	CHECK(WEIR_PUBLISH(shop) == 0);
	session_enable(&session, "shop", "order");
	WEIR_PROBE_FIRE(shop, order, 13, "/again");
	CHECK(recorded() == before + 1);
	return 0;
}
