// SPDX-License-Identifier: BSD-3-Clause
// What newer standard libraries add. Compiled as C++23, as far as the compiler knows that.
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <version>

#if __cpp_lib_expected
#  include <expected>
#endif
#if __cpp_lib_generator
#  include <generator>
#endif

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"

using namespace testing;

TEST_CASE("C++23: the headers compile, and a map works") {
  fmap::thread_pool pool{2};
  fmap::future_map m{pool, [](int x) { return x + 1; }, std::views::iota(0, 100), 16};
  CHECK(sorted(m) == numbers(1, 101));
}

#if __cpp_lib_expected
TEST_CASE("C++23: an outcome becomes a std::expected") {
  fmap::thread_pool pool{1};
  const auto fn = [](int x) {
    if (x == 1) throw std::domain_error{"one"};
    return std::make_unique<int>(x);
  };
  fmap::future_map m{pool, fn, std::views::iota(0, 3), fmap::map_options{.ordered = true}};
  std::string seen;
  for (auto& o : m.outcomes()) {
    std::expected<std::unique_ptr<int>, std::exception_ptr> e = std::move(o).expected();
    seen += e ? std::to_string(**e) : message_of(e.error());
  }
  CHECK(seen == "0one2");

  const fmap::outcome<int> copied{7, 1, 42};
  static_assert(
      std::is_same_v<decltype(copied.expected()), std::expected<int, std::exception_ptr>>);
  CHECK(copied.expected().value() == 42);
  CHECK(copied.value() == 42);

  const auto nothing = [](int x) {
    if (x == 1) throw std::domain_error{"one"};
  };
  int values = 0, errors = 0;
  fmap::future_map n{pool, nothing, std::views::iota(0, 3), 2};
  for (const auto& o : n.outcomes()) o.expected() ? ++values : ++errors;
  CHECK(values == 2);
  CHECK(errors == 1);
}
#endif

#if __cpp_lib_generator
TEST_CASE("C++23: a generator is an input") {
  const auto endless = []() -> std::generator<int> {
    for (int i = 0;; ++i) co_yield i;
  };
  fmap::thread_pool pool{2};
  long sum = 0;
  int n = 0;
  for (const int x : fmap::future_map(
           pool, [](int x) { return 2 * x; }, endless(), 16)) {
    sum += x;
    if (++n == 1000) break;
  }
  CHECK(sum % 2 == 0);
  CHECK(sum >= 999'000);
}
#endif
