// SPDX-License-Identifier: BSD-3-Clause
// Runs share the workers' time: next is who has had the least of it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fmap::kernel {

/// The workers' time that a run has used, in ns, counted from when it first had something to do.
class used_time {
public:
  /// What is handed out is charged at once, so that the next visitor sees it, and corrected when it is done.
  void charge(double ns) { ns_ += ns; }
  void refund(double ns) { ns_ -= ns; }
  double ns() const { return ns_; }

private:
  friend class fair_clock;
  double ns_ = 0;
};

/// The time of the run that was served last. Who had nothing to do is not owed what it did not use.
class fair_clock {
public:
  void enter(used_time& u) const { u.ns_ = std::max(u.ns_, now_); }
  void serve(const used_time& u) { now_ = std::max(now_, u.ns_); }

private:
  double now_ = 0;
};

/// Whether a run is served before another: it has used less, or as much and fewer of its items are held.
inline bool served_before(const used_time& a, std::uint64_t held_a, const used_time& b,
                          std::uint64_t held_b) {
  return a.ns() < b.ns() || (a.ns() == b.ns() && held_a < held_b);
}

}  // namespace fmap::kernel
