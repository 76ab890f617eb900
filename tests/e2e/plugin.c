/* SPDX-License-Identifier: MIT */
/* A plugin that brings its own libweir, or uses the shared one: one provider, while it is loaded. */
#include <weir/weir.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int plugin_start(const char *name);
EXPORT int plugin_fire(int n);
EXPORT void plugin_end(void);

static struct weir_provider *provider;
static struct weir_probe *turn = weir_probe_off;

int plugin_start(const char *name)
{
	static const struct weir_field fields[] = { { "text", WEIR_STRING }, { "n", WEIR_I32 } };
	int r = weir_provider_create(name, NULL, &provider);

	if (!r)
		r = weir_probe_create(provider, "turn", fields, 2, NULL, &turn);
	return r ? r : weir_provider_publish(provider);
}

int plugin_fire(int n)
{
	return weir_enabled(turn) ? WEIR_FIRE(turn, "from a plugin", n) : 1;
}

void plugin_end(void)
{
	turn = weir_probe_off;
	weir_provider_destroy(provider);
}

#ifdef AT_LOAD
static int started = -1;

/* Already started, under the name AT_LOAD. */
EXPORT int plugin_started(void);

int plugin_started(void)
{
	return started;
}

__attribute__((constructor)) static void load(void)
{
	started = plugin_start(AT_LOAD);
}

__attribute__((destructor)) static void unload(void)
{
	plugin_end();
}
#endif
