// SPDX-License-Identifier: BSD-3-Clause
// Looking again a few times before going to sleep, and letting those run who do so.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "src/core/processors.hpp"
#include "src/kernel/tuning.hpp"

namespace fmap::kernel {

/// What a thread runs on.
struct processor {
  using clock = std::chrono::steady_clock;
  static clock::time_point now() { return clock::now(); }
  static void yield() { std::this_thread::yield(); }
  static unsigned number() {
    static const unsigned result = static_cast<unsigned>(detail::usable_processors());
    return result;
  }
};

/// How a thread that has nothing to do gives way to others before it sleeps: those whom it waits for may
/// share its processor, and to put it to sleep and wake it up takes longer than their turn. When they give way
/// themselves it is its turn again. A thread that does not know about this, another program's for instance,
/// keeps the processor for milliseconds: who has lost it to such a one does not give way for a while.
template <class Processor>
class basic_spinner {
public:
  basic_spinner() { count.fetch_add(1, std::memory_order_relaxed); }
  ~basic_spinner() { count.fetch_sub(1, std::memory_order_relaxed); }
  basic_spinner(const basic_spinner&) = delete;
  basic_spinner& operator=(const basic_spinner&) = delete;

  /// Gives way for at least as long as it takes to wake somebody up, and at least for many turns; less and less often while
  /// that is in vain. True as soon as `there` is.
  template <class Predicate>
  bool wait(Predicate there) {
    if (to_skip_ != 0) {
      --to_skip_;
      return false;
    }
    const auto begun = Processor::now();
    if (begun < kept_until_) return false;
    const bool seen = look(begun, tuning::looks, tuning::look, there);
    to_skip_ = skip_ = seen ? 0 : std::min(2 * skip_ + 1, tuning::skip_at_most);
    return seen;
  }

  /// Gives way for a few turns, which takes hardly any time on a processor that nobody else wants; or also for
  /// some time.
  template <class Predicate>
  bool wait_briefly(Predicate there, std::chrono::microseconds time = {}) {
    const auto begun = Processor::now();
    return begun >= kept_until_ && look(begun, tuning::brief_looks, time, there);
  }

  /// Lets others have their turn.
  void give_way() {
    const auto begun = Processor::now();
    if (begun >= kept_until_) look(begun, 1, {}, [] { return true; });
  }

private:
  using clock = typename Processor::clock;

  template <class Predicate>
  bool look(typename clock::time_point begun, int turns, typename clock::duration time,
            Predicate there) {
    // Others that give way, too, may all have had their turn in between.
    const auto too_long =
        tuning::slice
        + tuning::turn * (count.load(std::memory_order_relaxed) / Processor::number());
    for (auto before = begun; turns > 0 || before - begun < time; --turns) {
      Processor::yield();
      const auto now = Processor::now();
      const auto away = now - before;
      if (away > too_long)
        kept_until_ =
            now
            + tuning::keep_for * std::min<typename clock::duration>(away, tuning::longest_slice);
      if (there()) return true;
      if (away > too_long) return false;
      before = now;
    }
    return false;
  }

  static inline std::atomic<unsigned> count{0};  // of spinners there are

  int skip_ = 0, to_skip_ = 0;
  typename clock::time_point kept_until_{};
};

using spinner = basic_spinner<processor>;

}  // namespace fmap::kernel
