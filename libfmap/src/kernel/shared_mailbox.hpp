// SPDX-License-Identifier: BSD-3-Clause
// The shared mailbox: one mutex, and the parts that it guards.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "src/kernel/adaptation.hpp"
#include "src/kernel/cost_book.hpp"
#include "src/kernel/forks.hpp"
#include "src/kernel/pool_phase.hpp"
#include "src/kernel/postponed.hpp"
#include "src/kernel/pull_line.hpp"
#include "src/kernel/roster.hpp"
#include "src/kernel/short_mutex.hpp"
#include "src/kernel/staffing.hpp"
#include "src/kernel/tick_schedule.hpp"
#include "src/kernel/wake_policy.hpp"

namespace fmap::kernel {

/// How often each reason has decided whether somebody was called.
using reasons = std::array<std::uint64_t, static_cast<std::size_t>(because::number_of_them)>;

/// What a pool consists of. A part owns its data, takes the time as an argument, rings nobody and calls nobody's
/// code.
struct mailbox_parts {
  explicit mailbox_parts(std::uint32_t workers) : staff{workers} {}

  class ledger ledger;
  std::unordered_map<run_id, run_ptr> runs;
  roster workers;
  staffing staff;
  adaptation adapts;
  pull_line pulls;
  tick_schedule tick;
  postponed later;
  pool_phase phase;
  cost_book costs;
  doorbell_ptr supervisor;
  std::shared_ptr<job> task_job;
  run_ptr tasks;
  std::vector<doorbell_ptr> left;  // wait for the pool to be done
  reasons counted{};
};

/// Where source, workers, sink and the stubs of remote nodes of one pool meet. Within a process a
/// batch lies here until somebody who is free takes it; those who have nothing to do are woken by
/// their doorbell.
///
/// What is withheld for the sake of larger batches (pulled items, the rest of a batch behind a slow
/// item, results before it) is set free by the tick, which the supervisor calls while there is any.
///
/// The parts are reached by a visit alone, and what one kind of visitor may do is its port: source_port,
/// worker_port, sink_port, remote_port, guest_port, supervisor_port, pool_port.
class shared_mailbox {
public:
  /// `workers`: how many the pool may have; they are started one by one through its supervisor.
  explicit shared_mailbox(std::uint32_t workers) : parts_{workers} {}

  const home_process home{};

private:
  friend class visit;

  short_mutex mutex_;
  mailbox_parts parts_;
};

}  // namespace fmap::kernel
