// SPDX-License-Identifier: BSD-3-Clause
// What cannot be written, and what is not what a writer writes.

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

std::string bytes(std::initializer_list<int> list) {
  std::string s;
  for (const int b : list) s.push_back(static_cast<char>(b));
  return s;
}

struct fragile {
  fragile() = default;
  explicit fragile(int) { throw std::domain_error{"fragile"}; }
  std::string a;
};
template <class Inspector>
auto inspect(Inspector& f, fragile& x) {
  return f(x.a);
}

}  // namespace

TEST_CASE("wire: what is malformed is an error that says where") {
  CHECK_THROWS_WITH(wire::decode<int>("abc"), "the end comes too early, at byte 0 of 3");
  CHECK_THROWS_WITH(wire::decode<char>("abc"), "bytes after the end, at byte 1 of 3");
  CHECK_THROWS_WITH(wire::decode<bool>("\2"),
                    "a bool that is neither true nor false, at byte 1 of 1");
  CHECK_THROWS_WITH(wire::decode<std::string>("\5abcd"), Catch::Contains("more than there is"));
  CHECK_THROWS_WITH(wire::decode<std::string>(std::string(11, '\xff')),
                    Catch::Contains("does not end"));
  CHECK_THROWS_WITH((wire::decode<std::variant<int, char>>("\2")), Catch::Contains("index"));
  CHECK_THROWS_WITH(wire::decode<std::set<char>>("\2aa"), Catch::Contains("twice"));
  CHECK_THROWS_WITH((wire::decode<std::map<char, char>>("\2abac")), Catch::Contains("twice"));
  CHECK_THROWS_WITH(wire::decode<std::vector<bool>>("\1\2"), Catch::Contains("bits after"));
  CHECK_THROWS_WITH(wire::decode<std::vector<token>>("\1a"), Catch::Contains("no bytes"));
}

TEST_CASE("wire: the lengths within elements cannot add up to more than there is") {
  // Two vectors, the first of which claims the byte that the second needs at least.
  CHECK_THROWS_AS((wire::decode<std::vector<std::vector<char>>>("\2\2ab")), wire::error);
  CHECK(wire::decode<std::vector<std::vector<char>>>(bytes({2, 1, 'a', 0})).size() == 2);
}

TEST_CASE("wire: objects that are nested too deep are refused by both sides") {
  const auto chain = [](int n) {
    tree t;
    for (tree* last = &t; n > 1; --n) last = (last->next = std::make_unique<tree>()).get();
    return t;
  };
  const tree deep = chain(wire::detail::max_depth);
  CHECK(wire::decode<tree>(wire::encode(deep)) == deep);
  CHECK_THROWS_WITH(wire::encode(chain(wire::detail::max_depth + 1)),
                    Catch::Contains("nested too deep"));
  std::string endless;
  for (int i = 0; i != 2000; ++i) endless += bytes({0, 0, 0, 0, 0, 0, 1});
  CHECK_THROWS_WITH(wire::decode<tree>(endless), Catch::Contains("nested too deep"));
}

TEST_CASE("wire: a variant that lost its value cannot be written") {
  std::variant<std::string, fragile> v;
  CHECK_THROWS_AS(v.emplace<fragile>(1), std::domain_error);
  REQUIRE(v.valueless_by_exception());
  CHECK_THROWS_AS(wire::encode(v), wire::error);
}
