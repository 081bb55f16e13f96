// SPDX-License-Identifier: BSD-3-Clause
// Durations of any kind as timeouts: what is too long is for ever, what is negative or no number is refused.
#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include <fmap/options.hpp>
#include <fmap/wait.hpp>

#include "support/catch.hpp"
#include "support/futures.hpp"

using namespace std::chrono_literals;
using fmap::detail::any_duration;
using fmap::detail::saturated;
using fmap::detail::time_limit;
using std::chrono::duration;
using std::chrono::nanoseconds;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

using ages = duration<std::int64_t, std::ratio<1'000'000'000'000'000'000>>;
using instants = duration<std::int64_t, std::atto>;
using thirds = duration<std::int64_t, std::ratio<1, 3>>;

}  // namespace

TEST_CASE("duration: what fits nanoseconds stays as it is") {
  CHECK(saturated(3ns) == 3ns);
  CHECK(saturated(-7us) == -7us);
  CHECK(saturated(123456789012345678ns) == 123456789012345678ns);
  CHECK(saturated(2h) == 2h);
  CHECK(saturated(duration<double>{0.5}) == 500ms);
  CHECK(saturated(duration<float, std::milli>{1.5f}) == 1500us);
  CHECK(saturated(thirds{3}) == 1s);
  CHECK(saturated(duration<unsigned char>{200}) == 200s);
  CHECK(saturated(nanoseconds::max()) == nanoseconds::max());
  CHECK(saturated(nanoseconds::min()) == nanoseconds::min());
}

TEST_CASE("duration: what does not fit is the longest or the shortest") {
  CHECK(saturated(std::chrono::hours{3'000'000}) == nanoseconds::max());
  CHECK(saturated(std::chrono::seconds::max()) == nanoseconds::max());
  CHECK(saturated(std::chrono::seconds::min()) == nanoseconds::min());
  CHECK(saturated(std::chrono::hours::max()) == nanoseconds::max());
  CHECK(saturated(duration<std::uint64_t>::max()) == nanoseconds::max());
  CHECK(saturated(duration<double>{infinite}) == nanoseconds::max());
  CHECK(saturated(duration<double>{-infinite}) == nanoseconds::min());
  CHECK(saturated(duration<double>::max()) == nanoseconds::max());
  CHECK(saturated(ages{1}) == nanoseconds::max());
  CHECK(saturated(ages{-1}) == nanoseconds::min());
  CHECK(saturated(ages::max()) == nanoseconds::max());
  CHECK(saturated(duration<double, ages::period>{0}) == 0ns);
}

TEST_CASE(
    "duration: the least bit more or less than nothing is not nothing; no number is negative") {
  CHECK(saturated(instants{1}) == 1ns);
  CHECK(saturated(instants{-1}) == -1ns);
  CHECK(saturated(duration<double>{no_number}) == nanoseconds::min());
}

TEST_CASE("duration: options of any kind of duration") {
  fmap::map_options o{.timeout = std::chrono::seconds::max(), .item_timeout = 3'000'000h};
  CHECK(*o.timeout == nanoseconds::max());
  CHECK(*o.item_timeout == nanoseconds::max());
  o.timeout = duration<double>{1.5};
  CHECK(*o.timeout == 1500ms);
  CHECK(o.timeout->count() == 1'500'000'000);
  o.timeout.reset();
  CHECK_FALSE(o.timeout);
  const nanoseconds plain = any_duration{2s};
  CHECK(plain == 2s);
}

TEMPLATE_TEST_CASE("duration: the longest timeout of each kind is for ever", "", nanoseconds,
                   std::chrono::milliseconds, std::chrono::seconds, std::chrono::hours, ages,
                   duration<double>, (duration<float, std::milli>), (duration<long double>)) {
  CHECK_FALSE(time_limit{TestType::max()}.until());
  CHECK_THROWS_AS(time_limit{TestType::min()}, std::invalid_argument);
  const auto s = test::succeeded(7);
  CHECK(s.future.get(TestType::max()) == 7);
  CHECK(s.future.wait(TestType::max()));
  CHECK(s.future.exception(TestType::max()) == nullptr);
  CHECK(fmap::wait({s.future}, fmap::all_completed, TestType::max()).done.size() == 1);
  for (auto& f : fmap::as_completed({s.future}, TestType::max())) CHECK(f == s.future);
}

TEST_CASE("duration: infinite timeouts are for ever, those that are no number are refused") {
  CHECK_FALSE(time_limit{duration<double>{infinite}}.until());
  CHECK_THROWS_AS(time_limit{duration<double>{-infinite}}, std::invalid_argument);
  CHECK_THROWS_AS(time_limit{duration<double>{no_number}}, std::invalid_argument);
  CHECK_THROWS_AS(time_limit{duration<double>{-1e-12}}, std::invalid_argument);
  CHECK(time_limit{0h}.until() == time_limit::only_look);
}
