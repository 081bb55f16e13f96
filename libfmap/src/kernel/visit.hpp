// SPDX-License-Identifier: BSD-3-Clause
// One stay under the mailbox's mutex: the only way to its parts, out of the mutex, and to whom is to be called.
#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "src/kernel/bells.hpp"
#include "src/kernel/invariants.hpp"
#include "src/kernel/shared_mailbox.hpp"

namespace fmap::kernel {

/// Everything that needs the mutex takes a visit&: that is the proof of holding it.
///
/// Invariants; in debug builds V2 to V7 are asserted, as far as that is cheap, whenever the mutex is let go:
///  V1 The user's code (iterator, function, callback, destructor of an item) runs in outside() only.
///  V2 No bell rings while the mutex is held.
///  V3 Whoever goes to sleep has looked in the same stretch under the mutex.
///  V4 Whatever is put off has asked for the tick in the same stretch.
///  V5 A sleeper is rung once: it becomes `called`, or `away`, with its bell.
///  V6 For each run with free tokens, queued items or ready outcomes somebody who can move it is awake or called, or
///     the tick runs, or nobody is there to be called.
///  V7 Nothing of a run that no longer flows is granted or pulled.
class visit {
public:
  explicit visit(shared_mailbox& box) : box_{box}, lock_{box.mutex_} {}
  ~visit() { finish(); }
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;

  mailbox_parts* operator->() const { return &box_.parts_; }
  mailbox_parts& operator*() const { return box_.parts_; }

  /// Whose mailbox this is: for comparison, and to make another visit later.
  shared_mailbox& mailbox() { return box_; }

  struct nothing {
    void operator()() const {}
  };

  /// Runs `f` without the mutex: unlocks, rings, calls, and locks, also if `f` throws. `first` is called before the
  /// bells are rung.
  template <class F, class First = nothing>
  decltype(auto) outside(F&& f, First&& first = {}) {
    struct stretch {
      explicit stretch(visit& v) : v{v} {
        v.finish();
        v.now_.reset();
        v.lock_.unlock();
      }
      ~stretch() { v.lock_.lock(); }
      visit& v;
    } const here{*this};
    first();
    bells_.ring();
    return f();
  }

  /// The time; read at most once between two stays outside, and not at all by who does not ask.
  clock::time_point now() {
    if (!now_) now_ = clock::now();
    return *now_;
  }

  /// Once the mutex is let go.
  void ring(const doorbell_ptr& bell) { bells_.add(bell); }

  // -- whom to call -----------------------------------------------------------------

  void call_worker(urgency = urgency::usual);
  void call_source(run&, urgency = urgency::usual);
  void call_sink(run&, urgency = urgency::usual);

  /// Lets a consumer that looks see whether something is worth coming for.
  decision show_sink(run&);

  /// Lets everybody see that the pool is closing, or that it has nothing left to do.
  void call_all();

  /// Rings all whose batches are executed elsewhere.
  void ring_remote_workers();

  /// A worker is going to leave, and counts no more.
  void retire(worker&);

  /// Sends away idle workers that are too many, this many at most.
  void dismiss_surplus(std::uint32_t most = 1);

  /// Something is put off, or relies on the tick.
  void want_tick();
  void hasten_tick();

  // -- what is to be finished ---------------------------------------------------------

  /// When the mutex is let go, it is looked up whether this run has drained, and whether the pool has nothing left to
  /// do.
  void touch(run&);
  void touch_all();

private:
  void act_on(decision, party&);
  void call_reserve();
  urgency pressing(urgency) const;
  void count(decision d) { ++box_.parts_.counted[static_cast<std::size_t>(d.why)]; }
  void notify_drained(run&);
  void finish() {
    if (touched_ != nullptr || all_touched_) finish_touched();
#ifndef NDEBUG
    assert_invariants(box_.parts_);
#endif
  }
  void finish_touched();

  shared_mailbox& box_;
  bells bells_;  // before the lock, so that they ring after it
  std::unique_lock<short_mutex> lock_;
  std::optional<clock::time_point> now_;
  run* touched_ = nullptr;
  bool all_touched_ = false;
};

}  // namespace fmap::kernel
