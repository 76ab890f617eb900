// SPDX-License-Identifier: MIT
// Numbers in all formats, in the other byte order, and types whose qualifiers matter.
#include <stdio.h>
#include <unistd.h>

#ifdef __x86_64__
__float128 quad = 1.25;
__float128 third;
__float128 quads[2] = { 1, 2.5 };
#if !defined(__clang__)
_Complex _Float16 complex_half;
_Float16 half = 1.5, halves[2] = { 0.1, -65504 };
_Complex _Float128 complex_quad;
#endif
#endif
long double wide = 1.1L;
float single = 0.1f;
double real = 0.1;

#if !defined(__clang__)
struct __attribute__((scalar_storage_order("big-endian"))) other_order {
	int x;
	unsigned bits : 5;
	char c;
} other_order = { 1, 2, 'x' };
_Decimal64 decimal = 1.5DD;
#endif

const char *const volatile *qualified;
const volatile int *const restrict restricted;
int (*const called)(const char *const, volatile int *);

int main(void)
{
#ifdef __x86_64__
	third = 1;
	third /= 3;
#endif
#if defined(__x86_64__) && !defined(__clang__)
	complex_quad = 2.5 + 1;
#endif
	printf("ready %d\n", getpid());
	fflush(stdout);
	pause();
	return single + real + wide != 0 || called || qualified || restricted;
}
