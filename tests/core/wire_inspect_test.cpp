// SPDX-License-Identifier: BSD-3-Clause
// What users' inspect overloads may do, in both dialects of CAF's.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmap/wire.hpp>

#include "support/catch.hpp"
#include "support/wire_types.hpp"

namespace {

using namespace testing;
namespace wire = fmap::wire;

template <class T>
T round_trip(const T& x) {
  return wire::decode<T>(wire::encode(x));
}

template <class T>
bool survives(const T& x) {
  return round_trip(x) == x;
}

/// An enumeration whose overload checks what it reads, as CAF's default_enum_inspect does.
enum class checked : int { a, b };
template <class Inspector>
bool inspect(Inspector& f, checked& x) {
  auto get = [&x] { return static_cast<int>(x); };
  auto set = [&x](int v) { return x = static_cast<checked>(v), v == 0 || v == 1; };
  return f.has_human_readable_format() ? false : f.apply(get, set);
}

/// Reports what its overload was told.
struct chatty {
  int a = 0;
  int b[3]{};
  std::optional<int> c;
  int loads = 0, saves = 0;
};
template <class Inspector>
bool inspect(Inspector& f, chatty& x) {
  return f.object(x)
      .on_load([&x] { return ++x.loads, true; })
      .on_save([&x] { ++x.saves; })
      .pretty_name("chatty")
      .fields(f.field("a", x.a).invariant([](int a) { return a < 100; }).fallback(101),
              f.field("b", x.b),
              f.field(
                  "c", [&x] { return x.c.has_value(); }, [&x] { return *x.c; },
                  [&x] { x.c.reset(); }, [&x](int c) { x.c = c; }));
}

/// Callbacks, errors and what it can ask the inspector, in the dialect of CAF 0.17.
struct veteran {
  int a = 0, b = 0, loads = 0;
};
struct old_error {
  explicit operator bool() const { return failed; }
  bool failed = false;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, veteran& x) {
  static_assert(Inspector::reads_state != Inspector::writes_state);
  auto loaded = [&x] { return ++x.loads, old_error{x.a > 100}; };
  if (auto error = f(x.a)) return error;
  return f(x.b, caf::meta::load_callback(loaded));
}

/// An overload that returns bool and one that returns an error of its own.
struct lone {
  int a = 0;
};
template <class Inspector>
bool inspect(Inspector& f, lone& x) {
  return f(x.a);
}
struct failing {
  bool fails = true;
};
template <class Inspector>
old_error inspect(Inspector& f, failing& x) {
  f(x.fails);
  return {x.fails};
}
struct throwing {};
template <class Inspector>
auto inspect(Inspector& f, throwing&) {
  if (Inspector::is_loading) throw std::domain_error{"no"};
  return f();
}

}  // namespace

TEST_CASE("wire: inspect overloads in both dialects") {
  CHECK(survives(old_style{7, "seven"}));
  CHECK(survives(new_style{2.5, {1, 2}, "c"}));
  CHECK(survives(percentage{100}));
  CHECK(survives(percentage{1000}));  // the fallback need not keep to the invariant
  CHECK(survives(checked::b));
  CHECK(survives(std::vector<old_style>{{1, "a"}, {2, ""}}));
  CHECK(survives(std::vector{checked::a, checked::b}));
  tree t{1, {}, {}, std::make_unique<tree>()};
  t.children.resize(2);
  t.children[1].value = 5;
  t.named["x"].next = std::make_unique<tree>();
  CHECK(survives(t));
}

TEST_CASE("wire: fields with getters, callbacks, arrays and optional parts") {
  chatty x{1, {2, 3, 4}, 5};
  const auto y = round_trip(x);
  CHECK(x.saves == 1);
  CHECK(y.loads == 1);
  CHECK((y.a == 1 && y.b[0] == 2 && y.b[2] == 4 && y.c == 5));
  x.c.reset();
  x.a = 101;
  CHECK(round_trip(x).c == std::nullopt);
  x.a = 100;
  CHECK_THROWS_WITH(round_trip(x), Catch::Contains("a refused the value"));
}

TEST_CASE("wire: callbacks and early returns in the older dialect") {
  const auto y = round_trip(veteran{3, 4});
  CHECK((y.a == 3 && y.b == 4 && y.loads == 1));
  CHECK_THROWS_WITH(round_trip(veteran{101, 4}), Catch::Contains("a callback refused the value"));
  CHECK(round_trip(lone{9}).a == 9);
}

TEST_CASE("wire: what an overload refuses is an error that names the type") {
  CHECK_THROWS_WITH(wire::encode(failing{}), Catch::Contains("failing: inspect failed"));
  CHECK_THROWS_AS(round_trip(throwing{}), std::domain_error);
  CHECK_THROWS_WITH(wire::decode<percentage>(wire::encode(101)), Catch::Contains("value refused"));
  CHECK_THROWS_WITH(wire::decode<percentage>(wire::encode(-1)), Catch::Contains("value refused"));
  CHECK_THROWS_AS(wire::decode<checked>(wire::encode(2)), wire::error);
}

TEST_CASE("wire: a failed append leaves the string as it was") {
  std::string out = "before";
  CHECK_THROWS_AS(wire::append(out, std::pair{std::string(100, 'x'), failing{}}), wire::error);
  CHECK(out == "before");
}
