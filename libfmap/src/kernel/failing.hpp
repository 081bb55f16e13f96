// SPDX-License-Identifier: BSD-3-Clause
// Items that end with an error instead of a worker.
#pragma once

#include <cstdint>
#include <exception>

#include "src/kernel/visit.hpp"

namespace fmap::kernel {

/// Somebody who holds items for a moment. Nobody waits for it, and it does not count among the workers.
class temporary_worker {
public:
  temporary_worker(visit& v, std::uint32_t capacity)
      : id{v->ledger.add_worker(capacity, 0)}, ledger_{v->ledger} {}
  ~temporary_worker() {
    ledger_.remove_worker(id, [](run_id, std::uint64_t) { return mark::waiting; });
  }
  temporary_worker(const temporary_worker&) = delete;
  temporary_worker& operator=(const temporary_worker&) = delete;

  const worker_id id;

private:
  ledger& ledger_;
};

/// Gives every queued item, or those of one run, an error; a task without an error is cancelled.
/// `only`: 0 means all runs.
void fail_queued(visit&, run_id only, const std::exception_ptr& why);

/// In a broken pool nothing stays queued.
void fail_if_broken(visit&);

}  // namespace fmap::kernel
