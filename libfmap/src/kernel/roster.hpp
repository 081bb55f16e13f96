// SPDX-License-Identifier: BSD-3-Clause
// The workers that have joined, and which of them sleep.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "src/kernel/worker.hpp"

namespace fmap::kernel {

/// Each worker that is asleep is in one of two stacks, once. The last one that went to sleep is the first one that is
/// called, so the others stay cold. Reserves have a stack of their own.
class roster {
public:
  const std::vector<worker*>& all() const { return all_; }

  void join(worker&, worker_id, doorbell_ptr);
  void leave(worker&);

  // -- what a worker does -------------------------------------------------------

  /// It looks for something to do.
  void comes(worker&, clock::time_point now);

  /// It has looked, and found nothing.
  void sleeps(worker&);

  /// It is not counted on until it comes.
  void rests(worker&);

  // -- who is called --------------------------------------------------------------

  bool anyone_asleep() const { return !asleep_.empty(); }

  /// The worker to call, of those that sleep and of which this is true. None: null.
  template <class Predicate>
  worker* sleeper(Predicate of) const {
    const auto it = std::find_if(asleep_.rbegin(), asleep_.rend(), of);
    return it != asleep_.rend() ? *it : nullptr;
  }

  /// It has been called, and will come. `hurry`: a stub takes whatever there is then.
  void called(worker&, clock::time_point now, bool hurry);

  worker* sleeping_reserve() const {
    return asleep_reserves_.empty() ? nullptr : asleep_reserves_.back();
  }
  bool several_reserves_asleep() const { return asleep_reserves_.size() > 1; }

  /// Takes all that sleep off one of the stacks, for a call in which nobody counts on them. Empty: none sleeps.
  std::vector<worker*> wake_all();

  // -- questions ------------------------------------------------------------------

  /// Whether some worker will probably look for work within moments.
  bool someone_soon(clock::time_point now) const;

  /// No worker has come by for so long.
  bool none_since(clock::time_point now, clock::duration) const;

  /// Workers that look for fine-grained items.
  bool another_looks() const { return looking_ != 0; }
  void begins_to_look() { ++looking_; }
  void ends_to_look() { --looking_; }

  /// Looked at without the mutex by workers between two looks.
  std::atomic<bool> something_to_do{false};

private:
  std::vector<worker*>& stack_of(const worker& w) { return w.reserve ? asleep_reserves_ : asleep_; }

  std::vector<worker*> all_, asleep_, asleep_reserves_;
  std::vector<std::uint32_t> free_places_;  // with those of all_ they are the numbers from 0 on
  std::uint32_t looking_ = 0;
};

}  // namespace fmap::kernel
