// SPDX-License-Identifier: MIT
// What the printers of libstdc++'s types show.
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>
#include <vector>

std::string small_text = "small one";
std::string large_text(300, 'L');
std::vector<int> numbers{ 1, 2, 3, 4 };
std::vector<std::string> words{ "alpha", "beta" };
std::vector<int> empty;
std::map<int, std::string> ages{ { 3, "three" }, { 1, "one" }, { 2, "two" } };
std::map<std::string, int> counts;
std::multimap<std::string, int> multi{ { "a", 1 }, { "b", 3 }, { "a", 2 } };
std::set<std::string> colours{ "red", "green" };
std::unordered_map<std::string, int> hashed;
std::unordered_map<int, std::string> by_number{ { 7, "seven" } };
std::unordered_set<long> numbers_seen{ 42 };
std::optional<std::string> given = "given", not_given;
std::optional<int> some_number = 5;
std::string_view view = "a view";

struct shape {
	virtual ~shape() = default;
	virtual double area() const = 0;
	int id = 1;
	static int made;
};
int shape::made = 12;
struct circle : shape {
	circle()
	{
		made++;
	}
	double area() const override
	{
		return radius;
	}
	double radius = 2.5;
};
int area = 99; // beside shape::area()
std::unique_ptr<shape> owner(new circle);
std::unique_ptr<int> nobody;
std::shared_ptr<int> one = std::make_shared<int>(17), two = one;
shape *base = owner.get();
template <class T, int N> struct fixed {
	T data[N];
};
fixed<short, 2> pair_of_shorts{ { 1, 2 } };

namespace ns
{
int inside = 9;
struct base {
	int b = 1;
};
struct derived : base {
	int d = 2;
};
derived object;
} // namespace ns

int &reference = ns::inside;

struct top {
	int t = 11;
};
struct left : virtual top {
	int l = 12;
};
struct right : virtual top {
	int r = 13;
};
struct bottom : left, right {
	int b = 14;
};
bottom diamond;
left *half = &diamond;

int main()
{
	char line[8];

	for (int i = 0; i < 100; i++)
		hashed["key" + std::to_string(i)] = i;
	for (int i = 0; i < 100; i++)
		counts["key" + std::to_string(i)] = i;
	printf("ready %d\n", static_cast<int>(getpid()));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return reference == 9 ? 0 : 1;
}
