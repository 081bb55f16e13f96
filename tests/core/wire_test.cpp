// SPDX-License-Identifier: BSD-3-Clause
// Every type that travels, there and back.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include <fmap/wire.hpp>

#include "support/catch.hpp"
#include "support/wire_types.hpp"

template <>
inline constexpr bool fmap::travels_as_bytes<testing::point> = true;

namespace {

using namespace testing;
using fmap::travels;
namespace wire = fmap::wire;
using namespace std::chrono_literals;

template <class T>
T round_trip(const T& x) {
  return wire::decode<T>(wire::encode(x));
}

template <class T>
bool survives(const T& x) {
  return round_trip(x) == x;
}

template <class T>
bool same_bits(T a, T b) {
  const auto* bytes = reinterpret_cast<const char*>(&a);
  return std::equal(bytes, bytes + wire::detail::number_size<T>, reinterpret_cast<const char*>(&b));
}

template <class T>
bool extremes_survive() {
  using limits = std::numeric_limits<T>;
  for (const T x : {limits::min(), limits::max(), limits::lowest(), T{}, T{1}})
    if (!same_bits(round_trip(x), x)) return false;
  return true;
}

template <class T>
bool odd_numbers_survive() {
  using limits = std::numeric_limits<T>;
  for (const T x :
       {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN(), T{-0.0},
        limits::denorm_min(), -limits::denorm_min(), limits::min() / 2})
    if (!same_bits(round_trip(x), x)) return false;
  return extremes_survive<T>();
}

template <class... T>
bool all_extremes_survive() {
  return (extremes_survive<T>() && ...);
}

enum class colour : std::uint8_t { red, green = 200 };
enum plain_enum { one = 1, minus = -1 };
enum class truth : bool { no, yes };

std::string bytes(std::initializer_list<int> list) {
  std::string s;
  for (const int b : list) s.push_back(static_cast<char>(b));
  return s;
}

}  // namespace

TEST_CASE("wire: all arithmetic types survive exactly") {
  CHECK(all_extremes_survive<bool, char, signed char, unsigned char, short, unsigned short, int,
                             unsigned, long, unsigned long, long long, unsigned long long, char8_t,
                             char16_t, char32_t, wchar_t>());
  CHECK(odd_numbers_survive<float>());
  CHECK(odd_numbers_survive<double>());
  CHECK(odd_numbers_survive<long double>());
  const double payload = std::bit_cast<double>(std::uint64_t{0x7FF8'0000'DEAD'BEEF});
  CHECK(same_bits(round_trip(std::vector{payload}).front(), payload));
}

TEST_CASE("wire: enumerations are their underlying type") {
  CHECK(survives(colour::green));
  CHECK(survives(plain_enum{minus}));
  CHECK(survives(truth::yes));
  CHECK(survives(std::byte{255}));
  CHECK(wire::encode(colour::green) == bytes({200}));
  CHECK_THROWS_AS(wire::decode<truth>(bytes({2})), wire::error);
}

TEST_CASE("wire: strings and paths") {
  CHECK(survives(std::string{}));
  CHECK(survives(std::string(3, '\0')));
  CHECK(survives(std::string(300, 'x')));
  CHECK(survives(std::u8string{u8"\u00e4"}));
  CHECK(survives(std::u16string{u"\u20ac"}));
  CHECK(survives(std::u32string{U"\U0001F600"}));
  CHECK(survives(std::wstring{L"wide"}));
  CHECK(survives(std::filesystem::path{"/tmp/a b"}));
}

TEST_CASE("wire: optionals, variants, pairs, tuples and pointers") {
  CHECK(survives(std::optional<int>{}));
  CHECK(survives(std::optional<std::string>{"x"}));
  CHECK(survives(std::optional<std::optional<bool>>{std::optional<bool>{}}));
  using v = std::variant<std::monostate, int, std::string, int>;
  CHECK(survives(v{}));
  CHECK(survives(v{std::in_place_index<1>, 7}));
  CHECK(survives(v{std::in_place_index<3>, 7}));
  CHECK(survives(v{"text"}));
  CHECK(survives(std::pair{1, std::string{"b"}}));
  CHECK(survives(std::tuple{}));
  CHECK(survives(std::tuple{'a', 2.5, std::vector{1, 2}, std::monostate{}}));
  CHECK(round_trip(std::unique_ptr<int>{}) == nullptr);
  CHECK(*round_trip(std::make_unique<std::string>("x")) == "x");
  CHECK(*round_trip(std::unique_ptr<const int>{new int{3}}) == 3);
}

TEST_CASE("wire: arrays and sequences") {
  CHECK(survives(std::array<double, 3>{1, -0.5, 1e300}));
  CHECK(survives(std::array<std::string, 2>{"a", ""}));
  CHECK(survives(std::array<int, 0>{}));
  CHECK(survives(std::vector<std::int64_t>{1, -2, 3}));
  CHECK(survives(std::vector<std::array<std::uint16_t, 2>>{{1, 2}, {3, 4}}));
  CHECK(survives(std::vector<std::string>{"", "a", "bc"}));
  CHECK(survives(std::vector<std::vector<int>>{{}, {1}, {2, 3}}));
  CHECK(survives(std::vector<colour>{colour::red, colour::green}));
  CHECK(survives(std::vector<truth>{truth::no, truth::yes}));
  CHECK(survives(std::deque<int>{1, 2, 3}));
  CHECK(survives(std::list<std::string>{"a", "b"}));
  CHECK(survives(std::forward_list<int>{3, 2, 1}));
  CHECK(survives(std::forward_list<std::string>{}));
  for (std::size_t n : {0, 1, 7, 8, 9, 64, 1001}) {
    std::vector<bool> bits(n);
    for (std::size_t i = 0; i != n; ++i) bits[i] = i % 3 == 0;
    CHECK(survives(bits));
    CHECK(wire::encode(bits).size() <= n / 8 + 3);
  }
}

TEST_CASE("wire: sets and maps") {
  CHECK(survives(std::set<int>{3, 1, 2}));
  CHECK(survives(std::set<int, std::greater<>>{3, 1, 2}));
  CHECK(survives(std::multiset<std::string>{"a", "a", "b"}));
  CHECK(survives(std::unordered_set<std::string>{"a", "b"}));
  CHECK(survives(std::unordered_multiset<int>{1, 1, 2}));
  CHECK(survives(std::map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}}));
  CHECK(survives(std::multimap<int, std::string>{{1, "z"}, {1, "a"}, {0, "m"}}));
  CHECK(survives(std::unordered_map<int, double>{{1, 2.0}, {3, 4.0}}));
  CHECK(survives(std::unordered_multimap<int, int>{{1, 2}, {1, 3}}));
  std::map<std::string, std::unique_ptr<int>> owners;
  owners.emplace("a", std::make_unique<int>(1));
  CHECK(*round_trip(owners).at("a") == 1);
}

TEST_CASE("wire: durations and time points") {
  CHECK(survives(-5ns));
  CHECK(survives(std::chrono::duration<double>{0.25}));
  CHECK(survives(std::chrono::system_clock::now()));
  CHECK(survives(std::chrono::steady_clock::time_point::max()));
  CHECK(survives(std::chrono::sys_days{std::chrono::days{20'000}}));
}

TEST_CASE("wire: elements that take no bytes") {
  CHECK(survives(std::vector<std::monostate>(1000)));
  CHECK(survives(std::vector<token>(5)));
  CHECK(survives(std::list<std::tuple<token, std::monostate>>(5)));
  CHECK(survives(std::vector<std::vector<token>>{{}, {token{}}, {token{}, token{}}}));
  CHECK(survives(std::vector<std::array<token, 4>>(3)));
}

TEST_CASE("wire: types that cannot be copied") {
  std::vector<handle> handles(3);
  handles[1].id = std::make_unique<int>(4);
  CHECK(survives(handles));
  CHECK(*wire::decode<std::optional<handle>>(wire::encode(std::optional<handle>{std::in_place}))
        == handle{});
}

TEST_CASE("wire: contiguous numbers are their bytes in memory, after a length") {
  const std::vector<std::int32_t> v{1, -1};
  CHECK(wire::encode(v) == bytes({2, 1, 0, 0, 0, 255, 255, 255, 255}));
  CHECK(wire::encode(std::array<std::uint16_t, 2>{0x0102, 3}) == bytes({2, 1, 3, 0}));
  CHECK(wire::encode(std::string(200, 'x')) == bytes({200, 1}) + std::string(200, 'x'));
  CHECK(survives(point{1, 2, 3}));
  CHECK(wire::encode(std::vector<point>(4)).size() == 1 + 4 * sizeof(point));
  STATIC_REQUIRE(wire::detail::is_flat<std::array<std::array<double, 2>, 3>>());
  STATIC_REQUIRE_FALSE(wire::detail::is_flat<bool>());
  STATIC_REQUIRE_FALSE(wire::detail::is_flat<truth>());
}

TEST_CASE("wire: values one after the other, and strings without a copy") {
  std::string out;
  wire::writer w{out};
  CHECK(w.apply(1));
  CHECK(w.apply(std::string{"view"}));
  CHECK(w.apply(2.5));
  wire::reader r{out};
  CHECK(r.take<int>() == 1);
  const std::string_view view = r.view();
  CHECK(view == "view");
  CHECK((view.data() > out.data() && view.data() < out.data() + out.size()));
  CHECK(r.take<double>() == 2.5);
  CHECK(r.expect_end());
  CHECK_THROWS_AS(r.take<char>(), wire::error);
  CHECK_FALSE(r.ok());
  token t;
  CHECK_FALSE(r.apply(t));
}

TEST_CASE("wire: what travels is known at compile time") {
  STATIC_REQUIRE((travels<int> && travels<std::string> && travels<tree> && travels<handle>));
  STATIC_REQUIRE((travels<point> && travels<std::vector<std::map<int, std::optional<point>>>>));
  STATIC_REQUIRE_FALSE((
      travels<
          plain> || travels<std::vector<plain>> || travels<std::map<int, std::variant<int, plain>>>));
  STATIC_REQUIRE_FALSE((
      travels<
          int*> || travels<int&> || travels<const int> || travels<void> || travels<std::string_view> || travels<std::shared_ptr<int>> || travels<std::function<int()>> || travels<std::exception_ptr> || travels<std::unique_ptr<std::exception>> || travels<int()>));
}
