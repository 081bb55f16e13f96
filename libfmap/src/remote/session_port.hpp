// SPDX-License-Identifier: BSD-3-Clause
// The pool's mailbox as a session sees it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>

#include "src/kernel/pool_port.hpp"
#include "src/kernel/remote_port.hpp"
#include "src/kernel/supervisor_port.hpp"
#include "src/remote/kernel.hpp"

namespace fmap::remote {

/// All that a session asks of the mailbox: one worker whose batches are executed elsewhere. One thread uses it.
class session_port {
public:
  /// Both live longer than this.
  session_port(shared_mailbox& box, kernel::worker& self) : box_{box}, self_{self} {}

  /// Joins as `weight` threads elsewhere that hold up to `capacity` items.
  void join(doorbell_ptr bell, std::uint32_t weight, std::uint32_t capacity) {
    kernel::remote_port{box_}.join_remote(self_, std::move(bell), weight, capacity);
  }

  /// The same as a node.
  void join_node(doorbell_ptr bell, const kernel::worker_shape& shape) {
    hand_ = kernel::remote_port{box_}.join_node(self_, std::move(bell), shape);
  }
  bool is_node() const { return hand_ != 0; }

  /// A node holds work for so long for each of its threads, besides what they execute.
  void set_hold(clock::duration hold) { kernel::remote_port{box_}.set_hold(self_, hold); }

  /// The next batch, at most `most` items. None: the bell will ring, or this worker has retired as one too many.
  parcel take(std::uint64_t most) {
    return kernel::remote_port{box_}.take(
        self_, static_cast<std::uint32_t>(std::min<std::uint64_t>(most, any_number)), hand_);
  }

  /// Items that were taken are about to be sent, and their slots will not be touched. False: nobody wants them.
  bool hand_over(run& r, std::uint64_t first, std::uint32_t count) {
    return !is_node() || kernel::remote_port{box_}.pass_on(r, hand_, self_.id, first, count);
  }

  /// Outcomes of items are about to be put into their slots. False: nobody wants them, and the slots may be gone.
  bool take_back(run& r, std::uint64_t first, std::uint32_t count) {
    return !is_node() || kernel::remote_port{box_}.pass_on(r, self_.id, hand_, first, count);
  }

  /// Items are done, their slots filled, and took so long in all; 0: nobody knows.
  void finished(run& r, std::uint64_t first, std::uint32_t count, clock::duration took = {}) {
    kernel::remote_port{box_}.finished(r, is_node() ? hand_ : self_.id, first, count, took);
  }

  /// Items have not begun and can go to somebody else.
  void give_back(run& r, std::uint64_t first, std::uint32_t count) {
    kernel::remote_port{box_}.not_begun(r, self_.id, first, count);
  }

  /// An item died elsewhere, but the peer lives.
  void died(run& r, std::uint64_t index, mark seen,
            const std::function<std::exception_ptr(const casualty&)>& why) {
    kernel::remote_port{box_}.died(self_, r, index, seen, why);
  }

  /// The node has nothing of a stopped run any more.
  void confirmed(run_id run) { kernel::remote_port{box_}.confirmed(self_, run); }

  /// The peer is gone, and so is this worker.
  void lost(const std::function<mark(run_id, std::uint64_t)>& what,
            const std::function<std::exception_ptr(const casualty&)>& why) {
    kernel::remote_port{box_}.lost(self_, what, why, hand_);
  }

  /// Takes no more; another worker may be started in its place.
  void retire() { kernel::remote_port{box_}.retire(self_); }
  bool retired() const { return self_.retired; }

  /// Will not look here until the next take().
  void rest() { kernel::remote_port{box_}.rest(self_); }

  /// How many workers the pool may have now.
  std::uint32_t capacity() const { return kernel::pool_port{box_}.capacity(); }

  bool may_leave() const { return kernel::remote_port{box_}.may_leave(); }

  std::exception_ptr broken() const { return kernel::pool_port{box_}.broken(); }
  void break_up(std::exception_ptr why) { kernel::pool_port{box_}.break_up(std::move(why)); }

  bool start_failed(std::size_t in_vain, std::uint32_t proven) {
    return kernel::supervisor_port{box_}.start_failed(in_vain, proven);
  }
  void start_succeeded() { kernel::supervisor_port{box_}.start_succeeded(); }

private:
  shared_mailbox& box_;
  kernel::worker& self_;
  kernel::worker_id hand_ = 0;  // of a node: what it has taken, or got back, and not handed on
};

}  // namespace fmap::remote
