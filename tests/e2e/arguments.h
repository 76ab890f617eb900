/* SPDX-License-Identifier: MIT */
/*
 * What C and C++ can write as an argument of WEIR_FIRE, one event each: for arguments.c and
 * arguments.cc, which are the same program. Prints how often an argument was evaluated.
 */
#include <stdio.h>
#include <weir/weir.h>

static int evaluated;

static int next(void)
{
	return ++evaluated;
}

struct bits {
	unsigned small : 3;
	signed below : 5;
};

static int check(int ret, const char *what)
{
	if (ret)
		fprintf(stderr, "%s: %d\n", what, ret);
	return ret;
}

static int fire(struct weir_probe *probe)
{
	volatile double volatile_double = 2.5;
	volatile float volatile_float = 1.5F;
	char array[] = "array";
	struct bits bits;
	const char *volatile volatile_string = "volatile";
	int i = 7, bad = 0;

	bits.small = 5;
	bits.below = -3;
	bad |= check(WEIR_FIRE(probe, next(), 1.0, 1.0F, "calls"), "calls");
	bad |= check(WEIR_FIRE(probe, i++, 1.0, 1.0F, "increments"), "increments");
	bad |= check(WEIR_FIRE(probe, i, volatile_double, volatile_float, volatile_string),
	             "volatile");
	bad |= check(WEIR_FIRE(probe, (unsigned char)200, 2.75L, 1.25L, array), "long double");
	bad |= check(WEIR_FIRE(probe, bits.below, bits.small, -3, &array[2]), "bits");
	bad |= check(WEIR_FIRE(probe, -1LL, 1.5F, 0.5, NULL), "wide");
	return bad;
}

int main(void)
{
	static const struct weir_field fields[] = {
		{ "i", WEIR_I64 }, { "d", WEIR_F64 }, { "f", WEIR_F32 }, { "s", WEIR_STRING }
	};
	struct weir_provider *provider = NULL;
	struct weir_probe *probe = weir_probe_off;

	if (weir_provider_create("arguments", NULL, &provider) ||
	    weir_probe_create(provider, "all", fields, 4, NULL, &probe) ||
	    weir_provider_publish(provider) || fire(probe))
		return 1;
	printf("evaluated %d\n", evaluated);
	return 0;
}
