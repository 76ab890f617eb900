// SPDX-License-Identifier: MIT
// Classes that are cast, enumerators in scopes, and what is of no namespace.
#include <cstdio>
#include <unistd.h>

enum class closed : long { A = 1, B = -5 };
enum open_one { P1, P2 = 7 };
namespace outer
{
enum other { P2 = 8 };
struct scope {
	enum class inner : char { X, Y = 3 };
	enum unscoped { MOST = 9 };
	enum { SIZE = 11 };
	inner e = inner::Y;
	unscoped u = MOST;
	int n[SIZE];
};
} // namespace outer
closed one = closed::B;
open_one another = P2;
outer::other third = outer::P2;
outer::scope scope;
int plain = 9;
wchar_t wide = L'é';

struct zero {
	long z = 1;
};
struct first {
	virtual ~first() = default;
	int a = 10;
};
struct second : zero {
	int b = 20;
	virtual void f()
	{
	}
};
struct derived : first, second {
	int d = 30;
};
struct top {
	int v = 40;
	virtual ~top() = default;
};
struct left : virtual top {
	int l = 50;
};
struct right : virtual top {
	int r = 60;
};
struct bottom : left, right {
	int bottom_ = 70;
};
struct twin1 : zero {
	int p;
};
struct twin2 : zero {
	int q;
};
struct twins : twin1, twin2 {
};
derived object, *whole = &object, *nothing;
second *part = &object, *no_part;
zero *innermost = &object;
bottom diamond;
left *alone = new left, *of_diamond = &diamond;
top *its_top = &diamond;
twins both, *pair = &both;

int main()
{
	printf("ready %d\n", getpid());
	fflush(stdout);
	pause();
	return nothing || no_part || !innermost || !of_diamond || !its_top || !pair;
}
