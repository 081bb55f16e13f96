// SPDX-License-Identifier: BSD-3-Clause
// Retries: pauses, the book of failures, and items that wait.
#include <map>
#include <random>
#include <vector>

#include <fmap/detail/retry_book.hpp>

#include "src/core/retry_pause.hpp"
#include "src/kernel/ledger.hpp"
#include "src/kernel/postponed.hpp"
#include "support/catch.hpp"
#include "support/seed.hpp"

using namespace std::chrono_literals;
using fmap::detail::pause_after;
using fmap::detail::retry_book;
using fmap::kernel::postponed;

TEST_CASE("retry: pauses grow by the factor up to the longest, and are spread by the jitter") {
  const fmap::retry_policy p{.first = 100ms, .factor = 3, .most = 1s, .jitter = 0.5};
  CHECK(pause_after(p, 1, 0.5) == 100ms);
  CHECK(pause_after(p, 2, 0.5) == 300ms);
  CHECK(pause_after(p, 3, 0.5) == 900ms);
  CHECK(pause_after(p, 4, 0.5) == 1s);
  CHECK(pause_after(p, 4000, 0.5) == 1s);
  CHECK(pause_after(p, 1, 0) == 50ms);
  CHECK(pause_after(p, 1, 1) == 150ms);
  CHECK(pause_after(p, 4, 1) == 1s);
  CHECK(pause_after({.first = 0s}, 3, 1) == 0s);
  CHECK(pause_after({.first = std::chrono::hours{24 * 365 * 200},
                     .most = std::chrono::hours{24 * 365 * 280},
                     .jitter = 1},
                    1, 1)
        > std::chrono::hours{24 * 365 * 250});
}

TEST_CASE("retry: what failed together is not tried again together") {
  const auto seed = testing::seed();
  INFO(testing::seed_message(seed));
  std::mt19937_64 random{seed};
  std::uniform_real_distribution<> share{0, 1};
  const fmap::retry_policy p{.first = 1s, .jitter = 0.5};
  std::map<long, int> windows;  // of 50 ms, by halves
  for (int n = 0; n != 1000; ++n) ++windows[pause_after(p, 1, share(random)) / 25ms];
  for (const auto& [window, n] : windows) {
    const auto next = windows.find(window + 1);
    CHECK(n + (next != windows.end() ? next->second : 0) <= 100);
  }
}

TEST_CASE("retry: the book counts failures until the outcome is there") {
  retry_book book{{.attempts = 3, .first = 1ms, .jitter = 0}};
  const auto error = std::make_exception_ptr(std::runtime_error{"x"});
  CHECK_FALSE(book.take(0, 100));
  CHECK(book.tries(5, false) == 1);
  CHECK(book.again(5, error));
  CHECK(book.again(7, error));
  CHECK_FALSE(book.take(0, 5));
  const auto first = book.take(5, 2);
  REQUIRE(first);
  CHECK(first->index == 5);
  CHECK(first->pause == 1ms);
  CHECK(book.take(0, 100)->index == 7);
  CHECK_FALSE(book.take(0, 100));
  CHECK(book.again(5, error));
  CHECK(book.take(5, 1)->pause == 2ms);
  CHECK_FALSE(book.again(5, error));
  CHECK_FALSE(book.take(0, 100));
  CHECK(book.tries(5, true) == 3);
  CHECK(book.tries(5, true) == 1);  // it was forgotten
  CHECK(book.tries(7, false) == 2);
}

TEST_CASE("retry: who waits comes when it is due, in order, or not at all when its run ends") {
  postponed later;
  const fmap::kernel::clock::time_point t{};
  CHECK_FALSE(later.next());
  later.add(t + 3s, {1, 30});
  later.add(t + 1s, {2, 10});
  later.add(t + 2s, {1, 20});
  CHECK(later.next() == t + 1s);
  CHECK_FALSE(later.take_due(t + 500ms));
  CHECK(later.take_due(t + 2s)->index == 10);
  CHECK(later.take_due(t + 2s)->index == 20);
  CHECK_FALSE(later.take_due(t + 2s));
  later.add(t + 5s, {2, 50});
  later.forget(1);
  CHECK(later.next() == t + 5s);
  CHECK(later.take_due(t + 9s)->run == 2);
  CHECK_FALSE(later.next());
}

TEST_CASE("ledger: an item that waits has its token, and no worker") {
  fmap::kernel::ledger l;
  const auto run = l.open({.buffersize = 10, .chunksize = 5});
  const auto w = l.add_worker(100), other = l.add_worker(100);
  l.grant(run, 10);
  l.pulled(run, 0, 10);
  const auto s = l.take(w);
  REQUIRE(s.count > 2);
  const std::uint32_t held = s.count;
  CHECK_FALSE(l.put_off(other, run, s.first + 1));  // somebody else holds it
  CHECK(l.put_off(w, run, s.first + 1));
  CHECK_FALSE(l.put_off(w, run, s.first + 1));
  CHECK(l.audit());
  CHECK(l.counts(run).waiting == 1);
  CHECK(l.counts(run).held == held - 1);
  CHECK(l.waiting() == 1);
  CHECK(l.finished(w, run, s.first, held, {}) == held - 1);
  CHECK(l.counts(run).ready == held - 1);
  CHECK(l.audit());
  l.end(run);
  CHECK_FALSE(l.drained(run));
  l.resume(run, s.first + 7777);
  l.resume(run, s.first + 1);
  l.resume(run, s.first + 1);
  CHECK(l.counts(run).waiting == 0);
  CHECK(l.counts(run).queued == 10 - held + 1);
  CHECK(l.audit());
  const auto again = l.take(other);
  CHECK(again.first == s.first + 1);
  CHECK(l.put_off(other, run, again.first));
  l.stop(run);
  CHECK(l.waiting() == 0);
  CHECK(l.audit());
  l.resume(run, again.first);
  CHECK(l.counts(run).queued == 0);
  for (std::uint32_t n = 1; n < again.count; ++n)
    CHECK(l.put_off(other, run, again.first + n));  // dropped at once
  CHECK(l.drained(run));
  CHECK(l.counts(run).dropped + l.counts(run).taken == 10);
  l.close(run);
}
