// SPDX-License-Identifier: BSD-3-Clause
// A run whose items arrive in messages, and whose outcomes leave in messages.
#pragma once

#include <memory>

#include <caf/actor_addr.hpp>

#include "actors/pool_core.hpp"
#include "actors/protocol.hpp"
#include "src/kernel/sink_port.hpp"
#include "src/kernel/source_port.hpp"

namespace fmap::actors {

/// Wakes an actor without keeping it alive.
class weak_bell final : public doorbell {
public:
  void set(caf::actor_addr who) {
    std::lock_guard guard{mutex_};
    who_ = std::move(who);
  }
  void ring() noexcept override;

private:
  std::mutex mutex_;
  caf::actor_addr who_;
};

/// One run of a pool, used by one actor: that brings the items and takes the outcomes, and is woken when
/// there are any. It has to see to it itself that there is a token for each item.
class message_run {
public:
  /// Throws broken_pool or pool_shutdown. A pool that is the run's own is shut down with it.
  message_run(std::shared_ptr<detail::pool_core> pool, bool own_pool, const run_limits&,
              std::shared_ptr<detail::job>);
  ~message_run() { abandon(nullptr); }
  message_run(const message_run&) = delete;
  message_run& operator=(const message_run&) = delete;

  /// Whom to send a wake when there is an outcome, and once now: something may have happened before.
  void wakes(const caf::actor_addr& who) {
    bell_->set(who);
    bell_->ring();
  }

  /// Calls `place(slot)` to make an item, and throws what that throws. False: the run takes none any more.
  /// The bell rings; items that arrive before the actor hears it are queued together with this one.
  template <class Place>
  bool push(Place place) {
    // The pool takes no more.
    if (brought_.in != nullptr && run_->seen.flush_every.load(std::memory_order_relaxed) == 0)
      queue();
    if (brought_.in == nullptr && !borrow_slots()) return false;
    place(brought_.in->at(brought_.next));
    brought_.in->state(brought_.next).store(detail::slot_state::item, std::memory_order_release);
    if (++brought_.next == brought_.end) queue();
    return true;
  }

  /// There will be no more items.
  void finish();

  /// Queues what has been brought, calls `f(chunk, offset, index)` for each outcome there is, as long as
  /// `wanted()`, and returns their tokens. True: the run is over, there will be no more.
  template <class Wanted, class F>
  bool take(Wanted wanted, F f) {
    queue();
    sink_port port{*pool_->box};
    for (;;) {
      for (; at_ != span_.end; ++at_) {
        if (!wanted()) return port.give_tokens_back(*run_), false;
        f(*span_.in, at_, span_.in->first + at_);
        run_->work->clear(*span_.in, at_, at_ + 1);
        run_->seen.taken.fetch_add(1, std::memory_order_relaxed);
      }
      switch (port.next(*run_, span_)) {
        case next_result::outcomes: at_ = span_.end - span_.count; break;
        case next_result::wait: at_ = span_.end = 0; return false;
        case next_result::end: at_ = span_.end = 0; return true;
      }
    }
  }

  /// Why the pool ended the run before its input was over; empty if it did not.
  caf::error cut() const;

  /// What nobody has taken is dropped; returns at once. Rings when the last call has returned and the
  /// function is destroyed.
  void abandon(const doorbell_ptr& left);

  std::uint64_t buffersize() const { return run_->limits.buffersize; }
  bool ordered() const { return run_->limits.ordered; }

private:
  bool borrow_slots();
  void queue();

  std::shared_ptr<detail::pool_core> pool_;
  const bool own_pool_;
  const std::shared_ptr<weak_bell> bell_ = std::make_shared<weak_bell>();
  run_ptr run_;
  lent_slots brought_;
  outcome_span span_;
  std::uint32_t at_ = 0;
};

/// An exception as an error that can be sent.
caf::error error_of(const std::exception_ptr&);

}  // namespace fmap::actors
