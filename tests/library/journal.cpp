// SPDX-License-Identifier: BSD-3-Clause
// Runs that are broken off and taken up again.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/journal.hpp>
#include <fmap/process_pool.hpp>

#include "library/journal_elsewhere.hpp"
#include "support/catch.hpp"
#include "support/collect.hpp"
#include "support/content_of.hpp"
#include "support/eventually.hpp"
#include "support/folder.hpp"
#include "support/made_range.hpp"
#include "support/pools.hpp"

using namespace std::chrono_literals;
using namespace testing;
namespace fs = std::filesystem;

namespace {

/// Fails for every tenth number.
constexpr auto mostly = [](int x) {
  if (x % 10 == 3) throw std::invalid_argument{"not " + std::to_string(x)};
  return 2 * x;
};

struct told {
  std::map<std::uint64_t, int> values;
  std::map<std::uint64_t, std::string> errors;
  std::vector<std::uint64_t> order;

  template <class Map>
  explicit told(Map&& m, std::size_t most = 1'000'000) {
    for (auto& o : m.outcomes()) {
      order.push_back(o.index());
      if (o)
        values[o.index()] = o.value();
      else
        errors[o.index()] = o.what();
      if (order.size() == most) break;
    }
  }
  std::size_t size() const { return order.size(); }
};

/// How often an item was executed; in this process.
struct counted {
  std::atomic<int> calls{0};
  auto function() {
    return [this](int x) {
      ++calls;
      return mostly(x);
    };
  }
};

void write(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

}  // namespace

TEMPLATE_TEST_CASE("journal: a run that was left goes on where it was", "[journal]",
                   FMAP_TESTED_POOLS) {
  TestType pool{2};
  const folder here;
  std::set<std::uint64_t> seen;
  std::size_t again = 0;
  for (const std::size_t most : {1u, 250u, 300u, 10'000u}) {
    fmap::journal done{here / "run"};
    const told some{
        fmap::future_map{
            pool, mostly, std::views::iota(0, 1000), {.buffersize = 32, .journal = &done}},
        most};
    for (const auto& [i, v] : some.values) CHECK(v == 2 * static_cast<int>(i));
    for (const auto& [i, text] : some.errors) CHECK(text == "not " + std::to_string(i));
    for (const std::uint64_t i : some.order) again += !seen.insert(i).second;
  }
  CHECK(seen.size() == 1000);
  CHECK(again == 3);  // the one that the consumer had, each time
  fmap::journal done{here / "run"};
  CHECK(done.done() == 900);
  CHECK(done.failed() == 100);
  CHECK(done.summary() == "900 done, 100 failed");
  CHECK(told{fmap::future_map{pool, mostly, std::views::iota(0, 1000), {.journal = &done}}}.size()
        == 0);
}

TEMPLATE_TEST_CASE("journal: what is recorded can be handed out again", "[journal]",
                   FMAP_TESTED_POOLS) {
  TestType pool{2};
  const folder here;
  const bool ordered = GENERATE(false, true);
  {
    fmap::journal done{here / "run"};
    const told some{fmap::future_map{pool, mostly, std::views::iota(0, 1000), {.journal = &done}},
                    400};
  }
  fmap::journal done{here / "run", {.replay = true}};
  const told all{fmap::future_map{pool,
                                  mostly,
                                  std::views::iota(0, 1000),
                                  {.buffersize = 16, .ordered = ordered, .journal = &done}}};
  CHECK(all.size() == 1000);
  CHECK(all.values.size() == 900);
  CHECK(all.values.at(998) == 1996);
  CHECK(all.errors.at(33) == "not 33");
  if (ordered) CHECK(std::ranges::is_sorted(all.order));
  CHECK(done.done() + done.failed() == 1000);
}

TEST_CASE("journal: what is recorded is not executed again, but for errors if they are to be") {
  fmap::thread_pool pool{2};
  const folder here;
  counted first, second, third;
  {
    fmap::journal done{here / "run"};
    CHECK(told{fmap::future_map{pool, first.function(), numbers(0, 200), {.journal = &done}}}.size()
          == 200);
  }
  CHECK(first.calls == 200);
  {
    fmap::journal done{here / "run", {.replay = true, .retry_failed = true}};
    CHECK(
        told{fmap::future_map{pool, second.function(), numbers(0, 300), {.journal = &done}}}.size()
        == 300);
    CHECK(done.summary() == "270 done, 30 failed");
  }
  CHECK(second.calls == 120);
  fmap::journal done{here / "run", {.retry_failed = true}};
  const auto succeeds = [&](int x) { return ++third.calls, x; };
  CHECK(told{fmap::future_map{pool, succeeds, numbers(0, 300), {.journal = &done}}}.size() == 30);
  CHECK(third.calls == 30);
  CHECK(done.summary() == "300 done, 0 failed");
}

TEST_CASE("journal: an error that is retried is recorded once, with its last outcome") {
  fmap::thread_pool pool{2};
  const folder here;
  std::atomic<int> calls{0};
  const auto second_time = [&](int x) {
    if (++calls <= 10) throw fmap::transient{"not yet"};
    return x;
  };
  fmap::journal done{here / "run"};
  const told all{fmap::future_map{
      pool,
      second_time,
      numbers(0, 10),
      {.retry = fmap::retry_policy{.attempts = 20, .first = {}}, .journal = &done}}};
  CHECK(all.values.size() == 10);
  CHECK(done.summary() == "10 done, 0 failed");
}

TEST_CASE("journal: another item at a recorded place ends the map before it is executed") {
  fmap::thread_pool pool{2};
  const folder here;
  {
    fmap::journal done{here / "run"};
    CHECK(told{fmap::future_map{pool, mostly, numbers(0, 100), {.journal = &done}}}.size() == 100);
  }
  std::vector<int> input = numbers(0, 200);
  input[57] = 1057;
  fmap::journal done{here / "run"};
  std::atomic<bool> executed{false};
  fmap::future_map m{pool,
                     [&](int x) {
                       executed = executed || x == 1057;
                       return x;
                     },
                     input,
                     {.journal = &done}};
  try {
    for ([[maybe_unused]] auto& o : m.outcomes()) {}
    FAIL("nothing was thrown");
  } catch (const fmap::journal_mismatch& e) {
    CHECK(e.index() == 57);
    CHECK_THAT(e.what(), Catch::Contains("item 57") && Catch::Contains(here / "run"));
  }
  CHECK_FALSE(executed);
}

TEST_CASE("journal: by item, inputs may be reordered and extended, and equal items are counted") {
  fmap::thread_pool pool{2};
  const folder here;
  const fmap::journal_options by_item{.replay = true, .match = fmap::by_item};
  counted first, second;
  std::vector<int> input = numbers(0, 100);
  input.insert(input.end(), {7, 7, 13});  // 13 fails
  {
    fmap::journal done{here / "run", by_item};
    CHECK(told{fmap::future_map{pool, first.function(), input, {.journal = &done}}}.size() == 103);
  }
  std::ranges::reverse(input);
  input.insert(input.begin(), {7, 500, 13});
  fmap::journal done{here / "run", by_item};
  const told all{fmap::future_map{pool, second.function(), input, {.journal = &done}}};
  CHECK(second.calls == 3);
  CHECK(all.size() == 106);
  for (const auto& [i, v] : all.values) CHECK(v == 2 * input[i]);
  for (const auto& [i, text] : all.errors) CHECK(text == "not " + std::to_string(input[i]));
}

TEST_CASE("journal: values come back as they were, moved from by their consumer or not") {
  fmap::thread_pool pool{2};
  const folder here;
  const auto text = [](int x) { return std::string(static_cast<std::size_t>(x), 'a'); };
  std::size_t n = 0;
  {
    fmap::journal done{here / "run"};
    for (auto& s : fmap::future_map{pool, text, std::views::iota(0, 3000), {.journal = &done}})
      n += std::string{std::move(s)}.size();
  }
  fmap::journal done{here / "run", {.replay = true}};
  for (auto& s : fmap::future_map{pool, text, std::views::iota(0, 3000), {.journal = &done}})
    n -= s.size();
  CHECK(n == 0);
}

TEST_CASE("journal: maps over several ranges, and over futures; with copies of items") {
  fmap::thread_pool pool{2};
  const folder here;
  std::atomic<int> calls{0};
  for (const std::size_t wanted : {50u, 0u}) {
    fmap::journal done{here / "zip"};
    const auto add = [&](int x, int y) { return ++calls, x + y; };
    CHECK(all_of(pool.map({.journal = &done}, add, numbers(0, 50), numbers(1, 60))).size()
          == wanted);
  }
  for (const std::size_t wanted : {60u, 0u}) {
    fmap::journal done{here / "one"};
    CHECK(all_of(pool.map(
                     {.journal = &done}, [&](int x) { return ++calls, x; }, numbers(0, 60)))
              .size()
          == wanted);
  }
  for (const std::size_t wanted : {70u, 0u}) {
    fmap::journal done{here / "futures"};
    const auto later = [&](int x) { return pool.submit([&](int y) { return ++calls, y; }, x); };
    CHECK(all_of(fmap::future_map{later, numbers(0, 70), {.journal = &done}}).size() == wanted);
  }
  for (const int from : {0, 40}) {
    fmap::journal done{here / "kept"};
    for (auto& o : fmap::future_map{pool,
                                    [&](int x) { return ++calls, x; },
                                    numbers(0, from + 40),
                                    {.journal = &done, .keep_items = true}}
                       .outcomes())
      CHECK(o.item<int>() == static_cast<int>(o.index()));
  }
  CHECK(calls == 50 + 60 + 70 + 80);
}

TEST_CASE("journal: the bound counts what is not recorded") {
  fmap::thread_pool pool{2};
  const folder here;
  fmap::journal done{here / "run", {.durable = GENERATE(false, true)}};
  const std::size_t bound = GENERATE(1u, 2u, 40u);
  std::atomic<std::uint64_t> executed{0};
  std::uint64_t taken = 0;
  fmap::future_map m{pool,
                     [&](int y) { return ++executed, y; },
                     std::views::iota(0, 300),
                     {.buffersize = bound, .journal = &done}};
  for ([[maybe_unused]] int x : m) {
    REQUIRE(done.done() == taken);
    REQUIRE(executed <= done.done() + bound);
    ++taken;
    REQUIRE(m.stats().taken == taken);
    REQUIRE(m.stats().in_flight <= bound);
  }
  CHECK(taken == 300);
  CHECK(done.done() == 300);
}

TEST_CASE("journal: cut anywhere in its last two records, it opens and goes on") {
  fmap::thread_pool pool{1};
  const folder here;
  {
    fmap::journal done{here / "whole"};
    CHECK(told{fmap::future_map{pool, mostly, numbers(0, 6), {.journal = &done}}}.size() == 6);
  }
  const std::string whole = content_of(here / "whole");
  std::size_t kept = 0;
  // A record of an int has less than 64 bytes, and one of an error less than 200.
  for (std::size_t size = whole.size(); size + 128 > whole.size(); --size) {
    for (const std::size_t zeros : {0u, 5000u}) {  // as a killed process leaves it, too
      write(here / "cut", whole.substr(0, size) + std::string(zeros, '\0'));
      fmap::journal done{here / "cut", {.replay = true}};
      kept = done.done() + done.failed();
      REQUIRE(kept >= 2);
      const told all{fmap::future_map{pool, mostly, numbers(0, 8), {.journal = &done}}};
      REQUIRE(all.size() == 8);
      REQUIRE(done.done() + done.failed() == 8);
    }
  }
  CHECK(kept <= 4);
}

TEST_CASE("journal: files that are none, or no good, are refused and left alone") {
  const folder here;
  fmap::thread_pool pool{1};
  const auto why = [&](const std::string& path) {
    return message_of<fmap::journal_error>([&] { fmap::journal{path}; });
  };
  const std::string path = here / "run";
  CHECK_THAT(why(here.path()), Catch::Contains("cannot open it"));
  CHECK_THAT(why("/dev/null"), Catch::Contains("no regular file"));
  CHECK_THAT(why(here / "nowhere/run"), Catch::Contains("No such file"));
  write(path, std::string(500, 'x'));
  CHECK_THAT(why(path), Catch::Contains("it is no journal"));
  CHECK(content_of(path) == std::string(500, 'x'));
  fs::remove(path);
  {
    fmap::journal done{path};
    CHECK(told{fmap::future_map{pool, mostly, numbers(0, 50), {.journal = &done}}}.size() == 50);
    CHECK_THAT(why(path), Catch::Contains("in use by process " + std::to_string(::getpid())));
  }
  const std::string good = content_of(path);
  write(path, good.substr(0, 63));
  CHECK_THAT(why(path), Catch::Contains("its head is cut off"));
  std::string other = good;
  other[8] = 9;
  write(path, other);
  CHECK_THAT(why(path), Catch::Contains("version 9") && Catch::Contains("version 1"));
  other = good;
  other[good.size() / 2] ^= 1;
  write(path, other);
  CHECK_THAT(why(path), Catch::Contains("damaged at byte") && Catch::Contains("truncate -s"));
  CHECK(content_of(path) == other);
  write(path, good);
  fmap::journal done{path};
  CHECK(done.done() + done.failed() == 50);
}

TEST_CASE("journal: maps that cannot have one are refused") {
  const folder here;
  fmap::thread_pool pool{1};
  fmap::journal done{here / "run"};
  const fmap::map_options options{.journal = &done};
  const auto share = [](int x) { return std::make_shared<int>(x); };
  CHECK_THAT(message_of<std::invalid_argument>(
                 [&] { fmap::future_map(pool, share, numbers(0, 3), options); }),
             Catch::Contains("shared_ptr") && Catch::Contains("another process"));
  CHECK_THAT(message_of<std::invalid_argument>([&] { map_elsewhere(pool, options); }),
             Catch::Contains("include <fmap/journal.hpp>"));
  {
    fmap::future_map one{pool, mostly, numbers(0, 3), options};
    CHECK_THAT(message_of<std::logic_error>(
                   [&] { fmap::future_map(pool, mostly, numbers(0, 3), options); }),
               Catch::Contains("in use by another map"));
  }
  CHECK(told{fmap::future_map{pool, mostly, numbers(0, 3), options}}.size() == 3);
  const auto as_text = [](int x) { return std::to_string(x); };
  CHECK_THAT(message_of<fmap::journal_error>(
                 [&] { fmap::future_map(pool, as_text, numbers(0, 3), options); }),
             Catch::Contains("int -> int") && Catch::Contains("int -> std::"));
}

TEST_CASE(
    "journal: a process that has it is named, and how many items ran in one that was killed") {
  const folder here;
  const std::string path = here / "run";
  int there[2];
  REQUIRE(::pipe(there) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    fmap::thread_pool pool{2};
    fmap::journal done{path};
    const auto same = [](int x) { return x; };
    fmap::future_map m{pool, same, std::views::iota(0, 1000), {.buffersize = 8, .journal = &done}};
    auto it = m.begin();
    for (int i = 0; i != 2; ++i) ++it;
    // The consumer has one, and seven are under way.
    while (m.stats().pulled != 10) {}
    ::write(there[1], "x", 1);
    for (;;) ::pause();
  }
  ::close(there[1]);
  char x;
  REQUIRE(::read(there[0], &x, 1) == 1);
  CHECK_THAT(message_of<fmap::journal_error>([&] { fmap::journal{path}; }),
             Catch::Contains("in use by process " + std::to_string(child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(there[0]);
  fmap::journal done{path};
  CHECK(done.summary() == "2 done, 0 failed, 8 running when it was killed");
}

TEST_CASE("journal: a full disk ends the map, and nothing that is recorded is lost") {
  const folder here;
  fmap::thread_pool pool{2};
  struct limits {
    rlimit before{};
    limits() {
      ::getrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit less{3u << 20, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &less);
    }
    ~limits() {
      ::setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, SIG_DFL);
    }
  };
  const auto large = [](int x) { return std::string(100'000, static_cast<char>('a' + x % 26)); };
  std::uint64_t taken = 0;
  {
    const limits no_more;
    fmap::journal done{here / "run"};
    const auto all = [&] {
      for ([[maybe_unused]] auto& s :
           fmap::future_map{pool, large, std::views::iota(0, 100), {.journal = &done}})
        ++taken;
    };
    CHECK_THAT(message_of<fmap::journal_error>(all), Catch::Contains("cannot make it larger"));
    CHECK(done.done() + 1 == taken);
  }
  fmap::journal done{here / "run", {.replay = true}};
  CHECK(done.done() + 1 == taken);
  std::uint64_t right = 0;
  for (auto& o :
       fmap::future_map{pool, large, std::views::iota(0, 100), {.journal = &done}}.outcomes())
    right += o.value() == large(static_cast<int>(o.index()));
  CHECK(right == 100);
}

TEST_CASE("journal: an item that nobody has executed is not recorded") {
  const folder here;
  {
    fmap::process_pool pool{2};
    const meeting_point there;
    fmap::journal done{here / "run"};
    const auto waits = [](const std::pair<std::string, int>& x) {
      return x.second < 10 ? x.second : meet(x.first, x.second);
    };
    std::vector<std::pair<std::string, int>> input;
    for (int i = 0; i != 40; ++i) input.emplace_back(there.path(), i);
    fmap::future_map m{pool, waits, input, {.buffersize = 8, .journal = &done}};
    std::size_t values = 0, broken = 0;
    auto all = m.outcomes();
    try {
      for (auto& o : all) {
        ++(o ? values : broken);
        if (values != 10 || broken != 0) continue;
        REQUIRE(eventually([&] { return there.arrived() == 2; }));
        pool.kill_workers();
      }
    } catch (const fmap::broken_pool&) {}  // there would have been more input
    CHECK(values == 10);
    CHECK(broken != 0);
    CHECK(done.failed() == 0);
    CHECK(done.done() == 10);
  }
  fmap::thread_pool pool{1};
  fmap::journal done{here / "futures"};
  const auto later = [&](int x) {
    auto f = pool.submit([x] { return x; });
    if (x == 3) f.cancel();
    return f;
  };
  const told all{fmap::future_map{later, numbers(0, 10), {.buffersize = 1, .journal = &done}}};
  CHECK(all.size() == 10);
  CHECK(done.failed() == 0);
  CHECK(done.done() == all.values.size());
}

TEST_CASE("journal: an item behind recorded ones is executed while the input waits for the next") {
  fmap::thread_pool pool{2};
  const folder here;
  {
    fmap::journal done{here / "run"};
    CHECK(told{fmap::future_map{pool, mostly, numbers(0, 500), {.journal = &done}}}.size() == 500);
  }
  fmap::journal done{here / "run"};
  std::atomic<bool> seen{false}, in_time{true};
  auto input = made_range{[&](std::uint64_t i) {
                            if (i == 501) in_time = eventually([&] { return seen.load(); });
                            return static_cast<int>(i);
                          },
                          502};
  for (auto& o :
       fmap::future_map{pool, mostly, input, {.buffersize = 64, .journal = &done}}.outcomes())
    if (o.index() == 500) seen = true;
  CHECK(seen);
  CHECK(in_time);
}

TEST_CASE("journal: what is passed over does not count for what an item costs") {
  fmap::thread_pool pool{2};
  const folder here;
  const auto costly = [](int x) {
    if (x >= 600) std::this_thread::sleep_for(1ms);
    return x;
  };
  {
    fmap::journal done{here / "run"};
    CHECK(told{fmap::future_map{pool, costly, numbers(0, 600), {.journal = &done}}}.size() == 600);
  }
  fmap::journal done{here / "run", {.replay = GENERATE(false, true)}};
  const auto new_function = [&](int x) { return costly(x); };
  fmap::future_map m{pool, new_function, numbers(0, 700), {.journal = &done}};
  std::size_t widest = 0;
  for ([[maybe_unused]] int x : m) widest = std::max(widest, m.stats().buffersize);
  CHECK(widest <= 32);
}

TEST_CASE("journal: a map that could not be made leaves it free") {
  const folder here;
  fmap::journal done{here / "run"};
  fmap::thread_pool closed{1};
  closed.shutdown();
  CHECK_THROWS_AS((fmap::future_map{closed, mostly, numbers(0, 3), {.journal = &done}}),
                  fmap::pool_shutdown);
  fmap::thread_pool pool{1};
  CHECK(told{fmap::future_map{pool, mostly, numbers(0, 3), {.journal = &done}}}.size() == 3);
}

TEST_CASE("journal: a forked child changes nothing of its parent's") {
  const folder here;
  auto done = std::make_unique<fmap::journal>(here / "run");
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 1;
    try {
      fmap::thread_pool pool{1};
      fmap::future_map m{pool, mostly, numbers(0, 3), {.journal = done.get()}};
    } catch (const fmap::journal_error&) {
      code = 0;
    }
    done.reset();
    ::_exit(code);
  }
  fmap::thread_pool pool{1};
  const auto run = [&](int items) {
    return told{fmap::future_map{pool, mostly, numbers(0, items), {.journal = done.get()}}}.size();
  };
  CHECK(run(1000) == 1000);
  int status = 1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(run(3000) == 2000);
  done.reset();
  CHECK(fmap::journal{here / "run"}.done() == 2700);
}

TEST_CASE("journal: a length that is damaged hides nothing that is behind it") {
  const folder here;
  const std::string path = here / "run";
  fmap::thread_pool pool{1};
  {
    fmap::journal done{path};
    CHECK(told{fmap::future_map{pool, mostly, numbers(0, 50), {.journal = &done}}}.size() == 50);
  }
  const std::string good = content_of(path);
  std::uint32_t length = 0;  // of the first record
  std::memcpy(&length, good.data() + 64, sizeof length);
  const std::size_t second = 64 + 12 + length;
  for (std::size_t byte = 0; byte != 12; ++byte) {
    std::string other = good;
    other[second + byte] = static_cast<char>(other[second + byte] ^ 0x40);
    write(path, other);
    CHECK_THAT(message_of<fmap::journal_error>([&] { fmap::journal{path}; }),
               Catch::Contains("damaged at byte " + std::to_string(second)));
    CHECK(content_of(path) == other);
  }
}

TEST_CASE("journal: what a machine's crash has left behind what was on the disk is cut off") {
  const folder here;
  const std::string path = here / "run";
  fmap::thread_pool pool{1};
  const auto run = [&] {
    fmap::journal done{path, {.durable = true}};
    return told{fmap::future_map{pool, mostly, numbers(0, 50), {.journal = &done}}}.size();
  };
  CHECK(run() == 50);
  const std::string good = content_of(path);
  // A page that was not written, and behind it one that was.
  write(path, good + std::string(4096, '\0') + std::string(4096, 'x'));
  CHECK(run() == 0);
  std::string worse = good;
  worse[good.size() / 2] = static_cast<char>(worse[good.size() / 2] ^ 1);
  write(path, worse);
  CHECK_THROWS_AS(fmap::journal{path}, fmap::journal_error);
}
