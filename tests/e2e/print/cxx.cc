// SPDX-License-Identifier: MIT
// What the printers of libstdc++'s types show.
#include <cstdio>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

std::string small_text = "small one";
std::string large_text(300, 'L');
std::vector<int> numbers{ 1, 2, 3, 4 };
std::vector<std::string> words{ "alpha", "beta" };
std::vector<int> empty;
std::map<int, std::string> ages{ { 3, "three" }, { 1, "one" }, { 2, "two" } };
std::map<std::string, int> counts;

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

int main()
{
	char line[8];

	for (int i = 0; i < 100; i++)
		counts["key" + std::to_string(i)] = i;
	printf("ready %d\n", static_cast<int>(getpid()));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	return reference == 9 ? 0 : 1;
}
