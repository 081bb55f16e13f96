// SPDX-License-Identifier: BSD-3-Clause
// Durations, time points and clocks without calendars, time zones and text, which take longer to compile.
#pragma once

#if __has_include(<bits/chrono.h>)  // libstdc++ 11 and newer
#  include <bits/chrono.h>
#else
#  include <chrono>
#endif

#include <ratio>

namespace fmap::detail {

/// Any duration in nanoseconds. What is too long for them is the longest there is, what is shorter than one is one,
/// and what is no number is negative.
template <class Rep, class Period>
constexpr std::chrono::nanoseconds saturated(const std::chrono::duration<Rep, Period>& d) {
  using std::chrono::nanoseconds;
  constexpr auto num = static_cast<long double>(Period::num);
  constexpr auto den = static_cast<long double>(Period::den);
  constexpr bool divides = std::nano::den % Period::den == 0;  // then nothing is rounded
  constexpr auto times = std::nano::den / Period::den;
  const auto count = static_cast<long double>(d.count());
  const long double ns = divides ? count * num * static_cast<long double>(times)
                                 : count * num / den * static_cast<long double>(std::nano::den);
  if (ns >= static_cast<long double>(nanoseconds::max().count())) return nanoseconds::max();
  if (!(ns > static_cast<long double>(nanoseconds::min().count()))) return nanoseconds::min();
  const auto whole = static_cast<nanoseconds::rep>(ns);
  return nanoseconds{whole != 0 || ns == 0 ? whole : ns > 0 ? 1 : -1};
}

/// A duration as an option: any one, saturated.
class any_duration : public std::chrono::nanoseconds {
public:
  constexpr any_duration() : std::chrono::nanoseconds{0} {}
  template <class Rep, class Period>
  constexpr any_duration(const std::chrono::duration<Rep, Period>& d)  // implicit: .timeout = 2s
      : std::chrono::nanoseconds{saturated(d)} {}
};

/// Who waits for this long waits for ever.
inline constexpr std::chrono::nanoseconds for_ever = std::chrono::hours{24 * 365 * 100};

}  // namespace fmap::detail
