/* SPDX-License-Identifier: MIT */
/* texts:text(s string, b bytes), at most 8 bytes each: what is cut, NULL, or acts on a terminal. */
#include <weir/weir.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const texts[] = {
	"12345678",
	"123456789",
	"",
	NULL,
	"1234567\xc3\xa9", /* a character across the limit */
	"a\xe2\x80\xae"
	"b", /* U+202E, right to left */
	"a\xe2\x80\xa8"
	"b", /* U+2028, line separator */
	"\xd8\x9c\xe2\x81\xa6",
	"\x1b[31m",
	"\xe2\x82\xac", /* a euro */
};

int main(void)
{
	static const struct weir_field fields[] = { { "s", WEIR_STRING }, { "b", WEIR_BYTES } };
	const struct weir_probe_options options = { .string_limit = 8 };
	struct weir_provider *provider;
	struct weir_probe *probe = weir_probe_off;

	if (weir_provider_create("texts", NULL, &provider) ||
	    weir_probe_create(provider, "text", fields, 2, &options, &probe) ||
	    weir_provider_publish(provider))
		return 1;
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (!weir_enabled(probe))
		usleep(1000);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		WEIR_FIRE(probe, texts[i], "by", texts[i] ? 2 : 0);
	return 0;
}
