// SPDX-License-Identifier: BSD-3-Clause
// What a supervisor may do at the shared mailbox, and whoever starts workers for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// What a supervisor has been rung for.
struct duties {
  std::uint32_t start = 0;  ///< workers to start now
  bool tick =
      false;  ///< call tick() after tuning::tick, instead of when it was to be called, if it was
  bool adapt =
      false;  ///< call adapt() after tuning::adapt_look, instead of when it was to be called
  bool quit = false;  ///< the pool has been shut down and nothing is left to do
};

class supervisor_port {
public:
  explicit supervisor_port(shared_mailbox& box) : box_{box} {}

  void set_supervisor(doorbell_ptr);

  /// The supervisor has ended. Unless the pool was shut down and all is done, that breaks it.
  void supervisor_gone(std::exception_ptr why);

  duties take_duties();

  /// Has all workers started that the pool may have, whether there is work or not.
  void start_all();

  /// Sets free what has been withheld for too long. Returns when to call again:
  ///
  ///   0                          | when take_duties() says so
  ///   tuning::tick               | then, or when take_duties() says so
  ///   up to tuning::tick_longest | the same; meanwhile workers that come by, and consumers that are told to, do its work
  std::chrono::microseconds tick();

  /// Changes how many workers there may be, if the pool's limits allow. `idle_processors`: as many have had nothing to
  /// do lately. Returns when to call again; 0: when take_duties() says so.
  clock::duration adapt(double idle_processors);

  /// A worker could not be started. The next one is tried after a while, and then after longer ones; what fails
  /// meanwhile counts as the same failure. True: nobody is left who could work, not even one of the `proven`,
  /// and more than so many starts in a row were in vain.
  bool start_failed(std::size_t in_vain, std::uint32_t proven = any_number);
  void start_succeeded();

  /// A worker that the supervisor was to start has ended before it joined.
  void never_came();

  /// The pool may have one worker more, which is started. False: the pool has ended, or will in a moment.
  bool add_worker();

  /// A worker that has not joined ends, and no other takes its place.
  void remove_worker();

private:
  shared_mailbox& box_;
};

}  // namespace fmap::kernel
