// SPDX-License-Identifier: BSD-3-Clause
// Items that fail in worker processes and are tried again, maybe in others.
#include <csignal>
#include <ranges>
#include <string>
#include <thread>
#include <utility>

#include <sys/types.h>
#include <unistd.h>

#include <fmap/fmap.hpp>
#include <fmap/process_pool.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/pools.hpp"

using namespace std::chrono_literals;

namespace {

/// Fails at its first call in each process.
int fails_first(int x) {
  static thread_local int last = -1;
  if (std::exchange(last, x) != x) throw fmap::transient{"the first call"};
  return x;
}

/// The second item waits at a meeting point, and fails then.
struct waits_and_fails {
  std::string path;
  int operator()(int x) const {
    if (x == 0) return 0;
    testing::meet(path, x);
    throw fmap::transient{"late"};
  }
};
template <class Inspector>
auto inspect(Inspector& f, waits_and_fails& w) {
  return f(w.path);
}

}  // namespace

TEST_CASE("retry: worker processes try again, and count it apart from deaths") {
  fmap::process_pool pool{1};
  fmap::future_map m{pool,
                     fmap::fn<&fails_first>,
                     std::views::iota(0, 50),
                     {.buffersize = 1, .retry = fmap::retry_policy{.attempts = 4, .first = 1ms}}};
  int seen = 0;
  for (const auto& o : m.outcomes()) {
    CHECK(o.value() == seen++);
    CHECK(o.tries() == 2);
    CHECK(o.attempts() == 1);
  }
  CHECK(seen == 50);
  CHECK(m.stats().retried == 0);
}

TEST_CASE("retry: many at a time in two processes; a death is something else") {
  fmap::process_pool pool{2};
  constexpr auto fn = [](int x) {
    if (x == 77) std::raise(SIGKILL);
    if (x % 3 == 0) throw std::runtime_error{"always"};
    return x;
  };
  fmap::future_map m{pool,
                     fn,
                     std::views::iota(0, 1000),
                     {.buffersize = 64, .retry = fmap::retry_policy{.attempts = 3, .first = 2ms}}};
  int failed = 0, values = 0, lost = 0;
  for (const auto& o : m.outcomes()) {
    if (o) {
      ++values;
      CHECK(o.tries() == 1);
    } else if (o.index() % 3 == 0) {
      ++failed;
      CHECK(o.what() == "always");
      CHECK(o.tries() == 3);
    } else {
      ++lost;
    }
  }
  CHECK(failed == 334);
  CHECK(values == 665);
  CHECK(lost == 1);
}

TEST_CASE("retry: a map is left while its last item runs elsewhere, and that fails") {
  fmap::process_pool pool{1};
  for (int n = 0; n != 20; ++n) {
    const testing::meeting_point here;
    {
      fmap::future_map m{
          pool,
          waits_and_fails{here.path()},
          std::views::iota(0, 2),
          {.buffersize = 1, .retry = fmap::retry_policy{.attempts = 9, .first = 1ms}}};
      CHECK(*m.begin() == 0);
      std::thread opener{[&] {
        testing::eventually([&] { return here.arrived() == 1; });
        testing::eventually([&] { return m.stats().running == 1; });
        here.open();
      }};
      opener.join();
    }
  }
  CHECK(pool.submit([] { return 4; }).get() == 4);
}
