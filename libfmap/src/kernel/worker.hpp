// SPDX-License-Identifier: BSD-3-Clause
// A worker's place at the mailbox.
#pragma once

#include "src/kernel/party.hpp"
#include "src/kernel/run.hpp"
#include "src/kernel/spinner.hpp"

namespace fmap::kernel {

/// What a worker is executing. Others shorten `items` under the mutex.
struct own_batch {
  run* of = nullptr;
  chunk* in = nullptr;
  span items;
  bool measured_well = false;
  std::uint32_t taken = 0;    // items, at first
  std::uint32_t settled = 0;  // those of a whole batch that are done with before it is over
};

/// The thread that joined uses it; the rest is the mailbox's.
struct worker {
  progress at;
  worker_id id = 0;
  std::uint32_t place = 0;  // its number, from 0 on; another one has it after this one has left
  doorbell_ptr bell;
  presence where = presence::away;
  own_batch has;
  clock::time_point since{};  // it was called, began to look for work, or found some
  spinner spin;
  grain last = grain::unknown;  // items of its last batch
  bool supervised = false;      // counts among the pool's workers
  bool retired = false;         // did so, and is going to leave
  bool remote = false;          // a stub: its batches are executed elsewhere
  bool hurry = false;           // a stub: takes whatever there is, until there is nothing
  bool reserve = false;  // comes only for runs that tasks wait for and that nobody else is at
};

}  // namespace fmap::kernel
