// SPDX-License-Identifier: BSD-3-Clause
// Leaving early, at any point and in every way: no hang, no leak, nobody left behind.
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/eventually.hpp"
#include "support/made_range.hpp"
#include "support/this_process.hpp"

using namespace testing;

namespace {

struct consumer_gave_up {};

using dice = std::mt19937_64;

std::uint64_t below(dice& r, std::uint64_t n) {
  return std::uniform_int_distribution<std::uint64_t>{0, n - 1}(r);
}

/// A map over counted items that goes wrong, or not, at chosen places.
struct plan {
  std::uint64_t source_throws = ~0ull, function_throws = ~0ull, sleeps_every = ~0ull;

  fmap::future_map<counted> start(fmap::thread_pool& pool, const fmap::map_options& options) const {
    made_range input{[at = source_throws](std::uint64_t i) {
      if (i == at) throw std::runtime_error{"source"};
      return counted{static_cast<int>(i)};
    }};
    return fmap::future_map<counted>{pool,
                                     [p = *this](counted c) {
                                       const auto i = static_cast<std::uint64_t>(c.value());
                                       if (i == p.function_throws)
                                         throw std::runtime_error{"function"};
                                       if (i % p.sleeps_every == 1)
                                         std::this_thread::sleep_for(
                                             std::chrono::microseconds{100});
                                       return c;
                                     },
                                     std::move(input), options};
  }
};

enum class way : unsigned {
  break_out,
  exception,
  before_begin,
  after_begin,
  stop_token,
  stop_elsewhere,
  throwing_source,
  throwing_function,
  pool_shut_down,
  pool_destroyed,
  pool_destroyed_elsewhere,
  moved_away,
  timeout,
  end
};

/// Starts a map and leaves it in one of the ways, after some results.
void leave(way how, dice& r) {
  std::optional<fmap::thread_pool> pool{std::in_place, 1 + below(r, 4)};
  const std::uint64_t patience = below(r, 3) == 0 ? 0 : below(r, 200);
  plan p;
  if (below(r, 4) == 0) p.sleeps_every = 1 + below(r, 50);
  if (how == way::throwing_source) p.source_throws = patience;
  if (how == way::throwing_function) p.function_throws = patience;
  std::stop_source stop;
  fmap::map_options options{.buffersize = 1 + below(r, 40), .ordered = below(r, 2) == 0};
  options.stop = stop.get_token();
  if (below(r, 4) == 0) options.chunksize = 1 + below(r, *options.buffersize);
  if (how == way::timeout) options.timeout = std::chrono::microseconds{below(r, 1000)};

  auto map = p.start(*pool, options);
  if (how == way::before_begin) return;
  std::jthread other;
  std::uint64_t results = 0;
  try {
    for (auto& result : map) {
      if (result.value() == counted::gone) throw std::logic_error{"moved-from result"};
      if (how == way::after_begin) return;
      if (++results <= patience) continue;
      switch (how) {
        case way::break_out: return;
        case way::exception: throw consumer_gave_up{};
        case way::stop_token: stop.request_stop(); break;
        case way::stop_elsewhere:
          if (!other.joinable()) other = std::jthread{[&] { stop.request_stop(); }};
          break;
        case way::pool_shut_down: pool->shutdown(); break;
        case way::pool_destroyed: pool.reset(); break;
        case way::pool_destroyed_elsewhere:
          if (!other.joinable()) other = std::jthread{[&] { pool.reset(); }};
          break;
        case way::moved_away: map = fmap::future_map<counted>{std::move(map)}; return;
        default:
          if (results == patience + 300) return;
      }
    }
  } catch (const consumer_gave_up&) {
  } catch (const fmap::timeout_error&) {
  } catch (const fmap::pool_shutdown&) {
  } catch (const std::runtime_error& e) {
    const std::string expected = how == way::throwing_source ? "source" : "function";
    if (e.what() != expected) throw;
  }
}

}  // namespace

TEST_CASE("random early exits leave nothing behind") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  dice r{seed};
  fmap::thread_pool keeps_the_system{1};
  leave(way::break_out, r);
  const std::size_t threads_before = threads_now();
  for (int i = 0; i < (memory_is_watched ? 300 : 1000); ++i) {
    const auto how = static_cast<way>(below(r, static_cast<std::uint64_t>(way::end)));
    CAPTURE(i, static_cast<unsigned>(how));
    REQUIRE_NOTHROW(leave(how, r));
    REQUIRE(counted::alive == 0);
  }
  CHECK(eventually([&] { return threads_now() <= threads_before + 1; }));
}

TEST_CASE("early exits on one pool do not disturb the map that stays") {
  dice r{7};
  fmap::thread_pool pool{3};
  std::atomic<bool> over{false};
  std::jthread leaver{[&] {
    while (!over) {
      auto map =
          plan{.function_throws = 10 + below(r, 50)}.start(pool, {.buffersize = 1 + below(r, 16)});
      try {
        for ([[maybe_unused]] auto& v : map)
          if (below(r, 40) == 0) break;
      } catch (const std::runtime_error&) {}
    }
  }};
  int results = 0;
  for ([[maybe_unused]] int v : fmap::future_map(
           pool, [](int x) { return x; }, std::views::iota(0, 200'000), 64))
    ++results;
  over = true;
  CHECK(results == 200'000);
}

TEST_CASE("the destructor waits for running calls") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> begun{0}, ended{0};
  auto map = std::make_unique<fmap::future_map<int>>(
      pool,
      [&](int i) {
        ++begun;
        if (i != 0) hold.pass();
        ++ended;
        return i;
      },
      std::views::iota(0), 32);
  CHECK(map->begin() != map->end());
  REQUIRE(eventually([&] { return hold.waiting() == 2; }));
  std::atomic<bool> left{false};
  std::jthread leaver{[&] {
    map.reset();
    left = true;
  }};
  CHECK_FALSE(left);
  hold.open();
  leaver.join();
  CHECK(begun == ended);
  CHECK(begun >= 3);
}

TEST_CASE("the destructor waits for no call that has not begun") {
  fmap::thread_pool pool{2};
  std::stop_source stop;
  gate hold;
  opens_at_exit guard{hold};
  std::atomic<int> begun{0};
  {
    fmap::future_map map{pool,
                         [&](int i) {
                           ++begun;
                           if (i != 0) hold.pass();
                           return i;
                         },
                         std::views::iota(0),
                         fmap::map_options{.buffersize = 32, .stop = stop.get_token()}};
    CHECK(map.begin() != map.end());
    REQUIRE(eventually([&] { return hold.waiting() == 2; }));
    stop.request_stop();  // what the destructor does first, here before the calls go on
    hold.open();
  }
  CHECK(begun == 3);
}

TEST_CASE("the destructor waits for the iterator") {
  fmap::thread_pool pool{2};
  gate hold;
  opens_at_exit guard{hold};
  auto input = std::make_unique<int>(0);  // what the iterator uses, gone right after the map
  auto map = std::make_unique<fmap::future_map<int>>(
      pool, [](int i) { return i; }, made_range{[&](std::uint64_t i) {
        if (i == 1) hold.pass();
        return ++*input;
      }},
      4);
  CHECK(map->begin() != map->end());
  REQUIRE(eventually([&] { return hold.waiting() == 1; }));
  std::jthread leaver{[&] {
    map.reset();
    input.reset();
  }};
  CHECK(hold.waiting() == 1);
  hold.open();
  leaver.join();
  CHECK(input == nullptr);
}

TEST_CASE("a map may be destroyed by another thread than the one that read it") {
  fmap::thread_pool pool{2};
  {
    auto map = std::make_unique<fmap::future_map<counted>>(plan{}.start(pool, {.buffersize = 8}));
    CHECK(map->begin() != map->end());
    std::jthread other{[m = std::move(map)]() mutable { m.reset(); }};
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("an exception in the loop's body destroys the map on its way out") {
  fmap::thread_pool pool{2};
  CHECK_THROWS_AS(
      [&] {
        for ([[maybe_unused]] auto& v : plan{}.start(pool, {.buffersize = 8}))
          throw consumer_gave_up{};
      }(),
      consumer_gave_up);
  CHECK(counted::alive == 0);
}

TEST_CASE("the child of an item that forked and forgot to exit ends with its item") {
  fmap::thread_pool pool{{.workers = 2}};
  fmap::future_map m{pool,
                     [](int x) {
                       const pid_t child = ::fork();
                       int status = 1;
                       if (child != 0) ::waitpid(child, &status, 0);
                       return status == 0 ? x : -1;
                     },
                     std::views::iota(0, 100),
                     {.buffersize = 8, .chunksize = 4}};
  for (auto& o : m.outcomes()) CHECK(o.value() == static_cast<int>(o.index()));
}
