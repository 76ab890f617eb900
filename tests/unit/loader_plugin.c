/* SPDX-License-Identifier: MIT */
/* A plugin that calls the program that loads it, from its constructor and its destructor. */

void plugin_calls(void);

__attribute__((constructor)) static void loaded(void)
{
	plugin_calls();
}

__attribute__((destructor)) static void unloaded(void)
{
	plugin_calls();
}
