/* SPDX-License-Identifier: MIT */
/* names:..., 3 events each: fields that are called as the metadata of a recording might call its own. */
#include <weir/weir.h>

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static const struct weir_field both[] = { { "path", WEIR_STRING },
		                                  { "_path_length", WEIR_U64 },
		                                  { "path_original", WEIR_U64 },
		                                  { "_path_length_", WEIR_U64 } };
	static const struct weir_field padded[] = { { "_", WEIR_U64 },
		                                    { "__", WEIR_U64 },
		                                    { "struct", WEIR_U8 } };
	static const struct weir_field twice[] = { { "a", WEIR_STRING },
		                                   { "_a", WEIR_U64 },
		                                   { "_b", WEIR_STRING },
		                                   { "b", WEIR_STRING } };
	static const struct weir_field strings[] = { { "_", WEIR_STRING },
		                                     { "__length", WEIR_STRING },
		                                     { "__length_length", WEIR_BYTES } };
	struct weir_probe *probes[4] = { weir_probe_off, weir_probe_off, weir_probe_off,
		                         weir_probe_off };
	struct weir_provider *provider;

	if (weir_provider_create("names", NULL, &provider) ||
	    weir_probe_create(provider, "both", both, 4, NULL, &probes[0]) ||
	    weir_probe_create(provider, "padded", padded, 3, NULL, &probes[1]) ||
	    weir_probe_create(provider, "strings", strings, 3, NULL, &probes[2]) ||
	    weir_probe_create(provider, "twice", twice, 4, NULL, &probes[3]) ||
	    weir_provider_publish(provider))
		return 1;
	printf("ready %d\n", getpid());
	fflush(stdout);
	for (int i = 0; i < 4; i++) {
		while (!weir_enabled(probes[i]))
			usleep(1000);
	}
	for (uint64_t i = 0; i < 3; i++) {
		WEIR_FIRE(probes[0], "/cart", 10 + i, 20 + i, 30 + i);
		WEIR_FIRE(probes[1], 40 + i, 50 + i, (uint8_t)(60 + i));
		WEIR_FIRE(probes[2], "one", "two", "three", 5);
		WEIR_FIRE(probes[3], "four", 70 + i, "five", "six");
	}
	return 0;
}
