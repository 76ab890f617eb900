// SPDX-License-Identifier: MIT
// What has no place in memory. With -O1, so that compilers keep the values only.
#include <cstdio>
#include <unistd.h>

static const double pi = 3.25;
static const float half = .5f, large = 1e10f;
static const int answer = 42;
struct first {
	enum { k = 1, lim = 100 };
};
struct second {
	enum { k = 2 };
};
struct third {
	static const int lim = 7;
};
struct fourth {
	int x;
};
namespace space
{
enum { inside = 55 };
}
struct members {
	static const int number = 7;
	static constexpr bool on = true;
	static constexpr long minus = -5;
	static constexpr double real = 3.25;
};
enum counted { C0, C1, C2, C3, C4 } counted = (enum counted)7;
enum three { T1 = 1, T2, T3 } three = (enum three)7;
enum flags { F1 = 1, F2 = 2, F4 = 4, FALL = 7 } flags = (enum flags)5, more = (enum flags)9;
first of_first;
second of_second;
third of_third;
fourth of_fourth;
members of_members;

int main()
{
	volatile double used = pi + half + large + answer + of_first.k + of_first.lim +
	                       of_second.k + of_third.lim + space::inside + members::number +
	                       members::on + members::minus + members::real;

	printf("ready %d\n", getpid());
	fflush(stdout);
	pause();
	return (int)used;
}
