/* SPDX-License-Identifier: MIT */
/*
 * A plugin with a libweir of its own, linked statically: the target's other copy, and code that may
 * be unloaded while LTTng records. It does not take its provider away when it goes, as it should.
 *
 * With AT_LOAD: one with the target's libweir, that publishes in its constructor, fires, and
 * destroys its provider in its destructor.
 */
#include <weir/weir.h>

static struct weir_provider *provider;
static struct weir_probe *probe;

static int start(void)
{
	struct weir_provider_options options = { .size = sizeof(options),
		                                 .flags = WEIR_PROVIDER_LTTNG };
	struct weir_field fields[] = { { .name = "v", .type = WEIR_I64 },
		                       { .name = "text", .type = WEIR_STRING } };
	int ret = weir_provider_create("plug", &options, &provider);

	if (!ret)
		ret = weir_probe_create(provider, "ev", fields, 2, NULL, &probe);
	return ret ? ret : weir_provider_publish(provider);
}

int fire(int64_t number);

__attribute__((visibility("default"))) int fire(int64_t number)
{
	int ret = probe ? 0 : start();

	if (!ret)
		WEIR_FIRE(probe, number, "plugin");
	return ret;
}

#ifdef AT_LOAD
__attribute__((constructor)) static void load(void)
{
	fire(0);
}

__attribute__((destructor)) static void unload(void)
{
	weir_provider_destroy(provider);
}
#endif
