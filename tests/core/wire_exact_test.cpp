// SPDX-License-Identifier: BSD-3-Clause
// Only values that arrive as they were travel, and bytes that no writer writes are refused.

#include <array>
#include <chrono>
#include <complex>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <fmap/wire.hpp>

#include "support/catch.hpp"

namespace {

using fmap::travels;
namespace wire = fmap::wire;

struct base {
  int id = 0;
};
template <class I>
auto inspect(I& f, base& x) {
  return f(x.id);
}
struct derived : base {
  std::string name;
};
struct derived_with_its_own : base {
  std::string name;
};
template <class I>
auto inspect(I& f, derived_with_its_own& x) {
  return f(x.id, x.name);
}
struct privately : private base {};
struct sees_a_base {
  operator base&() { return it; }
  base it;
};

template <class T>
struct box {
  T value{};
};
template <class I, class T>
auto inspect(I& f, box<T>& x) {
  return f(x.value);
}
struct box_of_int : box<int> {
  int more = 0;
};

struct friendly {
  int value = 0;
  template <class I>
  friend auto inspect(I& f, friendly& x) {
    return f(x.value);
  }
};
struct friendly_and_more : friendly {
  int more = 0;
};

struct by_value {
  int a = 0;
};
template <class I>
auto inspect(I& f, by_value x) {
  return f(x.a);
}
struct constant {
  int a = 0;
};
template <class I>
auto inspect(I& f, const constant& x) {
  return f(const_cast<int&>(x.a));
}
struct both_ways {
  int a = 0;
};
template <class I>
auto inspect(I& f, both_ways& x) {
  return f(x.a);
}
template <class I>
auto inspect(I& f, const both_ways& x) {
  return f(x.a);
}

namespace generic {
struct forwarded {
  int a = 0;
};
auto inspect(auto&& f, auto&& x) requires requires { x.a; }
{ return f(x.a); }
}  // namespace generic
namespace constrained {
struct one {
  int a = 0;
};
struct two : one {};
template <class I, class T>
  requires std::derived_from<T, one>
auto inspect(I& f, T& x) { return f(x.a); }
}  // namespace constrained

struct concrete {
  int a = 0;
};
[[maybe_unused]] bool inspect(wire::writer& f, concrete& x) { return f.apply(x.a); }
[[maybe_unused]] bool inspect(wire::reader& f, concrete& x) { return f.apply(x.a); }
struct concrete_and_more : concrete {};

struct matrix : std::vector<double> {
  int rows = 0;
};
struct scores : std::map<std::string, int> {
  std::string season;
};
struct tree_of_lists : std::list<int> {};
struct place : std::filesystem::path {
  int line = 0;
};
template <class T>
struct numbered : std::list<T> {
  int number = 0;
  void clear() {}
};
struct word : std::string {};
struct perhaps : std::optional<int> {};

enum color { red, green, blue };
enum signs { minus = -5, plus = 3 };
enum thousand { many = 1000 };
enum wide { most = 1 << 30 };
enum fixed : std::uint8_t { first };
enum class scoped : std::uint8_t { first };
enum class answer : bool { no, yes };

template <bool Down>
struct order {
  bool operator()(int a, int b) const { return Down ? a > b : a < b; }
};
struct direction {
  bool down = false;
  bool operator()(int a, int b) const { return down ? a > b : a < b; }
};
struct salted {
  std::size_t salt = 0;
  std::size_t operator()(int x) const { return static_cast<std::size_t>(x) ^ salt; }
};

struct ignoring_case : std::char_traits<char> {};

template <class T>
struct arena : std::allocator<T> {
  explicit arena(int) {}
  template <class U>
  arena(const arena<U>&) {}  // NOLINT(google-explicit-constructor)
  template <class U>
  struct rebind {
    using other = arena<U>;
  };
};

template <class T>
T round_trip(const T& x) {
  return wire::decode<T>(wire::encode(x));
}
template <class T>
bool survives(const T& x) {
  return round_trip(x) == x;
}

std::string bytes(std::initializer_list<int> list) {
  std::string s;
  for (const int b : list) s.push_back(static_cast<char>(b));
  return s;
}

template <class T>
void refused(std::initializer_list<int> list, const char* why) {
  CHECK_THROWS_WITH(wire::decode<T>(bytes(list)), Catch::Contains(why));
}

}  // namespace

TEST_CASE("wire: an overload for a base class is none for what is derived from it") {
  STATIC_REQUIRE(travels<base>);
  STATIC_REQUIRE_FALSE(travels<derived>);
  STATIC_REQUIRE_FALSE(travels<std::vector<derived>>);
  STATIC_REQUIRE_FALSE(travels<std::map<int, std::optional<derived>>>);
  STATIC_REQUIRE_FALSE(travels<privately>);
  STATIC_REQUIRE_FALSE(travels<sees_a_base>);
  STATIC_REQUIRE(travels<derived_with_its_own>);
  STATIC_REQUIRE(travels<box<int>>);
  STATIC_REQUIRE_FALSE(travels<box_of_int>);
  STATIC_REQUIRE(travels<friendly>);
  STATIC_REQUIRE_FALSE(travels<friendly_and_more>);
  STATIC_REQUIRE(travels<concrete>);
  STATIC_REQUIRE_FALSE(travels<concrete_and_more>);
}

TEST_CASE("wire: an overload takes its object by reference") {
  STATIC_REQUIRE_FALSE(travels<by_value>);
  STATIC_REQUIRE_FALSE(travels<constant>);
  STATIC_REQUIRE(travels<both_ways>);
}

TEST_CASE("wire: an overload for whatever there is takes the very type") {
  STATIC_REQUIRE(travels<generic::forwarded>);
  STATIC_REQUIRE(travels<constrained::one>);
  STATIC_REQUIRE(travels<constrained::two>);
  CHECK(round_trip(generic::forwarded{7}).a == 7);
  CHECK(round_trip(box<box<int>>{{7}}).value.value == 7);
}

TEST_CASE("wire: what is derived from a type of the standard library does not travel as that") {
  STATIC_REQUIRE_FALSE(travels<matrix>);
  STATIC_REQUIRE_FALSE(travels<scores>);
  STATIC_REQUIRE_FALSE(travels<tree_of_lists>);
  STATIC_REQUIRE_FALSE(travels<place>);
  STATIC_REQUIRE_FALSE(travels<numbered<int>>);
  STATIC_REQUIRE_FALSE(travels<word>);
  STATIC_REQUIRE_FALSE(travels<perhaps>);
}

TEST_CASE("wire: comparators and hashes travel if all objects of their type are alike") {
  STATIC_REQUIRE(travels<std::set<int, order<true>>>);
  STATIC_REQUIRE(travels<std::map<int, int, std::greater<>>>);
  STATIC_REQUIRE_FALSE(travels<std::set<int, direction>>);
  STATIC_REQUIRE_FALSE(travels<std::multiset<int, bool (*)(int, int)>>);
  STATIC_REQUIRE_FALSE(travels<std::map<int, int, std::function<bool(int, int)>>>);
  STATIC_REQUIRE_FALSE(travels<std::unordered_set<int, salted>>);
  STATIC_REQUIRE_FALSE(travels<std::unordered_map<int, int, std::size_t (*)(int)>>);
  STATIC_REQUIRE_FALSE(travels<std::unordered_map<int, int, std::hash<int>, bool (*)(int, int)>>);
  const std::set<int, order<true>> down{1, 2, 3};
  CHECK(survives(down));
  CHECK(*round_trip(down).begin() == 3);
}

TEST_CASE("wire: what only refers to something does not travel") {
  STATIC_REQUIRE_FALSE(travels<std::string_view>);
  STATIC_REQUIRE_FALSE(travels<std::span<int>>);
  STATIC_REQUIRE_FALSE(travels<std::reference_wrapper<int>>);
  STATIC_REQUIRE_FALSE(travels<std::shared_ptr<int>>);
  STATIC_REQUIRE_FALSE(travels<std::pair<int&, int>>);
  STATIC_REQUIRE_FALSE(travels<std::unique_ptr<int, void (*)(int*)>>);
  STATIC_REQUIRE_FALSE(travels<std::priority_queue<int>>);
}

TEST_CASE("wire: other traits and allocators of strings and containers") {
  CHECK(round_trip(std::basic_string<char, ignoring_case>{"aB"}) == "aB");
  CHECK(survives(std::pmr::vector<std::pmr::string>{"a", "bc"}));
  STATIC_REQUIRE_FALSE(travels<std::vector<int, arena<int>>>);
}

TEST_CASE("wire: pairs, tuples and optionals with constants in them") {
  CHECK(survives(std::pair<const int, std::string>{1, "a"}));
  CHECK(survives(std::pair<const int, const std::string>{1, "a"}));
  CHECK(survives(std::tuple<const int, std::string, const std::vector<int>>{1, "a", {2}}));
  CHECK(survives(std::optional<const std::string>{"a"}));
  CHECK(survives(std::optional<std::pair<const int, int>>{{1, 2}}));
  CHECK(survives(std::pair<const int, std::pair<const int, std::string>>{1, {2, "b"}}));
  CHECK(survives(std::vector<std::pair<const int, std::string>>{{1, "a"}, {2, "b"}}));
  CHECK(survives(std::list<std::pair<const int, std::string>>{{1, "a"}, {2, "b"}}));
  CHECK(survives(std::variant<int, const std::string>{"a"}));
  CHECK(survives(std::variant<int, std::pair<const int, int>>{std::pair<const int, int>{1, 2}}));
  CHECK(survives(std::map<std::pair<const int, int>, const std::string>{{{1, 2}, "a"}}));
  CHECK(survives(std::set<std::pair<const int, int>>{{1, 2}, {1, 3}}));
  CHECK(round_trip(std::make_unique<std::pair<const int, int>>(1, 2))->second == 2);
  CHECK(*round_trip(std::make_unique<const std::string>("a")) == "a");
  CHECK(survives(std::multimap<int, std::string>{{1, "b"}, {1, "a"}}));
  STATIC_REQUIRE_FALSE(travels<std::array<const int, 2>>);
}

TEST_CASE("wire: a length in more bytes than it needs is refused") {
  CHECK(wire::decode<std::string>(bytes({1, 'a'})) == "a");
  refused<std::string>({0x81, 0, 'a'}, "more bytes than it needs");
  refused<std::vector<char>>({0x80, 0}, "more bytes than it needs");
  refused<std::vector<bool>>({0x80, 0x80, 0}, "more bytes than it needs");
  refused<std::variant<char, int>>({0x80, 0, 'a'}, "more bytes than it needs");
  CHECK(survives(std::vector<char>(128)));
  CHECK(survives(std::vector<char>(16384)));
}

TEST_CASE("wire: a number that is no value of its enumeration is refused") {
  for (const color c : {red, green, blue}) CHECK(survives(c));
  CHECK(survives(std::vector{red, blue}));
  for (const signs s : {minus, plus, static_cast<signs>(-8), static_cast<signs>(7)})
    CHECK(survives(s));
  CHECK(survives(many));
  CHECK(survives(most));
  refused<answer>({2}, "neither true nor false");
  // With a fixed underlying type every number is a value: sets of flags are made of them.
  CHECK(survives(static_cast<fixed>(200)));
  CHECK(survives(static_cast<scoped>(200)));
#ifndef __clang__  // It does not tell which numbers are values.
  refused<color>({4, 0, 0, 0}, "no value of its enumeration");
  refused<color>({0, 0, 0, 1}, "no value of its enumeration");
  refused<color>({255, 255, 255, 255}, "no value of its enumeration");
  refused<std::vector<color>>({2, 1, 0, 0, 0, 200, 0, 0, 0}, "no value of its enumeration");
  refused<std::array<color, 1>>({200, 0, 0, 0}, "no value of its enumeration");
  refused<signs>({8, 0, 0, 0}, "no value of its enumeration");
  refused<signs>({0xf7, 255, 255, 255}, "no value of its enumeration");
  refused<thousand>({0, 0, 1, 0}, "no value of its enumeration");
#endif
}

TEST_CASE("wire: elements that are not in their container's order are refused") {
  refused<std::set<char>>({2, 'b', 'a'}, "out of order");
  refused<std::map<char, char>>({2, 'b', 0, 'a', 0}, "out of order");
  refused<std::multiset<char>>({2, 'b', 'a'}, "out of order");
  CHECK(survives(std::multiset<char>{'a', 'a', 'b'}));
  CHECK(survives(std::unordered_set<char>{'b', 'a'}));
}
