// SPDX-License-Identifier: BSD-3-Clause
// How fast outcomes come, and when the last one will.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fmap::detail {

/// The rate of the last outcomes, and what follows from it. Pure: it is told the time.
///
/// Workers that began together end together, wave after wave, and a moment ago may have been before a wave or within one.
/// So the rate is taken over whole waves: from as many outcomes before as there are workers, or a multiple. It changes
/// when outcomes come; between them the time that is left goes down as the clock does.
class pace {
public:
  using seconds = std::chrono::duration<double>;

  /// So many outcomes are there after that time.
  void note(std::uint64_t done, std::uint64_t workers, seconds elapsed) {
    const seconds before = std::exchange(now_, elapsed);
    if (done <= last().done || elapsed <= last().at) return;
    longest_gap_ = std::max(longest_gap_, elapsed - last().at);
    workers_ = std::max<std::uint64_t>(workers, 1);
    history_.push_back({done, before, elapsed});
    forget(elapsed - window(done, elapsed));
  }

  /// Outcomes a second; 0 before the first. A silence counts once it is longer than any before.
  double rate() const {
    if (last().done == 0) return 0;
    const std::uint64_t done = last().done;
    const seconds until = is_silent() ? now_ : last().at;
    const std::uint64_t known = done - history_.front().done;
    const std::uint64_t whole = known < workers_ ? known : known / workers_ * workers_;
    return static_cast<double>(whole) / (until - time_of(done - whole)).count();
  }

  /// None: nothing that is worth saying. Never 0 before the last outcome. A look within a wave is wrong by a part of
  /// it, so what is said follows slowly: within half a second, or a tenth of the time that is left.
  std::optional<seconds> left(std::uint64_t total) {
    if (last().done < 2 * workers_ || now_ < seconds{1} || last().done >= total)
      return said_ = std::nullopt;
    seconds all{static_cast<double>(total - last().done) / rate()};
    if (!is_silent()) all -= now_ - last().at;
    if (said_) {
      const seconds passed = now_ - said_at_;
      const seconds before = *said_ - passed;
      const seconds constant = std::max(seconds{0.5}, before / 10);
      all = before + (all - before) * (1 - std::exp(-passed / constant));
    }
    said_at_ = now_;
    return said_ = std::max(seconds{0.1}, all);
  }

private:
  /// The outcomes since the moment before have come between these two times.
  struct moment {
    std::uint64_t done = 0;
    seconds from{0}, at{0};
  };

  /// When there were so many.
  seconds time_of(std::uint64_t done) const {
    const auto m = std::lower_bound(history_.begin(), history_.end(), done,
                                    [](const moment& x, std::uint64_t n) { return x.done < n; });
    if (m == history_.begin()) return m->at;
    const std::uint64_t before = (m - 1)->done;
    const double share = static_cast<double>(done - before) / static_cast<double>(m->done - before);
    return m->from + (m->at - m->from) * share;
  }

  const moment& last() const { return history_.back(); }

  bool is_silent() const { return now_ - last().at > 2 * longest_gap_; }

  /// 10 seconds, what six items take, or three quarters of the time that it has been going.
  seconds window(std::uint64_t done, seconds elapsed) const {
    const double waves = static_cast<double>(done) / static_cast<double>(workers_);
    return std::max({seconds{10}, 6 * elapsed / waves, 0.75 * elapsed});
  }

  /// Keeps a moment at or before that one, and two waves.
  void forget(seconds older_than) {
    const std::uint64_t waves = last().done - std::min(last().done, 2 * workers_);
    auto keep = history_.begin();
    while ((keep + 1)->at <= older_than && (keep + 1)->done <= waves) ++keep;
    history_.erase(history_.begin(), keep);
    if (history_.size() < most_moments) return;
    const auto kept = std::remove_if(history_.begin() + 1, history_.end() - 1,
                                     [odd = false](const moment&) mutable {
                                       odd = !odd;
                                       return odd;
                                     });
    history_.erase(kept, history_.end() - 1);
  }

  static constexpr std::size_t most_moments = 1024;

  std::uint64_t workers_ = 1;
  std::vector<moment> history_{moment{}};
  seconds now_{0}, longest_gap_{0}, said_at_{0};
  std::optional<seconds> said_;
};

}  // namespace fmap::detail
