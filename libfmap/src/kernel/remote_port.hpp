// SPDX-License-Identifier: BSD-3-Clause
// What somebody may do at the shared mailbox whose batches are executed elsewhere.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// A batch on its way to another process.
struct parcel {
  run_ptr of;
  chunk* in = nullptr;
  span items;

  explicit operator bool() const { return in != nullptr; }
};

class remote_port {
public:
  explicit remote_port(shared_mailbox& box) : box_{box} {}

  /// Joins as a stub of `weight` threads elsewhere that holds up to `capacity` items.
  void join_remote(worker&, doorbell_ptr, std::uint32_t weight, std::uint32_t capacity);

  /// Joins as a stub of a node. What it takes, and what has come back, is in the returned worker's hands as long as
  /// its slots are touched.
  worker_id join_node(worker&, doorbell_ptr, const worker_shape&);

  /// A node holds work for so long for each of its threads, besides what they execute.
  void set_hold(const worker&, clock::duration);

  /// The next batch for a stub, at most `most` items, in the hands of `hand` if that is given. None: its bell will ring.
  parcel take(worker&, std::uint32_t most = any_number, worker_id hand = 0);

  /// Items go from one worker's hands to another's. False: their run was stopped, and nobody wants them.
  bool pass_on(run&, worker_id from, worker_id to, std::uint64_t first, std::uint32_t count);

  /// An item died with the process that ran it, but not the stub's node; `why` is its error if it ends with it.
  void died(const worker&, run&, std::uint64_t index, mark,
            const std::function<std::exception_ptr(const casualty&)>& why);

  /// A node has nothing of a stopped run any more.
  void confirmed(const worker&, run_id);

  /// Items that a worker holds are done, their slots filled, and took so long in all; 0: nobody knows. Late and
  /// repeated reports are ignored.
  void finished(run&, worker_id, std::uint64_t first, std::uint32_t count,
                clock::duration took = {});

  /// Items that a worker holds have not begun and can go to somebody else.
  void not_begun(run&, worker_id, std::uint64_t first, std::uint32_t count);

  /// A stub's worker is gone: `what` says how far it got with each item, `why` is the error of an item
  /// that ends with it. The stub leaves, and its `hand`, if it has one: nothing of what that held had begun.
  void lost(worker&, const std::function<mark(run_id, std::uint64_t)>& what,
            const std::function<std::exception_ptr(const casualty&)>& why, worker_id hand = 0);

  /// A stub takes no more; another worker may be started in its place.
  void retire(worker&);

  /// A stub will not look here until its next take(), whatever there is.
  void rest(worker&);

  /// Whether a stub with nothing in its hands may leave: the pool is broken, or closing and done.
  bool may_leave();

private:
  shared_mailbox& box_;
};

}  // namespace fmap::kernel
