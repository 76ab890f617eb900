/* SPDX-License-Identifier: MIT */
/* Members that overlap: bases whose tail padding is used again, bases and members without members. */
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace ns
{
struct none {
};
struct none2 {
};
struct b3 {
	b3()
	{
	}
	long a;
	char c;
};
struct tail : b3 {
	char d;
	int e;
};
struct tail_bits : b3 {
	unsigned d : 3;
	unsigned e : 20;
	long f;
};
struct tail_twice : tail {
	none n;
	short s;
};
struct empty_base : none {
	int a;
	long b;
};
struct empty_bases : none, none2 {
	char a;
};
struct same_twice : none {
	none n;
	char c;
};
struct only_bases : none, none2 {
};
struct no_address {
	[[no_unique_address]] none n;
	[[no_unique_address]] none2 n2;
	int a;
	[[no_unique_address]] b3 b;
	char in_tail;
};
struct two : b3, none {
	virtual ~two()
	{
	}
	bool flag : 1, wide : 5;
};
struct three : two {
	long double ld;
	char c;
};
struct __attribute__((packed)) packed_base {
	char c;
	long l;
};
struct of_packed : packed_base {
	char d;
	packed_base p[2];
	int e;
};
struct alignas(32) aligned_base {
	char c;
};
struct of_aligned : aligned_base {
	char d;
	long e;
};
enum class bytes : unsigned char {};
enum class shorts : short { minus = -1 };
enum class ints {};
struct enums {
	bytes b;
	shorts s;
	ints i;
	bytes more[3];
};
struct words {
	bool b;
	wchar_t w;
	char16_t c16;
	char32_t c32;
#ifdef __cpp_char8_t
	char8_t c8;
#endif
	int restrict_, inline_;
	int &reference;
	int words::*member;
	void (words::*function)(int) const;
	decltype(nullptr) null;
	int restrict;
};
struct virtual_base {
	long v;
};
#ifdef VIRTUAL
struct left : virtual virtual_base {
	int l;
};
struct right : virtual virtual_base {
	int r;
};
struct diamond : left, right {
	int d;
};
diamond gd;
#endif
union in_union {
	tail t;
	struct : none {
		char c;
	} u;
	char text[3];
};
template <class T, class... U> struct pack : T, pack<U...> {
	char c;
};
template <class T> struct pack<T> : T {
	short s;
};
} // namespace ns

namespace other
{
struct tail {
	int a;
};
} // namespace other

template <class... T> struct keep {
	std::tuple<T *...> all;
};
keep<ns::tail, ns::tail_bits, ns::tail_twice, ns::empty_base, ns::empty_bases, ns::same_twice,
     ns::only_bases, ns::no_address, ns::three, ns::of_packed, ns::of_aligned, ns::enums,
     ns::in_union, ns::pack<ns::none, ns::b3, ns::none2>, other::tail>
    kept;
ns::words *words;
ns::tail a;
ns::tail_bits b;
ns::tail_twice c;
ns::empty_base d;
ns::empty_bases e;
ns::same_twice f;
ns::only_bases g;
ns::no_address h;
ns::three i;
ns::of_packed j;
ns::of_aligned k;
ns::enums l;
ns::in_union *m;
ns::pack<ns::none, ns::b3, ns::none2> n;
other::tail o;

int main(int argc, char **argv)
{
	std::string s = argv[0];
	std::map<std::string, std::vector<int>> map{ { s, { argc } } };
	std::unordered_map<int, std::string> hashed{ { argc, s } };
	auto lambda = [s, &map](int x) { return (int)s.size() + x + (int)map.size(); };
	std::function<int(int)> fn = lambda;
	std::variant<int, std::string, double> v = s;
	std::optional<std::string> opt = s;
	std::tuple<ns::none, int, std::string> t{ {}, 1, s };
	auto shared = std::make_shared<ns::tail>();
	std::unique_ptr<ns::b3> unique(new ns::tail);

	return fn(argc) + (int)v.index() + (int)opt->size() + std::get<1>(t) + shared->e +
	       (unique != nullptr) + (int)hashed.size();
}
