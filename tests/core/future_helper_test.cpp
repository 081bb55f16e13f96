// SPDX-License-Identifier: BSD-3-Clause
// The hook through which a worker does other work while its task waits for futures.
#include <chrono>
#include <functional>
#include <thread>

#include <fmap/detail/parking.hpp>
#include <fmap/wait.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

using namespace std::chrono_literals;
using fmap::detail::deadline;
using fmap::detail::parking;

namespace {

/// Helps in this thread while it exists, by calling a function.
class scripted_helper final : public fmap::detail::helper {
public:
  explicit scripted_helper(std::function<bool(parking&, const deadline&)> script)
      : script_{std::move(script)} {
    fmap::detail::current_helper = this;
  }
  ~scripted_helper() { fmap::detail::current_helper = nullptr; }

  bool help_until(parking& place, const deadline& until) override {
    ++calls;
    return script_(place, until);
  }

  bool works_for(fmap::detail::pool_key pool) const override { return pool == &calls; }

  int calls = 0;

private:
  std::function<bool(parking&, const deadline&)> script_;
};

}  // namespace

TEST_CASE("helper: get, wait, exception, fmap::wait and as_completed let it work instead") {
  auto s = test::pending();
  bool had_deadline = false;
  scripted_helper helper{[&](parking& place, const deadline& until) {
    CHECK_FALSE(place.rung());
    had_deadline = until.has_value();
    s.promise.set_value(42);
    CHECK(place.rung());
    return true;
  }};
  CHECK(s.future.get() == 42);
  CHECK_FALSE(had_deadline);
  s = test::pending();
  CHECK(s.future.wait(1h));
  CHECK(had_deadline);
  s = test::pending();
  CHECK(s.future.exception() == nullptr);
  s = test::pending();
  CHECK(fmap::wait({s.future}).done.size() == 1);
  s = test::pending();
  for (auto& f : fmap::as_completed({s.future})) CHECK(f.done());
  CHECK(helper.calls == 5);
}

TEST_CASE("helper: is not asked when nothing has to be waited for") {
  const scripted_helper helper{[](parking&, const deadline&) { return false; }};
  const auto done = test::succeeded(), open = test::pending();
  CHECK(done.future.get() == 42);
  CHECK_FALSE(open.future.wait(0s));
  CHECK(fmap::wait({done.future, open.future}, fmap::all_completed, 0s).done.size() == 1);
  CHECK(helper.calls == 0);
}

TEST_CASE("helper: a task of its own pool that has not begun may be run right here") {
  struct eager final : fmap::detail::future_state<int> {
    explicit eager(fmap::detail::pool_key pool) : pool{pool} {}
    bool run_here(fmap::detail::helper& here) override {
      if (!here.works_for(pool) || !try_start()) return false;
      emplace(6);
      return true;
    }
    const fmap::detail::pool_key pool;
  };
  const scripted_helper helper{[](parking&, const deadline&) { return false; }};
  using fmap::detail::future_access, fmap::detail::make_state;
  CHECK(future_access::make<int>(make_state<eager>(&helper.calls)).get() == 6);
  CHECK(helper.calls == 0);
  CHECK_FALSE(future_access::make<int>(make_state<eager>(&helper)).wait(1ms));
  CHECK(helper.calls == 1);
}

TEST_CASE("helper: at the deadline the wait ends as a timeout") {
  const scripted_helper helper{
      [](parking& place, const deadline& until) { return place.wait(until); }};
  const auto s = test::pending();
  CHECK_THROWS_AS(s.future.get(1ms), fmap::timeout_error);
  CHECK(fmap::wait({s.future}, fmap::all_completed, 1ms).not_done.size() == 1);
}

TEST_CASE("helper: what it throws ends the wait and leaves nothing behind") {
  const scripted_helper helper{[](parking&, const deadline&) -> bool {
    throw fmap::would_deadlock{"nobody is left to do it"};
  }};
  auto s = test::pending(), t = test::pending();
  CHECK_THROWS_AS(s.future.get(), fmap::would_deadlock);
  CHECK_THROWS_AS(fmap::wait({s.future, t.future}), fmap::would_deadlock);
  auto range = fmap::as_completed({s.future, t.future});
  CHECK_THROWS_AS(range.begin(), fmap::would_deadlock);
  CHECK(s.promise.set_value(1));
  CHECK(t.promise.set_value(1));
}

TEST_CASE("helper: can sleep on something of its own that the future rings") {
  parking own;
  auto s = test::pending();
  std::thread setter;
  {
    const scripted_helper helper{[&](parking& place, const deadline& until) {
      place.forward_to(&own);
      setter = std::thread{[&] { s.promise.set_value(1); }};
      const bool rung = own.wait(until);
      place.forward_to(nullptr);
      return rung && place.rung();
    }};
    CHECK(s.future.get() == 1);
  }
  setter.join();
  own.check([] { return false; });
  parking place;
  place.ring();
  place.forward_to(&own);  // rung before: passed on at once
  CHECK(own.rung());
  place.forward_to(nullptr);
}
