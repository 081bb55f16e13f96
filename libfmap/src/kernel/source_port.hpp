// SPDX-License-Identifier: BSD-3-Clause
// What a source may do at the shared mailbox, and whoever brings items instead of one.
#pragma once

#include <cstdint>
#include <exception>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// Slots for items that are brought one by one: `next` up to `end` of a chunk.
struct lent_slots {
  chunk* in = nullptr;
  std::uint32_t next = 0, end = 0;
};

enum class pulled : std::uint8_t { something, out_of_tokens, over };

class source_port {
public:
  explicit source_port(shared_mailbox& box) : box_{box} {}

  /// `source` is rung now, and whenever there is demand or the source should look up why not.
  void attach(run&, doorbell_ptr source);

  /// The source is gone; its run gets no more input.
  void detach(run&, std::exception_ptr why);

  /// The run has no source: its input is at hand, and workers pull it when there is nothing queued.
  void pull_by_workers(run&);

  /// Pulls from the run's input as far as its tokens go. Out of tokens: the source's bell will ring. Over: the source
  /// is done. Only one thread at a time may be in here for a run.
  pulled pull(run& r) { return pull(r, once::no); }

  /// The same, but only until there is something.
  pulled pull_once(run& r) { return pull(r, once::yes); }

  /// Lends slots for which there are tokens to whoever brings items instead of having them pulled from the
  /// run's input; none if there are no tokens, or the run takes no more.
  lent_slots lend(run&);

  /// Queues what has been made in the slots before `next`. Until then nobody is told of it.
  void give_back(run&, const lent_slots&);

private:
  enum class once : bool { no, yes };
  pulled pull(run&, once);

  shared_mailbox& box_;
};

}  // namespace fmap::kernel
