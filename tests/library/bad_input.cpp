// SPDX-License-Identifier: BSD-3-Clause
// What makes no sense is refused at once, and the message names the option.
#include <chrono>
#include <functional>
#include <limits>
#include <ranges>
#include <stdexcept>
#include <string>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/collect.hpp"

using namespace testing;
using namespace std::chrono_literals;

namespace {

int same(int x) { return x; }

/// The message with which these options (or this buffersize) are refused.
template <class Options>
std::string refusal(const Options& options) {
  fmap::thread_pool pool{2};
  return message_of<std::invalid_argument>([&] {
    fmap::future_map{pool, same, std::views::iota(0), options};
  });
}

bool names(const std::string& message, const std::string& option) {
  INFO(message);
  return message.find(option) != std::string::npos && message != "something else";
}

}  // namespace

TEST_CASE("a buffersize of 0 is refused") {
  CHECK(names(refusal(0), "buffersize"));
  CHECK(names(refusal(0u), "buffersize"));
  CHECK(names(refusal(fmap::map_options{.buffersize = 0}), "buffersize"));
}

TEST_CASE("a negative buffersize is refused") {
  CHECK(names(refusal(-1), "buffersize"));
  CHECK(names(refusal(std::numeric_limits<long>::min()), "buffersize"));
}

TEST_CASE("a huge buffersize is taken as it is") {
  fmap::thread_pool pool{2};
  for (const auto n : {std::numeric_limits<std::size_t>::max(), std::size_t{1} << 40}) {
    fmap::future_map map{pool, same, std::views::iota(0, 100), n};
    CHECK(all_of(map).size() == 100);
  }
}

TEST_CASE("0 and negative numbers of workers are refused") {
  CHECK(names(message_of<std::invalid_argument>([] { fmap::thread_pool{0}; }), "workers"));
  CHECK(names(message_of<std::invalid_argument>([] { fmap::thread_pool{-1}; }), "workers"));
  CHECK(names(message_of<std::invalid_argument>([] { fmap::thread_pool{{.workers = 0}}; }),
              "workers"));
}

TEST_CASE("an absurd number of workers is refused") {
  CHECK(names(message_of<std::invalid_argument>(
                  [] { fmap::thread_pool{std::numeric_limits<std::size_t>::max()}; }),
              "workers"));
}

TEST_CASE("a chunksize of 0 is refused") {
  CHECK(names(refusal(fmap::map_options{.chunksize = 0}), "chunksize"));
  CHECK(names(refusal(fmap::map_options{.buffersize = 8, .chunksize = 0}), "chunksize"));
}

TEST_CASE("a chunksize larger than the buffersize is refused, naming both") {
  const auto message = refusal(fmap::map_options{.buffersize = 8, .chunksize = 9});
  CHECK(names(message, "chunksize (9)"));
  CHECK(names(message, "buffersize (8)"));
}

TEST_CASE("a chunksize without a buffersize is enough") {
  fmap::thread_pool pool{2};
  fmap::future_map map{pool, same, std::views::iota(0, 5000), fmap::map_options{.chunksize = 2000}};
  CHECK(all_of(map).size() == 5000);
  CHECK(map.stats().buffersize >= 2000);
}

TEST_CASE("a negative timeout is refused") {
  CHECK(names(refusal(fmap::map_options{.timeout = -1ns}), "timeout"));
  CHECK(names(refusal(fmap::map_options{.timeout = std::chrono::nanoseconds::min()}), "timeout"));
}

TEST_CASE("an item_timeout is refused on threads, which cannot be killed") {
  const auto message = refusal(fmap::map_options{.item_timeout = 1s});
  CHECK(names(message, "item_timeout"));
  CHECK(names(message, "process_pool"));
  CHECK(names(refusal(fmap::map_options{.item_timeout = 0s}), "item_timeout"));
}

TEST_CASE("max_attempts of 0 is refused") {
  CHECK(names(refusal(fmap::map_options{.max_attempts = 0}), "max_attempts"));
}

TEST_CASE("a pool survives what it refused") {
  fmap::thread_pool pool{2};
  CHECK_THROWS_AS((fmap::future_map{pool, same, std::views::iota(0), 0}), std::invalid_argument);
  CHECK(sorted(fmap::future_map(pool, same, std::views::iota(0, 10), 4)) == numbers(0, 10));
}
