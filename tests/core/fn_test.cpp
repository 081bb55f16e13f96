// SPDX-License-Identifier: BSD-3-Clause
// Functions by name: what travels, what is registered, and what is the same program.

#define FMAP_TEST_FILE_NUMBER 1000
#include <functional>
#include <memory>
#include <string>

#include <fmap/detail/program_fingerprint.hpp>
#include <fmap/fn.hpp>
#include <fmap/with_state.hpp>

#include "support/catch.hpp"
#include "support/registered_call.hpp"

// In fn_other_file.cpp, which has a `shift` and a `local_lambda` too.
namespace other_file {

std::unique_ptr<testing::call> lambda();
std::unique_ptr<testing::call> function();

}  // namespace other_file

namespace {

using fmap::detail::stateless_function;
using fmap::detail::travelling_function;
using testing::send;

int twice(int x) { return 2 * x; }
int shift(int x) { return x << 1; }
int never_null(int x) noexcept { return x; }

struct page {
  int number = 0;
  int next() const { return number + 1; }
  int turn(int by) { return number += by; }
};

struct negate {
  int operator()(int x) const { return -x; }
};

struct scale {
  int by = 1;
  int operator()(int x) const { return by * x; }
};
template <class Inspector>
auto inspect(Inspector& f, scale& x) {
  return f(x.by);
}

/// Never called, and registered nevertheless.
struct unused {
  int operator()(int x) const { return x; }
};
[[maybe_unused]] void never_called() { send(unused{}); }

}  // namespace

TEST_CASE("fn: calls the function that it names") {
  CHECK(fmap::fn<&twice>(21) == 42);
  CHECK(fmap::fn<twice>(21) == 42);
  CHECK(fmap::fn<&page::next>(page{1}) == 2);
  CHECK(fmap::fn<&page::number>(page{7}) == 7);
  page p{1};
  CHECK(fmap::fn<&page::turn>(p, 2) == 3);
  CHECK(p.number == 3);
  STATIC_REQUIRE(noexcept(fmap::fn<&never_null>(1)));
  STATIC_REQUIRE_FALSE(noexcept(fmap::fn<&twice>(1)));
  STATIC_REQUIRE_FALSE(std::is_invocable_v<decltype(fmap::fn<&twice>), std::string>);
}

TEST_CASE("functions: what travels") {
  int captured = 3;
  auto none = [](int x) { return x; };
  auto nothing_after_all = [&](int x) { return x; };
  auto one = [captured](int x) { return x + captured; };
  STATIC_REQUIRE(stateless_function<decltype(none)>);
  STATIC_REQUIRE(stateless_function<decltype(nothing_after_all)>);
  STATIC_REQUIRE(stateless_function<std::remove_const_t<decltype(fmap::fn<&twice>)>>);
  STATIC_REQUIRE(stateless_function<std::plus<>>);
  STATIC_REQUIRE((travelling_function<scale> && !stateless_function<scale>));
  STATIC_REQUIRE_FALSE(travelling_function<decltype(one)>);
  STATIC_REQUIRE_FALSE(travelling_function<decltype(&twice)>);
  STATIC_REQUIRE_FALSE(travelling_function<decltype(&page::next)>);
  STATIC_REQUIRE_FALSE(travelling_function<std::function<int(int)>>);
  CHECK(one(1) == 4);
}

TEST_CASE("functions: are found by their type's name and come with their state") {
  CHECK(send(negate{})->apply(3) == -3);
  CHECK(send([](int x) { return x * x; })->apply(3) == 9);
  CHECK(send([&](int x) { return x + 1; })->apply(3) == 4);
  CHECK(send(fmap::fn<&twice>)->apply(3) == 6);
  CHECK(send(scale{7})->apply(3) == 21);
}

TEST_CASE("functions: with_state travels if both of its parts do") {
  const auto f = fmap::with_state([] { return 0; }, scale{5});
  using type = std::remove_const_t<decltype(f)>;
  STATIC_REQUIRE(travelling_function<type>);
  std::string bytes;
  fmap::wire::writer out{bytes};
  fmap::detail::write_function(out, f);
  fmap::wire::reader in{bytes};
  CHECK(fmap::detail::read_function<type>(in).fn.by == 5);
  CHECK(in.expect_end());
  int x = 1;
  STATIC_REQUIRE_FALSE(travelling_function<decltype(fmap::with_state([x] { return x; }, scale{}))>);
}

TEST_CASE("functions: state that is malformed is an error") {
  fmap::wire::reader in{"abc"};
  CHECK_THROWS_AS(fmap::detail::read_function<scale>(in), fmap::wire::error);
}

TEST_CASE("registry: types of two files with the same name are told apart") {
  const auto here = send(testing::local_lambda()), there = other_file::lambda();
  CHECK(here->apply(1) == 1001);
  CHECK(there->apply(1) == 2001);
  CHECK(here->key() != there->key());
  CHECK(send(fmap::fn<&shift>)->apply(1) == 2);
  CHECK(other_file::function()->apply(1) == 4);
}

TEST_CASE("registry: is filled before main") {
  using registry = fmap::detail::registry<testing::make_call>;
  CHECK(registry::find(typeid(testing::typed_call<unused>).name()) != nullptr);
}

TEST_CASE("registry: numbers the functions of a name, and keeps families apart") {
  using fmap::detail::register_function;
  using fmap::detail::registered_function;
  const fmap::detail::any_function a = [] {}, b = [] {}, c = [] {};
  const auto& family = typeid(page);
  CHECK(register_function(family, "name", a) == "name");
  CHECK(register_function(family, "name", b) == "name#1");
  CHECK(register_function(family, "name", c) == "name#2");
  CHECK(register_function(family, "name", b) == "name#1");
  CHECK(registered_function(family, "name#2") == c);
  CHECK(registered_function(family, "name#3") == nullptr);
  CHECK(registered_function(family, "") == nullptr);
  CHECK(registered_function(typeid(scale), "name") == nullptr);
}

TEST_CASE("fingerprint: is there and stays the same") {
  const std::string& id = fmap::detail::program_fingerprint();
  CHECK_THAT(id, Catch::StartsWith("fmap-4:"));
  CHECK(id.size() >= 20);
  CHECK(&fmap::detail::program_fingerprint() == &id);
}
