// SPDX-License-Identifier: BSD-3-Clause
// How worker processes begin and end, and what they leave behind: nothing.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <thread>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/processes.hpp"

using namespace std::chrono_literals;
using testing::belongings;
using testing::eventually;
using testing::logbook;

namespace {

constexpr auto own_pid = [] { return ::getpid(); };
constexpr auto twice = [](int x) { return 2 * x; };

}  // namespace

TEST_CASE("nothing is left of a pool, however its map ended") {
  const belongings before;
  const auto leaves_nothing = [&](auto use) {
    {
      fmap::process_pool pool{2};
      use(pool);
    }
    CHECK(eventually([&] { return belongings{}.no_more_than(before); }));
  };
  leaves_nothing([](auto&) {});
  leaves_nothing([](auto& pool) { pool.submit(own_pid).get(); });
  leaves_nothing([](auto& pool) {
    for (int v : fmap::future_map{pool, twice, std::views::iota(0), 100})
      if (v > 1000) break;
  });
  leaves_nothing([](auto& pool) {
    CHECK_THROWS_AS(
        [&] {
          for (int v : fmap::future_map{pool, twice, std::views::iota(0), 100})
            if (v > 1000) throw std::runtime_error{"enough"};
        }(),
        std::runtime_error);
  });
  leaves_nothing([](auto& pool) {
    auto m = fmap::future_map{pool, twice, std::views::iota(0), 100};
    m.begin();
  });
  leaves_nothing([](auto& pool) {
    std::stop_source stop;
    int n = 0;
    for ([[maybe_unused]] int v : fmap::future_map{
             pool, twice, std::views::iota(0), {.buffersize = 100, .stop = stop.get_token()}})
      if (++n == 500) stop.request_stop();
  });
  leaves_nothing([](auto& pool) {
    std::vector<fmap::future<int>> all;
    for (int i = 0; i != 1000; ++i) all.push_back(pool.submit(twice, i));
    pool.shutdown({.wait = false, .cancel_futures = true});
    for (auto& f : all) f.wait();
    CHECK_THROWS_AS(pool.submit(own_pid), fmap::pool_shutdown);
  });
  leaves_nothing([](auto& pool) {
    auto f = pool.submit(twice, 4);
    pool.shutdown({.wait = false});
    CHECK(f.get() == 8);
  });
}

TEST_CASE("a pool destroyed under a live map finishes what is in flight") {
  auto pool = std::make_unique<fmap::process_pool>(2);
  fmap::future_map m{*pool, twice, std::views::iota(0), 50};
  auto it = m.begin();
  pool.reset();
  std::size_t n = 0;
  CHECK_THROWS_AS(
      [&] {
        for (; it != m.end(); ++it) ++n;
      }(),
      fmap::pool_shutdown);
  CHECK(n >= 1);
}

TEST_CASE("a task sees no descriptor of the parent's") {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> leak{std::fopen("/dev/null", "r"),
                                                             std::fclose};
  fmap::process_pool pool{1};
  const auto list = [] {
    std::map<int, std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
      std::error_code gone;
      result[std::atoi(entry.path().filename().c_str())] =
          std::filesystem::read_symlink(entry.path(), gone).string();
    }
    return result;
  };
  const auto listed = pool.submit(list);
  for (const auto& [fd, what] : listed.get()) {
    CAPTURE(fd, what);
    // A thread of fmap's may just be reading how many processors there are.
    const bool opened_there = what.starts_with("anon_inode:") || what.starts_with("pipe:")
                              || what.starts_with("/proc/") || what.starts_with("/sys/fs/cgroup/")
                              || what.empty();
    CHECK((fd <= 4 || opened_there || what.starts_with("socket:")));
    CHECK((fd <= 2 || what != "/dev/null"));
  }
}

TEST_CASE("no port is opened") {
  // Ours is whatever listens and belongs to one of our descriptors.
  const auto listening = [] {
    std::set<std::string> inodes;
    for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
      std::ifstream file{table};
      std::string line;
      while (std::getline(file, line)) {
        std::istringstream words{line};
        std::array<std::string, 10> w;
        for (auto& x : w) words >> x;
        if (w[3] == "0A") inodes.insert("socket:[" + w[9] + "]");
      }
    }
    int ours = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
      std::error_code gone;
      ours += inodes.contains(std::filesystem::read_symlink(entry.path(), gone).string()) ? 1 : 0;
    }
    return ours;
  };
  fmap::process_pool pool{2};
  CHECK(pool.submit(listening).get() == 0);
  CHECK(listening() == 0);
}

TEST_CASE("a pool of 64 processes") {
  const belongings before;
  {
    fmap::process_pool pool{64};
    std::set<int> pids;
    constexpr auto slow = [](int) {
      std::this_thread::sleep_for(20ms);
      return static_cast<int>(::getpid());
    };
    for (int pid : fmap::future_map{pool, slow, std::views::iota(0), 256})
      if (pids.insert(pid).second && pids.size() == 64) break;  // if there are fewer: never
  }
  CHECK(eventually([&] { return belongings{}.no_more_than(before); }));
}

namespace {

/// Takes its time to be read.
struct heavy {
  int value = 0;
};
template <class Inspector>
auto inspect(Inspector& f, heavy& h) {
  if constexpr (Inspector::is_loading) std::this_thread::sleep_for(30ms);
  return f(h.value);
}

}  // namespace

TEST_CASE("a process that takes long to read its items is not left without work") {
  fmap::process_pool pool{1};
  const auto value = [](heavy h) { return h.value; };
  const auto items =
      std::views::iota(0, 12) | std::views::transform([](int i) { return heavy{i}; });
  int sum = 0;
  for (int v : fmap::future_map{pool, value, items, {.buffersize = 4, .chunksize = 4}}) sum += v;
  CHECK(sum == 66);
}

TEST_CASE("large items there and back, and results larger than items") {
  fmap::process_pool pool{2};
  const auto echo = [](std::string s) { return s; };
  const std::string large(100'000'000, 'x');
  CHECK(pool.submit(echo, large).get() == large);
  const auto grow = [](int n) { return std::string(static_cast<std::size_t>(n), 'y'); };
  std::size_t bytes = 0;
  auto sizes = std::views::iota(0, 40) | std::views::transform([](int i) { return i * 100'000; });
  for (const auto& s : fmap::future_map{pool, grow, sizes, 8}) bytes += s.size();
  CHECK(bytes == 78'000'000);
  // More in both directions than any socket holds.
  auto texts = std::views::iota(0, 200) | std::views::transform([](int i) {
                 return std::string(1'000'000, static_cast<char>('a' + i % 26));
               });
  bytes = 0;
  for (const auto& s : fmap::future_map{pool, echo, texts, 100}) bytes += s.size();
  CHECK(bytes == 200'000'000);
  for (auto& m : fmap::future_map{pool, [](std::monostate) {}, std::vector<std::monostate>(5000)})
    bytes += sizeof m;
  CHECK(bytes == 200'005'000);
}

TEST_CASE("exceptions come back as what they were") {
  fmap::process_pool pool{1};
  const auto thrown = pool.submit([] { throw std::invalid_argument{"no"}; });
  CHECK_THROWS_AS(thrown.get(), std::invalid_argument);
  try {
    thrown.get();
  } catch (const fmap::remote_origin& e) {
    CHECK(e.type_name() == "std::invalid_argument");
    CHECK(e.pid() == pool.submit(own_pid).get());
  }
  struct own : std::runtime_error {
    using runtime_error::runtime_error;
  };
  CHECK_THROWS_AS(pool.submit([] { throw own{"mine"}; }).get(), std::runtime_error);
}

namespace {
int thrice(int x) { return 3 * x; }
struct scale {
  double by = 1;
  double operator()(double x) const { return by * x; }
};
template <class Inspector>
auto inspect(Inspector& f, scale& s) {
  return f(s.by);
}
}  // namespace

TEST_CASE("functions travel by name, function objects with their value, items may be move-only") {
  fmap::process_pool pool{2};
  CHECK(pool.submit(fmap::fn<&thrice>, 7).get() == 21);
  CHECK(pool.submit(scale{2.5}, 2.0).get() == 5.0);
  const auto sum = [](auto&& m) {
    double total = 0;
    for (auto& v : m) total += v;
    return total;
  };
  CHECK(sum(fmap::future_map{pool, scale{0.5}, std::views::iota(0, 101)}) == 2525);
  CHECK(sum(fmap::future_map{
            pool, fmap::with_state([] { return 10; }, [](int& ten, int x) { return ten * x; }),
            std::views::iota(0, 11)})
        == 550);
  std::vector<std::unique_ptr<int>> items;
  for (int i = 0; i != 100; ++i) items.push_back(std::make_unique<int>(i));
  int total = 0;
  for (auto& p :
       fmap::future_map{pool, [](std::unique_ptr<int> p) { return std::make_unique<int>(*p + 1); },
                        std::move(items)})
    total += *p;
  CHECK(total == 5050);
}

TEST_CASE("several maps and tasks at once on one pool") {
  fmap::process_pool pool{2};
  std::vector<std::jthread> users;
  std::atomic<int> good{0};
  for (int u = 0; u != 4; ++u)
    users.emplace_back([&, u] {
      for (int round = 0; round != 5; ++round) {
        std::int64_t sum = 0;
        for (int v : fmap::future_map{pool, twice, std::views::iota(0, 3000), 10 + 100 * u})
          sum += v;
        if (sum == 3000 * 2999) ++good;
        if (pool.submit(twice, u).get() == 2 * u) ++good;
        for (int v : fmap::future_map{pool, twice, std::views::iota(0), 64})
          if (v > 200) break;
      }
    });
  users.clear();
  CHECK(good == 40);
}

TEST_CASE("a program that ignores its children's ends") {
  const auto old = std::signal(SIGCHLD, SIG_IGN);
  {
    fmap::process_pool pool{{.workers = 1, .restarts = 0}};
    CHECK(pool.submit(twice, 1).get() == 2);
    CHECK_THROWS_AS(pool.submit([] { std::raise(SIGSEGV); }).get(), fmap::worker_lost);
  }
  std::signal(SIGCHLD, old);
}

TEST_CASE("leaving a map does not wait for what a worker has not begun") {
  fmap::process_pool pool{1};
  const auto begun = std::chrono::steady_clock::now();
  constexpr auto slow = [](int x) {
    if (x > 0) std::this_thread::sleep_for(50ms);
    return x;
  };
  for ([[maybe_unused]] int v :
       fmap::future_map{pool, slow, std::views::iota(0), {.buffersize = 1000, .chunksize = 500}})
    break;
  CHECK(std::chrono::steady_clock::now() - begun < 10s);
  CHECK(pool.submit(twice, 3).get() == 6);
}
